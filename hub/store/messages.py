"""Read what became of messages: look-ups, the trace of a life, counts."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.engine import Connection, RowMapping

from hub.store.engine import Store
from hub.store.rows import MessageState
from hub.store.tables import deliveries, events, messages, quarantine, receipts
from hub.store.text import storable
from hub.store.times import from_us

MAX_TRACED = 200
"""Messages in one trace: a dossier with more than this is shown by its latest ones. Of forged
arrivals that claim an id, which anybody can send, the first ones are shown."""


def trace(store: Store, wanted: str) -> list[dict[str, Any]]:
    """Return every message with this message id, dossier code or document id, oldest first.

    Each is ``{"message_id", "type", "from", "to", "state", "digest", "events": [{"at", "kind",
    "detail"}]}`` with times in RFC 3339. Events are those recorded, with the hub's own receipts
    (``receipt_sent``) and the broker's confirms (``confirmed``, ``receipt_confirmed``) in their
    places. Quarantined arrivals that claim the id come last.
    """
    wanted = storable(wanted)
    with store.read() as connection:
        rows = connection.execute(
            select(messages)
            .where(
                or_(
                    messages.c.message_id == wanted.lower(),
                    messages.c.dossier_code == wanted,
                    messages.c.document_id == wanted,
                )
            )
            .order_by(messages.c.arrived_us.desc())
            .limit(MAX_TRACED)
        ).mappings()
        found = [_message(connection, row) for row in reversed(list(rows))]
        forged = connection.execute(
            select(quarantine)
            .where(quarantine.c.claimed_id == wanted.lower())
            .order_by(quarantine.c.arrived_us)
            .limit(MAX_TRACED)
        ).mappings()
        return found + [_forged(connection, row) for row in forged]


def _message(connection: Connection, row: RowMapping) -> dict[str, Any]:
    receivers = connection.scalars(
        select(deliveries.c.receiver).where(deliveries.c.message == row["id"])
    )
    return {
        "message_id": row["message_id"],
        "type": row["type"],
        "from": row["sender"],
        "to": sorted(set(receivers)),
        "state": row["state"],
        "digest": row["digest"],
        "events": _in_order(
            [
                *_events(connection, row["id"]),
                *_receipts(connection, row["id"]),
                *_confirms(connection, row["id"]),
            ]
        ),
    }


def _forged(connection: Connection, row: RowMapping) -> dict[str, Any]:
    return {
        "message_id": row["claimed_id"],
        "type": "",
        "from": "",
        "to": [],
        "state": "quarantined",
        "digest": row["digest"],
        "events": _events(connection, row["id"]),
    }


def _events(connection: Connection, message: str) -> list[dict[str, Any]]:
    rows = connection.execute(
        select(events).where(events.c.message == message).order_by(events.c.n)
    ).mappings()
    return [_event(row["at_us"], row["kind"], json.loads(row["detail"])) for row in rows]


def _receipts(connection: Connection, message: str) -> list[dict[str, Any]]:
    """What the hub answered, and when the broker had it."""
    rows = connection.execute(
        select(receipts).where(receipts.c.message == message).order_by(receipts.c.created_us)
    ).mappings()
    found = []
    for row in rows:
        detail = {name: row[name] for name in ("type", "receiver", "message_id")}
        found.append(_event(row["created_us"], "receipt_sent", detail))
        if row["confirmed_us"] is not None:
            found.append(_event(row["confirmed_us"], "receipt_confirmed", detail))
    return found


def _confirms(connection: Connection, message: str) -> list[dict[str, Any]]:
    """When each delivery was in its queue by the broker's own word."""
    rows = connection.execute(
        select(deliveries.c.receiver, deliveries.c.queue, deliveries.c.confirmed_us).where(
            deliveries.c.message == message, deliveries.c.confirmed_us.is_not(None)
        )
    )
    return [
        _event(confirmed_us, "confirmed", {"receiver": receiver, "queue": queue})
        for receiver, queue, confirmed_us in rows
    ]


def _event(at_us: int, kind: str, detail: dict[str, Any]) -> dict[str, Any]:
    at = from_us(at_us).isoformat(timespec="milliseconds")
    return {"at": at, "kind": kind, "detail": detail}


def _in_order(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By time; within one window's moment in the order in which things happen."""
    order = {"receipt_sent": 1, "confirmed": 2, "receipt_confirmed": 3}
    last = ("delivered", "refused", "deferred", "expired")
    return sorted(
        found,
        key=lambda event: (
            event["at"],
            order.get(event["kind"], 4 if event["kind"] in last else 0),
        ),
    )


def counts(store: Store) -> dict[str, int]:
    """Return ``accepted``, ``delivered``, ``refused``, ``parked`` and ``forged_quarantined``.

    ``refused`` counts messages that the hub rejected and deliveries that a receiver refused.
    """
    with store.read() as connection:
        by_state = _by(connection, messages.c.state)
        by_delivery = _by(connection, deliveries.c.state)
        forged = connection.scalar(select(func.count()).select_from(quarantine)) or 0
    return {
        "accepted": by_state.get("accepted", 0),
        "delivered": by_delivery.get("delivered", 0),
        "refused": by_state.get("rejected", 0) + by_delivery.get("refused", 0),
        "parked": by_delivery.get("parked", 0) + by_state.get("parked", 0),
        "forged_quarantined": forged,
    }


def parked_by_reason(store: Store) -> dict[str, int]:
    """Return how many messages wait for a person as a whole, for each error code."""
    with store.read() as connection:
        query = (
            select(messages.c.reason, func.count())
            .where(messages.c.state == MessageState.PARKED.value)
            .group_by(messages.c.reason)
        )
        return {str(reason): int(count) for reason, count in connection.execute(query)}


def quarantined_by_code(store: Store) -> dict[str, int]:
    """Return how many arrivals were quarantined for each error code."""
    with store.read() as connection:
        return _by(connection, quarantine.c.code)


def _by(connection: Connection, column: Any) -> dict[str, int]:
    rows = connection.execute(select(column, func.count()).group_by(column))
    return {str(name): int(count) for name, count in rows}
