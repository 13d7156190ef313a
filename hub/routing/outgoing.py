"""From a decided send to what the broker is handed: fresh properties, exchange and routing key."""

from __future__ import annotations

from datetime import datetime

from hub.broker.ports import Outgoing
from hub.codes import AgencyCode
from hub.routing.context import Context
from hub.routing.decision import Send
from hub.routing.window import ATTEMPT, DELIVERY

DELIVERY_EXCHANGE = "hub.delivery"
SEQ = "seq"


def routing_key(queue: str) -> str:
    """Return the key that ``hub.delivery`` binds a queue by: its code, urgent ones beside it."""
    return queue.split(".", 1)[1]


def inbox_of(code: str, context: Context, at: datetime) -> str:
    """Return the queue of an agency by its canonical code.

    Raises ``UnknownReceiver`` or ``ClosedReceiver``.
    """
    return context.directory.resolve(AgencyCode.parse(code), at).queue


def outgoing(send: Send, raw: bytes, queue: str) -> Outgoing:
    """Return one publication to an inbox, a gateway or (with ``rung_s``) a rung of the ladder."""
    headers: dict[str, object] = {}
    if send.delivery:
        headers = {DELIVERY: send.delivery, SEQ: send.seq, ATTEMPT: send.attempt}
    exchange, key = DELIVERY_EXCHANGE, routing_key(queue)
    if send.rung_s:
        # The default exchange reaches a queue by its name (AMQP 0-9-1 §3.1.3.1).
        exchange, key = "", f"hub.retry.{send.rung_s}"
    return Outgoing(
        exchange=exchange,
        routing_key=key,
        body=raw,
        message_id=send.message_id,
        delivery_id=send.delivery or send.receipt,
        headers=headers,
    )
