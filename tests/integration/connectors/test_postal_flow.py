"""A dossier handed in at a post office, from the counter to the delivered result."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from connectors.simulators import one_stop as vendor
from hub.codes import AgencyCode, Environment

POST = AgencyCode.parse("0100000000", Environment.TRIAL)
ORDER = "BC-H99.19-260302-0031"
T0 = 1_772_416_800_000
DAY = 86_400_000
SLIP = {
    "CustomerCode": "crm",
    "OrderNumber": ORDER,
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


def _dossier(db):
    names = "SoHoSo, TrangThai, NgayBuuDienNhan, NgayNop, NgayTiepNhan, NgayTra"
    with closing(sqlite3.connect(db)) as connection:
        row = connection.execute(f"SELECT {names} FROM HoSo WHERE MaDonBuuChinh=?", (ORDER,))
        return dict(zip(names.split(", "), row.fetchone(), strict=True))


def test_from_the_counter_to_the_delivered_result(post, department, carrier):
    """Three times stay apart; the legal clock starts at the hand-over; the result comes home."""
    post.do("accept", **SLIP, EventTime=T0, IdTime=T0)
    batch = post.source.poll(None, 10)
    assert carrier.carry(batch.items, POST, department.sink) == ["postal.accepted"]
    seen = _dossier(department.db)
    assert (seen["TrangThai"], seen["NgayNop"]) == ("CHO_BAN_GIAO", None)
    assert seen["NgayBuuDienNhan"] == "02/03/2026 09:00:00"

    row = {"CustomerCode": "crm", "OrderNumber": ORDER}
    note = "biên bản BK-01, người nhận Trần Thị Ví Dụ"
    post.do("handover", **row, EventTime=T0 + DAY, IdTime=T0 + DAY, Notes=note)
    batch = post.source.poll(batch.checkpoint, 10)
    carrier.carry(batch.items, POST, department.sink)
    seen = _dossier(department.db)
    assert (seen["TrangThai"], seen["NgayNop"]) == ("CHO_TIEP_NHAN", "03/03/2026 09:00:00")

    vendor.advance(department.db, ORDER, "DA_TIEP_NHAN")
    code = _dossier(department.db)["SoHoSo"]
    assert code.startswith("H12.15-")
    for status in ("DA_PHAN_CONG", "DA_XONG", "BAN_GIAO_BUU_DIEN"):
        vendor.advance(department.db, code, status)
    back = department.source.poll(None, 100).items
    types = carrier.carry(back, department.code, post.sink)
    assert types == ["dossier.received", "postal.result_handover"]
    aliases = back[0].draft.payload.fields["Aliases"]["Alias"]
    assert aliases == [{"Scheme": "postal_order", "Value": ORDER}]
    result = next(o for o in post.see("orders") if o["OrderNumber"] == "KQ-" + ORDER)
    assert (result["ReceiverName"], result["ReceiverTel"]) == ("Nguyễn Văn Mẫu", "0900000000")

    late = {"EventTime": T0 + 9 * DAY, "IdTime": T0 + 9 * DAY}
    post.do("deliver", CustomerCode="crm", OrderNumber="KQ-" + ORDER, **late)
    batch = post.source.poll(batch.checkpoint, 10)
    assert carrier.carry(batch.items, POST, department.sink) == ["postal.delivered"]
    seen = _dossier(department.db)
    assert (seen["TrangThai"], seen["NgayTra"]) == ("DA_TRA", "11/03/2026 09:00:00")


def test_refused_dossier_cancels_the_order(post, department, carrier):
    """A refusal of a postal dossier asks the post to bring it back: its order is cancelled."""
    post.do("accept", **SLIP, EventTime=T0, IdTime=T0)
    carrier.carry(post.source.poll(None, 10).items, POST, department.sink)
    vendor.advance(department.db, ORDER, "TU_CHOI")
    back = department.source.poll(None, 10).items
    assert carrier.carry(back, department.code, post.sink) == ["postal.return_request"]
    assert [o["cancelled"] for o in post.see("orders")] == [True]
