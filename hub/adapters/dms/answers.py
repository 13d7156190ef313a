"""Answers that the connector writes itself: status 01, *arrived, the clerk has not acted yet*."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from hub.adapters.contract import Draft, Inbound
from hub.adapters.dates import VIETNAM
from hub.adapters.dms.index import fit
from hub.adapters.dms.names import file_name
from hub.adapters.dms.outgoing import MEDIA_TYPE, status_draft
from hub.adapters.dms.rules import DmsRules
from hub.adapters.fields import text_at
from hub.codes import AgencyCode, MessageId
from hub.envelope import Attachment
from hub.errors import SinkRefused
from hub.errors.edge import EdxmlError
from hub.schemas.edxml import (
    Document,
    Notation,
    Organ,
    Packet,
    ResponseFor,
    StatusMessage,
    read,
    write_status,
)
from hub.schemas.edxml.vocabulary import LENGTHS

ARRIVED = "01"
_NO_CODE = Notation("-")
"""Stands for the number and notation that a document does not have: an answer must name them."""
ARRIVED_TEXT = "Gói tin đã tới phần mềm nơi nhận (tự động)"


def arrived_file(packet: Packet, rules: DmsRules, now: datetime) -> bytes | None:
    """Return the 01 for a document, or ``None`` when it gets none (statuses never do).

    A document that no answer can name by the norm is delivered all the same, without one.
    """
    document = packet.document
    if document is None or not rules.automatic_01:
        return None
    own, author = own_organ(document, rules), document.sender
    code = document.code if str(document.code) else _NO_CODE
    answered = ResponseFor(author.organ_id, code, document.document_id, document.promulgation_date)
    at = now.astimezone(VIETNAM).replace(microsecond=0)
    status = StatusMessage(own, answered, author.code, ARRIVED, ARRIVED_TEXT, at)
    try:
        data = write_status(status, rules.dialect)
        read(data, rules.reading(now))
    except EdxmlError:
        return None
    return data


def status_file(message: Inbound, rules: DmsRules) -> bytes:
    """Return the file for a status that came without one, from its payload.

    Systems that speak no edXML answer so. Raises ``SinkRefused`` for a document without its file.
    """
    if message.type.value != "document.status":
        raise SinkRefused(reason="it brings no edXML file", reason_vi="không kèm tệp edXML")
    fields = message.payload.fields
    code = Notation(
        text_at(fields, "ResponseFor/Code/Number"), text_at(fields, "ResponseFor/Code/Notation")
    )
    organ_id = text_at(fields, "ResponseFor/OrganId") or message.receiver.value
    day, moment = text_at(fields, "ResponseFor/PromulgationDate"), text_at(fields, "OccurredAt")
    try:
        promulgated = date.fromisoformat(day) if day else None
        at = datetime.fromisoformat(moment)
    except ValueError as error:
        raise SinkRefused(reason="no date: OccurredAt", reason_vi="sai ngày: OccurredAt") from error
    name = fit(text_at(fields, "From/Name"), LENGTHS["OrganName"])
    sender = Organ(text_at(fields, "From/OrganId"), message.sender, name=name)
    code = code if str(code) else _NO_CODE
    status = StatusMessage(
        sender,
        ResponseFor(organ_id, code, text_at(fields, "DocumentId"), promulgated),
        message.receiver,
        text_at(fields, "StatusCode"),
        text_at(fields, "Description"),
        at,
    )
    return write_status(status, rules.dialect)


def own_organ(document: Document, rules: DmsRules) -> Organ:
    """Return this agency as the packet addressed it, with its own words where it has any."""
    to = next((organ for organ in document.recipients if organ.code in rules.own), None)
    addressed = to or Organ(rules.agency.value, rules.agency)
    words = [
        fit(getattr(rules.organ, name) or getattr(addressed, name), LENGTHS[field])
        for name, field in _WORDS
    ]
    return Organ(addressed.organ_id, addressed.code, *words)


_WORDS = (
    ("in_charge", "OrganizationInCharge"),
    ("name", "OrganName"),
    ("address", "OrganAdd"),
    ("email", "Email"),
    ("telephone", "Telephone"),
    ("fax", "Fax"),
    ("website", "Website"),
)
"""Texts of an ``Organ`` in its own order, and the fields whose lengths they keep to."""


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """The message that is answered. It goes to the code that signed, whatever alias it wrote."""

    sender: str
    message_id: str
    conversation_id: str

    @classmethod
    def of(cls, message: Inbound) -> ReplyTo:
        """Take what is needed from a message."""
        ids = (message.message_id.value, message.conversation_id.value)
        return cls(message.sender.value, *ids)


def answer_draft(data: bytes, to: ReplyTo, rules: DmsRules, now: datetime) -> Draft:
    """Return the draft that carries a status file back."""
    packet = read(data, rules.reading(now))
    name = file_name(packet.document_id, f"status-{ARRIVED}")
    draft = status_draft(packet, Attachment.of(name, MEDIA_TYPE, data), rules.system, now)
    return replace(
        draft,
        recipients=(AgencyCode.parse(to.sender, rules.environment),),
        in_reply_to=MessageId.parse(to.message_id),
        conversation_id=MessageId.parse(to.conversation_id),
    )
