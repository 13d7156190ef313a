"""Makes legacy one-stop databases (SQLite), and plays the clerks who work in them.

Two vendors: ``commune`` (TCVN3 bytes in its text columns, status numbers) and ``department``
(UTF-8, other names, status words). Both have an interface table which the vendor's own triggers
apply to the dossier. ``python -m connectors.simulators.one_stop --db FILE --profile commune``
makes one; with ``--advance CODE STATUS`` a clerk of the department moves a dossier on.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from importlib import resources
from pathlib import Path

from hub.adapters.dates import VIETNAM, write
from hub.adapters.text import Encoding, encode

COMMUNE, DEPARTMENT = "commune", "department"
_ISO = "yyyy-MM-dd HH:mm:ss"
_DEPARTMENT_DATE = "dd/MM/yyyy HH:mm:ss"

STEPS = {
    "DA_TIEP_NHAN": ("Bộ phận Một cửa", "Tiếp nhận hồ sơ", "NgayTiepNhan"),
    "DA_PHAN_CONG": ("Phòng chuyên môn", "Chuyển phòng chuyên môn", ""),
    "DANG_XU_LY": ("Phòng chuyên môn", "Thẩm định", ""),
    "CHO_BO_SUNG": ("Bộ phận Một cửa", "Yêu cầu bổ sung giấy tờ", ""),
    "DA_XONG": ("Lãnh đạo", "Ký kết quả", "NgayXong"),
    "TU_CHOI": ("Bộ phận Một cửa", "Không tiếp nhận hồ sơ", ""),
    "BAN_GIAO_BUU_DIEN": ("Bộ phận Một cửa", "Bàn giao kết quả cho bưu điện", ""),
    "DA_TRA": ("Bộ phận Một cửa", "Trả kết quả", "NgayTra"),
}
"""What a clerk of the department can do: status word → section, action, date column it fills."""

_TEXT = {"ten_tthc", "chu_ho_so", "loai_doi_tuong", "trich_yeu", "ghi_chu", "nguoi", "phong"}
_TEXT |= {"thao_tac", "ten", "trang_thai_phi"}

_DOSSIERS = (
    {
        "ma_ho_so": "000.00.19.H99-260304-0007",
        "ma_tthc": "9.999999",
        "ten_tthc": "Thủ tục minh họa",
        "chu_ho_so": "Đặng Thị Hường Mẫu",
        "loai_doi_tuong": "Người dân",
        "so_giay_to": "000000000001",
        "dien_thoai": "0900000000",
        "trich_yeu": "Hồ sơ minh họa, đề nghị cấp phép",
        "kenh": "1",
        "ngay_nop": "2026-03-04 08:30:00",
        "trang_thai": "1",
        "hinh_thuc_tra": "0",
        "don_vi": "PHUONG-VD",
    },
    {
        "ma_ho_so": "MC-2026-00012",
        "ma_ho_so_khac": "000.00.19.H99-260304-10012",
        "ma_tthc": "9.999998",
        "ten_tthc": "Thủ tục minh họa 2",
        "chu_ho_so": "Công ty TNHH Ví Dụ",
        "loai_doi_tuong": "Doanh nghiệp",
        "so_giay_to": "0100000000",
        "dien_thoai": "0900000001",
        "trich_yeu": "X&aacute;c nhận minh họa",
        "kenh": "1",
        "ngay_nop": "04/03/2026",
        "trang_thai": "1",
        "hinh_thuc_tra": "0",
        "don_vi": "PHUONG-VD",
        "dinh_kem_kq": "/2026/kq1.pdf##/2026/kq2.pdf",
    },
)
_PARTS = ("Tờ khai", "Giấy tờ bản chính")


def create(db: Path, profile: str) -> None:
    """Make an empty database of one vendor; an existing file is left as it is."""
    if db.exists():
        return
    script = resources.files(__package__).joinpath("sql", f"{profile}.sql").read_text("utf-8")
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(script)


def fill_commune(db: Path) -> list[str]:
    """Put the sample dossiers in, waiting to be sent up; returns their codes."""
    for dossier in _DOSSIERS:
        add_dossier(db, dossier)
    return [dossier["ma_ho_so"] for dossier in _DOSSIERS]


def break_commune(db: Path) -> str:
    """A dossier whose date nobody can read; returns its code."""
    broken = {**_DOSSIERS[0], "ma_ho_so": "000.00.19.H99-260304-0099", "ngay_nop": "hôm qua"}
    add_dossier(db, broken)
    return broken["ma_ho_so"]


def add_dossier(db: Path, dossier: dict[str, str], parts: Sequence[str] = _PARTS) -> None:
    """A clerk of the commune enters a dossier with its parts and one fee."""
    code = dossier["ma_ho_so"]
    with closing(sqlite3.connect(db, timeout=10)) as connection, connection:
        _insert(connection, "hoso", dossier)
        for part in parts:
            row = {"ma_ho_so": code, "ten": part, "so_luong": "1", "loai": "1"}
            _insert(connection, "giayto", row)
        fee = {"ma_ho_so": code, "ten": "Lệ phí minh họa", "so_tien": "30000"}
        _insert(connection, "lephi", fee)
        connection.execute(
            "UPDATE lephi SET trang_thai=? WHERE ma_ho_so=?",
            (encode("Chưa thanh toán", Encoding.TCVN3, "trang_thai"), code),
        )


def advance(db: Path, code: str, status: str, at: datetime | None = None) -> None:
    """A clerk of the department moves a dossier on: its row, and a line of the trace.

    ``code`` is the dossier's code or its postal order number. Raises ``KeyError`` for a status
    word the software doesn't have and ``LookupError`` for an unknown dossier.
    """
    section, action, column = STEPS[status]
    moment = at or datetime.now(VIETNAM)
    stamp = write(moment, _DEPARTMENT_DATE)
    with closing(sqlite3.connect(db, timeout=10)) as connection, connection:
        found = connection.execute(
            "SELECT HoSoId, SoHoSo FROM HoSo WHERE SoHoSo=? OR MaDonBuuChinh=?", (code, code)
        ).fetchone()
        if found is None:
            raise LookupError(code)
        row, number = found
        number = _number(connection, row, number, moment) if status == "DA_TIEP_NHAN" else number
        connection.execute(
            "UPDATE HoSo SET TrangThai=?, SuaLuc=? WHERE HoSoId=?",
            (status, write(moment, _ISO), row),
        )
        if column:
            sql = f"UPDATE HoSo SET {column}=? WHERE HoSoId=?"  # noqa: S608 - a column of STEPS
            connection.execute(sql, (stamp, row))
        if status == "DA_TIEP_NHAN":
            due = write(moment.replace(hour=17, minute=0, second=0), _DEPARTMENT_DATE)
            connection.execute("UPDATE HoSo SET NgayHenTra=? WHERE HoSoId=?", (due, row))
        connection.execute(
            "INSERT INTO QuaTrinhXuLy (SoHoSo, NguoiXuLy, PhongBan, LucXuLy, NoiDung, TrangThai)"
            " VALUES (?,?,?,?,?,?)",
            (number, "Trần Thị Ví Dụ", section, stamp, action, status),
        )


def _number(connection: sqlite3.Connection, row: int, number: str, moment: datetime) -> str:
    """Give a dossier that came by post its legal code (TT 01/2018 art. 19), if it has none yet."""
    order = connection.execute("SELECT MaDonBuuChinh FROM HoSo WHERE HoSoId=?", (row,)).fetchone()[
        0
    ]
    if not order or number != order:
        return number
    code = f"H12.15-{write(moment, 'yyyyMMdd')[2:]}-{row:04d}"
    for table in ("HoSo", "ThanhPhanHoSo", "KhoanThu", "QuaTrinhXuLy"):
        sql = f"UPDATE {table} SET SoHoSo=? WHERE SoHoSo=?"  # noqa: S608 - four of our own names
        connection.execute(sql, (code, number))
    return code


def status_of(db: Path, code: str) -> str:
    """Return the status that the software shows for a dossier; empty when it has none."""
    with closing(sqlite3.connect(db, timeout=10)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if "hoso" in tables:
            sql = "SELECT trang_thai FROM hoso WHERE ma_ho_so=?"
            found = connection.execute(sql, (code,)).fetchone()
        else:
            sql = "SELECT TrangThai FROM HoSo WHERE SoHoSo=? OR MaDonBuuChinh=?"
            found = connection.execute(sql, (code, code)).fetchone()
    return str(found[0]) if found else ""


def _insert(connection: sqlite3.Connection, table: str, row: dict[str, str]) -> None:
    values = [
        encode(value, Encoding.TCVN3, name) if name in _TEXT else value
        for name, value in row.items()
    ]
    marks = ",".join("?" * len(row))
    sql = f"INSERT INTO {table} ({','.join(row)}) VALUES ({marks})"  # noqa: S608 - our own names
    connection.execute(sql, values)


def main(argv: Sequence[str] | None = None) -> int:
    """Make a database, or let a clerk act in one; prints one JSON line."""
    parser = argparse.ArgumentParser(prog="one-stop-simulator", description=__doc__)
    parser.add_argument("--db", type=Path, required=True)
    parser.add_argument("--profile", choices=(COMMUNE, DEPARTMENT), default=COMMUNE)
    parser.add_argument("--fill", action="store_true", help="put the sample dossiers in")
    parser.add_argument("--broken", action="store_true", help="and one that cannot be mapped")
    parser.add_argument("--advance", nargs=2, metavar=("CODE", "STATUS"))
    parser.add_argument("--status", metavar="CODE")
    args = parser.parse_args(argv)
    create(args.db, args.profile)
    said: dict[str, object] = {"url": f"sqlite:///{args.db.resolve()}", "profile": args.profile}
    if args.fill and args.profile == COMMUNE:
        said["dossiers"] = fill_commune(args.db)
    if args.broken and args.profile == COMMUNE:
        said["broken"] = break_commune(args.db)
    if args.advance:
        advance(args.db, *args.advance)
        said["dossier"], said["status"] = args.advance
    if args.status:
        said["status"] = status_of(args.db, args.status)
    sys.stdout.write(json.dumps(said) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
