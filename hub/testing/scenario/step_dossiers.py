"""(a) Two one-stop databases of two vendors; (h) a row that nobody can map stops nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial

from hub.store.edge import EdgeStore
from hub.testing.scenario.partners import row, simulator
from hub.testing.scenario.stage import Stage, Step, equal, until

DOSSIERS = ("000.00.19.H99-260304-0007", "MC-2026-00012")
"""The dossiers that the commune's stand-in is filled with."""
BROKEN, SOUND = "MC-2026-00090", "MC-2026-00091"
_AT_DEPARTMENT = "SELECT * FROM HoSo WHERE SoHoSo=?"
_AT_COMMUNE = "SELECT * FROM hoso WHERE ma_ho_so=?"


def up(stage: Stage) -> str:
    """TCVN3 rows of the commune become rows of the department's database, in Unicode."""
    simulator("one_stop", "--db", stage.places.commune, "--profile", "commune", "--fill")
    found = [
        until(partial(row, stage.places.department, _AT_DEPARTMENT, code), f"HoSo {code}")
        for code in DOSSIERS
    ]
    equal("TenNguoiNop", found[0]["TenNguoiNop"], "Đặng Thị Hường Mẫu")
    equal("NoiDung", found[1]["NoiDung"], "Xác nhận minh họa")
    equal("TrangThai", found[0]["TrangThai"], "CHO_TIEP_NHAN")
    stage.notes["dossier"] = DOSSIERS[0]
    return f"HoSo: {', '.join(one['SoHoSo'] for one in found)}; {found[0]['TenNguoiNop']}"


def back(stage: Stage) -> str:
    """What the department's clerks do shows in the commune's own row."""
    code, seen = DOSSIERS[0], []
    for status, expected in (("DA_TIEP_NHAN", "2"), ("DA_PHAN_CONG", "4"), ("DA_XONG", "9")):
        arguments = ("--db", stage.places.department, "--profile", "department")
        simulator("one_stop", *arguments, "--advance", code, status)
        _shows(stage, code, expected)
        seen.append(f"{status} → {expected}")
    found = row(stage.places.commune, _AT_COMMUNE, code) or {}
    if not found.get("ngay_hen_tra"):
        equal("ngay_hen_tra", found.get("ngay_hen_tra"), "…")
    expected_types = [
        "dossier.submitted", "dossier.received", "dossier.assigned", "dossier.resolved",
    ]  # fmt: skip
    equal("trace", stage.types(code), expected_types)
    return "; ".join(seen)


def _shows(stage: Stage, code: str, status: str) -> None:
    def look() -> bool:
        found = row(stage.places.commune, _AT_COMMUNE, code)
        return found is not None and found["trang_thai"] == status

    until(look, f"hoso.trang_thai {status}", lambda: row(stage.places.commune, _AT_COMMUNE, code))


def unmappable(stage: Stage) -> str:
    """A row with a date nobody declared is parked with its place; the next row goes on."""
    with closing(sqlite3.connect(stage.places.commune, timeout=10)) as connection, connection:
        for code, filed in ((BROKEN, "hôm qua"), (SOUND, "2026-03-05 09:00:00")):
            connection.execute(
                "INSERT INTO hoso (ma_ho_so, ma_tthc, ten_tthc, chu_ho_so, kenh, ngay_nop,"
                " trang_thai) VALUES (?,?,?,?,?,?,?)",
                (code, "9.999999", b"Minh h", b"Ng", "1", filed, "1"),
            )
    until(lambda: row(stage.places.department, _AT_DEPARTMENT, SOUND), f"HoSo {SOUND}")
    edge = EdgeStore.open(stage.settings.connectors / "commune.sqlite")
    try:
        parked = until(edge.parked, "parked")
    finally:
        edge.close()
    equal("parked", [one.code for one in parked], ["source.date"])
    equal("HoSo", row(stage.places.department, _AT_DEPARTMENT, BROKEN), None)
    return f"{parked[0].label}: {parked[0].code} — {parked[0].vi}"


STEPS = (
    Step(
        ("a1. Một cửa xã (TCVN3) → một cửa sở", "a1. Commune's one-stop (TCVN3) → department's"),
        ("hai hồ sơ vào CSDL của sở, chữ Việt đúng", "two dossiers in the department's database"),
        up,
    ),
    Step(
        ("a2. Trạng thái quay về một cửa xã", "a2. Statuses come back to the commune"),
        ("xã thấy 2, 4, 9 và ngày hẹn trả", "the commune's row shows 2, 4, 9 and the due date"),
        back,
    ),
)
BAD_ROW = Step(
    ("h1. Một dòng không đọc được", "h1. A row that cannot be mapped"),
    ("dòng đó được giữ lại kèm lý do, dòng sau vẫn đi", "it is parked, the next one goes on"),
    unmappable,
)
