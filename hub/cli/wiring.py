"""What the broker of a home should hold, and bringing it there."""

from __future__ import annotations

from hub.broker import topology
from hub.broker.address import broker_address
from hub.cli.parts import opened
from hub.settings import Settings
from hub.store import directory as directory_store


def desired_topology(settings: Settings) -> topology.Topology:
    """Return the exchanges, queues and accounts that the directory asks for."""
    with opened(settings) as store:
        rows = directory_store.agencies(store)
    attached = sorted(row.code for row in rows if row.attached)
    centres = sorted({row.centre for row in rows if row.centre})
    return topology.desired(
        attached, centres, shards=settings.broker.shards, rungs=settings.broker.rungs_s
    )


def administration(settings: Settings) -> topology.Admin:
    """Connect to the broker's administration; raises ``BrokerUnavailable``."""
    address = broker_address(settings)
    return topology.Admin.open(address.amqp_url, address.management_url, settings.home)


def apply_topology(settings: Settings) -> int:
    """Bring the broker to the desired topology and return the number of changes made."""
    with administration(settings) as admin:
        return len(topology.apply(desired_topology(settings), admin))
