"""A message that brings a packet: the file must be what was signed and what the payload says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.adapters.contract import Inbound
from hub.adapters.dms.answers import status_file
from hub.adapters.dms.names import file_name
from hub.adapters.dms.rules import DmsRules
from hub.adapters.fields import text_at
from hub.envelope import sha256_hex
from hub.errors import AttachmentDigest, AttachmentMissing, HubError, SinkRefused
from hub.schemas.edxml import Packet, read

ACCEPTS = (
    "document.new",
    "document.recall",
    "document.update",
    "document.replace",
    "document.status",
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A packet that has arrived: its bytes, and what they say."""

    content: bytes
    packet: Packet
    name: str
    """What to call its file."""

    responder: str

    @property
    def status_key(self) -> str:
        """What a status is unique by: document, responder and code; empty for documents."""
        status = self.packet.status
        return f"{self.responder}\n{status.code}\n{self.packet.document_id}" if status else ""


def delivery_of(message: Inbound, rules: DmsRules, now: datetime) -> Delivery:
    """Take the packet out of a message.

    Raises ``AttachmentMissing`` or ``AttachmentDigest`` when the file is not the signed one, and
    ``SinkRefused`` when it cannot be read or contradicts the message.
    """
    content = _content(message, rules)
    try:
        packet = read(content, rules.reading(now, arriving=True))
    except HubError as error:
        en, vi = error.message("en"), error.message("vi")
        raise SinkRefused(reason=en, reason_vi=vi, place=error.place) from error
    _check(message, packet, rules)
    mark = f"status-{packet.status.code}" if packet.status is not None else ""
    # A message id is one sender's own: without the sender's code another could overwrite a file.
    name = file_name(packet.document_id, mark, message.sender.value, message.message_id.value)
    return Delivery(content, packet, name, message.sender.value)


def _content(message: Inbound, rules: DmsRules) -> bytes:
    """Return the signed bytes of the file; a status that came without one is written here."""
    fields = message.payload.fields
    wanted = text_at(fields, "Packet/Attachment")
    if not wanted:
        return status_file(message, rules)
    file = next((one for one in message.attachments if one.name == wanted), None)
    if file is None or file.content is None:
        raise AttachmentMissing(name=wanted)
    content, stated = file.content, text_at(fields, "Packet/Sha256")
    if len(content) != file.size or not sha256_hex(content) == file.sha256 == stated:
        raise AttachmentDigest(name=file.name)
    return content


def _check(message: Inbound, packet: Packet, rules: DmsRules) -> None:
    """Raise ``SinkRefused`` when the file says something else than the signed message."""
    fields = message.payload.fields
    if message.type.value != f"document.{packet.kind}":
        raise _differs("type", "loại", packet.kind)
    if packet.document_id != text_at(fields, "DocumentId"):
        raise _differs("DocumentId", "DocumentId", packet.document_id)
    author = text_at(fields, "Index/From/OrganId") or text_at(fields, "From/OrganId")
    if packet.sender.organ_id != author:
        raise _differs("From", "nơi gửi", packet.sender.organ_id)
    code, owner = packet.sender.code, rules.owner_of(packet.sender.code)
    if rules.check_sender and owner and rules.owner_of(message.sender) not in ("", owner):
        raise _refused(
            f"the file's From is {code}, but {message.sender} sent it (known_as, check_sender)",
            f"tệp ghi nơi gửi {code} nhưng do {message.sender} gửi (known_as, check_sender)",
        )


def _differs(en: str, vi: str, value: str) -> SinkRefused:
    return _refused(
        f"the file's {en} ({value}) is not the message's",
        f"{vi} trong tệp ({value}) khác với thông điệp",
    )


def _refused(en: str, vi: str) -> SinkRefused:
    return SinkRefused(reason=en, reason_vi=vi)
