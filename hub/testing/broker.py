"""A real RabbitMQ node for tests and scaffolds, and virtual hosts on it apart from each other.

Run it by hand: ``python -m hub.testing.broker FOLDER CODE…`` keeps a node with a topology
until it is stopped.
"""

from __future__ import annotations

import contextlib
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hub.broker import accounts
from hub.broker.management import Management, part
from hub.broker.node import Node, NodeInfo
from hub.broker.topology import Admin, Topology, apply, desired
from hub.broker.urls import management_address, with_account, with_vhost

RUNGS_S = (1, 60)
"""A short ladder: tests wait for its first rung."""
CONTROL = "rabbitmqctl"


@dataclass(frozen=True, slots=True)
class Broker:
    """A virtual host with a topology applied, and a home that has its accounts' passwords."""

    node: NodeInfo
    home: Path
    amqp_url: str = field(repr=False)
    """The hub's account."""
    management_url: str = field(repr=False)
    topology: Topology

    def agency_url(self, code: str) -> str:
        """Return the address with an agency's account in it."""
        return accounts.agency_url(self.amqp_url, code, accounts.password(self.home, code))

    @property
    def admin_url(self) -> str:
        """AMQP as the administrator, who may declare and delete anything."""
        password = accounts.read(self.node.folder / accounts.FOLDER, accounts.ADMIN)
        return with_account(self.amqp_url, accounts.ADMIN, password)

    @contextlib.contextmanager
    def admin(self) -> Iterator[Admin]:
        """Open an administrator's session."""
        with Admin.open(self.amqp_url, self.management_url, self.home) as opened:
            yield opened


@contextlib.contextmanager
def private_node(folder: Path, agencies: Sequence[str] = ()) -> Iterator[Broker]:
    """Start a node in ``folder/broker`` with a topology for these agencies; stop it at the end.

    ``folder`` is laid out like a home. Raises ``NodeFailed``.
    """
    node = Node(folder / "broker")
    try:
        info = node.start()
        wanted = desired(agencies, (), shards=1, rungs=RUNGS_S)
        made = Broker(info, folder, info.amqp_url, info.management_url, wanted)
        _apply(made)
        yield made
    finally:
        node.stop()


@contextlib.contextmanager
def fresh_vhost(
    node: NodeInfo,
    home: Path,
    agencies: Sequence[str],
    *,
    centres: Sequence[str] = (),
    shards: int = 1,
    rungs: Sequence[int] = RUNGS_S,
) -> Iterator[Broker]:
    """Make a virtual host with a topology of its own on a running node; delete it at the end.

    Accounts belong to the whole node: their passwords lie in the node's folder, and ``home`` gets
    a link to them, so that two homes with the same agencies agree.
    """
    vhost = f"test-{secrets.token_hex(6)}"
    _share_accounts(node, home)
    amqp_url = with_vhost(node.amqp_url, vhost)
    management_url = management_address(amqp_url, node.management_url)
    wanted = desired(agencies, centres, shards=shards, rungs=rungs)
    made = Broker(node, home, amqp_url, management_url, wanted)
    with Management(node.management_url) as api:
        api.call("PUT", f"vhosts/{part(vhost)}", {})
        _allow_admin(api, vhost)
        try:
            _apply(made)
            yield made
        finally:
            api.call("DELETE", f"vhosts/{part(vhost)}")


def _share_accounts(node: NodeInfo, home: Path) -> None:
    link = accounts.folder(home)
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.exists():
        link.symlink_to(node.folder / accounts.FOLDER, target_is_directory=True)


def _allow_admin(api: Management, vhost: str) -> None:
    rights = {"configure": ".*", "write": ".*", "read": ".*"}
    api.call("PUT", f"permissions/{part(vhost)}/{accounts.ADMIN}", rights)


def _apply(broker: Broker) -> None:
    with broker.admin() as admin:
        apply(broker.topology, admin)


def control(node: NodeInfo, *arguments: str) -> str:
    """Run ``rabbitmqctl`` against a node and return what it printed; raises when it fails."""
    script = Path("/usr/lib/rabbitmq/bin") / CONTROL
    done = subprocess.run(
        [script, *arguments],
        cwd=node.folder,
        env=node.environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def main() -> None:
    """Keep a node with a topology until SIGTERM or SIGINT."""
    folder, *agencies = sys.argv[1:]
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    with private_node(Path(folder), agencies):
        stop.wait()


if __name__ == "__main__":
    main()
