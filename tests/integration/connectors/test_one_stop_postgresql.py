"""The one-stop connector on a real PostgreSQL, as a user with rights on the interface alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from connectors.one_stop.database import connect
from connectors.one_stop.sink import SqlSink
from connectors.one_stop.source import SqlSource
from hub.adapters.contract import Confirmation, Inbound
from hub.adapters.one_stop.events import EventMaker
from hub.adapters.one_stop.mapping import Mapping
from hub.codes import AgencyCode, DossierCode, Environment, MessageId, MessageType
from hub.envelope import Payload
from hub.errors import ConfigInvalid, SinkRefused, SinkUnavailable

NOW = datetime(2026, 3, 12, 2, 0, tzinfo=timezone.utc)
HERE, THERE = AgencyCode.parse("H12.101"), AgencyCode.parse("H12.15")
SCHEMA = """
CREATE TABLE hoso (id bigint PRIMARY KEY, ma varchar(64) UNIQUE, tthc text, ten text,
  dien_thoai text, nop timestamp, han timestamp,
  tt varchar(10), xoa boolean DEFAULT false, sua_luc timestamptz);
CREATE TABLE giayto (id bigint PRIMARY KEY, ma varchar(64), ten text, so int);
CREATE TABLE lephi (id bigint PRIMARY KEY, ma varchar(64), ten text, tien numeric(18,2));
CREATE TABLE "GiaoDich" ("Id" bigserial PRIMARY KEY, "Khoa" varchar(120) NOT NULL UNIQUE,
  "MaHoSo" varchar(64), "TrangThai" varchar(10), "NoiDung" text, "Luc" timestamp);
CREATE TABLE ket_qua (khoa varchar(200), ket_qua varchar(20), PRIMARY KEY (khoa, ket_qua));
CREATE TABLE lt_inbox (khoa varchar(120) PRIMARY KEY, tham_chieu varchar(64));
CREATE TABLE goi_thu_tuc (luc timestamptz DEFAULT now(), ma text, tt text);
CREATE FUNCTION ap_dung() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  UPDATE hoso SET tt = NEW."TrangThai" WHERE ma = NEW."MaHoSo";
  IF NOT FOUND THEN RAISE EXCEPTION 'khong co ho so %', quote_literal('000000000001'); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER ap_dung AFTER INSERT ON "GiaoDich" FOR EACH ROW EXECUTE FUNCTION ap_dung();
CREATE PROCEDURE nhan_trang_thai(a text, b text) LANGUAGE sql SECURITY DEFINER
  AS $$ INSERT INTO goi_thu_tuc (ma, tt) VALUES (a, b) $$;
CREATE ROLE lt LOGIN;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO lt;
GRANT INSERT ON "GiaoDich", ket_qua, lt_inbox TO lt;
GRANT USAGE ON SEQUENCE "GiaoDich_Id_seq" TO lt;
INSERT INTO hoso (id, ma, tthc, ten, dien_thoai, nop, tt, sua_luc)
  SELECT n, 'A-' || n, '1.000001', 'Đặng Thị Mẫu', '0900000000', '2026-03-04 08:30', 'GUI',
    '2026-03-04 01:30:00+00' FROM generate_series(1, 5) AS n;
INSERT INTO giayto VALUES (1, 'A-1', 'Tờ khai', 1), (2, 'A-1', 'Bản chính', 2);
INSERT INTO lephi VALUES (1, 'A-1', 'Lệ phí', 30000.00);
"""
RULES = {
    "system": "motcua-pg",
    "feed": {
        "table": "hoso", "id": "id", "watermark": "sua_luc", "overlap": 60, "dossier": "ma",
        "status": "tt",
    },
    "dossier": {
        "table": "hoso", "code": "ma", "deleted": "xoa", "deleted_status": "RUT",
        "columns": {"procedure": "tthc", "applicant": "ten", "phone": "dien_thoai",
                    "submitted": "nop", "due": "han"},
    },
    "parts": {"table": "giayto", "dossier": "ma", "order": ["id"],
              "columns": {"name": "ten", "originals": "so"}},
    "fees": {"table": "lephi", "dossier": "ma", "order": ["id"],
             "columns": {"name": "ten", "amount": "tien"}},
    "status": {
        "GUI": {"text": "Gửi", "canonical": "submitted"},
        "NHAN": {"text": "Nhận", "canonical": "received"},
        "RUT": {"text": "Rút", "canonical": "withdrawn"},
    },
    "events": {"GUI": [{"type": "dossier.submitted", "to": "H12.15"}],
               "RUT": [{"type": "dossier.withdrawn", "to": "H12.15"}]},
    "dates": {"hoso.nop": ["iso"], "hoso.han": ["iso"]},
    "inbox": {"key": "Khoa", "tables": {"GiaoDich": "Id"}},
    "write": [{
        "types": ["dossier.*"], "status": {"received": "NHAN"},
        "insert": [{"table": "GiaoDich", "columns": {
            "Khoa": "key", "MaHoSo": "dossier_code", "TrangThai": "status",
            "NoiDung": "Status/Source/Text",
            "Luc": {"from": "occurred_at", "date": "yyyy-MM-dd HH:mm:ss"}}}],
    }],
    "confirm": {"table": "ket_qua", "key": "khoa", "outcome": "ket_qua"},
}  # fmt: skip
BY_PROCEDURE = {
    "inbox": {"own": "lt_inbox", "key": "khoa", "tables": {"lt_inbox": "tham_chieu"}},
    "write": [{
        "types": ["dossier.*"], "status": {"received": "NHAN"}, "procedure": "nhan_trang_thai",
        "arguments": [{"from": "dossier_code"}, {"from": "status"}],
    }],
}  # fmt: skip


class Server:
    """A private PostgreSQL on a Unix socket in its own folder; root starts it as ``postgres``."""

    def __init__(self, folder: Path):
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        assert found, "PostgreSQL is not installed: apt-get install postgresql"
        self.bin = found[-1].parent
        self.folder = folder
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(folder, self.user)
        self.run("initdb", "-D", "data", "-U", "vendor", "-A", "trust", "-E", "UTF8", "--no-sync")

    def run(self, name, *arguments):
        """Run one of PostgreSQL's programs in the folder, as its user."""
        done = subprocess.run(
            [self.bin / name, *arguments], cwd=self.folder, user=self.user, check=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60,
            env={"LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()

    def start(self):
        """Start it and wait until it answers."""
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off"
        self.run("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start")

    def stop(self):
        """Stop it, breaking its connections."""
        self.run("pg_ctl", "-D", "data", "-w", "-m", "fast", "stop")


@pytest.fixture(scope="module")
def server():
    """A running server; its socket's path must be short."""
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        made = Server(Path(folder))
        made.start()
        yield made
        made.stop()


@pytest.fixture
def office(server):
    """A database of the vendor, and the connector's parts on it as the user ``lt``."""
    host = f"host={server.folder} user=vendor"
    with psycopg.connect(f"{host} dbname=postgres", autocommit=True) as vendor:
        vendor.execute("DROP DATABASE IF EXISTS motcua WITH (FORCE)")
        vendor.execute("DROP ROLE IF EXISTS lt")
        vendor.execute("CREATE DATABASE motcua")
    vendor = psycopg.connect(f"{host} dbname=motcua", autocommit=True)
    vendor.execute(SCHEMA)
    engine = connect(f"postgresql+psycopg://lt@/motcua?host={server.folder}")

    def parts(**more):
        rules = Mapping.model_validate({**RULES, **more})
        maker = EventMaker(rules, HERE, Environment.TRIAL, lambda: NOW)
        return SimpleNamespace(
            source=SqlSource(engine, rules, maker), sink=SqlSink(engine, rules),
            rows=lambda sql: vendor.execute(sql).fetchall(), run=vendor.execute,
        )  # fmt: skip

    yield parts
    engine.dispose()
    vendor.close()


def message(code="A-1", number=1):
    """Make a status message."""
    fields = {
        "DossierCode": code,
        "OccurredAt": "2026-03-05T09:00:00+07:00",
        "Status": {"Source": {"Text": "Đã nhận"}, "Canonical": "received"},
    }
    made = MessageId.new(number, bytes(10))
    return Inbound(
        made, MessageType.parse("dossier.received"), THERE, HERE, NOW, made,
        Payload("DossierReceived", fields), (), "0" * 64, dossier_code=DossierCode.parse(code),
    )  # fmt: skip


def test_native_types_and_a_shared_watermark_are_read_whole(office):
    """Five rows stamped alike come by twos, each once; native times, numerics and booleans fit."""
    made = office()
    keys, checkpoint = {}, None
    for _ in range(4):
        batch = made.source.poll(checkpoint, 2)
        keys.update({item.key: item for item in batch.items})
        checkpoint = batch.checkpoint
    assert [item.error for item in keys.values()] == [None] * 5
    dossier = next(iter(keys.values())).draft.payload.fields["Dossier"]
    assert dossier["Dates"] == {"Submitted": "2026-03-04T08:30:00+07:00"}
    assert [part["Originals"] for part in dossier["Parts"]["Part"]] == ["1", "2"]
    assert dossier["Fees"]["Fee"][0]["Amount"] == "30000"
    made.run("UPDATE hoso SET xoa = true, sua_luc = now() WHERE id = 3")
    (gone,) = [item for item in made.source.poll(checkpoint, 9).items if item.key not in keys]
    assert str(gone.draft.type) == "dossier.withdrawn"


def test_rights_on_the_interface_are_enough(office):
    """A user who may insert into the interface tables and read the rest does everything."""
    made = office()
    first = message()
    assert made.sink.lookup(first.key) is None
    done = made.sink.apply(first, first.key)
    assert made.sink.apply(first, first.key) == done == made.sink.lookup(first.key)
    assert made.rows("SELECT tt FROM hoso WHERE ma = 'A-1'") == [("NHAN",)]
    assert made.rows('SELECT count(*) FROM "GiaoDich"') == [(1,)]
    for _ in range(2):
        made.source.confirm("k", Confirmation.PUBLISHED, None)
    assert made.rows("SELECT * FROM ket_qua") == [("k", "published")]


def test_procedure_is_called_once_for_a_key(office):
    """The vendor's procedure runs with its owner's rights, once for each key."""
    made = office(**BY_PROCEDURE)
    for _ in range(3):
        made.sink.apply(message(), message().key)
    assert made.rows("SELECT ma, tt FROM goi_thu_tuc") == [("A-1", "NHAN")]


def test_vendors_exception_is_a_refusal_without_the_value_it_quotes(office):
    """RAISE in the vendor's trigger refuses the message in its words, rolled back, data removed."""
    made = office()
    unknown = message("B-9")
    with pytest.raises(SinkRefused, match="khong co ho so") as refused:
        made.sink.apply(unknown, unknown.key)
    assert "000000000001" not in str(refused.value)
    assert made.sink.lookup(unknown.key) is None
    assert made.rows('SELECT * FROM "GiaoDich"') == []


def test_missing_right_is_the_operators_matter(office):
    """Without the right to insert, no message is refused for it: the setting is at fault."""
    made = office()
    made.run('REVOKE INSERT ON "GiaoDich" FROM lt')
    with pytest.raises(ConfigInvalid, match="permission denied"):
        made.sink.apply(message(), message().key)
    assert made.rows("SELECT tt FROM hoso WHERE ma = 'A-1'") == [("GUI",)]


def test_restart_of_the_server_is_an_outage_and_over_again(office, server):
    """While the server is away every call is unavailable; afterwards all goes on by itself."""
    made = office()
    mark = made.source.poll(None, 9).checkpoint
    server.stop()
    try:
        for call in (
            lambda: made.source.poll(mark, 9),
            lambda: made.sink.apply(message(), message().key),
            lambda: made.sink.lookup("k"),
            lambda: made.source.confirm("k", Confirmation.PUBLISHED, None),
        ):
            with pytest.raises(SinkUnavailable):
                call()
        assert not made.source.probe().ok
    finally:
        server.start()
    assert made.source.probe().ok
    made.sink.apply(message(), message().key)
    assert made.sink.lookup(message().key) is not None
