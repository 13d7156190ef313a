"""The topology as data, and its differences from what is there."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from hub.broker import accounts
from hub.broker.topology import Kind, desired
from hub.broker.topology_change import Change
from hub.broker.topology_diff import Actual, differences
from hub.broker.topology_model import (
    Account,
    Binding,
    Exchange,
    Permission,
    Queue,
    Topology,
    agency_permission,
    pairs,
)
from hub.routing.outgoing import DELIVERY_EXCHANGE, routing_key
from hub.routing.window import RETRY_DUE

CODES = ("H12.01", "H12.02", "00.99.W00")
CENTRES = ("00.99.W00", "01.02.W00")
WANTED = desired(CODES, CENTRES, shards=4, rungs=(60, 10))
PASSWORDS = {code: f"secret-{code}" for code in CODES}
HASHES = {code: accounts.hashed(password) for code, password in PASSWORDS.items()}


def actual(topology: Topology = WANTED, hub: str = "hub") -> Actual:
    """A broker that has exactly this."""
    rights = [replace(row, account=hub) if row.account == "hub" else row
              for row in topology.permissions]  # fmt: skip
    return Actual(
        exchanges={row.name: row for row in topology.exchanges},
        queues={row.name: row for row in topology.queues},
        bindings=frozenset(topology.bindings),
        policies={row.name: row for row in topology.policies},
        accounts={row.name: row for row in topology.accounts},
        password_hashes=HASHES,
        permissions={row.account: row for row in rights},
    )


def changes(there: Actual, topology: Topology = WANTED, passwords=PASSWORDS, hub: str = "hub"):
    return [one.change for one in differences(topology, there, passwords, hub)]


def test_queues_are_the_architectures() -> None:
    """Shards, ladder, due and dead queues, two inboxes an agency, two gateways a centre."""
    names = {queue.name for queue in WANTED.queues}
    assert names == {
        *(f"hub.ingress.{number}" for number in range(4)),
        "hub.retry.10", "hub.retry.60", RETRY_DUE, "hub.dead",
        *(f"inbox.{code}{urgent}" for code in CODES for urgent in ("", ".urgent")),
        *(f"gateway.{centre}{urgent}" for centre in CENTRES for urgent in ("", ".urgent")),
    }  # fmt: skip
    assert WANTED.rungs == ("hub.retry.10", "hub.retry.60")


def test_queue_arguments_are_only_the_two_that_never_change() -> None:
    """Everything else is policy (architecture §4)."""
    for queue in WANTED.queues:
        arguments = dict(queue.arguments)
        assert arguments.pop("x-queue-type") == "quorum"
        assert arguments in ({}, {"x-single-active-consumer": True})


def test_each_queue_has_exactly_one_policy() -> None:
    """RabbitMQ applies one policy to a queue: two that match would be a matter of chance."""
    for queue in WANTED.queues:
        found = [one.name for one in WANTED.policies if re.search(one.pattern, queue.name)]
        assert len(found) == 1, queue.name


@pytest.mark.parametrize(
    ("rung", "milliseconds"), [("hub.retry.10", 10_000), ("hub.retry.60", 60_000)]
)
def test_rungs_dead_letter_at_least_once(rung: str, milliseconds: int) -> None:
    """A rung has its time, leads to the router's queue, and has both halves of at-least-once."""
    (policy,) = [one for one in WANTED.policies if re.search(one.pattern, rung)]
    assert dict(policy.definition) == {
        "message-ttl": milliseconds,
        "dead-letter-exchange": "",
        "dead-letter-routing-key": RETRY_DUE,
        "dead-letter-strategy": "at-least-once",
        "overflow": "reject-publish",
        "delivery-limit": 1000,
    }


def test_no_queue_has_a_length_limit() -> None:
    """A full inbox would stop the router for everybody."""
    for policy in WANTED.policies:
        assert not {name for name, _ in policy.definition if name.startswith("max-length")}


def test_inboxes_are_bound_by_the_routers_keys() -> None:
    """What ``hub.routing.outgoing`` publishes with reaches the queue that it means."""
    bound = {row.queue: (row.exchange, row.key) for row in WANTED.bindings}
    for queue in WANTED.queues:
        if queue.name.startswith(("inbox.", "gateway.")):
            assert bound[queue.name] == (DELIVERY_EXCHANGE, routing_key(queue.name))


def test_agency_may_do_its_own_things_only() -> None:
    """Write to the ingress, read its two inboxes; not a neighbour's whose code looks alike."""
    row = agency_permission("H12.01")
    may = {name: re.compile(getattr(row, name)).search for name in ("configure", "write", "read")}
    assert may["read"]("inbox.H12.01")
    assert may["read"]("inbox.H12.01.urgent")
    assert may["write"]("hub.ingress")
    for name in ("inbox.H12.01.02", "inbox.H12x01", "inbox.H12.0", "inbox.H12.01.urgent.x",
                 "gateway.H12.01", "hub.ingress.0", "hub.dead", "xinbox.H12.01"):  # fmt: skip
        assert not may["read"](name), name
    for name in ("hub.delivery", "amq.default", "hub.ingress.0", "xhub.ingress", "inbox.H12.01"):
        assert not may["write"](name), name
    for name in ("", "hub.ingress", "inbox.H12.01", "amq.gen-1"):
        assert not may["configure"](name) or not name, name
    assert re.search(agency_permission("00.99.W00", gateway=True).read, "gateway.00.99.W00.urgent")


def test_nothing_differs_from_itself() -> None:
    """A broker that has everything needs nothing, also when the hub's account has another name."""
    assert changes(actual()) == []
    assert changes(actual(hub="lienthong"), hub="lienthong") == []


def test_an_empty_broker_needs_everything() -> None:
    """One change for each thing."""
    empty = Actual({}, {}, frozenset(), {}, {}, {}, {})
    found = changes(empty)
    assert {one.kind for one in found} == {Kind.ADD}
    assert len(found) == len(WANTED.exchanges + WANTED.queues + WANTED.bindings) + len(
        WANTED.policies + WANTED.accounts + WANTED.permissions
    )


def test_drift_is_told_by_kind() -> None:
    """What can be changed in place is mended, what cannot is told, what is over is removed."""
    there = actual()
    rung = next(one for one in WANTED.policies if one.name == "hub-rung-10")
    stream = Queue("inbox.H12.01", pairs({"x-queue-type": "classic"}))
    old = agency_permission("H99.01")
    there = replace(
        there,
        exchanges={**there.exchanges, "hub.ingress": Exchange("hub.ingress", "fanout")},
        queues={
            **there.queues, "inbox.H12.01": stream, "inbox.H99.01": Queue("inbox.H99.01", ()),
            "mine": Queue("mine", ()), "hub.probe.1": Queue("hub.probe.1", ()),
        },
        bindings=there.bindings | {Binding("hub.delivery", "inbox.H99.01", "H99.01"),
                                   Binding("other", "mine", "")},
        policies={**there.policies, rung.name: replace(rung, definition=rung.definition[1:])},
        accounts={**there.accounts, "H12.02": Account("H12.02", "administrator")},
        permissions={
            **there.permissions, "H12.01": Permission("H12.01", ".*", ".*", ".*"),
            "H99.01": old, "grafana": Permission("grafana", "", "", ".*"),
        },
    )  # fmt: skip
    found = changes(there, passwords={**PASSWORDS, "H99.01": "old"})
    assert [(one.kind, one.what, one.name) for one in found] == [
        (Kind.MEND, "account", "H12.02"),
        (Kind.MEND, "permission", "H12.01"),
        (Kind.REMOVE, "permission", "H99.01"),
        (Kind.MEND, "policy", "hub-rung-10"),
        (Kind.CONFLICT, "exchange", "hub.ingress"),
        (Kind.CONFLICT, "queue", "inbox.H12.01"),
        (Kind.REMOVE, "binding", "hub.delivery → inbox.H99.01 [H99.01]"),
        (Kind.REMOVE, "queue", "inbox.H99.01"),
    ]


def test_passwords_are_compared_and_never_told() -> None:
    """A changed or missing password is mended; no sentence has a password in it."""
    found = changes(actual(), passwords={**PASSWORDS, "H12.01": "other"} | {"H12.02": "x"})
    assert [(one.kind, one.name) for one in found] == [
        (Kind.MEND, "H12.01"),
        (Kind.MEND, "H12.02"),
    ]
    found += changes(actual(), passwords={"H12.01": PASSWORDS["H12.01"]})
    for one in found:
        assert "secret" not in one.message("vi") + one.message("en")


def test_one_account_for_everything_is_enough_for_the_hub() -> None:
    """On an operator's own broker the hub may connect as an account that may do all."""
    there = actual()
    full = Permission("hub", ".*", ".*", ".*")
    there = replace(there, permissions={**there.permissions, "hub": full})
    assert changes(there) == []


def test_every_change_is_a_sentence_in_both_languages() -> None:
    """Kinds and things all have words."""
    for kind in Kind:
        for what in ("exchange", "queue", "binding", "policy", "account", "permission"):
            change = Change(kind, what, "n", "d")
            assert str(change) == change.message("en")
            assert change.message("vi").endswith("n (d).")
            assert str(change).endswith("n (d).")
            assert change.message("vi") != change.message("en")
