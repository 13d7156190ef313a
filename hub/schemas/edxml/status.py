"""Status messages: same root, no receivers, routed by what they answer (sheet edXML §7)."""

from __future__ import annotations

from hub.errors import EdxmlField, EdxmlRecipient
from hub.schemas.edxml.fields import Fields
from hub.schemas.edxml.header import read_response, read_sender, read_staff
from hub.schemas.edxml.model import StatusMessage
from hub.schemas.edxml.tree import Node
from hub.schemas.edxml.vocabulary import STATUS_TEXTS


def is_status(header: Node) -> bool:
    """Whether the message header is a status message's: it has a ``StatusCode``."""
    return any(child.name == "StatusCode" for child in header.children)


def read_status(fields: Fields, header: Node) -> StatusMessage:
    """Read a status message.

    Required are From/OrganId, ResponseFor{OrganId, Code, DocumentId} and StatusCode; raises
    ``EdxmlField``, ``EdxmlRecipient``, ``EdxmlOrganId`` or ``EdxmlDate``.
    """
    sender = read_sender(fields, header, named=False)
    if header.all("To"):
        fields.note("edxml.status_recipients", header)
    answered = fields.one(header, "ResponseFor", strict=True)
    if answered is None:
        raise EdxmlRecipient(
            reason="ResponseFor is missing", reason_vi="thiếu ResponseFor", place=header.place
        )
    response = read_response(fields, answered)
    found = (response.organ_id, str(response.code), response.document_id)
    for name, value in zip(("OrganId", "Code", "DocumentId"), found, strict=True):
        if not value:
            raise fields.missing(answered, f"ResponseFor/{name}")
    staff = fields.one(header, "StaffInfo")
    return StatusMessage(
        sender,
        response,
        fields.code(answered.all("OrganId")[0]),
        _code(fields, header),
        fields.text(header, "Description"),
        fields.moment(header, "Timestamp", strict=True),
        read_staff(fields, staff) if staff is not None else None,
    )


def _code(fields: Fields, header: Node) -> str:
    node = fields.need(header, "StatusCode")
    text = node.text.zfill(2)
    if len(text) != 2 or not (text.isascii() and text.isdigit()):  # noqa: PLR2004 - two digits
        raise EdxmlField(
            field="StatusCode",
            reason="not two digits",
            reason_vi="không phải hai chữ số",
            place=node.place,
        )
    if text not in STATUS_TEXTS:
        fields.note("edxml.status_unknown", node, value=text)
    return text
