"""Publish what was committed until the broker has taken it, and park what it has no queue for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub import log
from hub.broker.ports import Outcome, Outgoing, Publisher
from hub.errors import BrokerUnavailable, HubError, Unroutable
from hub.routing import voice
from hub.routing.context import Context
from hub.routing.decision import Send, audit
from hub.routing.notices import notice
from hub.routing.outgoing import inbox_of, outgoing
from hub.routing.verdicts import sent
from hub.routing.window import Confirmed
from hub.store import blobs
from hub.store.engine import Store
from hub.store.rows import (
    DeliveryChange,
    DeliveryState,
    EventRow,
    ReceiptRow,
    WindowRecord,
)
from hub.store.window import WindowStore

FIRST_WAIT_S = 0.05
LONGEST_WAIT_S = 5.0

_log = log.get("router")


@dataclass(slots=True)
class Outbox:
    """Publishes sends, as often as needed. One thread."""

    store: Store
    publisher: Publisher
    clock: Callable[[], datetime]
    confirmed: Confirmed = field(default_factory=Confirmed)
    """Filled as confirms come; whoever writes them to the store clears it."""

    def publish(self, sends: Sequence[Send], context: Context, stop: threading.Event) -> bool:
        """Publish until every one is confirmed or has come back unroutable.

        Returns ``False`` when ``stop`` was set before that: then nothing may be acknowledged that
        these follow from. What no queue takes is parked and told before this returns. Raises
        ``StoreUnavailable``.
        """
        waiting = [(send, made) for send in sends if (made := self._made(send, context))]
        returned: list[Send] = []
        wait_s = FIRST_WAIT_S
        while waiting:
            outcomes = self._published([made for _send, made in waiting])
            again = []
            for (send, made), outcome in zip(waiting, outcomes, strict=True):
                if outcome is Outcome.CONFIRMED:
                    self._confirm(send)
                elif outcome is Outcome.RETURNED:
                    returned.append(send)
                else:
                    again.append((send, made))
            waiting = again
            if waiting and stop.wait(wait_s):
                return False
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)
        return self._park(returned, context, stop) if returned else True

    def _published(self, messages: Sequence[Outgoing]) -> list[Outcome]:
        try:
            return self.publisher.publish_window(messages)
        except BrokerUnavailable as error:
            _log.warning("broker_unavailable", waiting=len(messages), code=error.code)
            return [Outcome.UNKNOWN] * len(messages)

    def _made(self, send: Send, context: Context) -> Outgoing | None:
        """The publication, or ``None`` for what the hub would say to nobody any more."""
        raw = self._raw(send)
        if send.queue:
            return outgoing(send, raw, send.queue)
        try:
            queue = inbox_of(send.receiver, context, self.clock())
        except HubError as error:
            _log.warning("receipt_unroutable", receipt=send.receipt, code=error.code)
            return None
        return outgoing(send, raw, queue)

    def _confirm(self, send: Send) -> None:
        if send.rung_s:
            return
        if send.delivery:
            self.confirmed.deliveries.append(send.delivery)
        if send.receipt:
            self.confirmed.receipts.append(send.receipt)

    def _park(self, returned: Sequence[Send], context: Context, stop: threading.Event) -> bool:
        """Park deliveries that came back, tell their senders, then publish what was told.

        A receipt of the hub that came back stays unconfirmed: the sweeper tries it again.
        """
        at = self.clock()
        deliveries = [send for send in returned if send.delivery]
        told = [self._told(send, context, at) for send in deliveries]
        receipts = [row for row in told if row is not None]
        for send in returned:
            _log.warning("returned", queue=send.queue, message_id=send.message_id)
        if not deliveries:
            return True
        record = WindowRecord(
            receipts=tuple(receipts),
            changes=tuple(_parked(send, at) for send in deliveries),
            events=tuple(_event(send, at) for send in deliveries),
            audit=tuple(
                audit(at, "undeliverable", f"{send.sender} {send.message_id}", queue=send.queue)
                for send in deliveries
            ),
        )
        with WindowStore(self.store).window() as tx:
            tx.record(record)
        return self.publish([sent(row, context) for row in receipts], context, stop)

    def _told(self, send: Send, context: Context, at: datetime) -> ReceiptRow | None:
        return notice(
            voice.UNDELIVERABLE,
            self._raw(send),
            row=send.message,
            digest=send.digest,
            sender=send.sender,
            error=Unroutable(value=send.queue),
            context=context,
            at=at,
        )

    def _raw(self, send: Send) -> bytes:
        return send.raw if send.raw is not None else blobs.raw(self.store, send.digest)


def _parked(send: Send, at: datetime) -> DeliveryChange:
    return DeliveryChange(send.delivery, DeliveryState.PARKED, at, Unroutable.code)


def _event(send: Send, at: datetime) -> EventRow:
    return EventRow(send.message, at, "returned", {"queue": send.queue, "code": Unroutable.code})
