"""The payload of ``document.*``: what a packet says, as an index for people and routing.

Texts are trimmed to what the schema takes, on one line; the packet itself is never touched.
"""

from __future__ import annotations

import re
from datetime import date, datetime

from hub.adapters.fields import Fields, clean
from hub.envelope import Attachment, Value
from hub.schemas.documents import DocumentState, Status
from hub.schemas.edxml import (
    STATUS_TEXTS,
    Document,
    Notation,
    Organ,
    Packet,
    ResponseFor,
    Staff,
    StatusMessage,
)

NAME, TITLE, WIDE = 200, 500, 2000
"""Characters that the schema's types take."""
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")
_MAX_WARNINGS = 50
_MAX_FILES = 200
_MAX_REFERENCES = 100
_MAX_TARGETS = 100
_COUNT = 6
"""Digits of the schema's ``Count``."""


def fit(text: str, limit: int) -> str:
    """Return ``text`` on one line, without controls, cut with an ellipsis at ``limit``."""
    line = " ".join(_CONTROLS.sub(" ", text).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def document_fields(document: Document, packet: Packet, file: Attachment) -> Fields:
    """Return the fields that new, recall, update and replace have in common, and their own."""
    business = document.business
    fields: Fields = {
        "DocumentId": document.document_id,
        "Reason": fit(business.reason, WIDE),
        "Staff": _staff(business.staff[0]) if business.staff else {},
        "Index": _index(document),
        "Packet": packet_fields(packet, file),
    }
    own = {
        "new": _new,
        "recall": _recall,
        "update": _update,
        "replace": _replace,
    }[packet.kind]
    return clean(own(fields, document))


def _new(fields: Fields, _document: Document) -> Fields:
    return {name: value for name, value in fields.items() if name not in ("Reason", "Staff")}


def _recall(fields: Fields, document: Document) -> Fields:
    return {**fields, "TargetDocumentId": document.target}


def _update(fields: Fields, document: Document) -> Fields:
    business = document.business
    receivers: list[Value] = [
        {"OrganId": one.organ_id, "Change": "added" if one.added else "removed"}
        for one in business.receivers
    ]
    return {
        **fields,
        "TargetDocumentId": document.target,
        "ContentChanged": {True: "true", False: "false", None: ""}[business.content_changed],
        "Receivers": {"Receiver": receivers} if receivers else {},
    }


def _replace(fields: Fields, document: Document) -> Fields:
    targets: list[Value] = [
        {
            "DocumentId": target.document_id,
            "Receivers": _organ_ids(target.organ_ids),
        }
        for target in document.business.replacements[:_MAX_TARGETS]
    ]
    return {**fields, "Targets": {"Target": targets}}


def _organ_ids(ids: tuple[str, ...]) -> Fields:
    organs: list[Value] = [{"OrganId": organ_id} for organ_id in ids]
    return {"Organ": organs} if organs else {}


def _index(document: Document) -> Fields:
    kind, row = document.type.row_of_class
    signer, other = document.signer, document.other
    to: list[Value] = [_organ(organ) for organ in document.recipients]
    return {
        "From": _organ(document.sender),
        "To": {"Organ": to},
        "Code": _notation(document.code),
        "PromulgationPlace": fit(document.place, NAME),
        "PromulgationDate": _day(document.promulgation_date),
        "DocumentType": {
            "Class": _count(kind),
            "Row": _count(row),
            "Name": fit(document.type.name, TITLE),
        },
        "Subject": fit(document.subject, WIDE),
        "Content": fit(document.content, WIDE),
        "Signer": {
            "Competence": fit(signer.competence, TITLE),
            "Position": fit(signer.position, TITLE),
            "FullName": fit(signer.full_name, NAME),
        },
        "DueDate": _day(document.due_date),
        "Priority": str(other.priority),
        "Sphere": fit(other.sphere, TITLE),
        "Pages": _count(int(other.pages)) if other.pages else "",
        "SteeringType": document.steering_type,
        "ResponseFor": _references(document.response_for),
        "Files": _files(document),
    }


def _files(document: Document) -> Fields:
    files: list[Value] = [
        {
            "Name": fit(file.name, WIDE) or "?",
            "MediaType": fit(file.media_type, NAME),
            "Size": str(file.size),
            "Sha256": file.sha256,
        }
        for file in document.files[:_MAX_FILES]
    ]
    return {"File": files} if files else {}


def _references(answered: tuple[ResponseFor, ...]) -> Fields:
    references: list[Value] = [_reference(one) for one in answered[:_MAX_REFERENCES]]
    return {"Reference": references} if references else {}


def _reference(answered: ResponseFor) -> Fields:
    return {
        "OrganId": fit(answered.organ_id, NAME),
        "Code": _notation(answered.code),
        "DocumentId": fit(answered.document_id, NAME),
        "PromulgationDate": _day(answered.promulgation_date),
    }


def status_fields(
    status: StatusMessage, packet: Packet, file: Attachment, system: str, now: datetime
) -> Fields:
    """Return the fields of a status message; without a timestamp of its own it happened now."""
    text = STATUS_TEXTS.get(status.code, "")
    state = Status(system, status.code, DocumentState.of_code(status.code), text)
    fields: Fields = {
        "DocumentId": status.response_for.document_id,
        "ResponseFor": _reference(status.response_for),
        "From": _organ(status.sender),
        "Status": state.fields(),
        "StatusCode": status.code,
        "Description": fit(status.description, WIDE),
        "OccurredAt": (status.timestamp or now).isoformat(),
        "Staff": _staff(status.staff) if status.staff is not None else {},
        "Packet": packet_fields(packet, file),
    }
    return clean(fields)


def packet_fields(packet: Packet, file: Attachment) -> Fields:
    """Name the attachment that holds the original file, and what its reader tolerated."""
    warnings: list[Value] = [
        fit(f"{notice.code}: {notice.message('vi')} [{notice.path}]", TITLE)
        for notice in packet.notices[:_MAX_WARNINGS]
    ]
    return {
        "Attachment": file.name,
        "Sha256": file.sha256,
        "Dialect": packet.dialect.value,
        "Warnings": {"Warning": warnings} if warnings else {},
    }


def _organ(organ: Organ) -> Fields:
    return {"OrganId": organ.organ_id, "Name": fit(organ.name, WIDE)}


def _notation(code: Notation) -> Fields:
    return {"Number": fit(code.number, NAME), "Notation": fit(code.notation, NAME)}


def _staff(staff: Staff) -> Fields:
    return {
        "Department": fit(staff.department, TITLE),
        "Name": fit(staff.staff, NAME),
        "Email": fit(staff.email, NAME),
        "Phone": fit(staff.mobile, NAME),
    }


def _day(value: date | None) -> str:
    return value.isoformat() if value is not None else ""


def _count(value: int | None) -> str:
    return str(value) if value is not None and len(str(value)) <= _COUNT else ""
