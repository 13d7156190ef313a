"""Take arrivals in windows from several queues over one connection, and settle them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from struct import Struct

from hub.broker import frames, headers
from hub.broker.connection import HEARTBEAT_S, Dialer
from hub.broker.link import ChannelClosed, Link, LinkLost
from hub.broker.ports import WindowLimits
from hub.broker.ready import InOrder, Ready
from hub.broker.settling import Settlement, Unsettled, Verdict
from hub.envelope import Arrival
from hub.errors import BrokerRefused, BrokerUnavailable

GENERATION = 1 << 64
"""An arrival's tag is generation × this + the channel's delivery tag (64 bits): those of a lost
connection can be told from those of this one."""
AHEAD = 2
"""Bytes of that many windows may lie in memory before the socket is left unread."""
ACCESS_REFUSED = 403
_DELIVERY = Struct(">QB")


class WindowConsumer:
    """Reads queues over one connection, opened when first needed and anew when it is lost."""

    def __init__(
        self,
        urls: str,
        queues: Sequence[str],
        limits: WindowLimits,
        *,
        prefetch: int = 0,
        heartbeat_s: int = HEARTBEAT_S,
        name: str = "hub consumer",
        ready: Ready | None = None,
    ) -> None:
        """``prefetch``: unacknowledged messages of each queue; 0: two windows.

        ``ready``: the order in which arrivals are handed out; first come, first served by default.
        """
        self._dialer = Dialer(urls, name, heartbeat_s)
        self._queues = tuple(queues)
        self._limits = limits
        self._prefetch = prefetch or 2 * limits.messages
        self._link: Link | None = None
        self._generation = 0
        self._unsettled = Unsettled()
        self._ready: Ready = InOrder() if ready is None else ready
        self._bytes = 0
        self._gone = ""

    def next_window(self, timeout_s: float, *, at_most: int = 0) -> list[Arrival]:
        """Return the next arrivals, ``[]`` after ``timeout_s`` without any.

        ``at_most``: a smaller window than usual, for this once.

        Raises ``BrokerUnavailable`` once for a lost connection or a queue that is gone, or
        ``BrokerRefused``; every arrival not acknowledged by then comes again. The next call
        connects anew.
        """
        self._settle(self._unsettled.flush())
        limit = min(at_most or self._limits.messages, self._limits.messages)
        self._guarded(lambda link: self._fill(link, timeout_s, limit))
        return self._window(limit)

    def _fill(self, link: Link, timeout_s: float, limit: int) -> None:
        self._pump(link, 0.0)
        deadline = time.monotonic() + timeout_s
        while not self._ready:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            self._pump(link, left)
        deadline = time.monotonic() + self._limits.milliseconds / 1000
        while len(self._ready) < limit and self._bytes < self._limits.bytes:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            self._pump(link, left)

    def _pump(self, link: Link, timeout_s: float) -> None:
        """Read from the link unless enough lies here already."""
        if self._bytes < AHEAD * self._limits.bytes:
            link.poll(timeout_s)
        if self._gone:
            raise LinkLost(f"queue {self._gone} is gone")

    def _window(self, limit: int) -> list[Arrival]:
        window: list[Arrival] = []
        size = 0
        while self._ready and len(window) < limit:
            size += len(self._ready.first().raw)
            if window and size > self._limits.bytes:
                break
            window.append(self._ready.take())
            self._bytes -= len(window[-1].raw)
        return window

    def ack(self, arrivals: Sequence[Arrival]) -> None:
        """Acknowledge arrivals of the current connection; those of a lost one are ignored."""
        self._settle(self._unsettled.settle(self._tags(arrivals), Verdict.ACK))

    def reject(self, arrivals: Sequence[Arrival], *, requeue: bool) -> None:
        """Give arrivals back to the broker, or let it dead-letter them."""
        verdict = Verdict.REQUEUE if requeue else Verdict.DEAD_LETTER
        self._settle(self._unsettled.settle(self._tags(arrivals), verdict))

    def _tags(self, arrivals: Sequence[Arrival]) -> list[int]:
        first = self._generation * GENERATION
        return [one.tag - first for one in arrivals if one.tag > first]

    def _settle(self, settlements: Sequence[Settlement]) -> None:
        if self._link is None or not settlements:
            return
        try:
            self._link.write([_frame(one) for one in settlements])
        except LinkLost:
            # Told by the next window; what is not acknowledged comes again.
            self._drop()

    def _guarded(self, work: Callable[[Link], None]) -> None:
        try:
            work(self._link or self._open())
        except LinkLost as error:
            self._drop()
            if isinstance(error, ChannelClosed) and error.code == ACCESS_REFUSED:
                raise BrokerRefused(reason=str(error)) from None
            raise BrokerUnavailable(reason=str(error)) from None

    def _open(self) -> Link:
        self._drop()
        link = self._link = self._dialer.open()
        self._generation += 1
        self._gone = ""
        link.on_method = self._on_method
        link.on_content = self._on_content
        timeout_s = self._dialer.timeout_s
        link.call(frames.qos(self._prefetch), frames.BASIC_QOS_OK, timeout_s)
        for number, queue in enumerate(self._queues):
            link.call(frames.consume(queue, str(number)), frames.BASIC_CONSUME_OK, timeout_s)
        return link

    def _drop(self) -> None:
        if self._link is not None:
            self._link.drop()
        self._link = None
        self._unsettled = Unsettled()
        self._ready.clear()
        self._bytes = 0

    def _on_method(self, signature: int, payload: bytes) -> None:
        if signature == frames.BASIC_CANCEL:
            number = frames.text_at(payload, 4)[0]
            known = number.isdecimal() and int(number) < len(self._queues)
            self._gone = self._queues[int(number)] if known else number

    def _on_content(self, signature: int, payload: bytes, header: bytes, body: bytes) -> None:
        if signature != frames.BASIC_DELIVER:
            return
        number, offset = frames.text_at(payload, 4)
        tag, redelivered = _DELIVERY.unpack_from(payload, offset)
        _exchange, routing_key = frames.route_at(payload[offset + _DELIVERY.size :])
        found = frames.properties(header)
        self._unsettled.delivered(tag)
        self._bytes += len(body)
        self._ready.add(
            Arrival(
                raw=body,
                tag=self._generation * GENERATION + tag,
                account=found.user_id,
                routing_key=routing_key,
                queue=self._queues[int(number)],
                claimed_id=found.message_id,
                redeliveries=headers.redeliveries(found.headers, redelivered=bool(redelivered)),
                headers=headers.decode(found.headers),
            )
        )

    def close(self) -> None:
        """Stop reading and give back whatever is not acknowledged."""
        self._settle(self._unsettled.flush())
        if self._link is not None:
            self._link.close()
        self._drop()


def _frame(one: Settlement) -> bytes:
    if one.verdict is Verdict.ACK:
        return frames.ack(one.tag, multiple=one.multiple)
    requeue = one.verdict is Verdict.REQUEUE
    return frames.nack(one.tag, multiple=one.multiple, requeue=requeue)
