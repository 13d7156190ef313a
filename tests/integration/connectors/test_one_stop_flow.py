"""A dossier goes up from a commune's database to a department's, and its statuses come back."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from connectors.simulators import one_stop as vendor
from hub.adapters.contract import Confirmation
from hub.errors import SinkRefused

CODE = "000.00.19.H99-260304-0007"
WAY = ("DA_TIEP_NHAN", "DA_PHAN_CONG", "DANG_XU_LY", "CHO_BO_SUNG", "DA_XONG", "DA_TRA")


def _rows(db, sql, *args):
    with closing(sqlite3.connect(db)) as connection:
        return connection.execute(sql, args).fetchall()


def _dump(db, leave=()):
    """Return every row of every table but those in ``leave``."""
    names = [name for (name,) in _rows(db, "SELECT name FROM sqlite_master WHERE type='table'")]
    return {name: _rows(db, f"SELECT * FROM {name}") for name in names if name not in leave}


def test_dossier_goes_up_with_its_lists_whole(commune, department, carrier):
    """TCVN3 rows arrive as UTF-8 text with every part and fee, once, however often they come."""
    items = commune.source.poll(None, 100).items
    assert carrier.carry(items, commune.code, department.sink) == ["dossier.submitted"] * 2
    row = _rows(department.db, "SELECT TenNguoiNop, NoiDung, TrangThai, NoiGui FROM HoSo")[0]
    assert row == (
        "Đặng Thị Hường Mẫu",
        "Hồ sơ minh họa, đề nghị cấp phép",
        "CHO_TIEP_NHAN",
        "H12.101.01",
    )
    assert _rows(department.db, "SELECT count(*) FROM ThanhPhanHoSo") == [(4,)]
    assert _rows(department.db, "SELECT SoTien FROM KhoanThu") == [(30000,), (30000,)]


def test_statuses_come_back_and_the_row_shows_them(commune, department, carrier):
    """Each action of the department's clerk is one event; the commune's row shows the last."""
    first = commune.source.poll(None, 100)
    carrier.carry(first.items, commune.code, department.sink)
    for status in WAY:
        vendor.advance(department.db, CODE, status)
    back = department.source.poll(None, 100)
    types = carrier.carry(back.items, department.code, commune.sink)
    assert types == [
        "dossier.received",
        "dossier.assigned",
        "step.started",
        "dossier.supplement_requested",
        "dossier.resolved",
        "result.delivered",
    ]
    assert vendor.status_of(commune.db, CODE) == "10"
    again = commune.source.poll(first.checkpoint, 100).items
    assert {item.key for item in again} < {item.key for item in first.items}
    trace = _rows(commune.db, "SELECT thao_tac FROM quatrinh ORDER BY id")[0][0]
    assert trace == bytes.fromhex("a7b7207469d570206e68cb6e")  # Đã tiếp nhận, in TCVN3


def test_repeat_changes_nothing(commune, department, carrier):
    """The same message twice is one row; lookup gives the reference of the first."""
    item = commune.source.poll(None, 1).items[0]
    message = carrier.inbound(item.draft, commune.code)
    assert department.sink.lookup(message.key) is None
    first = department.sink.apply(message, message.key)
    before = _dump(department.db)
    assert department.sink.apply(message, message.key) == first
    assert department.sink.lookup(message.key) == first
    assert _dump(department.db) == before


def test_sink_writes_into_interface_tables_only(commune, department, carrier):
    """Reading changes no table; writing changes the interface table and what its trigger does."""
    before = _dump(commune.db)
    items = commune.source.poll(None, 100).items
    assert _dump(commune.db) == before
    carrier.carry(items[:1], commune.code, department.sink)
    vendor.advance(department.db, CODE, "DA_TIEP_NHAN")
    with closing(sqlite3.connect(commune.db)) as connection:
        connection.execute("DROP TRIGGER gd_trang_thai_ap_dung")
    carrier.carry(department.source.poll(None, 9).items, department.code, commune.sink)
    own = ("gd_trang_thai", "lt_inbox")
    assert _dump(commune.db, own) == {k: v for k, v in before.items() if k not in own}
    assert len(_rows(commune.db, "SELECT * FROM gd_trang_thai")) == 1
    assert len(_rows(commune.db, "SELECT * FROM lt_inbox")) == 1


def test_unknown_dossier_is_refused_and_leaves_no_trace(commune, department, carrier):
    """A status for a dossier the commune does not have is refused, key and row rolled back."""
    carrier.carry(commune.source.poll(None, 1).items, commune.code, department.sink)
    vendor.advance(department.db, CODE, "DA_TIEP_NHAN")
    item = department.source.poll(None, 9).items[0]
    with closing(sqlite3.connect(commune.db)) as connection, connection:
        connection.execute("DELETE FROM hoso")
    message = carrier.inbound(item.draft, department.code)
    with pytest.raises(SinkRefused, match="khong co ho so"):
        commune.sink.apply(message, message.key)
    assert commune.sink.lookup(message.key) is None
    assert _rows(commune.db, "SELECT * FROM gd_trang_thai") == []


def test_capital_that_tcvn3_lacks_is_refused_not_replaced(commune, department, carrier):
    """'Ủy ban' does not fit a TCVN3 column: refused with the column's name, nothing written."""
    carrier.carry(commune.source.poll(None, 1).items, commune.code, department.sink)
    vendor.advance(department.db, CODE, "CHO_BO_SUNG")
    with closing(sqlite3.connect(department.db)) as connection, connection:
        connection.execute("UPDATE QuaTrinhXuLy SET NoiDung='Ủy ban đề nghị bổ sung'")
    message = carrier.inbound(department.source.poll(None, 9).items[0].draft, department.code)
    with pytest.raises(SinkRefused, match=r"gd_trang_thai\.noi_dung"):
        commune.sink.apply(message, message.key)
    assert _rows(commune.db, "SELECT * FROM lt_inbox") == []


def test_outcome_is_told_to_the_vendor_once(commune):
    """PUBLISHED, ACCEPTED and DELIVERED stand in the vendor's table, each once."""
    key = commune.source.poll(None, 1).items[0].key
    for outcome in (*Confirmation, *Confirmation):
        commune.source.confirm(key, outcome, None)
    found = _rows(commune.db, "SELECT khoa, ket_qua FROM gd_ket_qua_gui ORDER BY id")
    assert found == [(key, outcome.value) for outcome in Confirmation]


def test_probe_says_whether_the_database_is_there(commune, tmp_path):
    """A probe is good on a living database and says so when the table is gone."""
    assert commune.source.probe().ok
    with closing(sqlite3.connect(commune.db)) as connection:
        connection.execute("DROP TABLE hoso")
    assert not commune.source.probe().ok
