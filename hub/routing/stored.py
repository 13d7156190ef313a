"""The few facts of bytes that the hub itself keeps: trusted because their digest is on record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub import safexml
from hub.codes import AgencyCode, MessageId
from hub.envelope import NAMESPACE
from hub.errors import XmlMalformed

_NS = f"{{{NAMESPACE}}}"


@dataclass(frozen=True, slots=True)
class Facts:
    """Header fields of a stored envelope."""

    sender: AgencyCode
    message_id: MessageId
    type: str
    conversation_id: MessageId
    expires_at: datetime | None


def facts_of(raw: bytes) -> Facts:
    """Read the header of bytes that were judged before; raises ``xml.*`` or ``CodeMalformed``."""
    root = safexml.parse(raw)
    header = root.find(f"{_NS}Header")
    sender = None if header is None else header.find(f"{_NS}From")
    if header is None or sender is None:
        raise XmlMalformed("no header")

    def text(name: str) -> str:
        return (header.findtext(f"{_NS}{name}") or "").strip()

    expires = text("ExpiresAt")
    return Facts(
        sender=AgencyCode.parse(sender.get("code", "")),
        message_id=MessageId.parse(text("MessageId")),
        type=text("Type"),
        conversation_id=MessageId.parse(text("ConversationId")),
        expires_at=datetime.fromisoformat(expires) if expires else None,
    )
