"""The port between the hub and its broker: what is published, what becomes of it, what a window is.

It is small on purpose: a second client library can stand behind it without a change above.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from hub.envelope import Arrival


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to be published: always persistent, always mandatory."""

    exchange: str
    routing_key: str
    body: bytes = field(repr=False)
    message_id: str
    """AMQP ``message_id``: the envelope's MessageId."""
    delivery_id: str = ""
    """Our own id of this delivery; with ``message_id`` it matches a return, which has no tag."""
    priority: int = 0
    headers: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    """Plain facts by the names of ``hub.broker.headers``; encoded there."""


class Outcome(StrEnum):
    """What became of one publish."""

    CONFIRMED = "confirmed"
    """In a queue, and confirmed by the broker."""
    RETURNED = "returned"
    """No queue took it (``mandatory``); the ack that follows a return does not count."""
    REFUSED = "refused"
    """The broker said nack: a queue is at its length limit, or the broker failed inside."""
    UNKNOWN = "unknown"
    """No answer, or the channel was lost: it may or may not be in a queue, publish it again."""


@dataclass(frozen=True, slots=True)
class WindowLimits:
    """When a window of arrivals is full: whichever is reached first."""

    messages: int = 100
    milliseconds: int = 10
    """Waiting time after the first arrival of the window."""
    bytes: int = 16 * 1024 * 1024


class Publisher(Protocol):
    """Publishes windows. One thread at a time."""

    def publish_window(self, messages: Sequence[Outgoing]) -> list[Outcome]:
        """Publish all and wait once for all confirms; one outcome for each message, in order.

        Never raises for a lost connection: what was not confirmed by then is ``UNKNOWN``. Raises
        ``BrokerUnavailable`` only when nothing at all could be sent.
        """

    def close(self) -> None:
        """Close the connection; what is unconfirmed stays unknown."""


class Consumer(Protocol):
    """Hands over arrivals in windows, and acknowledges them. One thread at a time."""

    def next_window(self, timeout_s: float) -> list[Arrival]:
        """Return the next arrivals, ``[]`` after ``timeout_s`` without any.

        Raises ``BrokerUnavailable`` once for a lost connection; every arrival not acknowledged by
        then comes again. The next call connects anew.
        """

    def ack(self, arrivals: Sequence[Arrival]) -> None:
        """Acknowledge arrivals of the current connection; those of a lost one are ignored."""

    def reject(self, arrivals: Sequence[Arrival], *, requeue: bool) -> None:
        """Give arrivals back to the broker, or let it dead-letter them."""

    def close(self) -> None:
        """Stop reading and give back whatever is not acknowledged."""
