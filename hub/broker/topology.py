"""The broker's topology: compare it with what the directory asks for, apply it, verify it.

``plan`` and ``apply`` may run at any time and as often as one likes; one that was interrupted is
finished by the next. Nothing that holds a message is ever deleted.
"""

from __future__ import annotations

import time
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace

from hub.broker.admin import Admin
from hub.broker.topology_change import Change, Kind
from hub.broker.topology_diff import Difference, differences, told
from hub.broker.topology_model import (
    PRIORITY,
    RUNG,
    Account,
    Binding,
    Exchange,
    Permission,
    Policy,
    Queue,
    Topology,
    desired,
    policy_of,
)
from hub.errors import TopologyDiffers

__all__ = [
    "Admin",
    "Binding",
    "Change",
    "Exchange",
    "Kind",
    "Permission",
    "Policy",
    "Queue",
    "Topology",
    "apply",
    "desired",
    "plan",
    "verify",
]

STATISTICS_S = 12.0
"""The broker tells what a queue goes by every 5 s: two rounds and some."""
_POLL_S = 0.5
_AT_LEAST_ONCE = "stream_queue"
"""The feature flag without which RabbitMQ 3.10 knows no at-least-once dead-lettering."""


def plan(topology: Topology, admin: Admin) -> list[Change]:
    """Return what ``apply`` would do, and what it would leave to a person. Changes nothing."""
    return [difference.change for difference in _differences(topology, admin)]


def apply(topology: Topology, admin: Admin) -> list[Change]:
    """Bring the broker to ``topology`` and return what was done.

    Raises ``TopologyDiffers`` after everything else is done when something exists that cannot be
    changed in place, and ``BrokerUnavailable`` or ``BrokerRefused`` midway; then run it again.
    """
    admin.make_vhost()
    found = _differences(topology, admin)
    made = [one for one in found if one.change.kind in (Kind.ADD, Kind.MEND)]
    if made:
        _make(made, admin)
    removed = [one for one in found if one.change.kind is Kind.REMOVE and _removed(one, admin)]
    conflicts = [one.change for one in found if one.change.kind is Kind.CONFLICT]
    if conflicts:
        raise TopologyDiffers(reason="; ".join(map(str, conflicts)))
    return [one.change for one in (*made, *removed)]


def verify(topology: Topology, admin: Admin) -> list[Change]:
    """Return every difference, also between the policies and what the queues really go by.

    Each rung of the ladder must really be ``at-least-once`` with ``reject-publish``: without both
    the broker falls back silently to dead-lettering at most once (architecture §8).
    """
    found = plan(topology, admin)
    known = {change.name for change in found}
    deadline = time.monotonic() + STATISTICS_S
    while True:
        unlike = list(_unlike(topology, admin.effective(), known))
        if not unlike or time.monotonic() > deadline:
            break
        time.sleep(_POLL_S)
    if _AT_LEAST_ONCE in admin.disabled_features():
        unlike.append(Change(Kind.DIFFERS, "policy", "at-least-once", f"{_AT_LEAST_ONCE} is off"))
    return found + unlike


def _differences(topology: Topology, admin: Admin) -> list[Difference]:
    found = differences(topology, admin.state(), admin.known_passwords(), admin.hub_account)
    return [_kept(one, admin) for one in found]


def _kept(difference: Difference, admin: Admin) -> Difference:
    """A queue that nobody asks for is kept as long as it holds messages or has readers.

    A rung is kept at any rate: routers that run with the settings from before reach it by its name,
    and could do so in the very moment of its deletion.
    """
    change = difference.change
    if change.kind is not Kind.REMOVE or change.what != "queue":
        return difference
    reason = admin.in_use(change.name)
    if not reason and change.name.startswith(RUNG):
        reason = "empty; delete it when no router uses it any more"
    if not reason:
        return difference
    return replace(difference, change=replace(change, kind=Kind.KEEP, detail=reason))


def _make(made: Iterable[Difference], admin: Admin) -> None:
    things = [one.thing for one in made]
    admin.import_accounts(
        [one.name for one in things if isinstance(one, Account)],
        [one for one in things if isinstance(one, Permission)],
    )
    admin.import_entities(
        exchanges=[one for one in things if isinstance(one, Exchange)],
        queues=[one for one in things if isinstance(one, Queue)],
        bindings=[one for one in things if isinstance(one, Binding)],
        policies=[one for one in things if isinstance(one, Policy)],
        priority=PRIORITY,
    )


def _removed(difference: Difference, admin: Admin) -> bool:
    """Take something away; ``False`` for a queue that has been used again meanwhile."""
    match difference.thing:
        case Binding() as binding:
            admin.unbind(binding)
        case Policy(name=name):
            admin.delete_policy(name)
        case Permission(account=account):
            admin.clear_permission(account)
        case Queue(name=name):
            return admin.delete_queue(name)
    return True


def _unlike(
    topology: Topology, effective: Mapping[str, Mapping[str, object]], known: Container[str] = ()
) -> Iterable[Change]:
    """Queues that go by something else than their policy: another policy stands above it.

    ``known``: queues and policies that differ in themselves, which is told already.
    """
    for queue in topology.queues:
        policy, real = policy_of(queue.name, topology.policies), effective.get(queue.name, {})
        if queue.name in known or policy.name in known:
            continue
        wrong = {
            name: real.get(name) for name, value in policy.definition if real.get(name) != value
        }
        if wrong:
            detail = told(tuple(wrong.items()))
            yield Change(
                Kind.DIFFERS, "queue", queue.name, f"{detail}; {policy.name} is overridden"
            )
