"""The order of messages, kept for each sender and order key by the hub's running number (§8).

A *stream* is what one sender says to this agency about one dossier, document or conversation. The
hub numbers every delivery of a stream from 1; what it gives up (parked, expired, redirected
elsewhere) leaves a gap that nobody fills. So a message behind a gap is held back, unacknowledged,
but only for a while (``HOLD_S``) and only so many at once (``HOLD_MESSAGES``); then it is released
with an event. Held messages lie at the broker: after a restart they come again, and how far a
stream has come stands in the connector's store.

A message behind one that this very edge has deferred is not held but deferred too: it would keep
others out for hours, and the hub's ladder brings both back. That too has an end, ``until``.

Receipts and recalls of documents are numbered like the rest but wait for nobody: they only tell
the stream that their number is settled. Everything here is a pure function of its arguments.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from hub.envelope import Header

HOLD_S = 30.0
"""Seconds that a message waits behind a gap. The predecessor is at most in the other of the two
queues of an inbox, or on its way from a router that is just publishing it."""
HOLD_MESSAGES = 8
"""Messages held back at once, over all streams; below the connector's window, so that reading goes
on. The one that waits longest is released first."""
DEFERRED_FOR = timedelta(hours=12)
"""How long a deferred message keeps its successors back when nothing more is heard of it: twice
the longest rung of the shipped retry ladder (6 h)."""
MAX_SETTLED = 64
"""Settled numbers above a gap that a stream remembers; beyond it the lowest gap is given up."""


class Turn(StrEnum):
    """Whether a message may be handed over now."""

    READY = "ready"
    GAP = "gap"
    """An earlier number has not been seen here."""
    BEHIND = "behind"
    """An earlier message was deferred by this edge and has not come back yet."""


def stream_name(header: Header) -> str:
    """Return the name of the stream that a message belongs to."""
    return f"{header.sender}|{header.order_key}"


@dataclass(frozen=True, slots=True)
class Stream:
    """How far one stream has come. ``seq`` 0 means *no number* and is always ready."""

    base: int = 0
    """Every number up to this one is settled or given up."""
    settled: frozenset[int] = frozenset()
    """Settled numbers above ``base``."""
    deferred: Mapping[int, datetime] = field(default_factory=lambda: MappingProxyType({}))
    """Deferred numbers above ``base`` → until when their successors wait for them."""

    @classmethod
    def parse(cls, text: str | None) -> Stream:
        """Read what :meth:`text` wrote; ``None`` is a stream that nothing was seen of."""
        if text is None:
            return cls()
        base, settled, deferred = json.loads(text)
        times = {int(seq): datetime.fromisoformat(until) for seq, until in deferred.items()}
        return cls(base, frozenset(settled), times)

    def text(self) -> str:
        """Return the stream as one line of text for the store."""
        deferred = {seq: until.isoformat() for seq, until in sorted(self.deferred.items())}
        return json.dumps([self.base, sorted(self.settled), deferred])

    def turn(self, seq: int, at: datetime) -> Turn:
        """Return whether the message with this number may be handed over at the time ``at``."""
        if seq <= self.base or seq in self.settled:
            return Turn.READY
        lower = {number: until for number, until in self.deferred.items() if number < seq}
        if any(until > at for until in lower.values()):
            return Turn.BEHIND
        known = len(lower) + sum(1 for number in self.settled if number < seq)
        return Turn.READY if self.base + known + 1 == seq else Turn.GAP

    def settle(self, seq: int) -> Stream:
        """Return the stream after a number was dealt with for good (done, refused, parked)."""
        if seq <= self.base:
            return self
        deferred = {number: until for number, until in self.deferred.items() if number != seq}
        return _compact(self.base, self.settled | {seq}, deferred)

    def defer(self, seq: int, until: datetime) -> Stream:
        """Return the stream after a number was deferred: its successors wait until ``until``."""
        if seq <= self.base:
            return self
        return replace(self, deferred={**self.deferred, seq: until})

    def release(self, seq: int) -> Stream:
        """Return the stream after everything below ``seq`` was given up."""
        return self if seq <= self.base + 1 else _compact(seq - 1, self.settled, self.deferred)


def _compact(base: int, settled: frozenset[int], deferred: Mapping[int, datetime]) -> Stream:
    """Move ``base`` up over everything that is settled."""
    above = {number for number in settled if number > base}
    while base + 1 in above or len(above) > MAX_SETTLED:
        base = min(above)
        above.discard(base)
    waiting = {number: until for number, until in deferred.items() if number > base}
    return Stream(base, frozenset(above), waiting)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that is held back: its stream, its number, and since when."""

    stream: str
    seq: int
    since: datetime


def overdue(held: Sequence[Waiting], at: datetime) -> Waiting | None:
    """Return what must be held back no longer at the time ``at``; ``None`` when nothing must.

    It is the first of its stream, so that those behind it follow in order.
    """
    if not held:
        return None
    oldest = min(held, key=lambda one: one.since)
    late = at - oldest.since >= timedelta(seconds=HOLD_S)
    return _first(held, oldest.stream) if late or len(held) > HOLD_MESSAGES else None


def _first(held: Iterable[Waiting], stream: str) -> Waiting:
    return min((one for one in held if one.stream == stream), key=lambda one: one.seq)
