"""Payload blocks as types: the two statuses side by side, and what every life-cycle event carries.

Adapters build payloads from these instead of repeating field names; what they give is plain nested
fields, which ``compose`` puts in order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import cast

from hub.codes import DossierCode
from hub.envelope import Value

Fields = dict[str, Value]


class DossierState(StrEnum):
    """Canonical states of a dossier; which source status is which lives in each mapping file."""

    SUBMITTED = "submitted"
    RECEIVED = "received"
    REJECTED = "rejected"
    ASSIGNED = "assigned"
    PROCESSING = "processing"
    SUPPLEMENT_REQUESTED = "supplement_requested"
    SUPPLEMENT_RECEIVED = "supplement_received"
    PAYMENT_REQUESTED = "payment_requested"
    PAID = "paid"
    PAUSED = "paused"
    STOPPED = "stopped"
    WITHDRAWN = "withdrawn"
    RESOLVED = "resolved"
    READY_FOR_PICKUP = "ready_for_pickup"
    HANDED_TO_POST = "handed_to_post"
    DELIVERED = "delivered"
    RETURNED = "returned"
    UNKNOWN = "unknown"


class PostalState(StrEnum):
    """Canonical states of a postal order; tracking codes without an entry are ``unknown``."""

    ORDERED = "ordered"
    ACCEPTED = "accepted"
    HANDED_OVER = "handed_over"
    RESULT_HANDED_OVER = "result_handed_over"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    RETURNING = "returning"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class DocumentState(StrEnum):
    """Canonical states of a document at its receiver (QCVN 102 status messages)."""

    ARRIVED = "arrived"
    REFUSED = "refused"
    REGISTERED = "registered"
    ASSIGNED = "assigned"
    PROCESSING = "processing"
    FINISHED = "finished"
    RECALL_REQUESTED = "recall_requested"
    RECALL_AGREED = "recall_agreed"
    RECALL_REFUSED = "recall_refused"
    UNKNOWN = "unknown"

    @classmethod
    def of_code(cls, code: str) -> DocumentState:
        """Map a status code of QCVN 102 (``01`` … ``06``, ``13``, ``15``, ``16``)."""
        return _BY_CODE.get(code.strip().zfill(2), cls.UNKNOWN)


_BY_CODE = {
    "01": DocumentState.ARRIVED,
    "02": DocumentState.REFUSED,
    "03": DocumentState.REGISTERED,
    "04": DocumentState.ASSIGNED,
    "05": DocumentState.PROCESSING,
    "06": DocumentState.FINISHED,
    "13": DocumentState.RECALL_REQUESTED,
    "15": DocumentState.RECALL_AGREED,
    "16": DocumentState.RECALL_REFUSED,
}

PORTAL_CODES: Mapping[DossierState, str] = {
    DossierState.SUBMITTED: "1",
    DossierState.RECEIVED: "2",
    DossierState.REJECTED: "3",
    DossierState.ASSIGNED: "4",
    DossierState.PROCESSING: "4",
    DossierState.SUPPLEMENT_RECEIVED: "4",
    DossierState.PAID: "4",
    DossierState.SUPPLEMENT_REQUESTED: "5",
    DossierState.PAYMENT_REQUESTED: "6",
    DossierState.WITHDRAWN: "7",
    DossierState.PAUSED: "8",
    DossierState.STOPPED: "8",
    DossierState.RESOLVED: "9",
    DossierState.READY_FOR_PICKUP: "9",
    DossierState.HANDED_TO_POST: "9",
    DossierState.RETURNED: "9",
    DossierState.DELIVERED: "10",
}
"""Codes of the national portal; the pairing is ours, a default that a mapping file may replace."""


@dataclass(frozen=True, slots=True)
class Status:
    """A status twice: as the source says it and as we understand it; neither replaces the other."""

    system: str
    code: str
    canonical: str
    text: str = ""
    portal: str = ""

    def fields(self) -> Fields:
        """Return the ``Status`` block."""
        source: Fields = {"System": self.system, "Code": self.code}
        if self.text:
            source["Text"] = self.text
        block: Fields = {"Source": source, "Canonical": self.canonical}
        if self.portal:
            block["Portal"] = self.portal
        return block

    @classmethod
    def read(cls, block: Value) -> Status:
        """Read a ``Status`` block of a valid payload."""
        outer = cast("Mapping[str, str]", block)
        source = cast("Mapping[str, str]", outer["Source"])
        return cls(
            source["System"],
            source["Code"],
            outer["Canonical"],
            source.get("Text", ""),
            outer.get("Portal", ""),
        )


@dataclass(frozen=True, slots=True)
class Event:
    """What every event of a dossier carries; ``event_id`` is the idempotency key."""

    event_id: str
    """A UUID that stays the same when the source is read again."""
    dossier_code: DossierCode
    occurred_at: datetime
    recorded_at: datetime
    source_system: str
    source_sequence: int
    """Running number within the dossier and source: state derives from it, not from arrival."""
    status: Status
    aliases: Sequence[tuple[str, str]] = ()
    """Scheme and value; schemes: local_row, local_no, legal, portal, postal_order, waybill."""

    def fields(self, **own: Value) -> Fields:
        """Return the common fields together with the event's ``own``."""
        block: Fields = {
            "EventId": self.event_id,
            "DossierCode": self.dossier_code.value,
            "OccurredAt": self.occurred_at.isoformat(),
            "RecordedAt": self.recorded_at.isoformat(),
            "SourceSystem": self.source_system,
            "SourceSequence": str(self.source_sequence),
            "Status": self.status.fields(),
            **own,
        }
        if self.aliases:
            alias: list[Value] = [{"Scheme": name, "Value": value} for name, value in self.aliases]
            block["Aliases"] = {"Alias": alias}
        return block

    @classmethod
    def read(cls, fields: Mapping[str, Value]) -> Event:
        """Read the common fields of a valid event; raises ``CodeMalformed`` for its code."""
        text = cast("Mapping[str, str]", fields)
        block = cast("Mapping[str, Sequence[Mapping[str, str]]]", fields.get("Aliases", {}))
        return cls(
            event_id=text["EventId"],
            dossier_code=DossierCode.parse(text["DossierCode"]),
            occurred_at=datetime.fromisoformat(text["OccurredAt"]),
            recorded_at=datetime.fromisoformat(text["RecordedAt"]),
            source_system=text["SourceSystem"],
            source_sequence=int(text["SourceSequence"]),
            status=Status.read(fields["Status"]),
            aliases=tuple((item["Scheme"], item["Value"]) for item in block.get("Alias", ())),
        )
