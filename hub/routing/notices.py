"""What the hub tells a sender of a message that it keeps: expired, or undeliverable."""

from __future__ import annotations

from datetime import datetime

from hub.codes import MessageType
from hub.errors import HubError
from hub.routing import voice
from hub.routing.context import Context
from hub.routing.stored import facts_of
from hub.store.rows import ReceiptRow


def notice(
    type_: MessageType,
    raw: bytes,
    *,
    row: str,
    digest: str,
    sender: str,
    error: HubError,
    context: Context,
    at: datetime,
) -> ReceiptRow | None:
    """Return a signed receipt about stored bytes, for the canonical ``sender``.

    ``None`` for a receipt (receipts end there) and for what the hub itself said.
    """
    facts = facts_of(raw)
    if facts.type.startswith("receipt.") or sender == context.hub.value:
        return None
    subject = voice.Subject(
        row=row,
        message_id=facts.message_id,
        sender=facts.sender,
        digest=digest,
        conversation_id=facts.conversation_id,
        to=facts.sender,
        receiver=sender,
    )
    return voice.say(type_, subject, context, at, error=error)
