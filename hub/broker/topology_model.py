"""The broker's topology as data: what the hub asks for (architecture §4, §5, §8).

Only ``x-queue-type`` and ``x-single-active-consumer`` are queue arguments, because those of a queue
that exists can never be changed; everything else is policy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hub.broker import accounts
from hub.broker.node_config import HUB_RIGHTS

INGRESS, DELIVERY = "hub.ingress", "hub.delivery"
RETRY_DUE, DEAD = "hub.retry.due", "hub.dead"
URGENT = ".urgent"
RUNG = "hub.retry."
PROBE = "hub.probe."
"""Names of the short-lived queues of ``hub doctor``."""
DELIVERY_LIMIT = 1000
"""Redeliveries that only a crash loop reaches; attempts are counted in the store (§8)."""
KEEP_FOREVER = 1_000_000_000
"""Delivery limit of the last queue: RabbitMQ 4 would otherwise drop a message after 20."""
PRIORITY = 10
"""Of the hub's policies: above an operator's catch-all policy, which has 0 by default."""

Arguments = tuple[tuple[str, object], ...]
"""Sorted pairs, so that they compare and hash."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A durable exchange."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable queue."""

    name: str
    arguments: Arguments


@dataclass(frozen=True, slots=True)
class Binding:
    """A queue bound to an exchange."""

    exchange: str
    queue: str
    key: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything about queues that may change while they are there."""

    name: str
    pattern: str
    definition: Arguments


@dataclass(frozen=True, slots=True)
class Account:
    """A broker account; its password lies in the home."""

    name: str
    tags: str = ""


@dataclass(frozen=True, slots=True)
class Permission:
    """What an account may do in the hub's virtual host: three regular expressions."""

    account: str
    configure: str
    write: str
    read: str


@dataclass(frozen=True, slots=True)
class Topology:
    """All that the hub asks of its virtual host."""

    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]
    policies: tuple[Policy, ...]
    accounts: tuple[Account, ...]
    """The attached agencies'; the hub's own is the one that it connects with."""
    permissions: tuple[Permission, ...]
    rungs: tuple[str, ...] = field(default=())
    """The queues of the retry ladder, shortest first."""


def pairs(values: Mapping[str, object]) -> Arguments:
    """Return a mapping as sorted pairs."""
    return tuple(sorted(values.items()))


_QUORUM = pairs({"x-queue-type": "quorum"})
_ONE_READER = pairs({"x-queue-type": "quorum", "x-single-active-consumer": True})
"""Guards the hand-over of a shard between routers, of an inbox between connectors (§5, §8)."""


def desired(
    attached: Sequence[str], centres: Sequence[str], *, shards: int, rungs: Sequence[int]
) -> Topology:
    """Return the topology for these attached agencies and connection centres.

    ``shards``: queues that ``hub.ingress`` is spread over. ``rungs``: waiting times in seconds.
    """
    ingress = [f"{INGRESS}.{number}" for number in range(shards)]
    ladder = [f"{RUNG}{seconds}" for seconds in sorted(set(rungs))]
    codes = sorted(set(attached))
    boxes = [f"inbox.{code}" for code in codes]
    boxes += [f"gateway.{centre}" for centre in sorted(set(centres))]
    boxes = [name + urgent for name in boxes for urgent in ("", URGENT)]
    single = [*ingress, RETRY_DUE, *boxes]
    return Topology(
        exchanges=(Exchange(INGRESS, "x-consistent-hash"), Exchange(DELIVERY, "direct")),
        queues=(
            *(Queue(name, _ONE_READER) for name in single),
            *(Queue(name, _QUORUM) for name in (*ladder, DEAD)),
        ),
        bindings=(
            # The key of a binding to a consistent-hash exchange is its weight.
            *(Binding(INGRESS, name, "1") for name in ingress),
            *(Binding(DELIVERY, name, name.split(".", 1)[1]) for name in boxes),
        ),
        policies=_policies(sorted(set(rungs))),
        accounts=tuple(Account(code) for code in codes),
        permissions=(
            Permission(accounts.HUB, **HUB_RIGHTS),
            *(agency_permission(code, gateway=code in centres) for code in codes),
        ),
        rungs=tuple(ladder),
    )


def agency_permission(code: str, *, gateway: bool = False) -> Permission:
    """An agency writes to the ingress, reads its own two inboxes and configures nothing.

    A connection centre (``gateway``) reads what is for the agencies behind it, too.
    """
    kinds = "(inbox|gateway)" if gateway else "inbox"
    own = rf"^{kinds}\.{re.escape(code)}(\.urgent)?$"
    return Permission(code, configure="^$", write=r"^hub\.ingress$", read=own)


def _policies(rungs: Sequence[int]) -> tuple[Policy, ...]:
    poison = _dead_lettered(DEAD)
    return (
        Policy("hub-ingress", r"^hub\.ingress\.[0-9]+$", poison),
        Policy("hub-inbox", r"^(inbox|gateway)\.", poison),
        Policy("hub-retry-due", r"^hub\.retry\.due$", poison),
        Policy("hub-dead", r"^hub\.dead$", pairs({"delivery-limit": KEEP_FOREVER})),
        *(
            Policy(
                f"hub-rung-{seconds}",
                rf"^hub\.retry\.{seconds}$",
                pairs({**dict(_dead_lettered(RETRY_DUE)), "message-ttl": seconds * 1000}),
            )
            for seconds in rungs
        ),
    )


def policy_of(queue: str, policies: Sequence[Policy]) -> Policy:
    """Return the policy that is meant for a queue of the topology."""
    return next(policy for policy in policies if re.search(policy.pattern, queue))


def _dead_lettered(target: str) -> Arguments:
    """At least once, which RabbitMQ grants only together with ``reject-publish`` (§8).

    The default exchange reaches the target by its name; no length limit is set here.
    """
    return pairs(
        {
            "delivery-limit": DELIVERY_LIMIT,
            "dead-letter-exchange": "",
            "dead-letter-routing-key": target,
            "dead-letter-strategy": "at-least-once",
            "overflow": "reject-publish",
        }
    )
