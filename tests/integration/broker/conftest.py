"""Virtual hosts for the broker's own tests, and pika beside our client as an independent view."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pika
import pytest

from hub.broker.client import AgencyClient
from hub.broker.ports import Outgoing
from hub.codes import AgencyCode, MessageId
from hub.envelope import SignedEnvelope
from hub.testing.broker import Broker

ONE, TWO = "H12.01", "H12.02"


@pytest.fixture
def broker(make_broker: Callable[..., Broker]) -> Broker:
    """A virtual host for two agencies on the shared node."""
    return make_broker([ONE, TWO])


@contextmanager
def channel(url: str) -> Iterator[pika.adapters.blocking_connection.BlockingChannel]:
    """A pika channel; its connection is closed at the end, if it is still open."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        yield connection.channel()
    finally:
        if connection.is_open:
            connection.close()


@contextmanager
def agency(broker: Broker, code: str, **options) -> Iterator[AgencyClient]:
    """An agency's client, closed at the end."""
    with closing(AgencyClient(broker.agency_url(code), code, **options)) as client:
        yield client


def to_inbox(code: str, body: bytes, number: int = 0, **headers: object) -> Outgoing:
    """A delivery as the router publishes it."""
    return Outgoing("hub.delivery", code, body, f"m-{number}", headers=headers)


def bodies(count: int, size: int = 200) -> list[bytes]:
    """That many different bodies."""
    return [b"%06d" % number + os.urandom(size) for number in range(count)]


def envelope(raw: bytes, code: str, priority: int = 0) -> SignedEnvelope:
    """Bytes under a fresh id; the broker does not look into them."""
    message_id = MessageId.new(int(time.time() * 1000), os.urandom(10))
    return SignedEnvelope(raw, message_id, AgencyCode.parse(code), priority)


def left(broker: Broker, queue: str) -> int:
    """Ready messages, as the queue itself counts them."""
    with channel(broker.admin_url) as found:
        return int(found.queue_declare(queue, passive=True).method.message_count)


def eventually(found: Callable[[], object], expected: object, timeout_s: float = 20) -> None:
    """Ask until the answer is the expected one."""
    deadline = time.monotonic() + timeout_s
    while (last := found()) != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    assert last == expected


def drained(consumer, count: int, timeout_s: float = 30) -> list:
    """Take and acknowledge windows until that many arrivals came."""
    got: list = []
    deadline = time.monotonic() + timeout_s
    while len(got) < count and time.monotonic() < deadline:
        window = consumer.next_window(0.5)
        consumer.ack(window)
        got += window
    return got
