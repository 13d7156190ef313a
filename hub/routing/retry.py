"""The retry ladder: which rung a deferred delivery waits on, and what follows after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.envelope import Arrival
from hub.errors import MessageExpired
from hub.routing.decision import Decision, Memory, Send, Verdict
from hub.store.rows import (
    DeliveryChange,
    DeliveryRow,
    DeliveryState,
    EventRow,
    Prior,
    WindowRecord,
)

WAITING = frozenset({DeliveryState.DEFERRED, DeliveryState.QUEUED})


def rung_for(attempts: int, retry_after_s: int | None, rungs_s: Sequence[int]) -> int:
    """Return the seconds of the rung for the n-th deferral (from 1), longest at the end.

    A wish of the receiver lengthens the wait to the next rung that covers it; it never shortens it.
    """
    own = rungs_s[min(max(attempts, 1), len(rungs_s)) - 1]
    wished = [rung for rung in rungs_s if rung >= (retry_after_s or 0)] or rungs_s[-1:]
    return max(own, wished[0])


@dataclass(frozen=True, slots=True)
class Due:
    """What came down from a rung: bytes that the hub itself put there."""

    arrival: Arrival = field(repr=False)
    at: datetime
    digest: str
    delivery: str
    """``DeliveryRow.id``."""
    sender: str
    """Canonical."""
    message_id: str
    attempt: int
    """Attempts at the time of the deferral: an older copy than the last deferral's is dropped."""
    expires_at: datetime | None

    @property
    def key(self) -> tuple[str, str]:
        """The key of the message."""
        return (self.sender, self.message_id)


def decide_due(due: Due, memory: Memory) -> Decision:
    """Put a delivery back into its inbox, unless it has expired or no longer waits for anything."""
    prior = memory.get(due.key)
    row = _row(prior, due.delivery)
    if prior is None or row is None or prior.digest != due.digest or row.attempts != due.attempt:
        return Decision(Verdict.DROPPED, key=due.key)
    if row.state not in WAITING:
        return Decision(Verdict.DROPPED, key=due.key)
    if due.expires_at is not None and due.expires_at <= due.at:
        return _left(due, row)
    change = DeliveryChange(row.id, DeliveryState.QUEUED, due.at)
    event = EventRow(row.message, due.at, "queued", {"receiver": row.receiver, "again": "1"})
    send = Send(
        queue=row.queue,
        message_id=due.message_id,
        sender=due.sender,
        raw=due.arrival.raw,
        digest=due.digest,
        delivery=row.id,
        message=row.message,
        seq=row.seq,
        attempt=row.attempts,
    )
    record = WindowRecord(changes=(change,), events=(event,))
    return Decision(Verdict.RETRIED, record, (send,), due.key)


def _row(prior: Prior | None, delivery: str) -> DeliveryRow | None:
    rows = prior.deliveries if prior else ()
    return next((row for row in rows if row.id == delivery), None)


def _left(due: Due, row: DeliveryRow) -> Decision:
    """Past its time: it stays off the inbox, and the sweeper declares it expired and tells so."""
    detail = {"receiver": row.receiver, "code": MessageExpired.code}
    event = EventRow(row.message, due.at, "held_back", detail)
    return Decision(Verdict.EXPIRED, WindowRecord(events=(event,)), (), due.key)
