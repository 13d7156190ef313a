"""The parts of a home as the commands use them: store, directory, rules, topology, broker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hub.broker import topology
from hub.broker.node import Node
from hub.errors import BrokerUnavailable
from hub.routing.access import AccessRules
from hub.routing.directory import Directory
from hub.settings import Settings
from hub.store import directory as directory_store
from hub.store.engine import Store


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """Open the home's store for one command; raises ``StoreUnavailable`` or ``StoreSchema``."""
    store = Store.open(settings.store_url)
    try:
        yield store
    finally:
        store.close()


def directory_of(store: Store) -> Directory:
    """Return the directory as it is now."""
    return Directory.of(directory_store.agencies(store))


def access_rules(settings: Settings) -> AccessRules:
    """Return the access rules of a home, with the agencies' kinds they may refer to."""
    with opened(settings) as store:
        kinds = {row.code: row.kind for row in directory_store.agencies(store)}
        return AccessRules.of(directory_store.rules(store), kinds)


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is. The URLs hold the hub's own password: never print them."""

    amqp_url: str
    management_url: str


def broker_address(settings: Settings) -> BrokerAddress:
    """Return the configured broker, or the private node of this home if it runs.

    Raises ``BrokerUnavailable`` when neither is there.
    """
    if settings.broker.url:
        return BrokerAddress(settings.broker.url, settings.broker.management_url)
    info = Node.attach(settings.broker_folder)
    if info is None:
        raise BrokerUnavailable(reason=f"{settings.broker_folder}: hub up?")
    return BrokerAddress(info.amqp_url, info.management_url)


def desired_topology(settings: Settings) -> topology.Topology:
    """Return the exchanges, queues and accounts that the directory asks for."""
    with opened(settings) as store:
        rows = directory_store.agencies(store)
    attached = sorted(row.code for row in rows if row.attached)
    centres = sorted({row.centre for row in rows if row.centre})
    return topology.desired(
        attached, centres, shards=settings.broker.shards, rungs=settings.broker.rungs_s
    )


def apply_topology(settings: Settings) -> int:
    """Bring the broker to the desired topology and return the number of changes made."""
    address = broker_address(settings)
    with topology.Admin.open(address.amqp_url, address.management_url, settings.home) as admin:
        return len(topology.apply(desired_topology(settings), admin))
