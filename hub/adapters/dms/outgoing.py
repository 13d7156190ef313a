"""A packet that a document management system wants to send, as a draft of a message."""

from __future__ import annotations

from datetime import datetime

from hub.adapters.contract import Draft
from hub.adapters.dms.index import document_fields, status_fields
from hub.adapters.dms.names import file_name, stem_of
from hub.adapters.dms.rules import DmsRules
from hub.adapters.fields import element_of
from hub.codes import MAX_DOCUMENT_ID, AgencyCode, MessageType
from hub.envelope import MAX_INLINE, MAX_RECIPIENTS, Attachment, Payload
from hub.errors import EdxmlNotOurs, EdxmlRecipient, EdxmlTooLong, PacketTooLarge
from hub.schemas.edxml import Document, Packet, read

MEDIA_TYPE = "application/xml"
_ABOUT = frozenset({"recall", "update"})
"""Kinds that are about a document sent before, and keep its place in the order."""


def draft_of(data: bytes, name: str, rules: DmsRules, now: datetime) -> Draft:
    """Return the draft for a packet's bytes; ``name`` is what its file is called.

    Raises a leaf of ``EdxmlError`` or ``XmlError`` with the place in the packet, ``EdxmlNotOurs``
    when another agency wrote it, ``PacketTooLarge``.
    """
    check_size(len(data), name)
    packet = read(data, rules.reading(now))
    if packet.sender.code not in rules.own:
        raise EdxmlNotOurs(value=packet.sender.code, agency=rules.agency)
    _check_ids(packet)
    file = Attachment.of(file_name(stem_of(name)), MEDIA_TYPE, data)
    type_ = MessageType.parse(f"document.{packet.kind}")
    if packet.document is not None:
        document = packet.document
        return Draft(
            type_,
            recipients_of(document),
            Payload(element_of(type_.value), document_fields(document, packet, file)),
            (file,),
            document_id=document.target if packet.kind in _ABOUT else document.document_id,
            priority=document.other.priority,
        )
    return status_draft(packet, file, rules.system, now)


def status_draft(packet: Packet, file: Attachment, system: str, now: datetime) -> Draft:
    """Return the draft of a status message: it goes where ``ResponseFor`` says."""
    status = packet.status
    if status is None:
        raise EdxmlRecipient(reason="not a status message", reason_vi="không phải trạng thái")
    type_ = MessageType.parse("document.status")
    fields = status_fields(status, packet, file, system, now)
    return Draft(
        type_,
        (status.recipient,),
        Payload(element_of(type_.value), fields),
        (file,),
        document_id=status.response_for.document_id,
    )


def recipients_of(document: Document) -> tuple[AgencyCode, ...]:
    """Return who must hear of it: every ``To``, and of an update the removed receivers too.

    Codes stay as the packet writes them: resolving aliases is the hub's. Raises ``EdxmlRecipient``
    for more than an envelope takes.
    """
    told = [organ.code for organ in document.recipients]
    told += [receiver.code for receiver in document.business.receivers]
    found = tuple(dict.fromkeys(told))
    if len(found) > MAX_RECIPIENTS:
        raise EdxmlRecipient(
            reason=f"{len(found)} receivers; one message takes {MAX_RECIPIENTS}",
            reason_vi=f"có {len(found)} nơi nhận; một thông điệp nhận tối đa {MAX_RECIPIENTS}",
        )
    return found


def check_size(size: int, name: str) -> None:
    """Raise ``PacketTooLarge`` for a packet that an envelope cannot carry inside."""
    if size > MAX_INLINE:
        raise PacketTooLarge(name=name, size=size, limit=MAX_INLINE)


def _check_ids(packet: Packet) -> None:
    """Raise ``EdxmlTooLong`` for ids that the reader tolerates but the wire does not."""
    ids = [packet.document_id]
    if packet.document is not None:
        ids.append(packet.document.target)
        ids += [target.document_id for target in packet.document.business.replacements]
    longest = max(map(len, ids))
    if longest > MAX_DOCUMENT_ID:
        raise EdxmlTooLong(field="DocumentId", size=longest, limit=MAX_DOCUMENT_ID)
