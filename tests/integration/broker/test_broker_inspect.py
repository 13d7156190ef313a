"""What operators see of the broker."""

from __future__ import annotations

from contextlib import closing

import pytest

from hub.broker import inspect
from hub.broker.client import AgencyClient
from hub.broker.ports import Outcome
from hub.broker.publisher import ConfirmPublisher
from hub.errors import BrokerRefused, BrokerUnavailable
from hub.testing.broker import control
from tests.integration.broker.conftest import ONE, TWO, eventually, to_inbox


def test_queues_with_their_counts(broker) -> None:
    """Ready, unacknowledged and consumers of this virtual host only, by name."""
    with closing(ConfirmPublisher(broker.amqp_url)) as publisher:
        window = [to_inbox(ONE, b"a", number) for number in range(5)]
        assert set(publisher.publish_window(window)) == {Outcome.CONFIRMED}
    with closing(AgencyClient(broker.agency_url(ONE), ONE, prefetch=2)) as client:
        assert len(client.receive(limit=2, timeout_s=5)) > 0

        def seen() -> tuple[int, int, int]:
            found = {row.name: row for row in inspect.queues(broker.management_url)}
            row = found[f"inbox.{ONE}"]
            return row.ready, row.unacked, row.consumers

        eventually(seen, (3, 2, 1))
    names = [row.name for row in inspect.queues(broker.management_url)]
    assert names == sorted(queue.name for queue in broker.topology.queues)
    assert all(row.rate_in >= 0 for row in inspect.queues(broker.management_url))


def test_overview_tells_version_plugins_and_alarms(spare_node) -> None:
    """Alarms appear while they stand."""
    url = spare_node.info.management_url
    found = inspect.overview(url)
    assert found.version.split(".")[0] in ("3", "4")
    assert "x-consistent-hash" in found.exchange_types
    assert found.alarms == ()
    control(spare_node.info, "set_vm_memory_high_watermark", "absolute", "1")
    try:
        eventually(lambda: inspect.overview(url).alarms, (f"memory ({spare_node.info.node})",))
    finally:
        control(spare_node.info, "set_vm_memory_high_watermark", "0.4")
    eventually(lambda: inspect.overview(url).alarms, ())


def test_round_trip(broker) -> None:
    """There and back in well under its limit, with the hub's account, and nothing stays behind."""
    assert 0 < inspect.round_trip(broker.amqp_url) < inspect.ROUND_TRIP_S
    names = {row.name for row in inspect.queues(broker.management_url)}
    assert not {name for name in names if name.startswith("hub.probe")}


def test_faults_show_no_password(broker) -> None:
    """Wrong account, no rights, no server: told apart, without any secret."""
    wrong = broker.amqp_url.replace("hub:", "hub:geheim")
    cases = [
        (BrokerRefused, lambda: inspect.round_trip(wrong)),
        (BrokerRefused, lambda: inspect.round_trip(broker.agency_url(TWO))),
        (BrokerUnavailable, lambda: inspect.round_trip("amqp://hub:geheim@127.0.0.1:1")),
        (BrokerUnavailable, lambda: inspect.queues("http://hub:geheim@127.0.0.1:1")),
        (
            BrokerRefused,
            lambda: inspect.overview(
                broker.management_url.replace("hub-admin:", "hub-admin:geheim")
            ),
        ),
    ]
    for expected, call in cases:
        with pytest.raises(expected) as caught:
            call()
        assert "geheim" not in caught.value.message("vi") + caught.value.message("en")
