"""The agency's connection to the hub, as the lanes use it; ``hub.broker.client`` fills it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hub.broker.ports import Outcome
from hub.envelope import Arrival, SignedEnvelope


class Client(Protocol):
    """One agency's account at the broker.

    Any method may raise ``BrokerUnavailable`` or ``BrokerRefused``.
    """

    def publish(self, envelopes: Sequence[SignedEnvelope]) -> list[Outcome]:
        """Publish the bytes to the hub and wait once for all confirms; an outcome for each."""

    def receive(self, *, limit: int, timeout_s: float) -> list[Arrival]:
        """Return at most ``limit`` arrivals, urgent ones first; ``[]`` after ``timeout_s``."""

    def ack(self, arrivals: Sequence[Arrival]) -> None:
        """Acknowledge arrivals: they never come again."""

    def reject(self, arrivals: Sequence[Arrival], *, requeue: bool = True) -> None:
        """Give arrivals back."""

    def pause(self) -> None:
        """Stop reading and give back everything unacknowledged; the next ``receive`` resumes."""

    def close(self) -> None:
        """Close the connection, which gives back everything unacknowledged."""
