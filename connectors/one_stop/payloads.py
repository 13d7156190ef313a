"""Dossier record → the payload of each event; both statuses, the source's and ours, are carried."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from connectors.one_stop.mapping import Status
from connectors.one_stop.record import Line, Record, money
from hub.codes import AgencyCode, ProcedureCode
from hub.envelope import Payload, Value
from hub.errors import CodeMalformed, Place, RowUnmappable

Fields = dict[str, Value]
_PHONE = re.compile(r"\+?[0-9][0-9 .\-]{0,18}")


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of one dossier, with everything its payload needs."""

    type: str
    event_id: str
    record: Record
    status_code: str
    status: Status
    system: str
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
        return _text(self.step, "name") or self.status.text


def payload(event: Happening) -> Payload:
    """Return the payload; raises ``RowUnmappable`` for a type that rows can't give."""
    specific = _SPECIFIC.get(event.type)
    if specific is None:
        raise RowUnmappable(row=event.record.code, reason=f"no rule for {event.type}")
    element = "".join(word.capitalize() for word in re.split("[._]", event.type))
    base = _manifest(event) if event.type.startswith("postal.") else _event(event)
    return Payload(element, _clean({**base, **specific(event)}))


def dossier(event: Happening) -> Fields:
    """Return the dossier in full: procedure, agencies, applicant, lists and dates."""
    record = event.record
    times = {
        "Submitted": "submitted",
        "PostAccepted": "post_accepted",
        "Received": "received",
        "Due": "due",
        "Resolved": "resolved",
        "Returned": "returned",
    }
    return _clean(
        {
            "Profile": "full",
            "Procedure": _procedure(record),
            "Agencies": {
                "Receiving": {"Code": str(event.sender)},
                "Competent": {"Code": str(event.receiver)},
            },
            "Channel": record.text("channel") or "unknown",
            "Applicant": person(record),
            "Summary": record.text("summary"),
            "Parts": {"Part": [_part(line) for line in record.parts]},
            "Fees": {"Fee": [_fee(line) for line in record.fees]},
            "Dates": {name: _instant(record.time(key)) for name, key in times.items()},
            "Delivery": {
                "Method": record.text("delivery") or "unknown",
                "Place": record.text("delivery_place"),
            },
            "Steps": {"Step": [_step(line) for line in record.steps]},
            "Results": _results(record),
        }
    )


def person(record: Record) -> Fields:
    """Return the applicant; a number without 9 or 12 digits is kept as *other*, never padded."""
    number, phone = record.text("personal_number"), record.text("phone")
    personal = re.fullmatch("[0-9]{12}|[0-9]{9}", number) is not None
    name = record.text("applicant")
    if not name:
        return {}
    return _clean(
        {
            "Kind": record.text("applicant_kind"),
            "FullName": name,
            "PersonalNumber": number if personal else "",
            "OtherNumber": "" if personal else number,
            "Phone": phone if _PHONE.fullmatch(phone) else "",
            "Address": {"Line": record.text("delivery_place")},
        }
    )


def _event(event: Happening) -> Fields:
    return {
        "EventId": event.event_id,
        "DossierCode": event.record.code,
        **_shared(event),
        "Status": {
            "Source": _source(event),
            "Canonical": event.status.canonical,
            "Portal": event.status.portal,
        },
    }


def _manifest(event: Happening) -> Fields:
    return {
        "EventId": event.event_id,
        "OrderNo": event.record.text("order_no"),
        "DossierCode": event.record.code,
        **_shared(event),
        "Status": {"Source": _source(event), "Canonical": "result_handed_over"},
    }


def _shared(event: Happening) -> Fields:
    return {
        "Aliases": {"Alias": [{"Scheme": s, "Value": v} for s, v in event.record.aliases]},
        "OccurredAt": event.at.isoformat(),
        "RecordedAt": event.recorded_at.isoformat(),
        "SourceSystem": event.system,
        "SourceSequence": str(event.sequence),
        "Actor": _officer(event.step),
    }


def _source(event: Happening) -> Fields:
    return {"System": event.system, "Code": event.status_code, "Text": event.status.text}


def _procedure(record: Record) -> Fields:
    code = record.text("procedure")
    try:
        base = ProcedureCode.parse(code).base
    except CodeMalformed as error:
        raise RowUnmappable(
            place=Place(column="procedure"), row=record.code, reason="procedure code"
        ) from error
    return {"Code": code, "BaseCode": base, "Name": record.text("procedure_name")}


def _part(line: Line) -> Fields:
    digitised = _text(line, "digitised")
    return {
        "Name": _text(line, "name"),
        "Originals": _text(line, "originals"),
        "Digitised": "" if digitised == "unknown" else digitised,
    }


def _fee(line: Line) -> Fields:
    state = _text(line, "state")
    amount = money(line.get("amount"), "amount")
    return {
        "Name": _text(line, "name"),
        "Amount": amount,
        "State": "" if state == "unknown" else state,
    }


def _step(line: Line) -> Fields:
    return {
        "StepId": _text(line, "id"),
        "Name": _text(line, "name") or _text(line, "status"),
        "To": _officer(line),
        "StartedAt": _instant(line.get("at")),
        "Due": _instant(line.get("due")),
    }


def _results(record: Record) -> Fields:
    return {"Result": [{"Name": path.rsplit("/", 1)[-1]} for path in record.files]}


def _officer(line: Line | None) -> Fields:
    if line is None:
        return {}
    name, unit = _text(line, "person"), _text(line, "section")
    if not name and not unit:
        return {}
    return {"Kind": "officer" if name else "section", "Name": name, "Unit": unit}


def _assigned(event: Happening) -> Fields:
    unit = _text(event.step, "section") or "unknown"
    return {
        "AssignedAt": event.at.isoformat(),
        "To": {"Kind": "section", "Unit": unit},
        "Due": _instant((event.step or {}).get("due")),
        "Note": _text(event.step, "name"),
    }


def _timing(event: Happening) -> str:
    due = event.record.time("due")
    if due is None:
        return ""
    return "on_time" if event.at <= due else "late"


def _handover(event: Happening) -> Fields:
    record = event.record
    order = record.text("order_no")
    if not order:
        raise RowUnmappable(row=record.code, reason="no postal order")
    who = _officer(event.step) or {"Kind": "officer"}
    return {
        "ManifestNo": f"BG-{event.sequence}",
        "SignedAt": event.at.isoformat(),
        "SignedBy": who,
        "Receiver": person(record),
        "Items": {"Item": [{"OrderNo": order, "DossierCode": record.code}]},
    }


def _payment(event: Happening) -> Fields:
    fees = [_fee(line) for line in event.record.fees]
    total = sum(int(str(fee["Amount"])) for fee in fees)
    return {"RequestedAt": event.at.isoformat(), "Fees": {"Fee": fees}, "Total": str(total)}


def _when(name: str, *, reason: bool = False) -> Callable[[Happening], Fields]:
    def fields(event: Happening) -> Fields:
        return {name: event.at.isoformat(), "Reason": event.reason if reason else ""}

    return fields


_SPECIFIC: dict[str, Callable[[Happening], Fields]] = {
    "dossier.submitted": lambda event: {"Dossier": dossier(event)},
    "dossier.received": lambda event: {
        "ReceivedAt": event.at.isoformat(),
        "ReceivedBy": _officer(event.step),
        "Due": _instant(event.record.time("due")),
    },
    "dossier.rejected": _when("RejectedAt", reason=True),
    "dossier.assigned": _assigned,
    "step.started": lambda event: {"Step": _step(event.step or {})},
    "step.finished": lambda event: {"Step": _step(event.step or {}), "Outcome": event.status.text},
    "dossier.supplement_requested": _when("RequestedAt", reason=True),
    "dossier.supplement_received": _when("ReceivedAt"),
    "dossier.payment_requested": _payment,
    "dossier.paused": _when("PausedAt", reason=True),
    "dossier.stopped": _when("StoppedAt", reason=True),
    "dossier.withdrawn": _when("WithdrawnAt", reason=True),
    "dossier.resolved": lambda event: {
        "ResolvedAt": event.at.isoformat(),
        "Decision": "unknown",
        "Due": _instant(event.record.time("due")),
        "Timing": _timing(event),
        "Results": _results(event.record),
    },
    "result.ready_for_pickup": lambda event: {"ReadyAt": event.at.isoformat()},
    "result.handed_to_post": lambda event: {
        "HandedAt": event.at.isoformat(),
        "OrderNo": event.record.text("order_no"),
    },
    "result.delivered": lambda event: {
        "DeliveredAt": event.at.isoformat(),
        "Method": event.record.text("delivery") or "unknown",
    },
    "postal.result_handover": _handover,
    "postal.return_request": _when("RequestedAt", reason=True),
}


def _text(line: Line | None, name: str) -> str:
    value = (line or {}).get(name)
    return value if isinstance(value, str) else ""


def _instant(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else ""


def _clean(fields: Fields) -> Fields:
    """Leave out what is empty, at every depth: absent is absent, never an empty element."""
    kept: Fields = {}
    for name, value in fields.items():
        small = _small(value)
        if small not in ("", {}, []):
            kept[name] = small
    return kept


def _small(value: Value) -> Value:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return _clean(value)
    if isinstance(value, list):
        return [_small(item) for item in value]
    return value
