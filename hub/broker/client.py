"""An agency's own account: publish to the hub, read the agency's two inboxes.

Used by connectors and by ``hub send`` and ``hub receive``. One thread at a time.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.broker.connection import HEARTBEAT_S
from hub.broker.consumer import WindowConsumer
from hub.broker.ports import Outcome, Outgoing, WindowLimits
from hub.broker.publisher import CONFIRM_TIMEOUT_S, ConfirmPublisher
from hub.broker.ready import UrgentFirst
from hub.broker.topology_model import INGRESS, URGENT
from hub.envelope import Arrival, SignedEnvelope
from hub.errors import BrokerRefused

PREFETCH = 10
"""Unacknowledged messages of each inbox in the agency's hands: small, so that a pause gives back
little, and other readers are not starved."""


class AgencyClient:
    """One agency at the broker; connects when first used, and anew after a loss.

    Between two calls the caller may work for up to 30 minutes: heartbeats go on by themselves, and
    only RabbitMQ's delivery acknowledgement time-out (``consumer_timeout``) then takes back what is
    not acknowledged.
    """

    def __init__(
        self,
        url: str,
        code: str,
        *,
        confirm_timeout_s: float = CONFIRM_TIMEOUT_S,
        heartbeat_s: int = HEARTBEAT_S,
        prefetch: int = PREFETCH,
    ) -> None:
        """``url``: with the agency's account (:func:`hub.broker.accounts.agency_url`)."""
        self._code = code
        self._publisher = ConfirmPublisher(
            url,
            account=code,
            confirm_timeout_s=confirm_timeout_s,
            heartbeat_s=heartbeat_s,
            name=f"{code} send",
        )
        inbox = f"inbox.{code}"
        self._consumer = WindowConsumer(
            url,
            (inbox + URGENT, inbox),
            WindowLimits(messages=2 * prefetch, milliseconds=0),
            prefetch=prefetch,
            heartbeat_s=heartbeat_s,
            name=f"{code} receive",
            ready=UrgentFirst(),
        )

    def publish(self, envelopes: Sequence[SignedEnvelope]) -> list[Outcome]:
        """Publish the bytes to the hub and wait once for all confirms; an outcome for each.

        Raises ``BrokerUnavailable`` when nothing could be sent, or ``BrokerRefused`` when the
        account may not do this or the broker will not take such a message.
        """
        outcomes = self._publisher.publish_window([self._outgoing(one) for one in envelopes])
        if self._publisher.refusal:
            raise BrokerRefused(reason=self._publisher.refusal)
        return outcomes

    def _outgoing(self, envelope: SignedEnvelope) -> Outgoing:
        return Outgoing(
            exchange=INGRESS,
            routing_key=self._code,
            body=envelope.raw,
            message_id=envelope.message_id.value,
            priority=envelope.priority,
        )

    def receive(self, *, limit: int, timeout_s: float) -> list[Arrival]:
        """Return at most ``limit`` arrivals, urgent ones first; ``[]`` after ``timeout_s``.

        One normal arrival goes after ten urgent ones (architecture §8). Raises
        ``BrokerUnavailable`` or ``BrokerRefused``.
        """
        return self._consumer.next_window(timeout_s, at_most=limit)

    def ack(self, arrivals: Sequence[Arrival]) -> None:
        """Acknowledge arrivals: they never come again.

        One that overtakes an older unacknowledged arrival is told to the broker by the next
        ``receive``, ``pause`` or ``close``.
        """
        self._consumer.ack(arrivals)

    def reject(self, arrivals: Sequence[Arrival], *, requeue: bool = True) -> None:
        """Give arrivals back, to come again; or without ``requeue`` to the dead letters."""
        self._consumer.reject(arrivals, requeue=requeue)

    def pause(self) -> None:
        """Stop reading and give back everything unacknowledged; the next ``receive`` resumes."""
        self._consumer.close()

    def close(self) -> None:
        """Close both connections, which gives back everything unacknowledged."""
        self._consumer.close()
        self._publisher.close()
