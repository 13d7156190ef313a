"""The blocks of a dossier's payload: procedure, applicant, parts, fees, steps, results, dates."""

from __future__ import annotations

import re
from datetime import datetime

from hub.adapters.fields import Fields, clean
from hub.adapters.one_stop.record import Line, Record, text_of
from hub.codes import AgencyCode, ProcedureCode
from hub.errors import CodeMalformed, Place, RowUnmappable

_PHONE = re.compile(r"\+?[0-9][0-9 .\-]{0,18}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_PERSONAL_NUMBER = re.compile("[0-9]{12}|[0-9]{9}")
_DATES = {
    "Submitted": "submitted",
    "PostAccepted": "post_accepted",
    "HandedOver": "handed_over",
    "Received": "received",
    "Due": "due",
    "Resolved": "resolved",
    "Returned": "returned",
}


def dossier(record: Record, receiving: AgencyCode, competent: AgencyCode) -> Fields:
    """Return the dossier in full: procedure, agencies, applicant, lists and dates."""
    return clean(
        {
            "Profile": "full",
            "Procedure": procedure(record),
            "Agencies": {
                "Receiving": {"Code": str(receiving)},
                "Competent": {"Code": str(competent)},
            },
            "Channel": record.text("channel") or "unknown",
            "Applicant": person(record),
            "Summary": record.text("summary"),
            "Parts": {"Part": [_part(line) for line in record.parts]},
            "Fees": {"Fee": [fee(line) for line in record.fees]},
            "Dates": {name: instant(record.time(key)) for name, key in _DATES.items()},
            "Delivery": {
                "Method": record.text("delivery") or "unknown",
                "Place": record.text("delivery_place"),
            },
            "Results": results(record),
            "Steps": {"Step": [step(line) for line in record.steps]},
        }
    )


def person(record: Record) -> Fields:
    """Return the applicant; a number without 9 or 12 digits is kept as *other*, never padded."""
    number, name = record.text("personal_number"), record.text("applicant")
    phone, email = record.text("phone"), record.text("email")
    if not name:
        return {}
    personal = _PERSONAL_NUMBER.fullmatch(number) is not None
    return clean(
        {
            "Kind": record.text("applicant_kind"),
            "FullName": name,
            "PersonalNumber": number if personal else "",
            "OtherNumber": "" if personal else number,
            "Phone": phone if _PHONE.fullmatch(phone) else "",
            "Email": email if _EMAIL.fullmatch(email) else "",
            "Address": {"Line": record.text("delivery_place")},
        }
    )


def procedure(record: Record) -> Fields:
    """Return the procedure with its base code; raises ``RowUnmappable`` for a malformed code."""
    code = record.text("procedure")
    try:
        base = ProcedureCode.parse(code).base
    except CodeMalformed as error:
        place = Place(column="procedure")
        raise RowUnmappable(place=place, row=record.code, reason="procedure code") from error
    return {"Code": code, "BaseCode": base, "Name": record.text("procedure_name")}


def fee(line: Line) -> Fields:
    """Return one fee in whole đồng; an unknown state is left out."""
    return {
        "Name": text_of(line, "name"),
        "Amount": text_of(line, "amount") or "0",
        "State": _known(line, "state"),
    }


def step(line: Line) -> Fields:
    """Return one line of the control slip."""
    return {
        "StepId": text_of(line, "id"),
        "Name": text_of(line, "name") or text_of(line, "status"),
        "To": officer(line),
        "StartedAt": instant(line.get("at")),
        "Due": instant(line.get("due")),
        "FinishedAt": instant(line.get("finished")),
    }


def results(record: Record) -> Fields:
    """Return every result file by its name."""
    return {"Result": [{"Name": path.rsplit("/", 1)[-1]} for path in record.files]}


def officer(line: Line | None) -> Fields:
    """Return who acted in a step: a person, or at least the section."""
    name, unit = text_of(line, "person"), text_of(line, "section")
    if not name and not unit:
        return {}
    return {"Kind": "officer" if name else "section", "Name": name, "Unit": unit}


def instant(value: object) -> str:
    """Return a time as RFC 3339 text; empty when it is unknown."""
    return value.isoformat() if isinstance(value, datetime) else ""


def _part(line: Line) -> Fields:
    return {
        "Name": text_of(line, "name"),
        "Originals": text_of(line, "originals"),
        "Copies": text_of(line, "copies"),
        "Digitised": _known(line, "digitised"),
    }


def _known(line: Line, name: str) -> str:
    """Return a coded field; empty for a code that is not declared: absent, not guessed."""
    value = text_of(line, name)
    return "" if value == "unknown" else value
