"""Publish windows: everything out, then one wait for all confirms (architecture §5)."""

from __future__ import annotations

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
SLICE_BYTES = 256 * 1024
"""Bytes handed to the socket at once; confirms are read in between."""
MAX_PRIORITY = 255
_ANSWER = Struct(">QB")
_DELIVERY = headers.PREFIX + "delivery"

_log = log.get("publisher")


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
    ) -> None:
        """``account``: written as ``user_id``, which the broker checks; empty for the hub."""
        self._dialer = Dialer(urls, name, heartbeat_s)
        self._account = account
        self._timeout_s = confirm_timeout_s
        self._link: Link | None = None
        self._tracker = ConfirmTracker()
        self.refusal = ""
        """Why the broker closed the channel under the last window; empty when it did not."""

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
        deadline = time.monotonic() + self._timeout_s
        self.refusal = ""
        link = self._ready(deadline)
        self._tracker.begin()
        try:
            self._send(link, publications)
            while not self._tracker.complete:
                left = deadline - time.monotonic()
                if left <= 0:
                    self._late(link)
                    break
                link.poll(left)
        except LinkLost as error:
            self._lost(error)
        return self._tracker.outcomes

    def _ready(self, deadline: float) -> Link:
        """Return a link that takes messages now."""
        link = self._link or self._open()
        try:
            while link.poll(0.0):
                pass
            while link.blocked or link.unsent:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise BrokerUnavailable(reason=link.blocked or "blocked")
                link.poll(left)
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
            self._tracker.published(_key(one))
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
        exchange, offset = frames.text_at(payload, offset)
        routing_key, _ = frames.text_at(payload, offset)
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
