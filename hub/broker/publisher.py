"""Publish windows: everything out, then one wait for all confirms (architecture §5)."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Sequence
from struct import Struct

from hub import log
from hub.broker import frames, headers
from hub.broker.confirms import ConfirmTracker
from hub.broker.connection import HEARTBEAT_S, Dialer
from hub.broker.link import ChannelClosed, Link, LinkLost
from hub.broker.ports import Outcome, Outgoing
from hub.errors import BrokerUnavailable

CONFIRM_TIMEOUT_S = 30.0
STOP_GRACE_S = 3.0
"""A process that is to stop waits no longer than this for confirms (it has 10 s in all)."""
_LOOK_S = 0.5
"""How often a wait looks whether it is to stop."""
SLICE_BYTES = 256 * 1024
"""Bytes handed to the socket at once; confirms are read in between."""
MAX_PRIORITY = 255
_ANSWER = Struct(">QB")
_DELIVERY = headers.PREFIX + "delivery"

_log = log.get("publisher")


class Patience:
    """How long one window may still wait."""

    def __init__(self, timeout_s: float, stop: threading.Event) -> None:
        self._deadline = time.monotonic() + timeout_s
        self._stop = stop
        self._stopping = False

    @property
    def slice_s(self) -> float:
        """Seconds to wait before looking again."""
        return min(max(self._deadline - time.monotonic(), 0.0), _LOOK_S)

    @property
    def ended(self) -> bool:
        """Whether it is over; being told to stop shortens it."""
        now = time.monotonic()
        if self._stop.is_set() and not self._stopping:
            self._stopping = True
            self._deadline = min(self._deadline, now + STOP_GRACE_S)
        return now >= self._deadline


class ConfirmPublisher:
    """Publishes over one connection, opened when first needed and anew when it is lost."""

    def __init__(
        self,
        urls: str,
        *,
        account: str = "",
        confirm_timeout_s: float = CONFIRM_TIMEOUT_S,
        heartbeat_s: int = HEARTBEAT_S,
        name: str = "hub publisher",
        stop: threading.Event | None = None,
    ) -> None:
        """``account``: written as ``user_id``, which the broker checks; empty for the hub.

        ``stop``: once it is set, no wait lasts longer than ``STOP_GRACE_S``.
        """
        self._dialer = Dialer(urls, name, heartbeat_s)
        self._account = account
        self._timeout_s = confirm_timeout_s
        self._stop = stop or threading.Event()
        self._link: Link | None = None
        self._tracker = ConfirmTracker()
        self.refusal = ""
        """Why the broker closed the channel under the last window; empty when it did not."""
        self.waited_s = 0.0
        """Seconds spent waiting for confirms so far, for whoever measures."""

    def publish_window(self, messages: Sequence[Outgoing]) -> list[Outcome]:
        """Publish all and wait once for all confirms; one outcome for each message, in order.

        Never raises for a connection that is lost on the way: what was not confirmed by then is
        ``UNKNOWN``. Raises ``BrokerUnavailable`` when nothing could be sent (no connection, or the
        broker takes nothing because of an alarm), ``BrokerRefused`` for a wrong account, and
        ``ValueError`` for a header that is not the hub's.
        """
        if not messages:
            return []
        publications = [self._publication(one) for one in messages]
        self.refusal = ""
        patience = Patience(self._timeout_s, self._stop)
        link = self._ready(patience)
        self._tracker.begin()
        for one in publications:
            # All before the first byte goes out: a window that breaks off has all its outcomes.
            self._tracker.published(_key(one))
        try:
            self._send(link, publications)
            since = time.monotonic()
            while not self._tracker.complete:
                if patience.ended:
                    self._late(link)
                    break
                link.poll(patience.slice_s)
            self.waited_s += time.monotonic() - since
        except LinkLost as error:
            self._lost(error)
        return self._tracker.outcomes

    def _ready(self, patience: Patience) -> Link:
        """Return a link that takes messages now."""
        link = self._link or self._open()
        try:
            while link.poll(0.0):
                pass
            while link.blocked or link.unsent:
                if patience.ended:
                    raise BrokerUnavailable(reason=link.blocked or "blocked")
                link.poll(patience.slice_s)
        except LinkLost as error:
            # Lost while idle: nothing was under way on it.
            self._lost(error)
            return self._open()
        return link

    def _open(self) -> Link:
        link = self._dialer.open()
        self._tracker = ConfirmTracker()
        link.on_method = self._on_method
        link.on_content = self._on_content
        try:
            select = frames.method(frames.CONFIRM_SELECT, b"\0")
            link.call(select, frames.CONFIRM_SELECT_OK, self._dialer.timeout_s)
        except LinkLost as error:
            link.drop()
            raise BrokerUnavailable(reason=str(error)) from None
        self._link = link
        return link

    def _send(self, link: Link, publications: Sequence[frames.Publication]) -> None:
        pieces: list[bytes] = []
        size = 0
        for one in publications:
            pieces += frames.publish(one, link.frame_max)
            size += len(one.body)
            if size >= SLICE_BYTES:
                link.write(pieces)
                pieces, size = [], 0
                link.poll(0.0)
        link.write(pieces)

    def _late(self, link: Link) -> None:
        """No answer in time. Under an alarm the link is kept: tags tell late answers apart."""
        unknown = self._tracker.outcomes.count(Outcome.UNKNOWN)
        _log.warning("unconfirmed", messages=unknown, blocked=link.blocked)
        if not link.blocked:
            self._drop()

    def _lost(self, error: LinkLost) -> None:
        if isinstance(error, ChannelClosed):
            self.refusal = str(error)
        _log.warning("connection_lost", reason=str(error))
        self._drop()

    def _drop(self) -> None:
        if self._link is not None:
            self._link.drop()
            self._link = None

    def _publication(self, one: Outgoing) -> frames.Publication:
        return frames.Publication(
            exchange=one.exchange,
            routing_key=one.routing_key,
            message_id=one.message_id,
            priority=min(max(one.priority, 0), MAX_PRIORITY),
            headers=headers.encode(one.headers),
            user_id=self._account,
            body=one.body,
        )

    def _on_method(self, signature: int, payload: bytes) -> None:
        if signature in (frames.BASIC_ACK, frames.BASIC_NACK):
            tag, bits = _ANSWER.unpack_from(payload, 4)
            good = signature == frames.BASIC_ACK
            outcome = Outcome.CONFIRMED if good else Outcome.REFUSED
            self._tracker.answered(tag, multiple=bool(bits & 1), outcome=outcome)

    def _on_content(self, signature: int, payload: bytes, header: bytes, _body: bytes) -> None:
        if signature != frames.BASIC_RETURN:
            return
        _text, offset = frames.text_at(payload, 6)
        exchange, routing_key = frames.route_at(payload[offset:])
        found = frames.properties(header)
        delivery = found.headers.get(_DELIVERY, "")
        self._tracker.returned((exchange, routing_key, found.message_id or "", delivery))

    def close(self) -> None:
        """Close the connection; what is unconfirmed stays unknown."""
        if self._link is not None:
            self._link.close()
            self._link = None


def _key(one: frames.Publication) -> Hashable:
    return (one.exchange, one.routing_key, one.message_id, one.headers.get(_DELIVERY, ""))
