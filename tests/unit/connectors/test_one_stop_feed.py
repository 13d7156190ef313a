"""Reading by watermark and by outbox: nothing lost, nothing twice, one bad row is one bad row."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.one_stop.database import connect
from connectors.one_stop.source import SqlSource
from hub.adapters.one_stop.events import EventMaker
from hub.adapters.one_stop.mapping import Mapping
from hub.adapters.watermark import Position
from hub.codes import AgencyCode, Environment
from hub.errors import ConfigInvalid

NOW = datetime(2026, 3, 12, 2, 0, tzinfo=timezone.utc)
HERE = AgencyCode.parse("H12.101", Environment.TRIAL)
TABLES = """
CREATE TABLE hoso (id INTEGER PRIMARY KEY, ma CHAR(20), tthc TEXT, ten TEXT, nop TEXT, kq TEXT,
  tt TEXT, xoa INTEGER DEFAULT 0, moc {mark});
CREATE TABLE giayto (id INTEGER PRIMARY KEY, ma CHAR(20), ten TEXT, so INTEGER);
CREATE TABLE lephi (id INTEGER PRIMARY KEY, ma CHAR(20), ten TEXT, tien TEXT);
CREATE TABLE quatrinh (id INTEGER PRIMARY KEY, ma CHAR(20), luc TEXT, ten TEXT);
"""


def mapping(overlap=5, **more):
    """Make a mapping of the tables above."""
    given_rules = {
        "system": "x",
        "feed": {
            "table": "hoso", "id": "id", "watermark": "moc", "overlap": overlap, "dossier": "ma",
            "status": "tt",
        },
        "dossier": {
            "table": "hoso", "code": "ma", "deleted": "xoa", "deleted_status": "RUT",
            "columns": {
                "procedure": "tthc", "applicant": "ten", "submitted": "nop", "result_files": "kq",
            },
        },
        "parts": {
            "table": "giayto", "dossier": "ma", "order": ["id"],
            "columns": {"name": "ten", "originals": "so"},
        },
        "fees": {
            "table": "lephi", "dossier": "ma", "order": ["id"],
            "columns": {"name": "ten", "amount": "tien"},
        },
        "steps": {
            "table": "quatrinh", "dossier": "ma", "order": ["luc", "id"],
            "columns": {"id": "id", "at": "luc", "name": "ten"},
        },
        "status": {
            "GUI": {"text": "Gửi", "canonical": "submitted"},
            "RUT": {"text": "Rút", "canonical": "withdrawn"},
            "GIU": {"text": "Giữ", "canonical": "processing"},
        },
        "events": {"GUI": [{"type": "dossier.submitted", "to": "H12.15"}]},
        "dates": {"hoso.nop": ["dd/MM/yyyy"], "quatrinh.luc": ["yyyy-MM-dd HH:mm:ss"]},
        **more,
    }  # fmt: skip
    return Mapping.model_validate(given_rules)


class Office:
    """A database of this shape and a source on it."""

    def __init__(self, folder: Path, rules: Mapping, mark: str = "INTEGER"):
        self.file = folder / "x.db"
        with closing(sqlite3.connect(self.file)) as connection:
            connection.executescript(TABLES.format(mark=mark))
        engine = connect(f"sqlite:///{self.file}")
        maker = EventMaker(rules, HERE, Environment.TRIAL, lambda: NOW)
        self.source = SqlSource(engine, rules, maker)
        self.engine = engine

    def run(self, sql, *args):
        """Act as the vendor's software."""
        with closing(sqlite3.connect(self.file)) as connection, connection:
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute(sql, args)

    def add(self, row, mark, status="GUI", code=None):
        """Enter a dossier."""
        self.run(
            "INSERT INTO hoso (id, ma, tthc, ten, nop, tt, moc) VALUES (?,?,?,?,?,?,?)",
            row, code or f"A-{row}", "1.000001", "Lê Văn Thử", "04/03/2026", status, mark,
        )  # fmt: skip


@pytest.fixture
def office(tmp_path):
    """Make an office with a mapping; closes its connections at the end."""
    made = []

    def make(rules=None, mark="INTEGER"):
        made.append(Office(tmp_path, rules or mapping(), mark))
        return made[-1]

    yield make
    for one in made:
        one.engine.dispose()


def walked(source, limit, checkpoint=None):
    """Poll until nothing new comes; return the keys in order of first sight and the checkpoint."""
    keys: dict[str, None] = {}
    while True:
        batch = source.poll(checkpoint, limit)
        new = [item.key for item in batch.items if item.key not in keys]
        keys.update(dict.fromkeys(new))
        if not new and batch.checkpoint == checkpoint:
            return list(keys), checkpoint
        checkpoint = batch.checkpoint


def test_rows_that_share_a_watermark_are_all_read(office):
    """A bulk update stamps ten rows alike; three at a time and without overlap, none is lost."""
    made = office(mapping(overlap=0))
    for row in range(1, 11):
        made.add(row, 7)
    keys, checkpoint = walked(made.source, 3)
    assert [key.split(":")[1] for key in keys] == [str(row) for row in range(1, 11)]
    assert Position.parse(checkpoint) == Position(7, 10)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_order_of_commits_is_read_whole(data):
    """Rows with any watermarks, late ones within the overlap included, are each read once."""
    with tempfile.TemporaryDirectory() as folder:
        made = Office(Path(folder), mapping(overlap=5))
        top, row, seen, checkpoint = 10, 0, set(), None
        for _ in range(data.draw(st.integers(1, 6))):
            for _ in range(data.draw(st.integers(0, 4))):
                row += 1
                late = data.draw(st.integers(0, 4))
                made.add(row, top - late)
                top += data.draw(st.integers(0, 3))
            batch = made.source.poll(checkpoint, data.draw(st.integers(1, 3)))
            seen |= {item.key for item in batch.items}
            assert all(item.error is None for item in batch.items)
            if data.draw(st.booleans()):
                checkpoint = batch.checkpoint
        seen |= set(walked(made.source, 2, checkpoint)[0])
        assert {int(key.split(":")[1]) for key in seen} == set(range(1, row + 1))
        made.engine.dispose()


@pytest.mark.parametrize(
    ("kind", "marks"),
    [
        ("BLOB", [(n).to_bytes(8, "big") for n in (1, 2, 300)]),
        ("TEXT", ["2026-03-04 08:30:00", "2026-03-04 08:30:00.5", "2026-03-05 00:00:00"]),
        ("TIMESTAMP", ["2026-03-04 08:30:00.000000", "2026-03-05 08:30:00.000000"]),
        ("DECIMAL(18,0)", [1, 2, 10]),
    ],
)
def test_every_kind_of_watermark_reads_on(office, kind, marks):
    """Row versions, text times, native times and decimals: read by ones, each row comes once."""
    made = office(mapping(overlap=1), kind)
    for row, mark in enumerate(marks, 1):
        made.add(row, mark)
    keys, _ = walked(made.source, 1)
    assert len(keys) == len(marks)


def test_watermark_that_does_not_sort_is_parked_and_stops_nothing(office):
    """A row whose text watermark is no time is one error; later rows are still read."""
    made = office(mapping(overlap=5), "TEXT")
    made.add(1, "2026-03-04 08:30:00")
    made.add(2, "hôm qua")
    batch = made.source.poll(None, 10)
    bad = [item for item in batch.items if item.error]
    assert [(item.label, item.error.code) for item in bad] == [("hoso:2", "source.mapping")]
    assert bad[0].error.place.column == "hoso.moc"
    made.add(3, "2026-03-04 09:30:00")
    again = made.source.poll(batch.checkpoint, 10)
    assert "hoso:3" in {item.key.rsplit(":", 2)[0] for item in again.items if item.draft}


def test_checkpoint_that_cannot_be_read_never_starts_again_from_zero(office):
    """A damaged checkpoint is refused by name."""
    made = office()
    made.add(1, 1)
    with pytest.raises(ConfigInvalid, match="checkpoint"):
        made.source.poll("damaged", 10)


def test_status_that_the_mapping_does_not_know_is_parked_with_its_place(office):
    """An unknown status is an error with table, row and column, while the next row goes on."""
    made = office()
    made.add(1, 1, status="MOI")
    made.add(2, 2)
    made.add(3, 3, status="GIU")
    items = made.source.poll(None, 10).items
    (bad,) = [item for item in items if item.error]
    assert (bad.error.code, bad.error.place.file) == ("source.mapping", "hoso")
    assert (bad.error.place.column, bad.error.place.path) == ("hoso.tt", "row 1")
    assert [item.label for item in items if item.draft] == ["A-2"]
    listed = mapping(events={"GUI": [{"type": "dossier.submitted", "to": "H12.15"}], "*": []})
    maker = EventMaker(listed, HERE, Environment.TRIAL, lambda: NOW)
    quiet = SqlSource(made.engine, listed, maker).poll(None, 10).items
    assert [item.label for item in quiet] == ["A-2"]


def test_counts_of_every_list_match(office):
    """Three steps, four parts, two fees and two results are 3, 4, 2 and 2: nothing multiplies."""
    made = office()
    made.add(1, 1)
    made.run("UPDATE hoso SET kq='/a/kq1.pdf##/a/kq2.pdf'")
    for n in range(4):
        made.run("INSERT INTO giayto (ma, ten, so) VALUES ('A-1', ?, 1)", f"Giấy {n}")
    for n in range(2):
        made.run("INSERT INTO lephi (ma, ten, tien) VALUES ('A-1', ?, '1000')", f"Phí {n}")
    for n in range(3):
        moment = f"2026-03-04 0{n}:00:00"
        made.run("INSERT INTO quatrinh (ma, luc, ten) VALUES ('A-1', ?, ?)", moment, f"Bước {n}")
    (item,) = made.source.poll(None, 10).items
    dossier = item.draft.payload.fields["Dossier"]
    lists = {
        "Parts": "Part",
        "Fees": "Fee",
        "Steps": "Step",
        "Results": "Result",
    }
    assert [len(dossier[name][member]) for name, member in lists.items()] == [4, 2, 3, 2]


def test_error_in_a_list_names_its_own_table_and_line(office):
    """A bad amount in the second fee is placed at that fee, of that dossier's row."""
    made = office()
    made.add(1, 1)
    made.run("INSERT INTO lephi (ma, ten, tien) VALUES ('A-1', 'Phí', '1000')")
    made.run("INSERT INTO lephi (ma, ten, tien) VALUES ('A-1', 'Phí', '1.000,5')")
    (item,) = made.source.poll(None, 10).items
    place = item.error.place
    assert (place.file, place.column) == ("lephi", "lephi.tien")
    assert place.path == "line 2 of hoso row 1"


def test_change_in_a_list_is_a_real_change(office):
    """A part that was added makes another version of the dossier; touching its row does not."""
    made = office()
    made.add(1, 1)
    (first,) = made.source.poll(None, 10).items
    made.run("UPDATE hoso SET moc = 2")
    (touched,) = made.source.poll(None, 10).items
    made.run("INSERT INTO giayto (ma, ten, so) VALUES ('A-1', 'Đơn', 1)")
    (changed,) = made.source.poll(None, 10).items
    assert touched.key == first.key != changed.key


def test_padded_codes_find_their_lists(office):
    """A CHAR column pads the code with blanks; the dossier and its list are still one."""
    made = office(
        mapping(
            feed={
                "table": "quatrinh", "id": "id", "watermark": "id", "overlap": 5, "dossier": "ma",
                "status": "ten", "once": True,
            }
        )
    )  # fmt: skip
    made.add(1, 1, code="A-1")
    made.run("INSERT INTO quatrinh (ma, luc, ten) VALUES ('A-1', '2026-03-04 08:00:00', 'GUI')")
    made.run("UPDATE hoso SET ma = 'A-1' || '   '")
    made.run("UPDATE quatrinh SET ma = 'A-1' || '   '")
    (item,) = made.source.poll(None, 10).items
    assert item.error is None
    assert str(item.draft.dossier_code) == "A-1"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"dossier": {"table": "hoso", "code": "ma", "columns": {"aplicant": "ten"}}}, "aplicant"),
        ({"dates": {}}, "submitted"),
        ({"events": {"LA": []}}, "LA"),
        ({"events": {"GUI": [{"type": "dossier.sent", "to": "H12.15"}]}}, "dossier.sent"),
        ({"status": {"GUI": {"text": "x", "canonical": "sent"}}}, "canonical"),
        ({"confirm": {"table": "hoso", "key": "ma", "outcome": "tt"}}, "hoso"),
        ({"write": [{"types": ["*"], "insert": [{"table": "giayto", "columns": {}}]}]}, "giayto"),
    ],
)
def test_mapping_with_a_mistake_is_refused_by_name(change, named):
    """A misspelt field, a time without a format, an unknown status or type, a vendor's table."""
    with pytest.raises(ValueError, match=named):
        mapping(**change)


def test_sentinels_are_declared_for_each_column(office):
    """What means *unknown* is said for each column, beside its format."""
    rules = mapping(
        dates={
            "hoso.nop": {"formats": ["dd/MM/yyyy"], "sentinels": ["04/03/2026", "N/A"]},
            "quatrinh.luc": ["yyyy-MM-dd HH:mm:ss"],
        }
    )
    made = office(rules)
    made.add(1, 1)
    (item,) = made.source.poll(None, 10).items
    assert "Dates" not in item.draft.payload.fields["Dossier"]
