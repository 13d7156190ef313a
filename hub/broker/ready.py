"""Arrivals that lie ready, in the order in which they are handed out. No I/O."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from hub.broker.topology_model import URGENT
from hub.envelope import Arrival

URGENT_IN_A_ROW = 10
"""After that many urgent ones a normal one goes first, so that none waits for ever (§8)."""


class Ready(Protocol):
    """A queue of arrivals with an order of its own."""

    def add(self, arrival: Arrival) -> None:
        """Put one in."""

    def first(self) -> Arrival:
        """Return the one that ``take`` will return; raises ``IndexError`` when empty."""

    def take(self) -> Arrival:
        """Take the next one out; raises ``IndexError`` when empty."""

    def clear(self) -> None:
        """Forget all."""

    def __len__(self) -> int: ...


class InOrder:
    """First come, first served."""

    def __init__(self) -> None:
        self._all: deque[Arrival] = deque()

    def add(self, arrival: Arrival) -> None:
        """Put one in."""
        self._all.append(arrival)

    def first(self) -> Arrival:
        """Return the oldest."""
        return self._all[0]

    def take(self) -> Arrival:
        """Take the oldest out."""
        return self._all.popleft()

    def clear(self) -> None:
        """Forget all."""
        self._all.clear()

    def __len__(self) -> int:
        return len(self._all)


class UrgentFirst:
    """Urgent ones first, and a normal one after ten of them."""

    def __init__(self) -> None:
        self._urgent, self._normal = InOrder(), InOrder()
        self._row = 0

    def add(self, arrival: Arrival) -> None:
        """Put one in, by the name of its queue."""
        (self._urgent if arrival.queue.endswith(URGENT) else self._normal).add(arrival)

    def _next(self) -> InOrder:
        if self._urgent and not (self._normal and self._row >= URGENT_IN_A_ROW):
            return self._urgent
        return self._normal

    def first(self) -> Arrival:
        """Return the next one."""
        return self._next().first()

    def take(self) -> Arrival:
        """Take the next one out."""
        source = self._next()
        taken = source.take()
        self._row = self._row + 1 if source is self._urgent else 0
        return taken

    def clear(self) -> None:
        """Forget all; the row of urgent ones goes on."""
        self._urgent.clear()
        self._normal.clear()

    def __len__(self) -> int:
        return len(self._urgent) + len(self._normal)
