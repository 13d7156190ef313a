"""The directory file is read whole or not at all, and every fault is named with its place."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import DirectoryRefused
from hub.routing.directory import export_csv, import_csv
from hub.store.rows import AgencyRow

DATA = Path(__file__).parent / "data"
HEADER = "code_new,code_old,name,kind,parent,centre,valid_from,valid_to,superseded_by,redirect\n"
GOOD = "H12.15,000.00.13.H12,Sở Mẫu,department,,,2020-09-15,,,\n"


def sample(name: str) -> bytes:
    return (DATA / name).read_bytes()


@pytest.fixture(scope="module")
def known() -> tuple[AgencyRow, ...]:
    centres = import_csv(sample("centres.csv"), file="centres.csv").rows
    return (*centres, *import_csv(sample("agencies.csv"), file="a.csv", known=centres).rows)


def faults(text: str | bytes, known: tuple[AgencyRow, ...] = ()) -> set[tuple[str, int, str]]:
    """(code, line, column) of every fault."""
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(DirectoryRefused) as caught:
        import_csv(data, file="f.csv", known=known)
    assert all(one.place.file == "f.csv" for one in caught.value.problems)
    return {(one.code, one.place.line, one.place.column) for one in caught.value.problems}


def test_sample_directory_is_clean(known: tuple[AgencyRow, ...]) -> None:
    """66 agencies and 11 centres, with their aliases, dates and successors."""
    assert len(known) == 77
    rows = {row.code: row for row in known}
    assert rows["H12.15"].aliases == ("000.00.13.H12",)
    assert rows["H12.31.21"].superseded_by == ("H12.101",)
    assert (rows["H12.31.21"].redirect, rows["H12.31.21"].valid_to) == ("auto", date(2025, 6, 30))
    assert rows["00.04.W00"].kind == "centre"
    assert rows["G22"].centre is None


def test_dirty_sample_is_refused_whole(known: tuple[AgencyRow, ...]) -> None:
    """Each of the three faulty rows is named, with line, column and reason; none gets in."""
    found = faults(sample("agencies_dirty.csv"), known)
    assert found == {
        ("code.malformed", 2, "code_new"),
        ("code.malformed", 2, "code_old"),
        ("directory.duplicate", 3, "code_new"),
        ("directory.cycle", 4, "superseded_by"),
    }


def test_refusal_reads_in_both_languages(known: tuple[AgencyRow, ...]) -> None:
    """The one error says how many faults there are and spells them out, place by place."""
    with pytest.raises(DirectoryRefused) as caught:
        import_csv(sample("agencies_dirty.csv"), file="f.csv", known=known)
    for lang in ("vi", "en"):
        text = caught.value.message(lang)
        assert "f.csv:3:code_new" in text
        assert "H12.15" in text


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("H12.1,,Mẫu,unit,,,2020-9-15,,,\n", ("directory.value", 3, "valid_from")),
        ("H12.1,,Mẫu,unit,,,2021-02-29,,,\n", ("directory.value", 3, "valid_from")),
        ("H12.1,,Mẫu,unit,,,,,,\n", ("directory.value", 3, "valid_from")),
        ("H12.1,,Mẫu,unit,,,2021-01-02,2021-01-01,,\n", ("directory.value", 3, "valid_to")),
        ("H12.1,,Mẫu,unit,H12.9,,2020-09-15,,,\n", ("directory.reference", 3, "parent")),
        ("H12.1,,Mẫu,unit,,00.12.W00,2020-09-15,,,\n", ("directory.reference", 3, "centre")),
        ("H12.1,,Mẫu,unit,,H12.15,2020-09-15,,,\n", ("directory.value", 3, "centre")),
        ("H12.1,,Mẫu,unit,,,2020-09-15,,H12.9,\n", ("directory.reference", 3, "superseded_by")),
        ("H12.1,,Mẫu,unit,,,2020-09-15,,,auto\n", ("directory.value", 3, "redirect")),
        ("H12.1,,Mẫu,unit,,,2020-09-15,,H12.15,maybe\n", ("directory.value", 3, "redirect")),
        (",,Mẫu,unit,,,2020-09-15,,,\n", ("directory.value", 3, "code_new")),
        ("H12.1,,,unit,,,2020-09-15,,,\n", ("directory.value", 3, "name")),
        ("H12.1,,Mẫu,Đơn vị,,,2020-09-15,,,\n", ("directory.value", 3, "kind")),
        ("H12.1,,Mẫu\0,unit,,,2020-09-15,,,\n", ("directory.value", 3, "")),
        ("H12.1,,Mẫu,unit\n", ("directory.columns", 3, "")),
        ("H12.1,,Mẫu,unit,,,2020-09-15,,,,\n", ("directory.columns", 3, "")),
        ("H12.15,,Mẫu,department,,,2020-09-15,,,\n", ("directory.duplicate", 3, "code_new")),
        ("H12.1,H12.15,Mẫu,unit,,,2020-09-15,,,\n", ("directory.duplicate", 3, "code_old")),
        ("H12.1,000.00.13.H12,Mẫu,unit,,,2020-09-15,,,\n", ("directory.duplicate", 3, "code_old")),
    ],
)
def test_one_bad_row_refuses_the_file(row: str, fault: tuple[str, int, str]) -> None:
    """A good row beside a bad one is not taken; the bad one is named with its place."""
    assert faults(HEADER + GOOD + row) == {fault}


def test_every_bad_row_is_listed() -> None:
    """A file with several faults names them all at once, in the order of its lines."""
    rows = (
        "H1,,Mẫu,unit,,,2020-09-15,,,\nH12.2,,Mẫu,unit,,,no,,,\nH12.3,,Mẫu,unit,X1,,2020-09-15,,,\n"
    )
    assert [line for _code, line, _column in sorted(faults(HEADER + rows), key=lambda f: f[1])] == [
        2, 3, 4,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "column"),
    [
        (HEADER.replace(",redirect", ""), "redirect"),
        (HEADER.replace("\n", ",colour\n"), "colour"),
        (HEADER.replace("\n", ",name\n"), "name"),
    ],
)
def test_columns_must_be_the_known_ones(header: str, column: str) -> None:
    """A missing, foreign or doubled column is named."""
    assert ("directory.columns", 1, column) in faults(header)


@pytest.mark.parametrize("data", [b"", b"\n", b"\xff\xfe", HEADER.encode() + b"H12.1,\xe1\n"])
def test_bytes_that_are_no_utf8_table_are_refused(data: bytes) -> None:
    """Empty files and other encodings are refused, never half-read."""
    assert faults(data)


def test_bom_and_crlf_are_read(known: tuple[AgencyRow, ...]) -> None:
    """What Excel writes is read like what an editor writes."""
    plain = import_csv((HEADER + GOOD).encode(), file="f.csv").rows
    excel = (HEADER + GOOD).replace("\n", "\r\n").encode("utf-8-sig")
    assert import_csv(excel, file="f.csv").rows == plain


def test_line_numbers_count_lines_not_records() -> None:
    """A quoted line break inside a name does not shift the places that follow."""
    text = HEADER + 'H12.1,,"Mẫu\nhai",unit,,,2020-09-15,,,\nH12,,Mẫu,unit,,,no,,,\n'
    assert faults(text) == {("directory.value", 2, "name"), ("directory.value", 4, "valid_from")}


def test_known_agency_may_change_its_state(known: tuple[AgencyRow, ...]) -> None:
    """The same code with the same beginning is the same agency: closing it is an update."""
    row = "H13.15,000.00.15.H13,Sở,department,H13,00.13.W00,2020-09-15,2026-12-31,H12.15,auto\n"
    (changed,) = import_csv((HEADER + row).encode(), file="f.csv", known=known).rows
    assert (changed.valid_to, changed.redirect) == (date(2026, 12, 31), "auto")


def test_import_again_changes_nothing(known: tuple[AgencyRow, ...]) -> None:
    """The same file over what it brought in is accepted as it is."""
    rows = import_csv(sample("agencies.csv"), file="f.csv", known=known).rows
    assert set(rows) <= set(known)


def test_export_is_read_back_equal(known: tuple[AgencyRow, ...]) -> None:
    """Agencies and centres survive the way out and in again."""
    assert import_csv(export_csv(known), file="f.csv").rows == known


TEXT = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn", "Zs"]
    ),
    min_size=1,
    max_size=20,
)


@given(
    st.lists(
        st.tuples(st.integers(1, 99), TEXT, st.dates(), st.booleans(), st.booleans()),
        unique_by=lambda item: item[0],
        max_size=6,
    )
)
def test_any_rows_survive_export_and_import(items: list) -> None:
    """Names with quotes, commas and any letters round-trip."""
    rows = tuple(
        AgencyRow(
            code=f"H12.{number:02}",
            name=name,
            kind="unit",
            parent=None,
            centre=None,
            valid_from=begins,
            valid_to=begins if ends else None,
            aliases=(f"000.00.{number:02}.H12",) if attached else (),
            attached=attached,
        )
        for number, name, begins, ends, attached in items
    )
    assert import_csv(export_csv(rows), file="f.csv").rows == rows


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda t: (HEADER + t).encode("utf-8")))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Nothing but DirectoryRefused ever comes out of a bad file."""
    try:
        rows = import_csv(data, file="f.csv").rows
    except DirectoryRefused:
        return
    assert import_csv(export_csv(rows), file="f.csv").rows == rows
