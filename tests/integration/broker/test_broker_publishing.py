"""The publisher against a real broker: what is confirmed, what is not, and what goes wrong."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import closing

import pytest

from hub.broker.consumer import WindowConsumer
from hub.broker.ports import Outcome, Outgoing, WindowLimits
from hub.broker.publisher import ConfirmPublisher
from hub.broker.urls import location
from hub.errors import BrokerRefused, BrokerUnavailable
from hub.testing.broker import control
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

CONFIRMED, RETURNED = Outcome.CONFIRMED, Outcome.RETURNED
REFUSED, UNKNOWN = Outcome.REFUSED, Outcome.UNKNOWN


def test_window_arrives_as_another_client_sees_it(broker) -> None:
    """Every property that the wire asks for, read by pika."""
    raw = os.urandom(300_000)
    headers = {"delivery": "d-1", "seq": 7, "attempt": 0}
    with closing(ConfirmPublisher(broker.amqp_url)) as publisher:
        one = Outgoing("hub.delivery", ONE, raw, "m-1", priority=3, headers=headers)
        assert publisher.publish_window([one, to_inbox(ONE, b"")]) == [CONFIRMED] * 2
    with channel(broker.agency_url(ONE)) as pika_channel:
        found = pika_channel.consume(f"inbox.{ONE}", inactivity_timeout=10)
        method, properties, body = next(found)
        assert body == raw
        assert (method.exchange, method.routing_key) == ("hub.delivery", ONE)
        assert (properties.content_type, properties.delivery_mode) == ("application/xml", 2)
        assert (properties.message_id, properties.priority) == ("m-1", 3)
        assert properties.user_id is None
        assert properties.headers == {"x-lt-delivery": "d-1", "x-lt-seq": 7, "x-lt-attempt": 0}
        assert next(found)[2] == b""
        pika_channel.cancel()


def test_unroutable_comes_back_and_the_others_do_not(broker) -> None:
    """Returns are matched to their message, also among several with the same message id."""
    window = [
        to_inbox(ONE, b"a", 1, delivery="d1"),
        to_inbox("H99", b"a", 1, delivery="d2"),
        to_inbox(TWO, b"a", 1, delivery="d3"),
        to_inbox("H98", b"a", 1, delivery="d4"),
        to_inbox("H99", b"a", 1, delivery="d2"),
        Outgoing("", "hub.retry.1", b"b", "m-2"),
        Outgoing("", "hub.retry.7", b"b", "m-2"),
    ]
    expected = [CONFIRMED, RETURNED, CONFIRMED, RETURNED, RETURNED, CONFIRMED, RETURNED]
    with closing(ConfirmPublisher(broker.amqp_url)) as publisher:
        assert publisher.publish_window(window) == expected
        assert publisher.publish_window(window[:3]) == expected[:3]


def test_full_queue_refuses_by_nack(broker) -> None:
    """A length limit with reject-publish is told as REFUSED; other queues are not touched."""
    policy = {
        "pattern": f"^inbox.{ONE}$",
        "priority": 99,
        "apply-to": "queues",
        "definition": {"max-length": 3, "overflow": "reject-publish"},
    }
    with broker.admin() as admin:
        admin._api.call("PUT", f"policies/{admin.vhost}/full", policy)
    with closing(ConfirmPublisher(broker.amqp_url)) as publisher:
        found: set[Outcome] = set()
        deadline = time.monotonic() + 20
        while REFUSED not in found and time.monotonic() < deadline:
            outcomes = publisher.publish_window([to_inbox(ONE, b"a", n) for n in range(20)])
            found |= set(outcomes)
        assert found == {CONFIRMED, REFUSED}
        window = [to_inbox(ONE, b"a"), to_inbox(TWO, b"a"), to_inbox("H99", b"a")]
        assert publisher.publish_window(window) == [REFUSED, CONFIRMED, RETURNED]


def test_channel_closed_by_the_broker(broker) -> None:
    """An exchange that does not exist: UNKNOWN with the broker's reason, then all goes on."""
    with closing(ConfirmPublisher(broker.amqp_url)) as publisher:
        wrong = Outgoing("hub.nowhere", ONE, b"a", "m-1")
        assert publisher.publish_window([wrong, to_inbox(ONE, b"a")]) == [UNKNOWN] * 2
        assert publisher.refusal.startswith("404 NOT_FOUND")
        assert publisher.publish_window([to_inbox(ONE, b"a")]) == [CONFIRMED]
        assert publisher.refusal == ""


def test_wrong_password_and_no_broker(broker) -> None:
    """Told apart, in sentences without the password."""
    wrong = broker.amqp_url.replace("hub:", "hub:geheim")
    with pytest.raises(BrokerRefused) as refused:
        ConfirmPublisher(wrong).publish_window([to_inbox(ONE, b"a")])
    nowhere = "amqp://hub:geheim@127.0.0.1:1/%2F"
    with pytest.raises(BrokerUnavailable) as unavailable:
        ConfirmPublisher(nowhere).publish_window([to_inbox(ONE, b"a")])
    for error in (refused.value, unavailable.value):
        assert "geheim" not in error.message("vi") + error.message("en")


def test_second_node_of_the_address_is_taken(broker) -> None:
    """A node that does not answer is passed over."""
    urls = f"amqp://hub:x@127.0.0.1:1/%2F;{broker.amqp_url}"
    with closing(ConfirmPublisher(urls)) as publisher:
        assert publisher.publish_window([to_inbox(ONE, b"a")]) == [CONFIRMED]


def test_connection_cut_in_mid_window_is_unknown_and_nothing_is_lost(broker) -> None:
    """What had no confirm by then is UNKNOWN; published again, everything is there."""
    place, window = location(broker.amqp_url), [to_inbox(ONE, raw) for raw in bodies(400, 5000)]
    with FaultProxy(place.host, place.port) as proxy:
        url = broker.amqp_url.replace(f":{place.port}/", f":{proxy.port}/")
        with closing(ConfirmPublisher(url)) as publisher:
            assert publisher.publish_window([to_inbox(TWO, b"a")]) == [CONFIRMED]
            proxy.delay(0.05)
            threading.Timer(0.2, proxy.cut).start()
            outcomes = publisher.publish_window(window)
            assert UNKNOWN in outcomes
            proxy.heal()
            again = [one for one, out in zip(window, outcomes, strict=True) if out is UNKNOWN]
            assert set(publisher.publish_window(again)) == {CONFIRMED}
    with closing(WindowConsumer(broker.amqp_url, [f"inbox.{ONE}"], WindowLimits())) as consumer:
        found = {one.raw for one in drained(consumer, len(window))}
        while more := drained(consumer, 1, timeout_s=1):
            found |= {one.raw for one in more}
        assert found == {one.body for one in window}


def test_black_hole_is_unknown_after_the_time_out(broker) -> None:
    """A network that carries nothing ends the wait, and the next window has a new connection."""
    place = location(broker.amqp_url)
    with FaultProxy(place.host, place.port) as proxy:
        url = broker.amqp_url.replace(f":{place.port}/", f":{proxy.port}/")
        with closing(ConfirmPublisher(url, confirm_timeout_s=1)) as publisher:
            assert publisher.publish_window([to_inbox(ONE, b"a")]) == [CONFIRMED]
            proxy.stall()
            assert publisher.publish_window([to_inbox(ONE, b"b")]) == [UNKNOWN]
            proxy.heal()
            assert publisher.publish_window([to_inbox(ONE, b"c")]) == [CONFIRMED]
            assert proxy.accepted == 2


def test_black_hole_ends_sooner_for_a_process_that_is_to_stop(broker) -> None:
    """Once stop is set, no wait for confirms lasts longer than its grace."""
    place, stop = location(broker.amqp_url), threading.Event()
    with FaultProxy(place.host, place.port) as proxy:
        url = broker.amqp_url.replace(f":{place.port}/", f":{proxy.port}/")
        with closing(ConfirmPublisher(url, confirm_timeout_s=100, stop=stop)) as publisher:
            assert publisher.publish_window([to_inbox(ONE, b"a")]) == [CONFIRMED]
            proxy.stall()
            stop.set()
            assert publisher.publish_window([to_inbox(ONE, b"b")]) == [UNKNOWN]


def test_idle_connection_that_was_cut_costs_nothing(broker) -> None:
    """A connection that went while nothing was under way is replaced before anything is sent."""
    place = location(broker.amqp_url)
    with FaultProxy(place.host, place.port) as proxy:
        url = broker.amqp_url.replace(f":{place.port}/", f":{proxy.port}/")
        with closing(ConfirmPublisher(url)) as publisher:
            assert publisher.publish_window([to_inbox(ONE, b"a")]) == [CONFIRMED]
            proxy.cut()
            assert publisher.publish_window([to_inbox(ONE, b"b")]) == [CONFIRMED]
    assert left(broker, f"inbox.{ONE}") == 2


def test_memory_alarm_blocks_and_ends(make_broker, spare_node) -> None:
    """Under an alarm the wait ends by itself and nothing more is sent; after it all is well."""
    broker = make_broker([ONE], on=spare_node.info)
    with closing(ConfirmPublisher(broker.amqp_url, confirm_timeout_s=1.5)) as publisher:
        assert publisher.publish_window([to_inbox(ONE, b"a")]) == [CONFIRMED]
        control(spare_node.info, "set_vm_memory_high_watermark", "absolute", "1")
        try:
            first = [to_inbox(ONE, raw) for raw in bodies(50)]
            eventually(lambda: publisher.publish_window(first)[0], UNKNOWN)
            link = publisher._link
            with pytest.raises(BrokerUnavailable, match="memory"):
                publisher.publish_window([to_inbox(ONE, b"never sent")])
        finally:
            control(spare_node.info, "set_vm_memory_high_watermark", "0.4")
        assert publisher.publish_window([to_inbox(ONE, b"z")]) == [CONFIRMED]
        assert publisher._link is link, "the connection was given up"
    with closing(WindowConsumer(broker.amqp_url, [f"inbox.{ONE}"], WindowLimits())) as consumer:
        found = [one.raw for one in drained(consumer, 100, timeout_s=3)]
    assert found[0] == b"a"
    assert found[-1] == b"z"
    assert b"never sent" not in found
    assert {one.body for one in first} <= set(found)


def test_broker_killed_in_mid_window(make_broker, spare_node) -> None:
    """After kill -9 everything confirmed is there, and what is UNKNOWN can be published again."""
    broker = make_broker([ONE], on=spare_node.info)
    window = [to_inbox(ONE, raw) for raw in bodies(3000, 4000)]
    with closing(ConfirmPublisher(broker.amqp_url)) as publisher:
        assert publisher.publish_window([to_inbox(ONE, b"a")]) == [CONFIRMED]
        kill = threading.Timer(0.1, os.kill, (spare_node.info.pid, signal.SIGKILL))
        kill.start()
        outcomes = publisher.publish_window(window)
        kill.join()
        with pytest.raises(BrokerUnavailable):
            publisher.publish_window([to_inbox(ONE, b"b")])
        spare_node.start()
        again = [one for one, out in zip(window, outcomes, strict=True) if out is UNKNOWN]
        assert again, "the broker was not killed in the middle"
        assert set(publisher.publish_window(again)) == {CONFIRMED}
    with closing(WindowConsumer(broker.amqp_url, [f"inbox.{ONE}"], WindowLimits())) as consumer:
        found = {one.raw for one in drained(consumer, len(window) + 1)}
        while more := drained(consumer, 1, timeout_s=1):
            found |= {one.raw for one in more}
    assert {one.body for one in window} <= found
