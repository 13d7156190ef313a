"""The message header of a document: who, to whom, what (sheet edXML §1 and §4)."""

from __future__ import annotations

from datetime import date, timedelta

from hub.errors import EdxmlFutureDate, EdxmlRecipient
from hub.schemas.edxml.fields import Fields
from hub.schemas.edxml.model import (
    DocumentType,
    Notation,
    Organ,
    OtherInfo,
    ResponseFor,
    Signer,
    Staff,
)
from hub.schemas.edxml.tree import Node
from hub.schemas.edxml.vocabulary import ADMINISTRATIVE, LEGAL

_SHORT = range(65536)
_FUTURE = timedelta(days=1)
"""Tolerance for clocks and for packets sent in the last minutes of a day."""
_STEERING = frozenset({"0", "1", "2", "3"})
"""1 none, 2 steering, 3 report on steering; 0 is sent by some code."""


def read_sender(fields: Fields, header: Node, *, named: bool) -> Organ:
    """Read the only ``From``; raises ``EdxmlRecipient`` when there is none or more than one."""
    found = header.all("From")
    if len(found) != 1:
        place = found[1].place if found else header.place
        raise EdxmlRecipient(
            reason=f"there are {len(found)} From instead of one",
            reason_vi=f"có {len(found)} phần From thay vì một",
            place=place,
        )
    return _organ(fields, found[0], named=named)


def read_recipients(fields: Fields, header: Node) -> tuple[Organ, ...]:
    """Read every ``To``; raises ``EdxmlRecipient`` for none, too many, or an agency twice."""
    nodes = header.all("To")
    limit = fields.options.max_recipients
    if not 1 <= len(nodes) <= limit:
        raise EdxmlRecipient(
            reason=f"there are {len(nodes)} To instead of 1 to {limit}",
            reason_vi=f"có {len(nodes)} phần To thay vì từ 1 đến {limit}",
            place=header.place,
        )
    seen: dict[object, str] = {}
    organs = []
    for node in nodes:
        organ = _organ(fields, node, named=True)
        agency = fields.options.same_agency(organ.code)
        if agency in seen:
            pair = f"{seen[agency]} = {organ.code}"
            raise EdxmlRecipient(
                reason=f"one agency stands twice in To ({pair})",
                reason_vi=f"một cơ quan có mặt hai lần trong To ({pair})",
                place=node.place,
            )
        seen[agency] = organ.code.value
        organs.append(organ)
    return tuple(organs)


def _organ(fields: Fields, node: Node, *, named: bool) -> Organ:
    organ_id = fields.one(node, "OrganId", strict=True)
    if organ_id is None or not organ_id.text:
        raise fields.missing(organ_id or node, "OrganId")
    return Organ(
        organ_id.text,
        fields.code(organ_id),
        fields.text(node, "OrganizationInCharge"),
        fields.required(node, "OrganName") if named else fields.text(node, "OrganName"),
        fields.text(node, "OrganAdd"),
        fields.email(node),
        fields.text(node, "Telephone"),
        fields.text(node, "Fax"),
        fields.text(node, "Website"),
    )


def read_notation(fields: Fields, header: Node) -> Notation:
    """Read the document's own ``Code``."""
    node = fields.one(header, "Code", strict=True)
    if node is None:
        if {"CodeNumber", "CodeNotation"} & fields.options.required:
            raise fields.missing(header, "Code")
        return Notation()
    return Notation(fields.required(node, "CodeNumber"), fields.required(node, "CodeNotation"))


def read_response(fields: Fields, node: Node) -> ResponseFor:
    """Read a ``ResponseFor``, whose ``Code`` is flat or a group; it may be empty."""
    code = fields.one(node, "Code")
    notation = Notation()
    if code is not None:
        number, text = fields.text(code, "CodeNumber"), fields.text(code, "CodeNotation")
        notation = Notation(number, text) if number or text else Notation.split(code.text)
    return ResponseFor(
        fields.text(node, "OrganId"),
        notation,
        fields.text(node, "DocumentId"),
        fields.day(node, "PromulgationDate", strict=False),
    )


def read_promulgation(fields: Fields, header: Node) -> tuple[str, date | None]:
    """Read place and date; raises ``EdxmlDate`` or ``EdxmlFutureDate``."""
    node = fields.one(header, "PromulgationInfo", strict=True)
    if node is None:
        if "PromulgationDate" in fields.options.required:
            raise fields.missing(header, "PromulgationDate")
        return "", None
    fields.required(node, "PromulgationDate")
    day = fields.day(node, "PromulgationDate")
    today = fields.options.today
    if day is not None and day > today + _FUTURE:
        found = node.all("PromulgationDate")[0]
        raise EdxmlFutureDate(value=f"{day:%Y/%m/%d}", today=today, place=found.place)
    return fields.text(node, "Place"), day


def read_type(fields: Fields, header: Node) -> DocumentType:
    """Read ``DocumentType`` in either numbering; a name that is not the row's is noted."""
    node = fields.one(header, "DocumentType", strict=True)
    if node is None:
        if "Type" in fields.options.required:
            raise fields.missing(header, "DocumentType")
        return DocumentType()
    for name in ("Type", "TypeDetail"):
        fields.required(node, name)
    found = DocumentType(
        fields.number(node, "Type", _SHORT),
        fields.number(node, "TypeDetail", _SHORT),
        fields.required(node, "TypeName"),
    )
    kind, row = found.row_of_class
    options = fields.options
    lists = {LEGAL: options.legal_rows, ADMINISTRATIVE: options.administrative_rows}
    name = lists.get(kind or 0, {}).get(row or 0, "")
    if name and found.name and name.casefold() != found.name.casefold():
        fields.note("edxml.type_name", node, row=row, name=name)
    return found


def read_signer(fields: Fields, header: Node) -> Signer:
    """Read ``SignerInfo``."""
    node = fields.one(header, "SignerInfo")
    return Signer(*(fields.text(node, name) for name in ("Competence", "Position", "FullName")))


def read_other(fields: Fields, header: Node) -> OtherInfo:
    """Read ``OtherInfo``; raises ``EdxmlField`` for a priority that the list does not have."""
    node = fields.one(header, "OtherInfo")
    if node is None:
        return OtherInfo()
    first = 1 if fields.options.priority_from_one else 0
    priority = fields.number(node, "Priority", range(first, first + 5))
    # No system was seen that fills these, so their inside is not read.
    for name in ("ReplyFors", "ReferenceCodes"):
        for opaque in node.all(name):
            for below in opaque.walk():
                below.used = True
    appendixes = fields.one(node, "Appendixes")
    return OtherInfo(
        (priority or first) - first,
        fields.text(node, "SphereOfPromulgation"),
        fields.text(node, "TyperNotation"),
        fields.counted(node, "PromulgationAmount"),
        fields.counted(node, "PageAmount"),
        fields.text(node, "Direction"),
        fields.texts(appendixes.all("Appendix")) if appendixes is not None else (),
    )


def read_steering(fields: Fields, header: Node) -> str:
    """Read ``SteeringType``; a value outside the list is noted and left out."""
    node = fields.one(header, "SteeringType")
    if node is None or not node.text:
        return ""
    if node.text not in _STEERING:
        fields.note("edxml.value", node, field="SteeringType", value=node.text[:20])
        return ""
    return node.text


def read_staff(fields: Fields, node: Node) -> Staff:
    """Read a ``StaffInfo``."""
    return Staff(
        fields.text(node, "Department"),
        fields.text(node, "Staff"),
        fields.email(node),
        fields.text(node, "Mobile"),
        fields.text(node, "DepartmentId"),
        fields.text(node, "StaffId"),
    )
