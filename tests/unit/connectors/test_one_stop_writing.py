"""Writing by other rules than the packaged ones: a vendor's procedure, an outbox table to read."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timezone

import pytest
from sqlalchemy import event

from connectors.one_stop.database import connect
from connectors.one_stop.sink import SqlSink
from connectors.one_stop.source import SqlSource
from hub.adapters.contract import Inbound
from hub.adapters.one_stop.events import EventMaker
from hub.adapters.one_stop.mapping import Mapping
from hub.adapters.watermark import Position
from hub.codes import AgencyCode, DossierCode, Environment, MessageId, MessageType
from hub.envelope import Payload
from hub.errors import ConfigInvalid, SinkRefused

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=timezone.utc)
HERE = AgencyCode.parse("H12.101", Environment.TRIAL)
THERE = AgencyCode.parse("H12.15", Environment.TRIAL)
RULES = {
    "system": "x",
    "feed": {
        "table": "outbox", "id": "id", "watermark": "id", "overlap": 5, "dossier": "ma",
        "status": "su_kien", "once": True,
    },
    "dossier": {
        "table": "hoso", "code": "ma", "columns": {"procedure": "tthc", "applicant": "ten"},
    },
    "status": {
        "GUI": {"text": "Gửi", "canonical": "submitted"},
        "KHAC": {"text": "Khác", "canonical": "processing"},
    },
    "events": {"GUI": [{"type": "dossier.submitted", "to": "procedure"}]},
    "receivers": {"1.000001": "H12.15"},
    "inbox": {"own": "lt_inbox", "key": "khoa", "tables": {"lt_inbox": "tham_chieu"}},
    "write": [
        {
            "types": ["dossier.*"],
            "procedure": "nhan_trang_thai",
            "arguments": [{"from": "dossier_code"}, {"from": "status"}],
            "status": {"received": "2"},
        }
    ],
}  # fmt: skip
TABLES = """
CREATE TABLE hoso (ma VARCHAR(64), tthc VARCHAR(64), ten VARCHAR(200));
CREATE TABLE outbox (id INTEGER PRIMARY KEY, ma VARCHAR(64), su_kien VARCHAR(10));
CREATE TABLE lt_inbox (khoa VARCHAR(120) PRIMARY KEY, tham_chieu VARCHAR(64));
INSERT INTO hoso VALUES ('A-1', '1.000001.000.00.00.H12', 'Lê Văn Thử');
INSERT INTO outbox VALUES (1, 'A-1', 'GUI'), (2, 'A-1', 'KHAC'), (3, 'A-2', 'GUI'),
  (4, 'A-1', 'GUI');
"""


@pytest.fixture
def engine(tmp_path):
    """A database whose vendor offers a procedure; what it was called with is on ``calls``."""
    file = tmp_path / "x.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(TABLES)
    made = connect(f"sqlite:///{file}")
    made.calls = []

    def procedure(code, status):
        if code == "A-9":
            raise ValueError
        made.calls.append((code, status))
        return 1

    def install(connection, _record):
        connection.create_function("nhan_trang_thai", 2, procedure)

    event.listen(made, "connect", install)
    return made


def message(code="A-1", canonical="received", number=1):
    """Make a status message."""
    fields = {
        "DossierCode": code,
        "OccurredAt": NOW.isoformat(),
        "Status": {"Canonical": canonical},
    }
    made = MessageId.new(number, bytes(10))
    return Inbound(
        made, MessageType.parse("dossier.received"), THERE, HERE, NOW, made,
        Payload("DossierReceived", fields), (), "0" * 64, dossier_code=DossierCode.parse(code),
    )  # fmt: skip


def test_vendors_procedure_is_called_once_for_a_key(engine):
    """The procedure gets the mapped values; the key of a repeat stops the second transaction."""
    sink = SqlSink(engine, Mapping.model_validate(RULES))
    first = message()
    sink.apply(first, first.key)
    assert engine.calls == [("A-1", "2")]
    assert sink.lookup(first.key) is not None
    assert sink.lookup("other") is None


def test_status_that_the_software_lacks_is_refused(engine):
    """A status without a counterpart is refused before anything is written."""
    sink = SqlSink(engine, Mapping.model_validate(RULES))
    odd = message(canonical="paused")
    with pytest.raises(SinkRefused, match="paused"):
        sink.apply(odd, odd.key)
    assert engine.calls == []
    assert sink.lookup(odd.key) is None


def test_type_without_a_rule_is_refused(engine):
    """What no rule writes is refused, naming the type."""
    rules = {**RULES, "write": [{**RULES["write"][0], "types": ["petition.*"]}]}
    mapping = Mapping.model_validate(rules)
    sink = SqlSink(engine, mapping)
    assert mapping.accepts() == ("petition.*",)
    with pytest.raises(SinkRefused, match=r"dossier\.received"):
        sink.apply(message(), message().key)


def test_sink_needs_a_place_for_its_key(engine):
    """A mapping without an inbox can't write exactly once, so it makes no sink."""
    with pytest.raises(ConfigInvalid):
        SqlSink(engine, Mapping.model_validate({**RULES, "inbox": None}))


def test_procedure_name_can_not_carry_a_statement():
    """Only a plain name is accepted as a procedure."""
    rule = {**RULES["write"][0], "procedure": "x(1); DROP TABLE hoso --"}
    with pytest.raises(ValueError, match="procedure"):
        Mapping.model_validate({**RULES, "write": [rule]})


def test_outbox_table_gives_each_row_once_and_is_not_touched(engine):
    """Each row of the vendor's outbox is an event; one that names no dossier is an error."""
    rules = Mapping.model_validate(RULES)
    source = SqlSource(engine, rules, EventMaker(rules, HERE, Environment.TRIAL, lambda: NOW))
    batch = source.poll(None, 100)
    assert [item.key for item in batch.items if item.draft] == [
        "outbox:1:dossier.submitted",
        "outbox:4:dossier.submitted",
    ]
    (bad,) = [item for item in batch.items if item.error]
    assert bad.error.code == "source.mapping"
    assert Position.parse(batch.checkpoint) == Position(4, 4)
