"""The consumer against a real broker: windows, settlement, and everything that can be lost."""

from __future__ import annotations

import os
import signal
import time
from contextlib import closing

import pika
import pytest

from hub.broker import topology
from hub.broker.consumer import WindowConsumer
from hub.broker.ports import Outcome, WindowLimits
from hub.broker.publisher import ConfirmPublisher
from hub.broker.urls import location
from hub.errors import BrokerRefused, BrokerUnavailable
from hub.testing.fault_proxy import FaultProxy
from tests.integration.broker.conftest import (
    ONE,
    TWO,
    bodies,
    channel,
    drained,
    eventually,
    left,
    to_inbox,
)

INBOX = f"inbox.{ONE}"
LIMITS = WindowLimits()


def publish(broker, raws, code: str = ONE) -> None:
    with closing(ConfirmPublisher(broker.amqp_url)) as publisher:
        window = [to_inbox(code, raw, number) for number, raw in enumerate(raws)]
        assert set(publisher.publish_window(window)) == {Outcome.CONFIRMED}


def consumer(broker, queues=(INBOX,), limits=LIMITS, **options) -> closing:
    return closing(WindowConsumer(options.pop("url", broker.amqp_url), queues, limits, **options))


def test_other_clients_messages_are_read(broker) -> None:
    """What pika publishes with every property it has: bytes, account, id, queue, routing key."""
    raw = os.urandom(400_000)
    with channel(broker.agency_url(ONE)) as other:
        other.confirm_delivery()
        properties = pika.BasicProperties(
            content_type="text/plain", content_encoding="x", delivery_mode=2, priority=4,
            correlation_id="c", reply_to="r", expiration="60000", message_id="m-1", timestamp=1,
            type="t", user_id=ONE, app_id="a",
            headers={"x-lt-seq": 5, "x-lt-attempt": "no number", "deep": {"a": [1, {}]}},
        )  # fmt: skip
        other.basic_publish("hub.ingress", ONE, raw, properties, mandatory=True)
        other.basic_publish("hub.ingress", "", b"", mandatory=True)
    with consumer(broker, ["hub.ingress.0"]) as ours:
        first, second = drained(ours, 2)
    assert first.raw == raw
    assert (first.account, first.claimed_id, first.queue) == (ONE, "m-1", "hub.ingress.0")
    assert (first.routing_key, first.redeliveries, first.headers) == (ONE, 0, {"seq": 5})
    assert (second.raw, second.account, second.claimed_id, second.headers) == (b"", None, None, {})


def test_order_and_windows(broker) -> None:
    """All arrive in order in windows of the limit; after a close nothing comes again.

    The acks of 1,000 messages are a few frames, none of which a closing channel drops.
    """
    sent = bodies(1000)
    publish(broker, sent)
    with consumer(broker, limits=WindowLimits(messages=64)) as ours:
        got = []
        while len(got) < len(sent):
            window = ours.next_window(5)
            assert 0 < len(window) <= 64
            got += window
            ours.ack(window[::2])
            ours.ack(window[1::2])
    assert [one.raw for one in got] == sent
    eventually(lambda: left(broker, INBOX), 0)


def test_unacknowledged_come_again_counted(broker) -> None:
    """Given back by reject or by close, in order; each time counted as a redelivery."""
    publish(broker, [b"a", b"b", b"c"])
    with consumer(broker) as ours:
        window = drained_without_ack(ours, 3)
        ours.reject([window[1]], requeue=True)
        ours.ack([window[0]])
        (again,) = drained_without_ack(ours, 1)
        assert (again.raw, again.redeliveries) == (b"b", 1)
    with consumer(broker) as ours:
        found = drained_without_ack(ours, 2)
        assert sorted((one.raw, one.redeliveries) for one in found) == [(b"b", 2), (b"c", 1)]
        ours.ack(found)
    eventually(lambda: left(broker, INBOX), 0)


def drained_without_ack(ours: WindowConsumer, count: int) -> list:
    got: list = []
    deadline = time.monotonic() + 20
    while len(got) < count and time.monotonic() < deadline:
        got += ours.next_window(0.5)
    return got


def test_rejected_without_requeue_is_dead_lettered(broker) -> None:
    """It lies in hub.dead, with where it came from; it never vanishes."""
    publish(broker, [b"bad"])
    with consumer(broker) as ours:
        ours.reject(drained_without_ack(ours, 1), requeue=False)
    with channel(broker.admin_url) as other:
        method, properties, raw = next(other.consume("hub.dead", inactivity_timeout=10))
        assert raw == b"bad"
        assert properties.headers["x-death"][0]["queue"] == INBOX
        other.basic_ack(method.delivery_tag)
        other.cancel()


def test_several_queues_on_one_connection(broker) -> None:
    """Each arrival names its queue, and acks over several queues are told apart."""
    publish(broker, bodies(30))
    publish(broker, bodies(30), TWO)
    with consumer(broker, [INBOX, f"inbox.{TWO}"]) as ours:
        got = drained(ours, 60)
        assert sorted({one.queue for one in got}) == [INBOX, f"inbox.{TWO}"]
    eventually(lambda: left(broker, INBOX) + left(broker, f"inbox.{TWO}"), 0)


def test_queue_that_vanishes_is_told_and_tried_again(broker) -> None:
    """Deleted under the reader: told, and as soon as the queue is there again all is well."""
    with consumer(broker) as ours, channel(broker.admin_url) as other:
        assert ours.next_window(0.1) == []
        other.queue_delete(INBOX)
        with pytest.raises(BrokerUnavailable, match=f"queue {INBOX} is gone"):
            ours.next_window(10)
        with pytest.raises(BrokerUnavailable, match="NOT_FOUND"):
            ours.next_window(0.1)
        with broker.admin() as admin:
            topology.apply(broker.topology, admin)
        publish(broker, [b"new"])
        assert [one.raw for one in drained(ours, 1)] == [b"new"]


def test_foreign_inbox_is_refused(broker) -> None:
    """Reading another agency's inbox is refused, and not as something to be waited out."""
    with (
        consumer(broker, [f"inbox.{TWO}"], url=broker.agency_url(ONE)) as ours,
        pytest.raises(BrokerRefused, match="ACCESS_REFUSED"),
    ):
        ours.next_window(1)


def test_acks_of_a_lost_connection_are_ignored(broker) -> None:
    """They would mean other messages of the new connection, whose tags start from 1 again."""
    publish(broker, [b"a", b"b"])
    place = location(broker.amqp_url)
    with FaultProxy(place.host, place.port) as proxy:
        url = broker.amqp_url.replace(f":{place.port}/", f":{proxy.port}/")
        with consumer(broker, url=url) as ours:
            old = drained_without_ack(ours, 2)
            proxy.cut()
            with pytest.raises(BrokerUnavailable):
                ours.next_window(10)
            ours.ack(old)
            new = drained_without_ack(ours, 2)
            assert [one.raw for one in new] == [b"a", b"b"]
            ours.ack(old)
            ours.reject(old, requeue=False)
            ours.ack(new[:1])
    with consumer(broker) as ours:
        assert [one.raw for one in drained(ours, 1)] == [b"b"]
        assert ours.next_window(0.5) == []


def test_black_hole_is_found_by_heartbeats(broker) -> None:
    """A network that carries nothing is a lost connection after two heartbeats."""
    publish(broker, [b"a"])
    place = location(broker.amqp_url)
    with FaultProxy(place.host, place.port) as proxy:
        url = broker.amqp_url.replace(f":{place.port}/", f":{proxy.port}/")
        with consumer(broker, url=url, heartbeat_s=1) as ours:
            assert len(drained_without_ack(ours, 1)) == 1
            proxy.stall()
            with pytest.raises(BrokerUnavailable, match="silent"):
                ours.next_window(60)
            proxy.heal()
            assert [one.raw for one in drained(ours, 1)] == [b"a"]


def test_idle_connection_stays(broker) -> None:
    """With heartbeats a connection without traffic outlives several of them on both sides."""
    with consumer(broker, heartbeat_s=1) as ours:
        ours.next_window(0.1)
        link = ours._link
        deadline = time.monotonic() + 4
        while time.monotonic() < deadline:
            assert ours.next_window(0.5) == []
        publish(broker, [b"a"])
        assert [one.raw for one in drained(ours, 1)] == [b"a"]
        assert ours._link is link


def test_broker_killed_under_the_reader(make_broker, spare_node) -> None:
    """Told once; on the broker's return everything unacknowledged comes again, nothing else."""
    broker = make_broker([ONE], on=spare_node.info)
    sent = bodies(500)
    publish(broker, sent)
    with consumer(broker, limits=WindowLimits(messages=50)) as ours:
        done = drained(ours, 200)
        # The ack is under way: let the queue have it before the node dies.
        eventually(lambda: unacknowledged(broker) <= 100, expected=True)
        window = ours.next_window(1)
        os.kill(spare_node.info.pid, signal.SIGKILL)
        with pytest.raises(BrokerUnavailable):
            drained(ours, 1000)
        ours.ack(window)
        with pytest.raises(BrokerUnavailable):
            ours.next_window(1)
        spare_node.start()
        rest = {one.raw for one in drained(ours, len(sent) - len(done))}
        assert rest | {one.raw for one in done} == set(sent)
        assert {one.raw for one in window} <= rest


def unacknowledged(broker) -> int:
    with broker.admin() as admin:
        found = admin._api.get(f"queues/{admin.vhost}/{INBOX}")
    return int(found.get("messages_unacknowledged", 0))
