"""What the fault tests share: a home whose roles are killed, and agencies that keep count."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from hub.broker.address import broker_address
from hub.broker.node import Node
from hub.schemas.validate import Validator
from hub.settings import load
from hub.signing.verifier import Verifier
from hub.store.engine import Store
from hub.store.trust import load_trust
from hub.testing.home import Home, eventually
from hub.testing.scenario.agency import Agency

SENDER, RECEIVER = "H12.20", "H12.05"


class Kept:
    """A home, two agencies that act in it, and what was sent."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.settings = load(home.folder)
        self.store = Store.open(self.settings.store_url)
        self._verifier = Verifier(load_trust(self.store, self.settings))
        self.sent: dict[str, bytes] = {}

    def agency(self, code: str) -> Agency:
        """An agency's own hands."""
        url = broker_address(self.settings).amqp_url
        return Agency.of(self.settings, code, url, self._verifier, Validator())

    def send(self, sender: Agency, count: int) -> None:
        """Send documents, and remember each by its id; unconfirmed ones are sent again."""
        for _number in range(count):
            draft = sender.draft("document.new", RECEIVER)
            raw = sender.signed(draft)
            self.sent[draft.header.message_id.value] = raw
            assert eventually(lambda h=draft.header, r=raw: sent(sender, h, r))

    def rows(self, statement: str) -> list[tuple]:
        """Look into the store."""
        with self.store.read() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement)]

    def kill(self, *role: str) -> None:
        """Kill a role's process at once; the supervisor starts it again."""
        assert eventually(lambda: self.home.role(*role))
        pid = self.home.role(*role)
        os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: self.home.role(*role) not in (None, pid))

    def kill_node(self) -> None:
        """Kill the private RabbitMQ node at once; the supervisor starts it again."""
        before = Node.attach(self.settings.broker_folder)
        os.kill(before.pid, signal.SIGKILL)
        assert eventually(self._another_than(before.pid), timeout_s=120)

    def _another_than(self, pid: int):
        def look() -> bool:
            found = Node.attach(self.settings.broker_folder)
            return found is not None and found.pid != pid

        return look

    def close(self) -> None:
        """Close the store."""
        self.store.close()


def sent(agency: Agency, header, raw: bytes) -> bool:
    """Whether the broker confirmed it; a lost connection is a *no*, to be tried again."""
    try:
        agency.send(header, raw)
    except Exception:  # noqa: BLE001  whatever a killed broker does to a client
        return False
    return True


@pytest.fixture(scope="session")
def bare_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A demo's home without connectors, not started."""
    home = Home(tmp_path_factory.mktemp("faults") / "home")
    assert home.hub("init", home.folder, "--demo").status == 0
    return home


@pytest.fixture
def kept(bare_home: Home) -> Iterator[Kept]:
    """The home, running."""
    bare_home.start()
    made = Kept(bare_home)
    yield made
    made.close()
    assert bare_home.stop() == 0
