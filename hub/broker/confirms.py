"""The confirm window: which publish of a channel has been confirmed, returned, refused, or neither.

No I/O. One tracker belongs to one channel for good: delivery tags count from 1 and never repeat, so
that an answer to a window given up long ago can never be taken for one to a newer window, and a
channel that is lost takes its tracker with it (architecture §5).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

from hub.broker.ports import Outcome


class ConfirmTracker:
    """Tracks one window at a time on one channel.

    Sources: https://www.rabbitmq.com/docs/confirms. A return carries no tag but comes before the
    ack of the same publish, in the order of publishing; so it belongs to the oldest unanswered
    publish with the same key (exchange, routing key, message id, delivery id).
    """

    def __init__(self) -> None:
        self._first = 1
        """Tag of the window's first publish."""
        self._next = 1
        self._outcomes: list[Outcome] = []
        self._open: dict[int, Hashable] = {}
        """Unanswered publishes, by tag, in order: tag → key."""
        self._waiting: dict[Hashable, deque[int]] = {}
        """Unanswered publishes of the same key, oldest first; may hold answered tags."""

    def begin(self) -> None:
        """Start a window; what the one before left unanswered is forgotten."""
        self._first = self._next
        self._outcomes, self._open, self._waiting = [], {}, {}

    def published(self, key: Hashable) -> int:
        """Note a publish, in the order of sending; return its delivery tag."""
        tag = self._next
        self._next += 1
        self._outcomes.append(Outcome.UNKNOWN)
        self._open[tag] = key
        self._waiting.setdefault(key, deque()).append(tag)
        return tag

    @property
    def complete(self) -> bool:
        """Whether every publish of the window is answered."""
        return not self._open

    @property
    def outcomes(self) -> list[Outcome]:
        """One outcome for each publish of the window, in order; unanswered ones are ``UNKNOWN``."""
        return list(self._outcomes)

    def answered(self, tag: int, *, multiple: bool, outcome: Outcome) -> None:
        """Take an ack (``CONFIRMED``) or nack (``REFUSED``) of a tag, or of all up to it."""
        if not multiple:
            self._settle(tag, outcome)
        elif tag == 0 or tag >= self._next - 1:
            self._settle_all(list(self._open), outcome)
        else:
            self._settle_all([one for one in self._open if one <= tag], outcome)

    def _settle_all(self, tags: list[int], outcome: Outcome) -> None:
        for tag in tags:
            self._settle(tag, outcome)

    def _settle(self, tag: int, outcome: Outcome) -> None:
        if tag not in self._open:
            return
        del self._open[tag]
        index = tag - self._first
        if self._outcomes[index] is Outcome.UNKNOWN:
            self._outcomes[index] = outcome

    def returned(self, key: Hashable) -> None:
        """Take a return; the ack that follows it does not count."""
        waiting = self._waiting.get(key, deque())
        while waiting:
            tag = waiting.popleft()
            if tag in self._open:
                self._outcomes[tag - self._first] = Outcome.RETURNED
                return
