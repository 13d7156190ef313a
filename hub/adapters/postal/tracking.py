"""Tracking rows of a post → postal events; the raw code and text are always kept."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from hub.adapters.contract import Draft, Item
from hub.adapters.fields import Fields, clean, element_of
from hub.adapters.postal.agreement import Agreement, Code, Party
from hub.codes import AgencyCode, Environment, MessageType
from hub.envelope import Payload
from hub.errors import HubError, Place, RowUnmappable, SinkUnavailable

EVENTS = uuid.UUID("0b8c2f36-2a68-5c3f-9b4e-8f6d0c8a7f21")
"""Namespace of event ids (UUID version 5 of system and tracking id)."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """One tracking row, decoded."""

    id: str
    sequence: int
    customer: str
    order: str
    at: datetime | None
    code: str
    text: str = ""
    notes: str = field(default="", repr=False)
    office: str = ""
    waybill: str = ""


@dataclass(frozen=True, slots=True)
class Slip:
    """What the post's slip (phiếu gửi hồ sơ) says: what the applicant signed at the counter."""

    procedure_code: str = ""
    procedure_name: str = ""
    parts: tuple[str, ...] = ()
    sends: bool = True
    receives: bool = False
    sender: Fields = field(default_factory=dict, repr=False)
    result_receiver: Fields = field(default_factory=dict, repr=False)
    cash: str = ""
    """Cash on delivery in whole đồng; empty: none."""

    @property
    def service(self) -> str:
        """Which of the three options of QĐ 45/2016 it is."""
        if self.sends and self.receives:
            return "both"
        return "send_dossier" if self.sends else "receive_result"


class TrackingEvents:
    """Turns tracking rows into items. ``slips`` looks a slip up by customer and order number."""

    def __init__(
        self,
        agreement: Agreement,
        environment: Environment,
        clock: Callable[[], datetime],
        slips: Callable[[str, str], Slip],
    ) -> None:
        self._agreement = agreement
        self._environment = environment
        self._clock = clock
        self._slips = slips

    def item(self, key: str, source: str, make: Callable[[], Tracked]) -> Item:
        """Return the item of a row; ``make`` decodes it, ``source`` names where it came from.

        Raises ``SinkUnavailable`` alone; whatever else is wrong with the row is the item's error.
        """
        label = f"tracking {key}"
        try:
            return Item(key, draft=self._draft(make()), label=label)
        except SinkUnavailable:
            raise
        except HubError as error:
            return Item(key, error=error.at(file=source, path=key), label=label)

    def _draft(self, row: Tracked) -> Draft:
        party = self._agreement.customers.get(row.customer)
        if party is None or not row.order:
            place = Place(column="CustomerCode" if party is None else "OrderNumber")
            raise RowUnmappable(place=place, row=row.id, reason="no agency for this customer")
        if row.at is None:
            raise RowUnmappable(place=Place(column="EventTime"), row=row.id, reason="no time")
        code = self._agreement.codes.get(row.code, Code())
        event, specific = self._specific(code, row, row.at.isoformat(), party)
        return Draft(
            MessageType.parse(event),
            (AgencyCode.parse(party.code, self._environment),),
            Payload(element_of(event), clean({**self._base(row, code), **specific})),
            document_id=self._agreement.answered(row.order),
        )

    def _base(self, row: Tracked, code: Code) -> Fields:
        system = self._agreement.system
        source = {"System": system, "Code": row.code or "none", "Text": row.text}
        return {
            "EventId": str(uuid.uuid5(EVENTS, f"{system}/{row.id}")),
            "OrderNo": self._agreement.answered(row.order),
            "Waybill": row.waybill,
            "OccurredAt": row.at.isoformat() if row.at else "",
            "RecordedAt": self._clock().isoformat(),
            "SourceSystem": system,
            "SourceSequence": str(row.sequence),
            "Actor": {"Kind": "post"},
            "Status": {"Source": source, "Canonical": code.canonical.value},
        }

    def _specific(self, code: Code, row: Tracked, at: str, party: Party) -> tuple[str, Fields]:
        """Return the event and its own fields; a note without what it needs is plain tracking."""
        said = code.said(row.notes)
        office: Fields = {"Id": row.office or "unknown"}
        found: Fields = {}
        match code.event:
            case "postal.accepted":
                found = {**self._slip(row, party), "AcceptedAt": at, "PostOffice": office}
            case "postal.handover":
                found = self._handover(row, at, said)
            case "postal.delivered":
                found = {"DeliveredAt": at, "PostOffice": office}
            case "postal.fee_collected" if {"receipt", "amount"} <= said.keys():
                fee = {"ReceiptNo": said["receipt"], "Amount": _dong(said["amount"])}
                found = {"CollectedAt": at, **fee, "PostOffice": office}
            case "postal.undelivered" if "reason" in said:
                found = {"AttemptedAt": at, "Reason": said["reason"]}
            case "postal.returned" if "reason" in said:
                to = {"Code": party.code}
                found = {"ReturnedAt": at, "ReturnedTo": to, "Reason": said["reason"]}
        if found:
            return code.event, found
        note: Fields = {"TrackingId": row.id, "PostOffice": office, "Note": row.notes}
        return "postal.tracking", note

    def _handover(self, row: Tracked, at: str, said: dict[str, str]) -> Fields:
        """Return the hand-over record: its signature starts the legal clock."""
        line = {"OrderNo": self._agreement.answered(row.order), "Waybill": row.waybill}
        return {
            "ManifestNo": said.get("manifest", row.id),
            "SignedAt": at,
            "SignedBy": {"Kind": "officer", "Name": said.get("signed_by", "")},
            "Items": {"Item": [line]},
        }

    def _slip(self, row: Tracked, party: Party) -> Fields:
        """Return the slip: its parts list is what applicant and post counted together."""
        slip = self._slips(row.customer, row.order)
        if not slip.parts:
            place = Place(column="Procedure.Elements")
            raise RowUnmappable(place=place, row=row.order, reason="no parts list")
        return {
            "Service": slip.service,
            "Agency": {"Code": party.code},
            "Procedure": {"Code": slip.procedure_code, "Name": slip.procedure_name},
            "Sender": slip.sender,
            "ResultReceiver": slip.result_receiver,
            "Parts": {"Part": [{"Name": part} for part in slip.parts]},
            "CashOnDelivery": slip.cash,
        }


def _dong(text: str) -> str:
    """Return whole đồng; raises ``RowUnmappable`` for anything that is not plain digits."""
    if not (text.isascii() and text.isdigit()):
        raise RowUnmappable(place=Place(column="Notes"), row="-", reason="amount")
    return str(int(text))
