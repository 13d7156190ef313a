"""Between the frozen rows that the hub hands around and the columns of the tables."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy.engine import RowMapping

from hub.envelope import sha256_hex
from hub.errors import StoreDamaged
from hub.store.rows import (
    DeliveryRow,
    DeliveryState,
    EventRow,
    MessageRow,
    QuarantineRow,
    ReceiptRow,
)
from hub.store.text import storable
from hub.store.times import from_us, to_us

_json = json.JSONEncoder(ensure_ascii=False).encode
"""Made once: ``json.dumps`` makes an encoder for every call with options."""
MAX_ACCOUNT = 64
"""Width of account names and claimed ids, in characters; AMQP allows 255 bytes."""
MAX_REASON = 64


def message_values(row: MessageRow) -> dict[str, Any]:
    """Columns of ``messages``."""
    return {
        "id": row.id,
        "sender": row.sender,
        "message_id": row.message_id,
        "digest": row.digest,
        "type": row.type,
        "schema": row.schema,
        "environment": row.environment,
        "state": row.state.value,
        "arrived_us": to_us(row.arrived_at),
        "created_us": to_us(row.created_at),
        "expires_us": to_us(row.expires_at),
        "conversation_id": row.conversation_id,
        "in_reply_to": row.in_reply_to,
        "dossier_code": row.dossier_code,
        "document_id": row.document_id,
        "priority": row.priority,
        "signer_sha256": row.signer_sha256,
        "by_gateway": row.by_gateway,
        "account": storable(row.account, MAX_ACCOUNT),
        "reason": row.reason,
        "detail": storable(row.detail),
    }


def delivery_values(row: DeliveryRow) -> dict[str, Any]:
    """Columns of ``deliveries``."""
    return {
        "id": row.id,
        "message": row.message,
        "named": row.named,
        "receiver": row.receiver,
        "via": row.via,
        "queue": row.queue,
        "state": row.state.value,
        "created_us": to_us(row.created_at),
        "seq": row.seq,
        "order_key": row.order_key,
        "attempts": row.attempts,
        "confirmed_us": to_us(row.confirmed_at),
        "reason": storable(row.reason, MAX_REASON),
        "detail": storable(row.detail),
    }


def delivery_row(values: RowMapping) -> DeliveryRow:
    """A row of ``deliveries`` as plain data."""
    return DeliveryRow(
        id=values["id"],
        message=values["message"],
        named=values["named"],
        receiver=values["receiver"],
        via=values["via"],
        queue=values["queue"],
        state=DeliveryState(values["state"]),
        created_at=from_us(values["created_us"]),
        seq=values["seq"],
        order_key=values["order_key"],
        attempts=values["attempts"],
        confirmed_at=from_us(values["confirmed_us"]),
        reason=values["reason"],
        detail=values["detail"],
    )


def receipt_values(row: ReceiptRow) -> dict[str, Any]:
    """Columns of ``receipts``; the bytes go into ``blobs``."""
    return {
        "id": row.id,
        "message": row.message,
        "message_id": row.message_id,
        "type": row.type,
        "receiver": row.receiver,
        "digest": row.digest,
        "created_us": to_us(row.created_at),
        "confirmed_us": to_us(row.confirmed_at),
    }


def receipt_row(values: RowMapping, raw: bytes) -> ReceiptRow:
    """A row of ``receipts`` with its bytes."""
    return ReceiptRow(
        id=values["id"],
        message=values["message"],
        message_id=values["message_id"],
        type=values["type"],
        receiver=values["receiver"],
        digest=values["digest"],
        raw=raw,
        created_at=from_us(values["created_us"]),
        confirmed_at=from_us(values["confirmed_us"]),
    )


def quarantine_values(row: QuarantineRow) -> dict[str, Any]:
    """Columns of ``quarantine``; the bytes go into ``blobs``."""
    return {
        "id": row.id,
        "arrived_us": to_us(row.arrived_at),
        "digest": row.digest,
        "code": row.code,
        "detail": storable(row.detail),
        "account": storable(row.account, MAX_ACCOUNT),
        "claimed_id": storable(row.claimed_id, MAX_ACCOUNT),
    }


def event_values(row: EventRow) -> dict[str, Any]:
    """Columns of ``events``."""
    return {
        "message": row.message,
        "at_us": to_us(row.at),
        "kind": row.kind,
        "detail": storable(_json(dict(row.detail))) if row.detail else "{}",
    }


def blob_values(sha256: str, raw: bytes) -> dict[str, Any]:
    """Columns of ``blobs`` for bytes as they arrived.

    Raises ``StoreDamaged`` for a digest that is not theirs: it would hide other bytes for ever.
    """
    if sha256_hex(raw) != sha256:
        raise StoreDamaged(value=sha256)
    return {"sha256": sha256, "size": len(raw), "encoding": "raw", "data": raw}
