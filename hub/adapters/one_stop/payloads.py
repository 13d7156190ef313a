"""A happening at a one-stop → the payload of its message; both statuses are always carried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hub.adapters.fields import Fields, clean, element_of
from hub.adapters.one_stop import blocks
from hub.adapters.one_stop.record import Line, Record, text_of
from hub.codes import AgencyCode
from hub.envelope import Payload
from hub.errors import RowUnmappable
from hub.schemas.documents import PostalState, Status


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of one dossier, with everything its payload needs."""

    type: str
    event_id: str
    record: Record
    status: Status
    """The source's own status and what it means, side by side."""
    sequence: int
    sender: AgencyCode
    receiver: AgencyCode
    at: datetime
    """When it happened: the step's time, or the date column that belongs to the event."""
    recorded_at: datetime
    step: Line | None = None

    @property
    def reason(self) -> str:
        """What the clerk wrote, or the status's own words."""
        return text_of(self.step, "name") or self.status.text or self.status.code


def payload(event: Happening) -> Payload:
    """Return the payload; raises ``RowUnmappable`` for a type or a slip that rows can't give."""
    specific = TYPES.get(event.type)
    if specific is None:
        raise RowUnmappable(row=event.record.code, reason=f"no rule for {event.type}")
    base = _slip(event) if event.type.startswith("postal.") else _event(event)
    return Payload(element_of(event.type), clean({**base, **specific(event)}))


def _event(event: Happening) -> Fields:
    return {
        "EventId": event.event_id,
        "DossierCode": event.record.code,
        **_provenance(event),
        "Status": event.status.fields(),
    }


def _slip(event: Happening) -> Fields:
    """Return what a slip for the post carries; its status is the order's, not the dossier's."""
    order = event.record.text("order_no")
    if not order:
        raise RowUnmappable(row=event.record.code, reason="no postal order")
    source = {"System": event.status.system, "Code": event.status.code, "Text": event.status.text}
    return {
        "EventId": event.event_id,
        "OrderNo": order,
        "DossierCode": event.record.code,
        **_provenance(event),
        "Status": {"Source": source, "Canonical": _POSTAL[event.type].value},
    }


_POSTAL = {
    "postal.result_handover": PostalState.RESULT_HANDED_OVER,
    "postal.return_request": PostalState.RETURNING,
}


def _provenance(event: Happening) -> Fields:
    return {
        "Aliases": {"Alias": [{"Scheme": s, "Value": v} for s, v in event.record.aliases]},
        "OccurredAt": event.at.isoformat(),
        "RecordedAt": event.recorded_at.isoformat(),
        "SourceSystem": event.status.system,
        "SourceSequence": str(event.sequence),
        "Actor": blocks.officer(event.step),
    }


def _submitted(event: Happening) -> Fields:
    return {"Dossier": blocks.dossier(event.record, event.sender, event.receiver)}


def _received(event: Happening) -> Fields:
    return {
        "ReceivedAt": event.at.isoformat(),
        "ReceivedBy": blocks.officer(event.step),
        "Due": blocks.instant(event.record.time("due")),
    }


def _assigned(event: Happening) -> Fields:
    unit = text_of(event.step, "section") or "unknown"
    return {
        "AssignedAt": event.at.isoformat(),
        "To": {"Kind": "section", "Unit": unit},
        "Due": blocks.instant((event.step or {}).get("due")),
        "Note": text_of(event.step, "name"),
    }


def _step(event: Happening) -> Fields:
    if event.step is None:
        raise RowUnmappable(row=event.record.code, reason="the row is no line of the trace")
    outcome = event.status.text if event.type == "step.finished" else ""
    return {"Step": blocks.step(event.step), "Outcome": outcome}


def _fees(event: Happening) -> tuple[Fields, str]:
    fees = [blocks.fee(line) for line in event.record.fees]
    return {"Fee": fees}, str(sum(int(str(fee["Amount"])) for fee in fees))


def _payment(event: Happening) -> Fields:
    fees, total = _fees(event)
    return {"RequestedAt": event.at.isoformat(), "Fees": fees, "Total": total}


def _paid(event: Happening) -> Fields:
    fees, total = _fees(event)
    return {"PaidAt": event.at.isoformat(), "Amount": total, "Method": "unknown", "Fees": fees}


def _resolved(event: Happening) -> Fields:
    due = event.record.time("due")
    late = due is not None and event.at > due
    return {
        "ResolvedAt": event.at.isoformat(),
        "Decision": "unknown",
        "Due": blocks.instant(due),
        "Timing": "" if due is None else "late" if late else "on_time",
        "Results": blocks.results(event.record),
    }


def _delivered(event: Happening) -> Fields:
    method = event.record.text("delivery") or "unknown"
    return {"DeliveredAt": event.at.isoformat(), "Method": method}


def _handed_to_post(event: Happening) -> Fields:
    return {"HandedAt": event.at.isoformat(), "OrderNo": event.record.text("order_no")}


def _result_handover(event: Happening) -> Fields:
    record = event.record
    return {
        "ManifestNo": f"BG-{event.sequence}",
        "SignedAt": event.at.isoformat(),
        "SignedBy": blocks.officer(event.step) or {"Kind": "officer"},
        "Receiver": blocks.person(record),
        "Items": {"Item": [{"OrderNo": record.text("order_no"), "DossierCode": record.code}]},
    }


def _returned(event: Happening) -> Fields:
    method = event.record.text("delivery") or "unknown"
    return {"ReturnedAt": event.at.isoformat(), "Method": method, "Reason": event.reason}


def _when(name: str, *, reason: bool = False) -> Callable[[Happening], Fields]:
    def fields(event: Happening) -> Fields:
        return {name: event.at.isoformat(), "Reason": event.reason if reason else ""}

    return fields


TYPES: dict[str, Callable[[Happening], Fields]] = {
    "dossier.submitted": _submitted,
    "dossier.received": _received,
    "dossier.rejected": _when("RejectedAt", reason=True),
    "dossier.assigned": _assigned,
    "step.started": _step,
    "step.finished": _step,
    "dossier.supplement_requested": _when("RequestedAt", reason=True),
    "dossier.supplement_received": _when("ReceivedAt"),
    "dossier.payment_requested": _payment,
    "dossier.paid": _paid,
    "dossier.paused": _when("PausedAt", reason=True),
    "dossier.stopped": _when("StoppedAt", reason=True),
    "dossier.withdrawn": _when("WithdrawnAt", reason=True),
    "dossier.resolved": _resolved,
    "result.issued": lambda event: {"Results": blocks.results(event.record)},
    "result.ready_for_pickup": _when("ReadyAt"),
    "result.handed_to_post": _handed_to_post,
    "result.delivered": _delivered,
    "result.returned": _returned,
    "postal.result_handover": _result_handover,
    "postal.return_request": _when("RequestedAt", reason=True),
}
"""Message types that a one-stop's rows give rise to; deadlines and apologies are others' to say."""
