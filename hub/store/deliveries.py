"""Read deliveries: what is unconfirmed, parked, open or past its time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, func, or_, select
from sqlalchemy.engine import RowMapping

from hub import log
from hub.errors import StoreDamaged
from hub.store import blobs, mapping
from hub.store.engine import Store
from hub.store.rows import DeliveryRow, DeliveryState, ReceiptRow
from hub.store.tables import blobs as blob_table
from hub.store.tables import deliveries, messages, receipts
from hub.store.text import storable
from hub.store.times import from_us, to_us

_log = log.get("store")
OPEN = (DeliveryState.QUEUED.value, DeliveryState.DEFERRED.value)


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """A delivery with what publishing it again, or answering for it, needs."""

    delivery: DeliveryRow
    message_id: str
    sender: str
    type: str
    digest: str
    priority: int
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ParkedGroup:
    """Parked deliveries of one receiver with one reason."""

    receiver: str
    reason: str
    count: int
    oldest: datetime


def _with_message() -> Select[tuple[object, ...]]:
    columns = (
        messages.c.message_id, messages.c.sender, messages.c.type, messages.c.digest,
        messages.c.priority, blob_table.c.encoding, blob_table.c.data,
    )  # fmt: skip
    return (
        select(deliveries, *columns)
        .join(messages, messages.c.id == deliveries.c.message)
        .join(blob_table, blob_table.c.sha256 == messages.c.digest)
    )


def _found(store: Store, query: Select[tuple[object, ...]]) -> list[StoredDelivery]:
    with store.read() as connection:
        return [
            StoredDelivery(
                delivery=mapping.delivery_row(row),
                message_id=row["message_id"],
                sender=row["sender"],
                type=row["type"],
                digest=row["digest"],
                priority=row["priority"],
                raw=raw,
            )
            for row, raw in _with_bytes(connection.execute(query).mappings())
        ]


def _with_bytes(rows: Iterable[RowMapping]) -> Iterator[tuple[RowMapping, bytes]]:
    """Rows with their bytes, as many as memory is meant for; damaged ones are logged, not yielded.

    One message whose bytes are lost must not keep all others from being delivered.
    """
    total = 0
    for row in rows:
        try:
            raw = blobs.decoded(row["digest"], row["encoding"], row["data"])
        except StoreDamaged:
            _log.error("blob_damaged", sha256=row["digest"])
            continue
        if total and total + len(raw) > blobs.BATCH_BYTES:
            return
        total += len(raw)
        yield row, raw


def unconfirmed(store: Store, older_than: datetime, limit: int = 500) -> list[StoredDelivery]:
    """Return queued deliveries recorded before ``older_than`` that the broker never confirmed.

    The oldest first; at most ``limit``, and no more than 64 MiB together (one at least).
    """
    query = _with_message().where(
        deliveries.c.confirmed_us.is_(None),
        deliveries.c.state == DeliveryState.QUEUED.value,
        deliveries.c.created_us < to_us(older_than),
    )
    return _found(store, query.order_by(deliveries.c.created_us).limit(limit))


def unconfirmed_receipts(store: Store, older_than: datetime, limit: int = 500) -> list[ReceiptRow]:
    """Return the hub's own receipts recorded before ``older_than`` and never confirmed."""
    query = (
        select(receipts, blob_table.c.encoding, blob_table.c.data)
        .join(blob_table, blob_table.c.sha256 == receipts.c.digest)
        .where(receipts.c.confirmed_us.is_(None), receipts.c.created_us < to_us(older_than))
        .order_by(receipts.c.created_us)
        .limit(limit)
    )
    with store.read() as connection:
        return [
            mapping.receipt_row(row, raw)
            for row, raw in _with_bytes(connection.execute(query).mappings())
        ]


def expired(store: Store, before: datetime, limit: int = 500) -> list[StoredDelivery]:
    """Return open deliveries of messages whose ExpiresAt lies before ``before``."""
    query = _with_message().where(
        deliveries.c.state.in_(OPEN), messages.c.expires_us < to_us(before)
    )
    return _found(store, query.order_by(messages.c.expires_us).limit(limit))


def parked(store: Store, wanted: str, limit: int = 1000) -> list[StoredDelivery]:
    """Return the parked deliveries with this delivery id, message id or receiver."""
    wanted = storable(wanted)
    query = _with_message().where(
        deliveries.c.state == DeliveryState.PARKED.value,
        or_(
            deliveries.c.id == wanted,
            messages.c.message_id == wanted.lower(),
            deliveries.c.receiver == wanted.upper(),
        ),
    )
    return _found(store, query.order_by(deliveries.c.created_us).limit(limit))


def parked_groups(store: Store) -> list[ParkedGroup]:
    """Return what is parked by receiver and reason, the largest group first."""
    count = func.count().label("n")
    query = (
        select(deliveries.c.receiver, deliveries.c.reason, count, func.min(deliveries.c.created_us))
        .where(deliveries.c.state == DeliveryState.PARKED.value)
        .group_by(deliveries.c.receiver, deliveries.c.reason)
        .order_by(count.desc())
    )
    with store.read() as connection:
        return [ParkedGroup(r[0], r[1], r[2], from_us(r[3])) for r in connection.execute(query)]


def oldest_by_queue(store: Store) -> dict[str, datetime]:
    """Return the time of the oldest unanswered delivery of each queue."""
    query = _unanswered(select(deliveries.c.queue, func.min(deliveries.c.created_us)))
    with store.read() as connection:
        return {queue: from_us(us) for queue, us in connection.execute(query)}


def open_by_queue(store: Store) -> dict[str, int]:
    """Return how many deliveries of each queue are unanswered by the store's account."""
    query = _unanswered(select(deliveries.c.queue, func.count()))
    with store.read() as connection:
        return {queue: int(count) for queue, count in connection.execute(query)}


def _unanswered(query: Select[str, int]) -> Select[str, int]:
    """Open deliveries by queue; forwarded receipts are not: nothing ever answers a receipt."""
    return (
        query.join(messages, messages.c.id == deliveries.c.message)
        .where(deliveries.c.state.in_(OPEN), messages.c.type.not_like("receipt.%"))
        .group_by(deliveries.c.queue)
    )
