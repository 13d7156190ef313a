"""A hub on a real RabbitMQ node, with connectors beside it as processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.broker.client import AgencyClient
from hub.broker.node import Node, NodeInfo
from hub.broker.ports import Outcome
from hub.codes import AgencyCode, Environment, MessageId
from hub.envelope import SignedEnvelope
from hub.routing.access import demo_rules
from hub.routing.service import run_router
from hub.routing.snapshot import new_id
from hub.routing.stored import facts_of
from hub.schemas.compose import compose
from hub.schemas.example import example_draft
from hub.settings import Settings, load
from hub.signing import signer
from hub.signing.keys import SigningKey, load_pem
from hub.store import directory
from hub.store.edge import EdgeStore
from hub.store.engine import Store
from hub.store.rows import CertificateRow
from hub.testing.broker import Broker, fresh_vhost
from hub.testing.pki import build
from hub.testing.world import DEPARTMENT, HUB, ONE_STOP, OTHER, sample_rows

AGENCIES = (ONE_STOP, DEPARTMENT, OTHER)
LEDGER = Path(__file__).with_name("ledger_connector.py")
WAIT_S = 40.0
RUNGS_S = (1, 2)
"""A ladder short enough for two attempts in a test."""


def eventually(look: Callable[[], object], what: str, timeout_s: float = WAIT_S) -> object:
    """Return what ``look`` finds once it finds something; other processes cannot call back."""
    deadline = time.monotonic() + timeout_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.05)
    return found


@dataclass
class Process:
    """One connector as a process."""

    popen: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """Die as in a power cut."""
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait(10)

    def stop(self) -> int:
        """Stop gracefully; fails when that takes more than the 10 s it may."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(10)

    @property
    def said(self) -> str:
        return self.log.read_text("utf-8")


@dataclass
class Hub:
    """One home: store, router, broker, and the connectors that were started in it."""

    home: Path
    settings: Settings
    store: Store
    broker: Broker
    keys: dict[str, SigningKey]
    processes: list[Process] = field(default_factory=list)

    def configure(self, name: str, kind: str, agency: str, **options: object) -> None:
        """Write ``connectors/NAME.toml``."""
        lines = [f'[connector]\nkind = "{kind}"\nagency = "{agency}"\npoll_s = 0.1\n\n[options]']
        lines += [f"{key} = {json.dumps(str(value))}" for key, value in options.items()]
        self.settings.connectors.mkdir(exist_ok=True)
        (self.settings.connectors / f"{name}.toml").write_text("\n".join(lines) + "\n", "utf-8")

    def start(self, name: str, *program: str) -> Process:
        """Start a connector: ``-m module``, or a file."""
        log = self.home / f"{name}.{len(self.processes)}.log"
        command = [sys.executable, *program, "--home", str(self.home), "--name", name]
        env = {**os.environ, "HUB_BROKER_URL": self.broker.amqp_url}
        with log.open("wb") as output:
            made = Process(subprocess.Popen(command, env=env, stderr=output), log)
        self.processes.append(made)
        return made

    def message(
        self,
        type_: str,
        sender: str,
        to: str,
        fields: dict[str, str] | None = None,
        **header: object,
    ) -> bytes:
        """Return a signed example of now, with these ``fields`` of its payload changed."""
        now = datetime.now(UTC)
        draft = example_draft(
            type_,
            AgencyCode.parse(sender),
            [AgencyCode.parse(to)],
            now=now,
            environment=Environment.TRIAL,
            message_id=new_id(now),
        )
        payload = replace(draft.payload, fields={**draft.payload.fields, **(fields or {})})
        draft = replace(draft, header=replace(draft.header, **header), payload=payload)
        return signer.sign(compose(draft), self.keys[sender])

    def send(self, sender: str, *raws: bytes) -> None:
        """Publish from the agency's own account and wait for the confirms."""
        code = AgencyCode.parse(sender)
        made = [SignedEnvelope(raw, new_id(datetime.now(UTC)), code) for raw in raws]
        envelopes = [replace(one, message_id=identity(one.raw)) for one in made]
        with closing(AgencyClient(self.broker.agency_url(sender), sender)) as client:
            assert set(client.publish(envelopes)) == {Outcome.CONFIRMED}

    def rows(self, statement: str, *values: object) -> list[tuple]:
        with self.store.read() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement, values).all()]

    def delivery(self, raw: bytes) -> str:
        """Return the state of a message's delivery at the hub; empty when it has none yet."""
        found = self.rows(
            "SELECT d.state FROM deliveries d JOIN messages m ON m.id = d.message"
            " WHERE m.message_id = ?",
            str(identity(raw)),
        )
        return found[0][0] if found else ""

    def receipts(self, raw: bytes) -> list[str]:
        """Return the types of the receivers' receipts that the hub has of a message, in order."""
        found = self.rows(
            "SELECT type FROM messages WHERE in_reply_to = ? ORDER BY id", str(identity(raw))
        )
        return [type_ for (type_,) in found]


def identity(raw: bytes) -> MessageId:
    return facts_of(raw).message_id


@pytest.fixture(scope="session")
def pki_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("pki")
    codes = [AgencyCode.parse(code) for code in (*AGENCIES, HUB)]
    build(home, codes, now=datetime.now(UTC), hub_code=AgencyCode.parse(HUB))
    return home


def _filled(home: Path, settings: Settings) -> tuple[Store, dict[str, SigningKey]]:
    store = Store.open(settings.store_url, create=True)
    at = datetime.now(UTC)
    directory.replace_agencies(store, sample_rows(AGENCIES), actor="test", at=at)
    for rule in demo_rules():
        directory.add_rule(store, rule, "test", at)
    keys = {}
    for code in (*AGENCIES, HUB):
        folder = settings.pki / "agencies" / code
        key = keys[code] = load_pem(folder / "key.pem", folder / "cert.pem")
        begins = key.certificate.not_valid_before_utc
        row = CertificateRow(key.certificate_sha256, code, key.certificate_der, begins)
        directory.add_certificate(store, row, "test", at)
    return store, keys


@contextmanager
def running(node: NodeInfo, pki_home: Path, home: Path) -> Iterator[Hub]:
    """A home with a router at work; every connector started in it is stopped at the end."""
    shutil.copytree(pki_home / "pki", home / "pki")
    rungs = ", ".join(map(str, RUNGS_S))
    toml = f'[hub]\ncode = "{HUB}"\n\n[broker]\nshards = 1\nrungs_s = [{rungs}]\n'
    (home / "hub.toml").write_text(toml, "utf-8")
    with fresh_vhost(node, home, AGENCIES, rungs=RUNGS_S) as broker:
        settings = load(home, {"HUB_BROKER_URL": broker.amqp_url})
        store, keys = _filled(home, settings)
        stop = threading.Event()
        router = threading.Thread(target=run_router, args=(settings, keys[HUB], stop), daemon=True)
        router.start()
        hub = Hub(home, settings, store, broker, keys)
        try:
            yield hub
        finally:
            for process in hub.processes:
                if process.popen.poll() is None:
                    process.kill()
            stop.set()
            router.join(20)
            store.close()
        assert not router.is_alive()


@pytest.fixture
def hub(node: NodeInfo, pki_home: Path, tmp_path: Path) -> Iterator[Hub]:
    """A hub on the node that all tests share."""
    home = tmp_path / "home"
    home.mkdir()
    with running(node, pki_home, home) as made:
        yield made


@pytest.fixture
def hub_apart(spare_node: Node, pki_home: Path, tmp_path: Path) -> Iterator[Hub]:
    """A hub on the node that may be stopped."""
    home = tmp_path / "home"
    home.mkdir()
    with running(spare_node.info, pki_home, home) as made:
        yield made


@dataclass
class Ledger:
    """The partner's system of ``ledger_connector.py``, and the connector on it."""

    hub: Hub
    folder: Path
    agency: str = DEPARTMENT

    def __post_init__(self) -> None:
        (self.folder / "out").mkdir(parents=True)
        self.hub.configure(self.folder.name, "ledger", self.agency, folder=self.folder)

    @property
    def state(self) -> Path:
        """The connector's own store."""
        return self.hub.settings.connectors / f"{self.folder.name}.sqlite"

    def counts(self) -> dict[str, int]:
        """Return the numbers of the connector's store, read beside the running process."""
        if not self.state.exists():
            return {}
        with closing(EdgeStore.open(self.state)) as store:
            return store.counts()

    def start(self) -> Process:
        return self.hub.start(self.folder.name, str(LEDGER))

    def set(self, name: str, text: str = "") -> None:
        """Raise a flag for the connector."""
        (self.folder / name).write_text(text, "utf-8")

    def clear(self, name: str) -> None:
        (self.folder / name).unlink()

    def has(self, name: str) -> bool:
        return (self.folder / name).exists()

    def rows(self, statement: str = "SELECT key FROM ledger ORDER BY n") -> list[str]:
        file = self.folder / "ledger.sqlite"
        if not file.exists():
            return []
        with closing(sqlite3.connect(file, timeout=10)) as connection:
            return [row[0] for row in connection.execute(statement)]


@pytest.fixture
def ledger(hub: Hub, tmp_path: Path) -> Ledger:
    return Ledger(hub, tmp_path / "ledger")


@pytest.fixture
def make_ledger() -> type[Ledger]:
    return Ledger


@pytest.fixture
def wait() -> Callable[..., object]:
    return eventually
