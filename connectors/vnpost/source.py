"""Tracking rows of the post → postal events, by an ObjectId cursor with an overlap.

An ObjectId grows per server second only, so a late row may sort before the cursor: each poll reads
again from ``overlap_s`` before it, and the row's own id is the idempotency key.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from connectors.vnpost.client import Ngsp
from connectors.vnpost.config import Code, Party, VnpostConfig
from hub.adapters import dates, text
from hub.adapters.contract import Batch, Confirmation, Draft, Health, Item
from hub.codes import AgencyCode, Environment, MessageType
from hub.envelope import Payload, Receipt, Value
from hub.errors import HubError, Place, RowUnmappable, SinkUnavailable, TextDamaged

EVENTS = uuid.UUID("0b8c2f36-2a68-5c3f-9b4e-8f6d0c8a7f21")
"""Namespace of event ids (UUID version 5 of system and tracking id)."""
FIRST = "0" * 24
_ID = re.compile("[0-9a-f]{24}")
Fields = dict[str, Value]
Row = dict[str, Any]


class TrackingSource:
    """Source and Probe over the post's order tracking."""

    def __init__(
        self,
        client: Ngsp,
        config: VnpostConfig,
        environment: Environment,
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._config = config
        self._environment = environment
        self._clock = clock
        self._offered: tuple[str, set[str]] = ("", set())
        self._taken: set[str] = set()

    def poll(self, checkpoint: str | None, limit: int) -> Batch:
        """Return the rows of the overlap and at most ``limit`` behind the cursor."""
        cursor = checkpoint or FIRST
        if self._offered[0] == cursor:
            self._taken |= self._offered[1]
        start = self._before(cursor)
        self._taken = {oid for oid in self._taken if oid > start}
        items: dict[str, Item] = {}
        highest, fresh = cursor, 0
        for oid, row in self._rows(start):
            fresh += oid > cursor
            if fresh > limit:
                break
            highest = max(highest, oid)
            if oid not in self._taken:
                items[oid] = self._item(oid, row)
        self._offered = (highest, set(items))
        return Batch(tuple(items.values()), highest)

    def confirm(self, key: str, confirmation: Confirmation, receipt: Receipt | None) -> None:
        """Do nothing: the post has no place for what became of its tracking rows."""

    def probe(self) -> Health:
        """Get a token and an empty page."""
        try:
            self._client.probe()
        except HubError as error:
            return Health(
                ok=False, detail=error.message("en"), remedy="kiểm tra NGSP, khóa truy cập"
            )
        return Health(ok=True, detail=self._config.system)

    def _before(self, cursor: str) -> str:
        """Return an id ``overlap_s`` seconds before the cursor's; ids begin with their second."""
        if cursor == FIRST:
            return FIRST
        return f"{max(0, int(cursor[:8], 16) - self._config.overlap_s):08x}{'0' * 16}"

    def _rows(self, start: str) -> Iterator[tuple[str, Row]]:
        last = start
        while True:
            page = self._client.tracking(last, self._config.page_size)
            for row in page:
                last = _oid(row)
                yield last, row
            if len(page) < self._config.page_size:
                return

    def _item(self, oid: str, row: Row) -> Item:
        label = f"tracking {oid}"
        try:
            return Item(oid, draft=self._draft(oid, row), label=label)
        except SinkUnavailable:
            raise
        except HubError as error:
            return Item(oid, error=error.at(file="order/tracking", path=oid), label=label)

    def _draft(self, oid: str, row: Row) -> Draft:
        config = self._config
        customer, number = str(row.get("CustomerCode", "")), str(row.get("OrderNumber", ""))
        party = config.customers.get(customer)
        if party is None or not number:
            place = Place(column="CustomerCode" if party is None else "OrderNumber")
            raise RowUnmappable(place=place, row=oid, reason="no agency for this customer")
        order = number.removeprefix(config.result_prefix)
        code = config.codes.get(str(row.get("StatusCode")), Code())
        event, specific = self._specific(code, oid, row, party)
        base = self._base(oid, row, order, code.canonical)
        return Draft(
            MessageType.parse(event),
            (AgencyCode.parse(party.code, self._environment),),
            Payload(_element(event), clean({**base, **specific})),
            document_id=order,
        )

    def _base(self, oid: str, row: Row, order: str, canonical: str) -> Fields:
        system = self._config.system
        return {
            "EventId": str(uuid.uuid5(EVENTS, f"{system}/{oid}")),
            "OrderNo": order,
            "Waybill": str(row.get("ItemCode") or ""),
            "OccurredAt": _moment(row),
            "RecordedAt": self._clock().isoformat(),
            "SourceSystem": system,
            "SourceSequence": str(int(oid[:8], 16)),
            "Actor": {"Kind": "post"},
            "Status": {
                "Source": {
                    "System": system,
                    "Code": str(row.get("StatusCode", "")) or "none",
                    "Text": _read(row, "StatusMessage"),
                },
                "Canonical": canonical,
            },
        }

    def _specific(self, code: Code, oid: str, row: Row, party: Party) -> tuple[str, Fields]:
        """Return the event and its own fields; a note without what it needs is plain tracking."""
        at, notes = _moment(row), _read(row, "Notes")
        found = re.search(code.notes, notes) if code.notes else None
        said = {k: v.strip() for k, v in (found.groupdict() if found else {}).items() if v}
        office: Fields = {"Id": str(row.get("POSID") or "unknown")}
        if code.event == "postal.accepted":
            return code.event, {
                **self._accepted(row, party),
                "AcceptedAt": at,
                "PostOffice": office,
            }
        if code.event == "postal.handover":
            line = {"OrderNo": _order(row, self._config), "Waybill": str(row.get("ItemCode") or "")}
            return code.event, {
                "ManifestNo": said.get("manifest", oid),
                "SignedAt": at,
                "SignedBy": {"Kind": "officer", "Name": said.get("signed_by", "")},
                "Items": {"Item": [line]},
            }
        if code.event == "postal.delivered":
            return code.event, {"DeliveredAt": at, "PostOffice": office}
        if code.event == "postal.fee_collected" and {"receipt", "amount"} <= said.keys():
            fee = {"ReceiptNo": said["receipt"], "Amount": str(int(said["amount"]))}
            return code.event, {"CollectedAt": at, **fee, "PostOffice": office}
        if code.event == "postal.undelivered" and "reason" in said:
            return code.event, {"AttemptedAt": at, "Reason": said["reason"]}
        return "postal.tracking", {"TrackingId": oid, "PostOffice": office, "Note": notes}

    def _accepted(self, row: Row, party: Party) -> Fields:
        """Fill the slip from the order's notice: the parts list is what the applicant signed."""
        info = self._client.info(str(row["CustomerCode"]), str(row["OrderNumber"]))
        procedure = info.get("Procedure") or {}
        parts = [part.strip() for part in re.split("[;\n]", str(procedure.get("Elements", "")))]
        if not any(parts):
            raise RowUnmappable(
                place=Place(column="Procedure.Elements"), row=str(row["OrderNumber"]),
                reason="no parts list",
            )  # fmt: skip
        send, receive = bool(info.get("IsSendDocument", True)), bool(info.get("IsReceiveResult"))
        service = "both" if send and receive else "send_dossier" if send else "receive_result"
        return {
            "Service": service,
            "Agency": {"Code": party.code},
            "Procedure": {
                "Code": str(procedure.get("Code", "")),
                "Name": str(procedure.get("Title", "")),
            },
            "Sender": _person(info.get("DocumentSender") or {}),
            "ResultReceiver": _person(info.get("ResultReceiver") or {}),
            "Parts": {"Part": [{"Name": part} for part in parts if part]},
            "CashOnDelivery": _dong(info.get("CODAmount")),
        }


def clean(fields: Fields) -> Fields:
    """Leave out what is empty, at every depth."""
    kept = {k: clean(v) if isinstance(v, dict) else v for k, v in fields.items()}
    return {k: v for k, v in kept.items() if v not in ("", {}, [])}


def _element(event: str) -> str:
    return "".join(word.capitalize() for word in re.split("[._]", event))


def _order(row: Row, config: VnpostConfig) -> str:
    return str(row["OrderNumber"]).removeprefix(config.result_prefix)


def _oid(row: Row) -> str:
    found = row.get("_id")
    oid = found.get("$oid") if isinstance(found, dict) else found
    if not isinstance(oid, str) or not _ID.fullmatch(oid):
        raise SinkUnavailable("tracking row without an ObjectId")
    return oid


def _moment(row: Row) -> str:
    rule = dates.DateColumn("EventTime", ("epoch_ms",))
    found = dates.read(row.get("EventTime"), rule)
    if found is None:
        raise RowUnmappable(place=Place(column="EventTime"), row="-", reason="no time")
    return found.isoformat()


def _read(row: Row, column: str) -> str:
    """Return a text column in NFC, or nothing when it is damaged: the code still tells."""
    try:
        return text.decode(str(row.get(column) or ""), text.Encoding.UTF8, column).strip()
    except TextDamaged:
        return ""


def _person(block: Row) -> Fields:
    return clean(
        {
            "FullName": str(block.get("Name") or ""),
            "Phone": str(block.get("Phone") or ""),
            "Email": str(block.get("Email") or ""),
            "Address": {
                "Line": str(block.get("Address") or ""),
                "District": str(block.get("DistrictTitle") or ""),
                "DistrictCode": str(block.get("DistrictCode") or ""),
                "Province": str(block.get("ProvinceTitle") or ""),
                "PostProvinceCode": str(block.get("ProvinceCode") or ""),
            },
        }
    )


def _dong(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, int | float) or value != int(value) or value < 0:
        raise RowUnmappable(place=Place(column="CODAmount"), row="-", reason="not whole đồng")
    return str(int(value))


def utcnow() -> datetime:
    """Return the time of the machine, for ``main``."""
    return datetime.now(UTC)
