"""The sample one-stop database, with every trait it was made to have, is read rightly."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path

import pytest

from connectors.one_stop.database import connect
from connectors.one_stop.mapping import load
from connectors.one_stop.source import SqlSource
from hub.adapters.one_stop.decoding import money
from hub.adapters.one_stop.events import EventMaker
from hub.adapters.one_stop.mapping import Mapping
from hub.adapters.watermark import Position, below
from hub.codes import AgencyCode, Environment
from hub.errors import ConfigInvalid, ConfigMissing, RowUnmappable, SinkUnavailable

HERE = Path(__file__).parent
NOW = datetime(2026, 3, 12, 2, 0, tzinfo=timezone.utc)
SENDER = AgencyCode.parse("H12.101.01", Environment.TRIAL)


@pytest.fixture
def db(tmp_path):
    """A fresh copy of the sample database."""
    file = tmp_path / "motcua.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript((HERE / "motcua_legacy_like.sql").read_text("utf-8"))
    return file


def source(db, mapping=None):
    """Make a source on the sample database."""
    rules = mapping or load("sample.toml", HERE)
    maker = EventMaker(rules, SENDER, Environment.TRIAL, lambda: NOW)
    return SqlSource(connect(f"sqlite:///{db}"), rules, maker)


def run(db, sql, *args):
    """Act as the vendor's software."""
    with closing(sqlite3.connect(db)) as connection, connection:
        return connection.execute(sql, args).fetchall()


def items(db, checkpoint=None):
    """Poll once and return the items by dossier code."""
    return {item.label: item for item in source(db).poll(checkpoint, 100).items}


def test_three_spellings_of_a_date_are_read(db):
    """Each of the three spellings, and an empty one, is read as Vietnam time or as unknown."""
    found = items(db)
    dossier = found["000.00.19.H99-260304-0007"].draft.payload.fields["Dossier"]
    assert dossier["Dates"]["Submitted"] == "2026-03-04T08:30:00+07:00"
    assert found["MC-2026-00012"].draft.payload.fields["ResolvedAt"] == "2026-03-10T10:15:00+07:00"
    assert "Due" not in found["000.00.19.H99-260304-0008"].draft.payload.fields


def test_lists_are_whole_and_do_not_multiply(db):
    """Three steps, two parts and one fee of a dossier are three, two and one."""
    dossier = items(db)["000.00.19.H99-260304-0007"].draft.payload.fields["Dossier"]
    assert [part["Name"] for part in dossier["Parts"]["Part"]] == ["Tờ khai", "Giấy tờ bản chính"]
    assert dossier["Fees"]["Fee"] == [
        {"Name": "Lệ phí minh họa", "Amount": "30000", "State": "unpaid"}
    ]
    assert len(dossier["Steps"]["Step"]) == 3


def test_steps_are_ordered_by_their_time_not_by_their_row(db):
    """The trace table's rows 10, 12, 11 come as 10, 11, 12."""
    dossier = items(db)["000.00.19.H99-260304-0007"].draft.payload.fields["Dossier"]
    assert [step["StepId"] for step in dossier["Steps"]["Step"]] == ["10", "11", "12"]


def test_every_file_of_a_joined_list_is_there(db):
    """Both files of the ``##`` list are results, not the first only."""
    fields = items(db)["MC-2026-00012"].draft.payload.fields
    assert [result["Name"] for result in fields["Results"]["Result"]] == ["kq1.pdf", "kq2.pdf"]


def test_second_code_is_an_alias(db):
    """A dossier with two codes goes under its own and carries the other one as an alias."""
    draft = items(db)["MC-2026-00012"].draft
    assert str(draft.dossier_code) == "MC-2026-00012"
    assert draft.payload.fields["Aliases"]["Alias"] == [
        {"Scheme": "legal", "Value": "000.00.19.H99-260304-10012"}
    ]


def test_entities_are_resolved_in_the_declared_column(db):
    """``X&aacute;c nhận`` reads as Xác nhận."""
    run(db, "UPDATE hoso SET trang_thai='4' WHERE id=2")
    dossier = items(db)["MC-2026-00012"].draft.payload.fields["Dossier"]
    assert dossier["Summary"] == "Xác nhận minh họa"


def test_missing_number_and_ten_digits_are_told_as_they_are(db):
    """No ID is absent; ten digits are *other*, never padded to twelve."""
    run(db, "UPDATE hoso SET trang_thai='4'")
    found = items(db)
    applicants = {
        code: item.draft.payload.fields["Dossier"]["Applicant"]
        for code, item in found.items()
        if "Dossier" in item.draft.payload.fields
    }
    assert "PersonalNumber" not in applicants["000.00.19.H99-260304-0008"]
    assert applicants["MC-2026-00012"]["OtherNumber"] == "0100000000"
    assert applicants["000.00.19.H99-260304-0007"]["PersonalNumber"] == "000000000001"


def test_deleted_row_is_a_withdrawal_at_its_time(db):
    """A soft-deleted dossier is withdrawn, when the software says so."""
    draft = items(db)["000.00.19.H99-260304-0009"].draft
    assert str(draft.type) == "dossier.withdrawn"
    assert draft.payload.fields["WithdrawnAt"] == "2026-03-05T09:00:00+07:00"


def test_both_statuses_are_carried(db):
    """The source's own status and the mapped one stand side by side."""
    status = items(db)["MC-2026-00012"].draft.payload.fields["Status"]
    assert status == {
        "Source": {"System": "motcua-xa", "Code": "9", "Text": "Đã xử lý xong"},
        "Canonical": "resolved",
        "Portal": "9",
    }


def test_touched_row_without_change_keeps_its_key(db):
    """A new row version without a change of content has the key the outbox knows."""
    before = {item.key for item in items(db).values()}
    run(db, "UPDATE hoso SET row_ver = row_ver + 10")
    assert {item.key for item in items(db).values()} == before
    run(db, "UPDATE hoso SET trich_yeu = 'Khác', row_ver = 30 WHERE id = 1")
    assert len({item.key for item in items(db).values()} - before) == 1


def test_late_commit_below_the_watermark_is_found(db):
    """A row whose transaction ends late, with a lower version, is found in the overlap."""
    first = source(db).poll(None, 100)
    assert Position.parse(first.checkpoint) == Position(7, 2)
    run(
        db,
        "INSERT INTO hoso (id, ma_ho_so, ma_tthc, trang_thai, row_ver, chu_ho_so)"
        " VALUES (9, 'MUON-1', '9.999999', '4', 5, 'Lê Văn Thử')",
    )
    second = source(db).poll(first.checkpoint, 100)
    new = {item.key for item in second.items} - {item.key for item in first.items}
    assert [key.split(":")[1] for key in new] == ["9"]
    assert second.checkpoint == first.checkpoint


def test_limit_bounds_a_poll_and_loses_nothing(db):
    """Polls of one row each give what one poll of all gives."""
    whole = {item.key for item in source(db).poll(None, 100).items}
    got, checkpoint = set(), None
    for _ in range(6):
        batch = source(db).poll(checkpoint, 1)
        got |= {item.key for item in batch.items}
        checkpoint = batch.checkpoint
    assert got == whole


@pytest.mark.parametrize(
    ("sql", "code", "place"),
    [
        ("UPDATE hoso SET chu_ho_so='Nguy?n V?n' WHERE id=1", "source.encoding", "hoso.chu_ho_so"),
        (
            "UPDATE hoso SET chu_ho_so=CAST(x'a7c66e67' AS TEXT) WHERE id=1",
            "source.encoding",
            "hoso.chu_ho_so",
        ),
        ("UPDATE hoso SET ngay_hen_tra='mai' WHERE id=1", "source.date", "hoso.ngay_hen_tra"),
        ("UPDATE hoso SET ma_tthc='??' WHERE id=1", "code.malformed", "hoso"),
        ("UPDATE lephi SET so_tien=0.5", "source.mapping", "lephi.so_tien"),
    ],
)
def test_bad_row_is_one_error_with_its_place_and_the_next_goes_on(db, sql, code, place):
    """A row that can't be mapped is an item with its error and place; the others go out."""
    run(db, sql)
    batch = source(db).poll(None, 100)
    bad = [item for item in batch.items if item.error is not None]
    assert [item.error.code for item in bad] == [code]
    assert place in str(bad[0].error.place)
    assert "hoso" in str(bad[0].error.place)
    assert "1" in bad[0].error.place.path
    assert len(batch.items) == 4


def test_procedure_without_a_receiver_is_parked(db):
    """A procedure that no rule sends anywhere is an error, never a guess."""
    rules = load("sample.toml", HERE).model_copy(update={"receivers": {"1.000001": "H12.15"}})
    found = [i for i in source(db, rules).poll(None, 100).items if i.error is not None]
    assert {item.error.code for item in found} == {"source.mapping"}
    assert len(found) == 2


def test_database_that_is_not_there_is_transient(tmp_path):
    """A database that can't be opened is waited for."""
    with pytest.raises(SinkUnavailable):
        source(tmp_path / "no" / "such.db").poll(None, 10)


def test_nothing_is_written_by_reading(db):
    """Polling and probing leave every byte of the file as it was."""
    before = db.read_bytes()
    source(db).poll(None, 100)
    assert source(db).probe().ok
    assert db.read_bytes() == before


@pytest.mark.parametrize("value", [7, "a:b|c", bytes(8), datetime(2026, 3, 4, tzinfo=timezone.utc)])
def test_checkpoint_keeps_the_kind_of_its_watermark(value):
    """Numbers, text, bytes and times come back from a checkpoint as what they were."""
    assert Position.parse(Position(value, 5).checkpoint()) == Position(value, 5)


def test_overlap_is_counted_in_the_watermarks_unit():
    """Numbers go back by numbers, times by seconds; text that does not sort is refused."""
    assert below(100, 7) == 93
    assert below("2026-03-04 00:00:10", 20) == "2026-03-03 23:59:50"
    with pytest.raises(ConfigInvalid):
        below("04/03/2026", 20)


@pytest.mark.parametrize(("raw", "dong"), [("30000.00", "30000"), ("0", "0"), (None, "0")])
def test_money_is_whole_dong(raw, dong):
    """Amounts are whole đồng; decimals that are zero are dropped."""
    assert money(raw, "gia") == dong


@pytest.mark.parametrize("raw", ["30.5", "30,000", "-1", "abc"])
def test_money_with_fraction_or_separator_is_refused(raw):
    """A fraction, a separator or a minus is refused, not rounded."""
    with pytest.raises(RowUnmappable):
        money(raw, "gia")


def test_mapping_with_an_unknown_key_is_refused_by_name(tmp_path):
    """A misspelt key is told with the file, not silently ignored; a missing file too."""
    text = (HERE / "sample.toml").read_text("utf-8").replace("overlap =", "overlapp =")
    (tmp_path / "bad.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigInvalid, match=r"feed\.overlap"):
        load("bad.toml", tmp_path)
    with pytest.raises(ConfigMissing):
        load("none.toml", tmp_path)


@pytest.mark.parametrize("name", ["commune", "department"])
def test_packaged_mappings_are_whole(name):
    """Every status with an event is known, every written status is one of the software's."""
    mapping = load(name, Path())
    assert isinstance(mapping, Mapping)
    assert set(mapping.events) <= set(mapping.status)
    for rule in mapping.write:
        assert set(rule.status.values()) <= set(mapping.status)
