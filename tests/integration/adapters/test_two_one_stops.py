"""Two vendors' one-stop databases and the shipped connectors on a real hub: there and back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from connectors.simulators import one_stop as vendor
from hub.testing.world import DEPARTMENT, ONE_STOP

CODE = "000.00.19.H99-260304-0007"
APP = ("-m", "connectors.one_stop.app")


def one(db: Path, sql: str, *values: str) -> tuple | None:
    with closing(sqlite3.connect(db, timeout=10)) as connection:
        return connection.execute(sql, values).fetchone()


@pytest.fixture
def offices(hub, tmp_path):
    """The commune's and the department's databases, and a connector's settings for each."""
    made = {}
    for name, agency in ((vendor.COMMUNE, ONE_STOP), (vendor.DEPARTMENT, DEPARTMENT)):
        made[name] = tmp_path / f"{name}.db"
        vendor.create(made[name], name)
        hub.configure(name, "one_stop", agency, database=f"sqlite:///{made[name]}", mapping=name)
    return made


def test_a_dossier_goes_up_and_its_statuses_come_back(hub, offices, wait):
    """TCVN3 rows become rows of the department; its clerk's actions show in the commune's row."""
    commune, department = offices[vendor.COMMUNE], offices[vendor.DEPARTMENT]
    running = [hub.start(name, *APP) for name in offices]
    vendor.fill_commune(commune)
    name = "SELECT TenNguoiNop FROM HoSo WHERE SoHoSo=?"
    found = wait(lambda: one(department, name, CODE), "the dossier at the department")
    assert found == ("Đặng Thị Hường Mẫu",)
    for status, shown in (("DA_TIEP_NHAN", "2"), ("DA_PHAN_CONG", "4"), ("DA_XONG", "9")):
        vendor.advance(department, CODE, status)
        wait(lambda shown=shown: vendor.status_of(commune, CODE) == shown, f"{status} → {shown}")
    outcome = "SELECT 1 FROM gd_ket_qua_gui WHERE khoa LIKE ? AND ket_qua = 'delivered'"
    wait(lambda: one(commune, outcome, "%dossier.submitted%"), "the outcome at the commune")
    assert [process.stop() for process in running] == [0, 0]
    logs = "".join(process.said for process in running)
    assert "Hường" not in logs
    assert "000000000001" not in logs


def test_a_connector_that_is_away_for_a_while_misses_nothing(hub, offices, wait):
    """The department's connector is killed; what was sent meanwhile is there when it is back."""
    department = offices[vendor.DEPARTMENT]
    down = hub.start(vendor.DEPARTMENT, *APP)
    wait(lambda: '"connected"' in down.said, "the department's connection")
    down.kill()
    hub.start(vendor.COMMUNE, *APP)
    codes = vendor.fill_commune(offices[vendor.COMMUNE])
    count = "SELECT count(*) FROM messages WHERE type='dossier.submitted' AND state='accepted'"
    wait(lambda: hub.rows(count) == [(len(codes),)], "the hub's acceptance")
    hub.start(vendor.DEPARTMENT, *APP)
    have = "SELECT count(*) FROM HoSo"
    wait(lambda: one(department, have) == (len(codes),), "the dossiers at the department")
