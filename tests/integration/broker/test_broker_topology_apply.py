"""Plan, apply and verify on a real broker, and what the topology does to messages."""

from __future__ import annotations

import time
from contextlib import closing

import pytest

from hub.broker import accounts, inspect, topology
from hub.broker.consumer import WindowConsumer
from hub.broker.ports import Outcome, Outgoing, WindowLimits
from hub.broker.publisher import ConfirmPublisher
from hub.broker.topology import Kind, desired
from hub.broker.urls import management_address, with_vhost
from hub.errors import BrokerRefused, TopologyDiffers
from tests.integration.broker.conftest import (
    ONE,
    TWO,
    agency,
    channel,
    drained,
    envelope,
    eventually,
    left,
    to_inbox,
)


def kinds(changes) -> list[tuple[Kind, str]]:
    return sorted((one.kind, one.name) for one in changes)


def test_fifty_agencies_are_planned_applied_and_verified(make_broker) -> None:
    """From nothing to all, then nothing more to do; the broker really goes by every policy."""
    broker = make_broker([])
    codes = [f"H{province:02}.{unit:02}" for province in range(10, 15) for unit in range(10)]
    wanted = desired(codes, ["01.02.W00"], shards=4, rungs=(1, 10, 60))
    with broker.admin() as admin:
        planned = topology.plan(wanted, admin)
        assert {one.kind for one in planned} <= {Kind.ADD, Kind.MEND}
        assert kinds(topology.apply(wanted, admin)) == kinds(planned)
        assert topology.plan(wanted, admin) == []
        assert topology.apply(wanted, admin) == []
        assert topology.verify(wanted, admin) == []
    for code in (codes[0], codes[-1]):
        with agency(broker, code) as client:
            assert client.publish([envelope(b"a", code)]) == [Outcome.CONFIRMED]


def test_virtual_host_is_made(node, tmp_path) -> None:
    """On an operator's broker it may be missing: plan says so, apply makes it."""
    amqp_url = with_vhost(node.amqp_url, "made by the hub/1")
    wanted = desired([ONE], [], shards=1, rungs=(1,))
    with topology.Admin.open(amqp_url, node.management_url, tmp_path) as admin:
        (tmp_path / "broker").mkdir()
        accounts.folder(tmp_path).symlink_to(node.folder / accounts.FOLDER)
        assert len(topology.plan(wanted, admin)) > 10
        topology.apply(wanted, admin)
        try:
            assert topology.plan(wanted, admin) == []
            assert inspect.round_trip(amqp_url) > 0
            names = [
                one.name
                for one in inspect.queues(management_address(amqp_url, node.management_url))
            ]
            assert f"inbox.{ONE}" in names
        finally:
            admin._api.call("DELETE", "vhosts/made%20by%20the%20hub%2F1")


def test_interrupted_apply_is_finished_by_the_next(make_broker, monkeypatch) -> None:
    """Accounts are there, queues are not yet: running it again makes the rest."""
    broker = make_broker([])
    wanted = desired([ONE, TWO], [], shards=2, rungs=(1, 60))
    with broker.admin() as admin:
        with monkeypatch.context() as patch:
            patch.setattr(type(admin), "import_entities", lambda *_a, **_k: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                topology.apply(wanted, admin)
        assert {one.what for one in topology.plan(wanted, admin)} >= {"queue", "binding"}
        topology.apply(wanted, admin)
        assert topology.plan(wanted, admin) == []


def test_drift_is_told_and_mended(broker) -> None:
    """A lost binding, a changed policy, wider rights, a lost password file, a tag: all mended."""
    with broker.admin() as admin:
        vhost, call = admin.vhost, admin._api.call
        bindings = admin._api.get(f"bindings/{vhost}/e/hub.delivery/q/inbox.{ONE}")
        call(
            "DELETE",
            f"bindings/{vhost}/e/hub.delivery/q/inbox.{ONE}/{bindings[0]['properties_key']}",
        )
        call("DELETE", f"policies/{vhost}/hub-inbox")
        weaker = {
            "pattern": "^hub.retry.1$",
            "definition": {"message-ttl": 1},
            "apply-to": "queues",
        }
        call("PUT", f"policies/{vhost}/hub-rung-1", weaker)
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        call("PUT", f"permissions/{vhost}/{TWO}", everything)
        call("PUT", f"users/{TWO}", {"password": "another", "tags": "administrator"})
        found = topology.plan(broker.topology, admin)
        assert kinds(found) == sorted([
            (Kind.ADD, f"hub.delivery → inbox.{ONE} [{ONE}]"),
            (Kind.ADD, "hub-inbox"),
            (Kind.MEND, "hub-rung-1"),
            (Kind.MEND, TWO),
            (Kind.MEND, TWO),
        ])  # fmt: skip
        assert topology.apply(broker.topology, admin) == found
        assert topology.verify(broker.topology, admin) == []
    with agency(broker, TWO) as client:
        assert client.publish([envelope(b"a", TWO)]) == [Outcome.CONFIRMED]


def test_lost_password_is_replaced(broker) -> None:
    """Without its file an account gets a new password; the old one is worth nothing."""
    old = broker.agency_url(ONE)
    file = accounts.folder(broker.home) / ONE
    kept = file.read_bytes()
    file.unlink()
    try:
        with broker.admin() as admin:
            (change,) = topology.apply(broker.topology, admin)
        assert (change.kind, change.name) == (Kind.MEND, ONE)
        assert broker.agency_url(ONE) != old
        with agency(broker, ONE) as client:
            assert client.receive(limit=1, timeout_s=0.1) == []
    finally:
        file.write_bytes(kept)
        with broker.admin() as admin:
            topology.apply(broker.topology, admin)


def test_queue_with_other_arguments_is_told_and_not_touched(broker) -> None:
    """A classic queue of the name: everything else is done, then it says so and raises."""
    with broker.admin() as admin, channel(broker.admin_url) as other:
        other.queue_delete(f"inbox.{ONE}")
        other.queue_delete(f"inbox.{TWO}")
        other.queue_declare(f"inbox.{ONE}", durable=True)
        planned = topology.plan(broker.topology, admin)
        (told,) = [one for one in planned if one.kind is Kind.CONFLICT]
        assert told.name == f"inbox.{ONE}"
        assert "quorum" in str(told)
        with pytest.raises(TopologyDiffers, match=f"inbox.{ONE}"):
            topology.apply(broker.topology, admin)
        other.queue_declare(f"inbox.{TWO}", passive=True)
        other.queue_delete(f"inbox.{ONE}")
        topology.apply(broker.topology, admin)
        assert topology.plan(broker.topology, admin) == []


def test_agency_that_is_detached_loses_rights_and_keeps_messages(broker) -> None:
    """Its account may do nothing any more; a queue goes only when it is empty."""
    with closing(ConfirmPublisher(broker.amqp_url)) as publisher:
        assert publisher.publish_window([to_inbox(ONE, b"kept")]) == [Outcome.CONFIRMED]
    wanted = desired([TWO], [], shards=1, rungs=(1, 60))
    with broker.admin() as admin:
        eventually(lambda: admin.in_use(f"inbox.{ONE}") != "", expected=True)
        found = topology.plan(wanted, admin)
        assert (Kind.KEEP, f"inbox.{ONE}") in kinds(found)
        done = topology.apply(wanted, admin)
        assert {one.kind for one in done} == {Kind.REMOVE}
        assert [one.kind for one in topology.plan(wanted, admin)] == [Kind.KEEP]
    assert left(broker, f"inbox.{ONE}") == 1
    with agency(broker, ONE) as client, pytest.raises(BrokerRefused):
        client.receive(limit=1, timeout_s=0.1)


def test_policy_of_an_operator_above_ours_is_found(broker, monkeypatch) -> None:
    """A rung that would silently dead-letter at most once is told by verify."""
    policy = {
        "pattern": "^hub.retry.1$",
        "priority": 50,
        "apply-to": "queues",
        "definition": {"overflow": "drop-head", "dead-letter-exchange": ""},
    }
    with broker.admin() as admin:
        admin._api.call("PUT", f"policies/{admin.vhost}/mine", policy)
        assert topology.plan(broker.topology, admin) == []
        # The broker's own view of a queue follows within its statistics interval of 5 s.
        eventually(lambda: overridden(broker, admin), ["hub.retry.1"])
        monkeypatch.setattr(topology, "STATISTICS_S", 0.0)
        (told,) = topology.verify(broker.topology, admin)
        assert told.kind is Kind.DIFFERS
        assert "dead-letter-strategy" in str(told)
        admin._api.call("DELETE", f"policies/{admin.vhost}/mine")


def overridden(broker, admin) -> list[str]:
    return sorted({one.name for one in topology._unlike(broker.topology, admin.effective())})


def test_rung_delivers_to_the_routers_queue_after_its_time(broker) -> None:
    """Not before; with the hub's headers; and the next rung keeps its messages meanwhile."""
    waiting = [Outgoing("", f"hub.retry.{s}", b"r%d" % s, f"m-{s}", headers={"attempt": s})
               for s in (1, 60)]  # fmt: skip
    with (
        closing(ConfirmPublisher(broker.amqp_url)) as publisher,
        closing(WindowConsumer(broker.amqp_url, ["hub.retry.due"], WindowLimits())) as due,
    ):
        assert due.next_window(0.1) == []
        started = time.monotonic()
        assert publisher.publish_window(waiting) == [Outcome.CONFIRMED] * 2
        (got,) = drained(due, 1)
        assert time.monotonic() - started > 0.9
        assert (got.raw, got.claimed_id, got.headers) == (b"r1", "m-1", {"attempt": 1})
        assert due.next_window(1) == []
    assert left(broker, "hub.retry.60") == 1


def test_poison_goes_to_the_dead_letters_and_never_vanishes(broker) -> None:
    """Beyond the delivery limit (set to 3 here) a message lies in hub.dead."""
    policy = next(one for one in broker.topology.policies if one.name == "hub-inbox")
    definition = {**dict(policy.definition), "delivery-limit": 3}
    body = {
        "pattern": policy.pattern,
        "priority": 50,
        "apply-to": "queues",
        "definition": definition,
    }
    with broker.admin() as admin:
        admin._api.call("PUT", f"policies/{admin.vhost}/low", body)
    with (
        closing(ConfirmPublisher(broker.amqp_url)) as publisher,
        closing(WindowConsumer(broker.amqp_url, [f"inbox.{ONE}"], WindowLimits())) as reader,
    ):
        assert publisher.publish_window([to_inbox(ONE, b"poison")]) == [Outcome.CONFIRMED]
        seen = []
        deadline = time.monotonic() + 20
        while left(broker, "hub.dead") == 0 and time.monotonic() < deadline:
            for one in reader.next_window(0.2):
                seen.append(one.redeliveries)
                reader.reject([one], requeue=True)
    assert seen == [0, 1, 2, 3]
    assert left(broker, f"inbox.{ONE}") == 0
    with channel(broker.admin_url) as other:
        _method, properties, raw = next(other.consume("hub.dead", inactivity_timeout=5))
        assert raw == b"poison"
        assert properties.headers["x-death"][0]["reason"] == "delivery_limit"
        other.cancel()


def test_senders_are_spread_and_stay_on_their_shard(make_broker) -> None:
    """The ingress hashes by the sender's code: one sender, one shard; many senders, all shards."""
    codes = [f"H20.{number:02}" for number in range(40)]
    broker = make_broker(codes, shards=4)
    with closing(ConfirmPublisher(broker.amqp_url)) as publisher:
        window = [
            Outgoing("hub.ingress", code, b"a", f"m-{code}") for code in codes for _each in "ab"
        ]
        assert set(publisher.publish_window(window)) == {Outcome.CONFIRMED}
    queues = [f"hub.ingress.{number}" for number in range(4)]
    with closing(WindowConsumer(broker.amqp_url, queues, WindowLimits())) as reader:
        got = drained(reader, 80)
    places = {(one.routing_key, one.queue) for one in got}
    assert len(places) == len(codes)
    assert {queue for _code, queue in places} == set(queues)
