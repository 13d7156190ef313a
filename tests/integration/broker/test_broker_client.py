"""An agency's account: what it can do, what it cannot, and how it reads."""

from __future__ import annotations

import os
import time
from contextlib import closing

import pika
import pytest
from pika.exceptions import ChannelClosedByBroker, ProbableAuthenticationError

from hub.broker.client import AgencyClient
from hub.broker.consumer import WindowConsumer
from hub.broker.ports import Outcome, WindowLimits
from hub.broker.publisher import ConfirmPublisher
from hub.broker.urls import location
from hub.errors import BrokerRefused, BrokerUnavailable
from hub.testing.fault_proxy import FaultProxy
from tests.integration.broker.conftest import (
    ONE,
    TWO,
    agency,
    bodies,
    channel,
    drained,
    envelope,
    eventually,
    left,
    to_inbox,
)


def deliver(broker, *keys: str) -> None:
    """One message for each routing key, whose body is its number."""
    with closing(ConfirmPublisher(broker.amqp_url)) as publisher:
        window = [to_inbox(key, b"%d" % number, number) for number, key in enumerate(keys)]
        assert set(publisher.publish_window(window)) == {Outcome.CONFIRMED}


def test_publishes_to_the_hub_as_itself(broker) -> None:
    """The bytes come to the ingress with the account that the broker has checked, once each."""
    sent = [envelope(raw, ONE, priority=4) for raw in bodies(250)]
    with agency(broker, ONE) as client:
        assert client.publish([]) == []
        assert set(client.publish(sent)) == {Outcome.CONFIRMED}
    with closing(WindowConsumer(broker.amqp_url, ["hub.ingress.0"], WindowLimits())) as hub:
        got = drained(hub, len(sent))
    assert [one.raw for one in got] == [one.raw for one in sent]
    assert [one.claimed_id for one in got] == [one.message_id.value for one in sent]
    assert {(one.account, one.routing_key) for one in got} == {(ONE, ONE)}


def test_urgent_is_read_first_and_normal_is_not_starved(broker) -> None:
    """Ten urgent ones, then a normal one, and so on (architecture §8)."""
    deliver(broker, *([ONE] * 5), *([f"{ONE}.urgent"] * 25))
    order = ""
    with agency(broker, ONE, prefetch=30) as client:
        arrivals = client.receive(limit=1, timeout_s=5)
        eventually(lambda: left(broker, f"inbox.{ONE}") + left(broker, f"inbox.{ONE}.urgent"), 0)
        while arrivals:
            order += "".join("u" if one.queue.endswith(".urgent") else "n" for one in arrivals)
            client.ack(arrivals)
            arrivals = client.receive(limit=4, timeout_s=0.5)
            assert len(arrivals) <= 4
    assert order == "uuuuuuuuuun" * 2 + "uuuuu" + "nnn"


def test_pause_gives_everything_back_and_receive_resumes(broker) -> None:
    """What was taken and not acknowledged, and what lay ready; acknowledged ones stay gone."""
    deliver(broker, *[ONE] * 12)
    with agency(broker, ONE) as client:
        got = client.receive(limit=5, timeout_s=5)
        client.ack([got[0], got[2]])
        client.pause()
        eventually(lambda: left(broker, f"inbox.{ONE}"), 10)
        client.pause()
        client.ack(got)
        again = client.receive(limit=5, timeout_s=5)
        assert [one.raw for one in again[:2]] == [b"1", b"3"]
        assert again[0].redeliveries == 1
        client.reject(again[:1])
        client.ack(again[1:])
    eventually(lambda: left(broker, f"inbox.{ONE}"), 10 - len(again) + 1)


def test_reject_without_requeue_leads_to_the_dead_letters(broker) -> None:
    """The agency's client can give up a message; the hub keeps it."""
    deliver(broker, ONE)
    with agency(broker, ONE) as client:
        client.reject(client.receive(limit=1, timeout_s=5), requeue=False)
    eventually(lambda: left(broker, "hub.dead"), 1)


def test_caller_may_work_longer_than_the_heartbeat(broker) -> None:
    """Heartbeats go on while the caller is busy: the same connection still takes its ack."""
    deliver(broker, ONE)
    with agency(broker, ONE, heartbeat_s=1) as client:
        arrivals = client.receive(limit=1, timeout_s=5)
        assert set(client.publish([envelope(b"a", ONE)])) == {Outcome.CONFIRMED}
        links = client._consumer._link, client._publisher._link
        busy_until = time.monotonic() + 4  # the broker gives up after two heartbeats
        while time.monotonic() < busy_until:
            pass
        client.ack(arrivals)
        assert client.receive(limit=1, timeout_s=0.2) == []
        assert set(client.publish([envelope(b"b", ONE)])) == {Outcome.CONFIRMED}
        assert (client._consumer._link, client._publisher._link) == links
    assert left(broker, f"inbox.{ONE}") == 0


def test_lost_network_is_told_and_waited_out(broker) -> None:
    """BrokerUnavailable for reading and sending; afterwards the same client goes on."""
    deliver(broker, ONE, ONE)
    url, place = broker.agency_url(ONE), location(broker.amqp_url)
    with FaultProxy(place.host, place.port) as proxy:
        url = url.replace(f":{place.port}/", f":{proxy.port}/")
        with closing(AgencyClient(url, ONE)) as client:
            (taken,) = client.receive(limit=1, timeout_s=5)
            proxy.cut(refuse=True)
            with pytest.raises(BrokerUnavailable):
                client.receive(limit=1, timeout_s=5)
            with pytest.raises(BrokerUnavailable):
                client.publish([envelope(b"a", ONE)])
            proxy.heal()
            client.ack([taken])
            assert [one.raw for one in client.receive(limit=5, timeout_s=5)] == [b"0", b"1"]
            assert client.publish([envelope(b"a", ONE)]) == [Outcome.CONFIRMED]


def test_wrong_password_is_refused(broker) -> None:
    """And not waited out; the sentence shows no password."""
    url = broker.agency_url(ONE).replace(f"{ONE}:", f"{ONE}:geheim")
    client = AgencyClient(url, ONE)
    for call in (
        lambda: client.publish([envelope(b"a", ONE)]),
        lambda: client.receive(limit=1, timeout_s=1),
    ):
        with pytest.raises(BrokerRefused) as caught:
            call()
        assert "geheim" not in str(caught.value)


def test_agency_cannot_read_anothers_inbox(broker) -> None:
    """Nor what comes in at the hub, nor the dead letters; by our client and by pika."""
    deliver(broker, TWO)
    with (
        closing(AgencyClient(broker.agency_url(ONE), TWO)) as client,
        pytest.raises(BrokerRefused, match="ACCESS_REFUSED"),
    ):
        client.receive(limit=1, timeout_s=1)
    for queue in (f"inbox.{TWO}", f"inbox.{TWO}.urgent", "hub.ingress.0", "hub.dead"):
        with (
            channel(broker.agency_url(ONE)) as other,
            pytest.raises(ChannelClosedByBroker, match="ACCESS_REFUSED"),
        ):
            other.basic_consume(queue, print)
    assert left(broker, f"inbox.{TWO}") == 1


def test_agency_cannot_publish_as_another(broker) -> None:
    """The broker checks user_id against the account, and knows no impersonator."""
    with (
        closing(AgencyClient(broker.agency_url(ONE), TWO)) as client,
        pytest.raises(BrokerRefused, match="user_id"),
    ):
        client.publish([envelope(b"a", TWO)])
    assert left(broker, "hub.ingress.0") == 0


def publish_confirmed(other, exchange: str, key: str) -> None:
    other.confirm_delivery()
    other.basic_publish(exchange, key, b"a", mandatory=True)


@pytest.mark.parametrize("exchange", ["hub.delivery", "", "amq.direct", "amq.fanout"])
def test_agency_cannot_publish_past_the_hub(broker, exchange: str) -> None:
    """Neither into an inbox nor onto the ladder: only to hub.ingress."""
    with (
        channel(broker.agency_url(ONE)) as other,
        pytest.raises(ChannelClosedByBroker, match="ACCESS_REFUSED"),
    ):
        publish_confirmed(other, exchange, f"inbox.{TWO}")


def test_agency_cannot_declare_bind_purge_or_delete(broker) -> None:
    """It configures nothing, not even its own inbox."""
    own = f"inbox.{ONE}"
    tries = [
        lambda other: other.queue_declare("mine", durable=True),
        lambda other: other.queue_declare("", exclusive=True),
        lambda other: other.exchange_declare("mine"),
        lambda other: other.queue_bind(own, "hub.delivery", TWO),
        lambda other: other.queue_unbind(own, "hub.delivery", ONE),
        lambda other: other.queue_purge(f"inbox.{TWO}"),
        lambda other: other.queue_delete(own),
        lambda other: other.exchange_delete("hub.ingress"),
    ]
    for attempt in tries:
        with (
            channel(broker.agency_url(ONE)) as other,
            pytest.raises(ChannelClosedByBroker, match="ACCESS_REFUSED"),
        ):
            attempt(other)


def test_guest_and_accounts_of_other_homes_are_strangers(broker, make_broker) -> None:
    """No guest; and an agency has no rights in a virtual host that is not its own."""
    place = location(broker.amqp_url)
    parameters = pika.ConnectionParameters(place.host, place.port, place.vhost)
    with pytest.raises(ProbableAuthenticationError):
        pika.BlockingConnection(parameters)
    other = make_broker([TWO])
    url = broker.agency_url(ONE).replace(place.vhost, location(other.amqp_url).vhost)
    with pytest.raises(BrokerRefused):
        AgencyClient(url, ONE).receive(limit=1, timeout_s=1)


def test_broker_refuses_what_is_too_large(broker) -> None:
    """20 MB pass (the router judges them); the broker's own limit of 128 MiB is told."""
    with agency(broker, ONE) as client:
        assert client.publish([envelope(os.urandom(20_000_000), ONE)]) == [Outcome.CONFIRMED]
    with closing(WindowConsumer(broker.amqp_url, ["hub.ingress.0"], WindowLimits())) as hub:
        (got,) = drained(hub, 1)
    assert len(got.raw) == 20_000_000
