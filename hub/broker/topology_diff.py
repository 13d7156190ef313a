"""Compare what is asked for with what is there. No I/O; every function returns differences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from hub.broker import accounts
from hub.broker.topology_change import Change, Kind
from hub.broker.topology_model import (
    DELIVERY,
    INGRESS,
    PROBE,
    Account,
    Arguments,
    Binding,
    Exchange,
    Permission,
    Policy,
    Queue,
    Topology,
)

OURS = ("hub.", "inbox.", "gateway.")
"""Queue names that are the hub's; all others are none of its business."""


@dataclass(frozen=True, slots=True)
class Actual:
    """What the virtual host holds now. Exchanges of RabbitMQ itself are left out."""

    exchanges: Mapping[str, Exchange]
    queues: Mapping[str, Queue]
    bindings: frozenset[Binding]
    policies: Mapping[str, Policy]
    accounts: Mapping[str, Account]
    password_hashes: Mapping[str, str]
    permissions: Mapping[str, Permission]
    """By account, of this virtual host only."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A change, and the thing that it is about."""

    change: Change
    thing: Exchange | Queue | Binding | Policy | Account | Permission


def differences(
    topology: Topology, actual: Actual, passwords: Mapping[str, str], hub_account: str
) -> list[Difference]:
    """Return all differences, in the order in which they can be applied.

    ``passwords``: those that the home has. ``hub_account``: what the hub connects as.
    """
    return [
        *_accounts(topology, actual, passwords),
        *_permissions(topology, actual, passwords, hub_account),
        *_policies(topology, actual),
        *_exchanges(topology, actual),
        *_queues(topology, actual),
        *_bindings(topology, actual),
        *_left_over(topology, actual),
    ]


def _accounts(
    topology: Topology, actual: Actual, passwords: Mapping[str, str]
) -> Iterable[Difference]:
    for row in topology.accounts:
        there = actual.accounts.get(row.name)
        if there is None:
            yield _difference(Kind.ADD, row, row.name)
        elif row.name not in passwords:
            yield _difference(Kind.MEND, row, row.name, "new password: this home has none")
        elif not accounts.matches(passwords[row.name], actual.password_hashes[row.name]):
            yield _difference(Kind.MEND, row, row.name, "password")
        elif there != row:
            yield _difference(Kind.MEND, row, row.name, f"tags {there.tags!r}")


def _permissions(
    topology: Topology, actual: Actual, passwords: Mapping[str, str], hub_account: str
) -> Iterable[Difference]:
    wanted = {}
    for row in topology.permissions:
        account = hub_account if row.account == accounts.HUB else row.account
        wanted[account] = replace(row, account=account)
    for account, row in wanted.items():
        there = actual.permissions.get(account)
        if there is None:
            yield _difference(Kind.ADD, row, account)
        elif there != row and not (account == hub_account and _everything(there)):
            yield _difference(Kind.MEND, row, account, _rights(there))
    # Only accounts that this home made can be told from those of other people.
    known = set(passwords) - set(wanted) - {accounts.HUB, accounts.ADMIN}
    for account in sorted(known & set(actual.permissions)):
        yield _difference(Kind.REMOVE, actual.permissions[account], account)


def _everything(row: Permission) -> bool:
    """An operator's broker may give the hub one account for everything."""
    return row.configure == row.write == row.read == ".*"


def _rights(row: Permission) -> str:
    return f"configure {row.configure!r}, write {row.write!r}, read {row.read!r}"


def _policies(topology: Topology, actual: Actual) -> Iterable[Difference]:
    for row in topology.policies:
        there = actual.policies.get(row.name)
        if there is None:
            yield _difference(Kind.ADD, row, row.name)
        elif there != row:
            yield _difference(Kind.MEND, row, row.name, told(there.definition))
    wanted = {row.name for row in topology.policies}
    for name, row in sorted(actual.policies.items()):
        if name.startswith("hub-") and name not in wanted:
            yield _difference(Kind.REMOVE, row, name)


def _exchanges(topology: Topology, actual: Actual) -> Iterable[Difference]:
    for row in topology.exchanges:
        there = actual.exchanges.get(row.name)
        if there is None:
            yield _difference(Kind.ADD, row, row.name)
        elif there != row:
            yield _difference(Kind.CONFLICT, row, row.name, f"type {there.kind}, not {row.kind}")


def _queues(topology: Topology, actual: Actual) -> Iterable[Difference]:
    for row in topology.queues:
        there = actual.queues.get(row.name)
        if there is None:
            yield _difference(Kind.ADD, row, row.name)
        elif there != row:
            detail = f"{told(there.arguments)}, not {told(row.arguments)}"
            yield _difference(Kind.CONFLICT, row, row.name, detail)


def _bindings(topology: Topology, actual: Actual) -> Iterable[Difference]:
    wanted = frozenset(topology.bindings)
    for row in topology.bindings:
        if row not in actual.bindings:
            yield _difference(Kind.ADD, row, _bound(row))
    for row in sorted(actual.bindings - wanted, key=_bound):
        if row.exchange in (INGRESS, DELIVERY):
            yield _difference(Kind.REMOVE, row, _bound(row))


def _left_over(topology: Topology, actual: Actual) -> Iterable[Difference]:
    """Queues that nobody asks for any more; whether they are empty is seen when applying."""
    wanted = {row.name for row in topology.queues}
    for name, row in sorted(actual.queues.items()):
        if name not in wanted and name.startswith(OURS) and not name.startswith(PROBE):
            yield _difference(Kind.REMOVE, row, name)


def _bound(row: Binding) -> str:
    return f"{row.exchange} → {row.queue} [{row.key}]"


def told(arguments: Arguments) -> str:
    """Return arguments or a policy's definition as text."""
    return ", ".join(f"{name} {value}" for name, value in arguments) or "-"


def _difference(
    kind: Kind,
    thing: Exchange | Queue | Binding | Policy | Account | Permission,
    name: str,
    detail: str = "",
) -> Difference:
    return Difference(Change(kind, type(thing).__name__.lower(), name, detail), thing)
