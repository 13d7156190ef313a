"""``hub directory``: imported whole or not at all, every fault named, who receives what when."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
HEAD = "code_new,code_old,name,kind,parent,centre,valid_from,valid_to,superseded_by,redirect\n"


@pytest.fixture
def empty(bare, tmp_path):
    """Commands on a home whose directory is empty."""
    assert bare("init", tmp_path / "empty").status == 0
    return lambda *words: bare("--home", tmp_path / "empty", *words)


def test_the_sample_directory_is_read_and_written_back(empty, tmp_path):
    """Centres first, then agencies; the export is read back into the same directory."""
    assert empty("directory", "import", HERE / "centres.csv", "--json").json == {
        "ok": True, "imported": 11}  # fmt: skip
    assert empty("directory", "import", HERE / "agencies.csv", "--json").json["imported"] == 66
    before = empty("directory", "list", "--json").json
    exported = empty("directory", "export")
    assert exported.out.startswith("code_new,code_old,name")
    (tmp_path / "all.csv").write_bytes(exported.raw)
    assert empty("directory", "import", tmp_path / "all.csv").status == 0
    assert empty("directory", "list", "--json").json == before
    assert empty("directory", "export", "--json").json == before


def test_agencies_before_their_centres_are_refused(empty):
    """A dangling name is a fault of its row."""
    done = empty("directory", "import", HERE / "agencies.csv", "--json")
    assert done.status == 1
    assert {one["code"] for one in done.json["problems"]} == {"directory.reference"}
    assert empty("directory", "list", "--json").json == {"agencies": []}


def test_dirty_rows_are_named_by_file_line_and_reason(hub):
    """Every fault has a line of its own; nothing of the file is imported; the log says nothing."""
    before = hub("directory", "export").raw
    entries = hub("audit", "verify", "--json").json["entries"]
    people = hub("directory", "import", HERE / "agencies_dirty.csv")
    assert (people.status, people.out) == (1, "directory.refused\n")
    for line, code in ((2, "code.malformed"), (3, "directory.duplicate"), (4, "directory.cycle")):
        assert any(
            f"agencies_dirty.csv:{line}:" in row and code in row for row in people.err.splitlines()
        )
    programs = hub("directory", "import", HERE / "agencies_dirty.csv", "--json").json
    assert (programs["ok"], programs["code"]) == (False, "directory.refused")
    assert [(one["line"], one["column"], one["code"]) for one in programs["problems"]] == [
        (2, "code_new", "code.malformed"),
        (2, "code_old", "code.malformed"),
        (3, "code_new", "directory.duplicate"),
        (4, "superseded_by", "directory.cycle"),
    ]
    assert hub("directory", "export").raw == before
    assert hub("audit", "verify", "--json").json["entries"] == entries


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (None, 2, "absent.csv"),
        (b"", 1, "code_new"),
        (b"<Envelope/>", 1, "code_new"),
        (b"\xff\xfe\x00a", 1, "not UTF-8"),
        ((HEAD + "H12.88\n").encode(), 1, ":2"),
        ((HEAD + 'H12.88,,"x,unit,,,,,,\n').encode(), 1, "directory.value"),
        ((HEAD + "H12.88,,A,unit,H12,00.12.W00,2025-13-01,,,\n").encode(), 1, ":2:valid_from"),
    ],
)
def test_files_that_are_no_directory_are_told(hub, tmp_path, content, status, said):
    """Missing, empty, foreign, damaged and truncated files."""
    file = tmp_path / "absent.csv"
    if content is not None:
        file.write_bytes(content)
    done = hub("directory", "import", file)
    assert done.status == status
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_folder_is_no_file(hub, tmp_path):
    """A folder in the place of a file is wrong usage."""
    assert hub("directory", "import", tmp_path).status == 2


def test_production_takes_no_test_codes(bare, tmp_path):
    """A production home refuses a directory with test codes, naming the row."""
    production = tmp_path / "production"
    assert (
        bare("init", production, "--environment", "production", "--code", "00.12.W00").status == 0
    )
    file = tmp_path / "test.csv"
    file.write_text(HEAD + "H99.19,,Thử,unit,,,2025-01-01,,,\n", "utf-8")
    done = bare("--home", production, "directory", "import", file, "--json")
    assert done.json["problems"][0]["code"] == "code.test_only"


@pytest.mark.parametrize(
    ("code", "at", "resolved", "via", "queue"),
    [
        ("H12.15", (), "H12.15", "exact", "inbox.H12.15"),
        ("h12.15", (), "H12.15", "exact", "inbox.H12.15"),
        ("000.00.13.H12", (), "H12.15", "alias", "inbox.H12.15"),
        ("H12.31.21", (), "H12.101", "successor", "inbox.H12.101"),
        ("H12.31.21", ("--at", "2025-06-30"), "H12.31.21", "centre", "gateway.00.12.W00"),
        ("H12.31.21", ("--at", "2025-07-01"), "H12.101", "successor", "inbox.H12.101"),
        ("H12.31.21", ("--at", "2025-07-01T00:00:00+07:00"), "H12.101", "successor",
         "inbox.H12.101"),
    ],
)  # fmt: skip
def test_resolve_says_where_a_message_goes(hub, code, at, resolved, via, queue):
    """The four ways to a queue, by the day in Vietnam."""
    done = hub("directory", "resolve", code, *at, "--json")
    assert done.status == 0
    assert done.json == {"code": code.upper(), "resolved": resolved, "via": via, "queue": queue}


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (("H12.777",), 1, "routing.unknown_receiver"),
        (("H12.32.21",), 1, "routing.closed_receiver"),
        (("H12.15", "--at", "2019-01-01"), 1, "routing.unknown_receiver"),
        (("not a code",), 2, "code.malformed"),
        (("H12.15", "--at", "yesterday"), 2, "usage.invalid"),
        (("H12.15", "--at", "2026-02-30"), 2, "usage.invalid"),
        (("H12.15", "--at", "0001-01-01T00:00:00+14:00"), 2, "usage.invalid"),
    ],
)
def test_resolve_refuses_with_a_code(hub, words, status, code):
    """Unknown and closed receivers exit 1 with the router's code; wrong words exit 2."""
    done = hub("directory", "resolve", *words, "--json")
    assert (done.status, done.json["code"]) == (status, code)


def test_a_closed_receiver_names_its_successor(hub):
    """The sentence tells whom to write to instead."""
    assert "H12.102" in hub("directory", "resolve", "H12.32.21").err


def test_show_finds_an_agency_by_any_of_its_codes(hub):
    """New code and old code show the same row; an unknown one exits 1."""
    new, old = (
        hub("directory", "show", code, "--json").json for code in ("H12.15", "000.00.13.H12")
    )
    assert new == old
    assert new.keys() >= {"code", "aliases", "name", "kind", "valid_from", "valid_to", "attached"}
    assert hub("directory", "show", "H12.777").out == "lookup.not_found\n"


def test_attach_gives_an_inbox_to_known_agencies_only(hub):
    """One unknown code among them: none is attached."""
    assert hub("directory", "resolve", "H12.31.22", "--at", "2025-06-01", "--json").json[
        "queue"].startswith("gateway.")  # fmt: skip
    assert hub("directory", "attach", "H12.31.22", "H12.777").status == 1
    assert hub("directory", "show", "H12.31.22", "--json").json["attached"] is False
    assert hub("directory", "attach", "H12.31.22").status == 0
    assert hub("directory", "show", "H12.31.22", "--json").json["attached"] is True


def test_the_list_fits_people(hub):
    """A table with a row for every agency."""
    assert "Sở Khoa học" in hub("directory", "list").out
