"""Answers that the connector writes itself: status 01, *arrived, the clerk has not acted yet*."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from hub.adapters.contract import Draft, Inbound
from hub.adapters.dates import VIETNAM
from hub.adapters.dms.names import file_name
from hub.adapters.dms.outgoing import MEDIA_TYPE, status_draft
from hub.adapters.dms.rules import DmsRules
from hub.codes import AgencyCode, MessageId
from hub.envelope import Attachment
from hub.schemas.edxml import (
    Document,
    Organ,
    Packet,
    ResponseFor,
    StatusMessage,
    read,
    write_status,
)

ARRIVED = "01"
ARRIVED_TEXT = "Gói tin đã tới phần mềm nơi nhận (tự động)"


def arrived_file(packet: Packet, rules: DmsRules, now: datetime) -> bytes | None:
    """Return the 01 for a document, or ``None`` when it gets none (statuses never do)."""
    document = packet.document
    if document is None or not rules.automatic_01:
        return None
    own, author = own_organ(document, rules), document.sender
    answered = ResponseFor(
        author.organ_id, document.code, document.document_id, document.promulgation_date
    )
    at = now.astimezone(VIETNAM).replace(microsecond=0)
    status = StatusMessage(own, answered, author.code, ARRIVED, ARRIVED_TEXT, at)
    return write_status(status, rules.dialect)


def own_organ(document: Document, rules: DmsRules) -> Organ:
    """Return this agency as the packet addressed it, with its own words where it has any."""
    to = next((organ for organ in document.recipients if organ.code in rules.own), None)
    addressed = to or Organ(rules.agency.value, rules.agency)
    own = rules.organ
    words = {
        name: getattr(own, name)
        for name in ("name", "in_charge", "address", "email", "telephone", "fax", "website")
        if getattr(own, name)
    }
    return replace(addressed, **words)


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
