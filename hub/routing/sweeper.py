"""The sweeper: finishes what a stop or a crash left unfinished, and declares what has expired.

Everything here may run at any time, beside routers, and as often as one likes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub import log
from hub.broker.ports import Publisher
from hub.errors import HubError, MessageExpired
from hub.routing import voice
from hub.routing.context import Context
from hub.routing.decision import Send, audit
from hub.routing.notices import notice
from hub.routing.outbox import Outbox
from hub.routing.verdicts import sent
from hub.store import audit as audit_log
from hub.store import blobs, deliveries
from hub.store.deliveries import StoredDelivery
from hub.store.engine import Store
from hub.store.rows import DeliveryChange, DeliveryState, EventRow, ReceiptRow, WindowRecord
from hub.store.window import WindowStore

UNCONFIRMED_AFTER = timedelta(seconds=60)
EXPIRED_AFTER = timedelta(minutes=10)
"""How long after ``ExpiresAt`` the hub waits for a receipt that is still on its way."""
EVERY_S = 10.0

_log = log.get("sweeper")


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did."""

    published_again: int
    expired: int
    compressed: int


def sweep(
    store: Store, publisher: Publisher, context: Context, at: datetime, stop: threading.Event
) -> Swept:
    """Publish again, expire, note the end of the log, compress; one batch of each.

    Raises ``StoreUnavailable``, or ``AuditBroken`` when the log's end was cut. A broker that is
    away is waited for until ``stop`` is set.
    """
    outbox = Outbox(store, publisher, lambda: at)
    again = _unconfirmed(store, at, context)
    outbox.publish(again, context, stop)
    expired = _expire(store, at, context)
    outbox.publish(expired, context, stop)
    with WindowStore(store).window() as tx:
        tx.confirm(outbox.confirmed.deliveries, outbox.confirmed.receipts, at)
    compressed = blobs.compress(store)
    audit_log.checkpoint(store, at)
    return Swept(len(again), len(expired), compressed)


def _unconfirmed(store: Store, at: datetime, context: Context) -> list[Send]:
    older = at - UNCONFIRMED_AFTER
    sends = [_send(row) for row in deliveries.unconfirmed(store, older)]
    return sends + [sent(row, context) for row in deliveries.unconfirmed_receipts(store, older)]


def _send(stored: StoredDelivery) -> Send:
    row = stored.delivery
    return Send(
        queue=row.queue,
        message_id=stored.message_id,
        sender=stored.sender,
        raw=stored.raw,
        digest=stored.digest,
        delivery=row.id,
        message=row.message,
        seq=row.seq,
        attempt=row.attempts,
    )


def _expire(store: Store, at: datetime, context: Context) -> list[Send]:
    """Declare deliveries expired and return the receipts that say so, recorded already.

    A receipt may arrive between reading and writing: what it spoke a final word about stays.
    """
    candidates = deliveries.expired(store, at - EXPIRED_AFTER)
    if not candidates:
        return []
    with WindowStore(store).window() as tx:
        still = tx.still_open([one.delivery.id for one in candidates])
        found = [one for one in candidates if one.delivery.id in still]
        told = [_told(one, at, context) for one in _one_each(found)]
        receipts = tuple(row for row in told if row is not None)
        tx.record(
            WindowRecord(
                receipts=receipts,
                changes=tuple(_change(one, at) for one in found),
                events=tuple(_event(one, at) for one in found),
                audit=tuple(
                    audit(at, "expired", f"{one.sender} {one.message_id}", to=one.delivery.receiver)
                    for one in found
                ),
            )
        )
    return [sent(row, context) for row in receipts]


def _told(one: StoredDelivery, at: datetime, context: Context) -> ReceiptRow | None:
    return notice(
        voice.EXPIRED,
        one.raw,
        row=one.delivery.message,
        digest=one.digest,
        sender=one.sender,
        error=MessageExpired(limit=context.time.max_age_days),
        context=context,
        at=at,
    )


def _one_each(found: Sequence[StoredDelivery]) -> list[StoredDelivery]:
    """One delivery of each message: its sender is told once."""
    return list({one.delivery.message: one for one in found}.values())


def _change(one: StoredDelivery, at: datetime) -> DeliveryChange:
    return DeliveryChange(one.delivery.id, DeliveryState.EXPIRED, at, MessageExpired.code)


def _event(one: StoredDelivery, at: datetime) -> EventRow:
    detail = {"receiver": one.delivery.receiver, "code": MessageExpired.code}
    return EventRow(one.delivery.message, at, "expired", detail)


def keep_sweeping(
    store: Store,
    publisher: Publisher,
    snapshot: Callable[[], Context],
    clock: Callable[[], datetime],
    stop: threading.Event,
) -> None:
    """Sweep every ten seconds until ``stop`` is set; whatever fails is logged and tried again."""
    while not stop.wait(EVERY_S):
        try:
            done = sweep(store, publisher, snapshot(), clock(), stop)
        except HubError as error:
            _log.warning("sweep_failed", code=error.code)
            continue
        if done.published_again or done.expired:
            _log.info("swept", again=done.published_again, expired=done.expired)
