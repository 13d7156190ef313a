"""The one-stop connector with exactly the rights it may use, and through crashes."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from connectors.one_stop.database import connect, failure
from connectors.one_stop.mapping import load
from connectors.one_stop.sink import SqlSink
from connectors.one_stop.source import SqlSource
from connectors.simulators import one_stop as vendor
from hub.adapters.contract import Confirmation
from hub.adapters.one_stop.events import EventMaker
from hub.codes import AgencyCode, Environment
from hub.errors import ConfigInvalid, SinkRefused, SinkUnavailable

TRIAL = Environment.TRIAL
NOW = datetime(2026, 3, 4, 2, 0, tzinfo=timezone.utc)
COMMUNE = AgencyCode.parse("H12.101.01", TRIAL)
DEPARTMENT = AgencyCode.parse("H12.15", TRIAL)
WRITES = {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}
WRITES |= {sqlite3.SQLITE_DROP_TABLE, sqlite3.SQLITE_ALTER_TABLE, sqlite3.SQLITE_CREATE_TABLE}
OWN = {
    "commune": {"gd_trang_thai", "gd_ket_qua_gui", "lt_inbox"},
    "department": {"LtHoSoDen", "LtThanhPhanDen", "LtKhoanThuDen", "LtTinDen", "LtKetQuaGui"},
}
CODE = "000.00.19.H99-260304-0007"


def limited(db, allowed):
    """Open a database as a user who may insert into ``allowed`` and only read everything else."""
    engine = connect(f"sqlite:///{db}")

    def authorize(action, table, _column, _database, trigger):
        # What the vendor's own trigger does is the vendor's; a statement of ours has no trigger.
        if action in WRITES and trigger is None and table not in allowed:
            return sqlite3.SQLITE_DENY
        if action in WRITES - {sqlite3.SQLITE_INSERT} and trigger is None:
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK

    event.listen(engine, "connect", lambda raw, _: raw.set_authorizer(authorize))
    return engine


def parts(db, profile, agency, allowed=None):
    """Make source and sink on a database with limited rights."""
    rules = load(profile, Path())
    engine = limited(db, OWN[profile] if allowed is None else allowed)
    source = SqlSource(engine, rules, EventMaker(rules, agency, TRIAL, lambda: NOW))
    return source, SqlSink(engine, rules)


def test_interface_tables_are_all_it_ever_writes(commune, department, carrier):
    """With the right to insert into the interface tables alone, the whole journey works."""
    up, back_in = parts(commune.db, "commune", COMMUNE)
    back, up_in = parts(department.db, "department", DEPARTMENT)
    first = up.poll(None, 100)
    for _ in range(2):
        carrier.carry(first.items, COMMUNE, up_in)
    for outcome in Confirmation:
        up.confirm(first.items[0].key, outcome, None)
    for status in ("DA_TIEP_NHAN", "DA_PHAN_CONG", "DANG_XU_LY", "DA_XONG", "DA_TRA"):
        vendor.advance(department.db, CODE, status)
    carrier.carry(back.poll(None, 100).items, DEPARTMENT, back_in)
    assert vendor.status_of(commune.db, CODE) == "10"
    assert up.probe().ok


def test_right_that_is_missing_is_a_refusal_and_writes_nothing(commune, department, carrier):
    """Without the right the database says no: the guard of the test above does bite."""
    item = commune.source.poll(None, 1).items[0]
    _, sink = parts(department.db, "department", DEPARTMENT, allowed=set())
    message = carrier.inbound(item.draft, COMMUNE)
    with pytest.raises(SinkRefused, match="not authorized"):
        sink.apply(message, message.key)
    assert sink.lookup(message.key) is None


CRASH = """
import json, os, signal, sys
from datetime import datetime, timezone
from sqlalchemy import event
from connectors.one_stop.database import connect
from connectors.one_stop.mapping import load
from connectors.one_stop.sink import SqlSink
from hub.adapters.contract import Inbound
from hub.codes import AgencyCode, DossierCode, MessageId, MessageType
from hub.envelope import Payload
from pathlib import Path
given = json.load(sys.stdin)
engine = connect(given["database"])
when = given["when"]
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if when == "before commit":
    event.listen(engine, "commit", die)
made = MessageId.parse(given["id"])
code = AgencyCode.parse
message = Inbound(
    made, MessageType.parse(given["type"]), code("H12.101.01"), code("H12.15"),
    datetime.now(timezone.utc), made, Payload(given["element"], given["fields"]), (), "0" * 64,
    dossier_code=DossierCode.parse(given["dossier"]),
)
SqlSink(engine, load("department", Path())).apply(message, message.key)
die()
"""


@pytest.mark.parametrize(("when", "there"), [("before commit", False), ("after commit", True)])
def test_lookup_after_a_kill_tells_what_was_written(commune, department, carrier, when, there):
    """Killed before the commit nothing is there, after it everything; a repeat makes it once."""
    item = commune.source.poll(None, 1).items[0]
    message = carrier.inbound(item.draft, COMMUNE)
    given = {
        "database": f"sqlite:///{department.db}",
        "when": when,
        "id": str(message.message_id),
        "type": str(message.type),
        "element": message.payload.element,
        "fields": message.payload.fields,
        "dossier": str(message.dossier_code),
    }
    done = subprocess.run(
        [sys.executable, "-c", CRASH], input=json.dumps(given).encode(), capture_output=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert (department.sink.lookup(message.key) is not None) is there
    again = department.sink.apply(message, message.key)
    assert department.sink.lookup(message.key) == again
    with closing(sqlite3.connect(department.db)) as connection:
        counts = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("HoSo", "LtHoSoDen", "ThanhPhanHoSo", "LtThanhPhanDen")
        ]
    assert counts == [1, 1, 2, 2]


def test_database_that_went_away_is_waited_for_and_not_made_anew(commune, tmp_path):
    """A missing file is unavailable for every call, and no empty one appears in its place."""
    gone = tmp_path / "gone.db"
    source, sink = parts(gone, "commune", COMMUNE)
    item = commune.source.poll(None, 1).items[0]
    for call in (lambda: source.poll(None, 1), lambda: sink.lookup("k")):
        with pytest.raises(SinkUnavailable):
            call()
    with pytest.raises(SinkUnavailable):
        source.confirm(item.key, Confirmation.PUBLISHED, None)
    assert not source.probe().ok
    assert not gone.exists()


def test_locked_database_is_transient(commune, department, carrier):
    """A database that another program holds is waited for, not refused."""
    message = carrier.inbound(commune.source.poll(None, 1).items[0].draft, COMMUNE)
    engine = connect(f"sqlite:///{department.db}")
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout=50"))
    sink = SqlSink(engine, load("department", Path()))
    with closing(sqlite3.connect(department.db)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SinkUnavailable):
            sink.apply(message, message.key)
    assert sink.lookup(message.key) is None


def test_column_that_the_database_lacks_is_told_by_its_name(commune, department, carrier):
    """A mapping for another version of the software names the table or column that is missing."""
    message = carrier.inbound(commune.source.poll(None, 1).items[0].draft, COMMUNE)
    with closing(sqlite3.connect(department.db)) as connection:
        connection.execute("ALTER TABLE LtHoSoDen RENAME COLUMN NoiDung TO TrichYeu")
    fresh = SqlSink(connect(f"sqlite:///{department.db}"), load("department", Path()))
    with pytest.raises(ConfigInvalid, match="NoiDung"):
        fresh.apply(message, message.key)
    with closing(sqlite3.connect(department.db)) as connection:
        connection.execute("ALTER TABLE LtHoSoDen RENAME COLUMN Khoa TO Ma")
    fresh = SqlSink(connect(f"sqlite:///{department.db}"), load("department", Path()))
    with pytest.raises(ConfigInvalid, match=r"LtHoSoDen\.Khoa"):
        fresh.lookup(message.key)


class _Raised(Exception):
    """A driver's error: number first, words second."""


@pytest.mark.parametrize(
    ("number", "kind"), [(1644, SinkRefused), (50000, SinkRefused), (2006, SinkUnavailable)]
)
def test_refusal_by_a_vendors_trigger_is_no_outage(number, kind):
    """MySQL's SIGNAL and SQL Server's RAISERROR come as operational errors: they are refusals."""
    error = OperationalError("INSERT …", {}, _Raised(number, "khong co ho so '000000000001'"))
    found = failure(error)
    assert isinstance(found, kind)
    assert "000000000001" not in str(found)
