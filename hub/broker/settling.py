"""Acknowledge with as few frames as possible: which tags of a channel are open, which are settled.

No I/O. It matters beyond speed: a channel keeps at most 32 commands to a quorum queue in flight and
drops the rest when it closes (of 200 single acks before a close, RabbitMQ 3.10.8 was seen to lose
161, whose messages then came again). So a settlement that is not the oldest yet waits for those
before it, and one frame says it for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """What is said of a delivery."""

    ACK = "ack"
    REQUEUE = "requeue"
    DEAD_LETTER = "dead-letter"


@dataclass(frozen=True, slots=True)
class Settlement:
    """One frame."""

    tag: int
    multiple: bool
    verdict: Verdict


class Unsettled:
    """The deliveries of one channel that the broker waits for."""

    def __init__(self) -> None:
        self._open: dict[int, Verdict | None] = {}
        """By tag, ascending, as they came; with the verdict once there is one."""

    def delivered(self, tag: int) -> None:
        """Note a delivery."""
        self._open[tag] = None

    def settle(self, tags: Iterable[int], verdict: Verdict) -> list[Settlement]:
        """Note verdicts and return the frames that can be sent for the oldest deliveries now.

        Tags that are not open, or have a verdict already, are ignored.
        """
        for tag in tags:
            if tag in self._open and self._open[tag] is None:
                self._open[tag] = verdict
        return self._oldest()

    def _oldest(self) -> list[Settlement]:
        """One frame for each run of equal verdicts at the front."""
        found: list[Settlement] = []
        for tag, verdict in list(self._open.items()):
            if verdict is None:
                break
            if found and found[-1].verdict is verdict:
                found.pop()
            found.append(Settlement(tag, True, verdict))
            del self._open[tag]
        return found

    def flush(self) -> list[Settlement]:
        """Return the frames for all verdicts, also those behind a delivery without one."""
        rest = [(tag, verdict) for tag, verdict in self._open.items() if verdict is not None]
        for tag, _verdict in rest:
            del self._open[tag]
        return [Settlement(tag, False, verdict) for tag, verdict in rest]
