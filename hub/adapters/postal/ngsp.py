"""Vietnam Post's own JSON: tracking rows, dossier notices, orders, reply statuses.

The same bodies go to NGSP directly and through a province's LGSP, whatever the wrapping, so they
stand here and not with one way of reaching them.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from hub.adapters import dates
from hub.adapters.fields import Fields, clean
from hub.adapters.postal.agreement import Code
from hub.adapters.postal.orders import Delivery
from hub.adapters.postal.replies import ReplyTable
from hub.adapters.postal.tracking import Slip, Tracked
from hub.adapters.redaction import redact
from hub.adapters.text import tolerated
from hub.errors import Place, RowUnmappable
from hub.schemas.documents import PostalState

CREATED, REPEATED, CANCELLED = 100, 101, 110
ORDER = ReplyTable("Status", (CREATED, REPEATED), refused=(CANCELLED,))
CANCEL = ReplyTable("Status", (CANCELLED,))
NOTICE = ReplyTable("Status", (CREATED, REPEATED))

CODES = {
    "1": Code(event="postal.accepted", canonical=PostalState.ACCEPTED),
    "2": Code(
        event="postal.handover",
        canonical=PostalState.HANDED_OVER,
        notes=r"biên bản (?P<manifest>\S+), người nhận (?P<signed_by>.+)",
    ),
    "3": Code(canonical=PostalState.IN_TRANSIT),
    "4": Code(event="postal.delivered", canonical=PostalState.DELIVERED),
    "5": Code(
        event="postal.fee_collected", notes=r"biên lai (?P<receipt>\S+), số tiền (?P<amount>[0-9]+)"
    ),
    "6": Code(
        event="postal.undelivered", canonical=PostalState.UNDELIVERED, notes="(?P<reason>.+)"
    ),
}
"""Illustrative but for 4 (delivered); a contract's real list goes into ``[options.codes]``."""

FIRST = "0" * 24
"""The cursor that stands before every row; only a source that never read begins with it."""
OBJECT_ID = re.compile("[0-9a-f]{24}")
_TIME = dates.DateColumn("EventTime", ("epoch_ms",))
_REMARKS = ("SenderDesc", "Description")
Row = dict[str, Any]


def oid_of(row: Row) -> str:
    """Return a tracking row's ObjectId; empty when it has none that can be read."""
    found = row.get("_id")
    oid = found.get("$oid") if isinstance(found, dict) else found
    return oid if isinstance(oid, str) and OBJECT_ID.fullmatch(oid) else ""


def key_of(row: Row) -> str:
    """Return a row's idempotency key: its ObjectId, else a digest of the whole row."""
    whole = json.dumps(row, sort_keys=True).encode()
    return oid_of(row) or f"row-{hashlib.sha256(whole).hexdigest()[:32]}"


def before(oid: str, seconds: int) -> str:
    """Return the smallest id that is ``seconds`` older: an ObjectId begins with its second."""
    return f"{max(0, int(oid[:8], 16) - seconds):08x}{'0' * 16}"


def tracked(row: Row) -> Tracked:
    """Read a tracking row; raises ``RowUnmappable`` or ``DateUnreadable``."""
    oid = oid_of(row)
    if not oid:
        raise RowUnmappable(place=Place(column="_id"), row="-", reason="no ObjectId")
    return Tracked(
        id=oid,
        sequence=int(oid[:8], 16),
        customer=str(row.get("CustomerCode", "")),
        order=str(row.get("OrderNumber", "")),
        at=dates.read(row.get("EventTime"), _TIME),
        code=str(row.get("StatusCode", "")),
        text=tolerated(row.get("StatusMessage")),
        notes=tolerated(row.get("Notes")),
        office=str(row.get("POSID") or ""),
        waybill=str(row.get("ItemCode") or ""),
    )


def slip(notice: Row) -> Slip:
    """Read a dossier notice (``document/post``); raises ``RowUnmappable`` for a broken amount."""
    procedure = _block(notice, "Procedure")
    parts = re.split("[;\n]", str(procedure.get("Elements") or ""))
    return Slip(
        procedure_code=str(procedure.get("Code") or ""),
        procedure_name=str(procedure.get("Title") or ""),
        parts=tuple(part.strip() for part in parts if part.strip()),
        sends=bool(notice.get("IsSendDocument", True)),
        receives=bool(notice.get("IsReceiveResult")),
        sender=_person(_block(notice, "DocumentSender")),
        result_receiver=_person(_block(notice, "ResultReceiver")),
        cash=_dong(notice.get("CODAmount")),
    )


def order(delivery: Delivery) -> Row:
    """Return the body of ``order/post`` that brings a result to its receiver."""
    desk = delivery.desk
    return {
        "CustomerCode": delivery.customer,
        "OrderNumber": delivery.number,
        "CODAmount": float(delivery.cash),
        "SenderProvince": int(desk.province),
        "SenderDistrict": _district(desk.district),
        "SenderAddress": desk.address,
        "SenderName": desk.name,
        "SenderEmail": desk.email,
        "SenderTel": desk.phone,
        "SenderDesc": "Kết quả giải quyết thủ tục hành chính",
        "Description": f"Trả kết quả hồ sơ của đơn {delivery.answers}",
        "ReceiverName": delivery.name,
        "ReceiverAddress": delivery.address,
        "ReceiverTel": delivery.phone,
        "ReceiverProvince": int(delivery.province.value),
        "ReceiverDistrict": _district(delivery.district),
        "ReceiverEmail": delivery.email,
    }


def without_numbers(body: Row) -> Row:
    """Return a body whose remarks hold no personal numbers; everything that leaves goes through."""
    return {k: redact(v) if k in _REMARKS and isinstance(v, str) else v for k, v in body.items()}


def _block(notice: Row, name: str) -> Row:
    found = notice.get(name)
    return found if isinstance(found, dict) else {}


def _person(block: Row) -> Fields:
    names = {"FullName": "Name", "Phone": "Phone", "Email": "Email"}
    place = {
        "Line": "Address",
        "District": "DistrictTitle",
        "DistrictCode": "DistrictCode",
        "Province": "ProvinceTitle",
        "PostProvinceCode": "ProvinceCode",
    }
    address: Fields = {ours: str(block.get(theirs) or "") for ours, theirs in place.items()}
    person: Fields = {ours: str(block.get(theirs) or "") for ours, theirs in names.items()}
    return clean({**person, "Address": address})


def _dong(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, int | float) or value != value // 1 or value < 0:
        raise RowUnmappable(place=Place(column="CODAmount"), row="-", reason="not whole đồng")
    return str(int(value))


def _district(code: str) -> int:
    """Return a postal district code as a number; 0 when it is not known."""
    return int(code) if code.isascii() and code.isdigit() else 0
