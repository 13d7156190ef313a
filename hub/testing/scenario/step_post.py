"""(f) A dossier handed in at a post office, from the counter to the delivered result."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hub.testing.scenario.partners import Post, row, simulator
from hub.testing.scenario.stage import Stage, Step, equal, now, until

ORDER = "BC-H99.19-260302-0031"
RESULT = f"KQ-{ORDER}"
_SQL = "SELECT * FROM HoSo WHERE MaDonBuuChinh=?"
SLIP = {
    "Procedure": {
        "Code": "9.999999",
        "Title": "Thủ tục minh họa",
        "Elements": "Tờ khai; bản chính giấy tờ",
    },
    "IsSendDocument": True,
    "IsReceiveResult": True,
    "DocumentSender": {
        "Name": "Nguyễn Văn Mẫu",
        "Phone": "0900000000",
        "Address": "Số 1 đường Minh Họa",
        "ProvinceCode": "10",
    },
}
SLIPS = [
    "postal.accepted",
    "postal.handover",
    "dossier.received",
    "postal.result_handover",
    "postal.delivered",
]


def counter(stage: Stage) -> str:
    """Accepted at the counter: the department sees it coming, and no legal clock runs."""
    post = Post(stage.places)
    try:
        post.act("accept", ORDER, **SLIP, **_at(hours=-26))
    finally:
        post.close()
    found = until(lambda: _dossier(stage, "CHO_BAN_GIAO"), "CHO_BAN_GIAO", lambda: _any(stage))
    equal("NgayNop", found["NgayNop"], None)
    stage.notes["accepted"] = str(found["NgayBuuDienNhan"])
    return f"NgayBuuDienNhan {found['NgayBuuDienNhan']}, NgayNop —"


def handover(stage: Stage) -> str:
    """The agency signs the hand-over record: from this moment the legal clock runs."""
    post, moment = Post(stage.places), _at(hours=-2)
    try:
        note = "biên bản BK-01, người nhận Trần Thị Ví Dụ"
        post.act("handover", ORDER, Notes=note, **moment)
    finally:
        post.close()
    found = until(lambda: _dossier(stage, "CHO_TIEP_NHAN"), "CHO_TIEP_NHAN", lambda: _any(stage))
    equal("NgayNop", _read(found["NgayNop"]), _local(moment["EventTime"]))
    equal("NgayBuuDienNhan", found["NgayBuuDienNhan"], stage.notes["accepted"])
    return f"NgayNop {found['NgayNop']} ≠ NgayBuuDienNhan {found['NgayBuuDienNhan']}"


def received(stage: Stage) -> str:
    """The one-stop gives code and due date, and the post is told; the three times stay apart."""
    _advance(stage, ORDER, "DA_TIEP_NHAN")
    code = _any(stage)["SoHoSo"]
    stage.notes["postal"] = code
    post = Post(stage.places)
    try:
        until(lambda: any("State" in one for one in post.see("documents")), "document/post State")
    finally:
        post.close()
    found = _any(stage)
    times = [found[name] for name in ("NgayBuuDienNhan", "NgayNop", "NgayTiepNhan")]
    equal("different times", len(set(times)), 3)
    return f"{code}: {' < '.join(times)}"


def home(stage: Stage) -> str:
    """Resolved, handed to the post as an order of its own, delivered to the applicant."""
    code = stage.notes["postal"]
    for status in ("DA_PHAN_CONG", "DA_XONG", "BAN_GIAO_BUU_DIEN"):
        _advance(stage, code, status)
    post = Post(stage.places)
    try:
        orders = until(
            lambda: [one for one in post.see("orders") if one["OrderNumber"] == RESULT], RESULT
        )
        equal("ReceiverName", orders[0]["ReceiverName"], "Nguyễn Văn Mẫu")
        post.act("deliver", RESULT, **_at(hours=0))
    finally:
        post.close()
    found = until(lambda: _dossier(stage, "DA_TRA"), "DA_TRA", lambda: _any(stage))
    return f"{RESULT} → {found['TrangThai']} {found['NgayTra']}"


def slips(stage: Stage) -> str:
    """Every slip went through the hub as a signed message that was accepted and delivered."""
    lives = {one["message_id"]: one for key in (ORDER, stage.notes["postal"])
             for one in stage.life(key)}  # fmt: skip
    seen = sorted(lives.values(), key=lambda one: one["events"][0]["at"])
    equal("slips", [one["type"] for one in seen if one["type"] in SLIPS], SLIPS)
    until(lambda: _all_delivered(stage), "delivered")
    return " → ".join(SLIPS)


def _all_delivered(stage: Stage) -> bool:
    lives = [one for key in (ORDER, stage.notes["postal"]) for one in stage.life(key)]
    return all("delivered" in {event["kind"] for event in one["events"]} for one in lives)


def _dossier(stage: Stage, status: str) -> dict[str, Any] | None:
    found = row(stage.places.department, _SQL, ORDER)
    return found if found and found["TrangThai"] == status else None


def _any(stage: Stage) -> dict[str, Any]:
    return row(stage.places.department, _SQL, ORDER) or {}


def _advance(stage: Stage, code: str, status: str) -> None:
    arguments = ("--db", stage.places.department, "--profile", "department")
    simulator("one_stop", *arguments, "--advance", code, status)


def _at(hours: float) -> dict[str, int]:
    """The time of an event at the post, in whole seconds as the department's database keeps it."""
    moment = int((now() + timedelta(hours=hours)).timestamp()) * 1000
    return {"EventTime": moment}


def _local(epoch_ms: int) -> datetime:
    """The department's database has local times without an offset: Vietnam is +07:00."""
    return datetime(1970, 1, 1) + timedelta(milliseconds=epoch_ms, hours=7)  # noqa: DTZ001  as said


def _read(text: str) -> datetime:
    return datetime.strptime(text, "%d/%m/%Y %H:%M:%S")  # noqa: DTZ007  local, as it stands there


STEPS = (
    Step(
        ("f1. Nhận hồ sơ tại bưu cục", "f1. Accepted at a post office"),
        ("sở thấy hồ sơ đang tới; chưa tính thời hạn", "announced; the legal clock does not run"),
        counter,
    ),
    Step(
        ("f2. Ký biên bản giao nhận", "f2. The hand-over record is signed"),
        ("thời hạn bắt đầu từ lúc ký", "the legal clock starts at the signature"),
        handover,
    ),
    Step(
        ("f3. Một cửa tiếp nhận, báo bưu điện", "f3. The one-stop receives and tells the post"),
        ("ba thời điểm giữ riêng", "three times kept apart"),
        received,
    ),
    Step(
        ("f4. Bàn giao kết quả, phát tới công dân", "f4. The result goes home by post"),
        ("đơn trả kết quả, rồi DA_TRA", "an order for the result, then delivered"),
        home,
    ),
    Step(
        ("f5. Mọi phiếu đều có chữ ký", "f5. Every slip is signed"),
        ("năm phiếu qua trục, đã giao", "five slips through the hub, delivered"),
        slips,
    ),
)
