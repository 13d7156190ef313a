"""Rows of the store with invented contents, for its tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from hub.envelope import sha256_hex
from hub.store.rows import (
    AuditEntry,
    DeliveryRow,
    DeliveryState,
    EventRow,
    MessageRow,
    MessageState,
    QuarantineRow,
    ReceiptRow,
    WindowRecord,
)

T0 = datetime(2026, 3, 4, 1, 30, 0, 123456, tzinfo=UTC)


def at(seconds: float = 0) -> datetime:
    """``T0`` and so many seconds."""
    return T0 + timedelta(seconds=seconds)


def new_id() -> str:
    """Another id of a row."""
    return str(uuid4())


def message(raw: bytes = b"<a/>", **changes: Any) -> MessageRow:
    """A message of ``H12.15``; ``changes`` replace fields."""
    identity = new_id()
    values: dict[str, Any] = {
        "id": identity,
        "sender": "H12.15",
        "message_id": identity,
        "digest": sha256_hex(raw),
        "type": "dossier.received",
        "environment": "trial",
        "state": MessageState.ACCEPTED,
        "arrived_at": T0,
        "created_at": at(-5),
        "conversation_id": identity,
        "priority": 0,
        "signer_sha256": "c" * 64,
        "raw": raw,
    }
    return MessageRow(**{**values, **changes})


def delivery(of: MessageRow, receiver: str = "H13.15", **changes: Any) -> DeliveryRow:
    """A delivery of ``of``."""
    values: dict[str, Any] = {
        "id": new_id(),
        "message": of.id,
        "named": receiver,
        "receiver": receiver,
        "via": "exact",
        "queue": f"inbox.{receiver}",
        "state": DeliveryState.QUEUED,
        "created_at": T0,
        "seq": 1,
        "order_key": f"conversation:{of.conversation_id}",
    }
    return DeliveryRow(**{**values, **changes})


def receipt(of: MessageRow, raw: bytes | None = None, **changes: Any) -> ReceiptRow:
    """A receipt of the hub about ``of``."""
    identity = new_id()
    raw = raw if raw is not None else f"<r>{identity}</r>".encode()
    values: dict[str, Any] = {
        "id": identity,
        "message": of.id,
        "message_id": identity,
        "type": "receipt.accepted",
        "receiver": of.sender,
        "digest": sha256_hex(raw),
        "raw": raw,
        "created_at": T0,
    }
    return ReceiptRow(**{**values, **changes})


def quarantine(raw: bytes = b"forged", **changes: Any) -> QuarantineRow:
    """An arrival that nobody is answered for."""
    values: dict[str, Any] = {
        "id": new_id(),
        "arrived_at": T0,
        "digest": sha256_hex(raw),
        "code": "signature.digest_mismatch",
        "detail": "",
        "account": "H12.15",
        "raw": raw,
    }
    return QuarantineRow(**{**values, **changes})


def event(of: MessageRow | QuarantineRow, kind: str = "accepted", **detail: str) -> EventRow:
    """A step in the life of ``of``."""
    return EventRow(of.id, T0, kind, detail)


def entry(subject: str = "s", **detail: str) -> AuditEntry:
    """A line of the log."""
    return AuditEntry(T0, "router", "message.accepted", subject, detail)


def whole(raw: bytes = b"<a/>", **changes: Any) -> WindowRecord:
    """Everything that an accepted message writes."""
    one = message(raw, **changes)
    return WindowRecord(
        messages=(one,),
        deliveries=(delivery(one), delivery(one, "H14.15")),
        receipts=(receipt(one),),
        events=(event(one, "arrived"), event(one)),
        audit=(entry(one.message_id),),
    )
