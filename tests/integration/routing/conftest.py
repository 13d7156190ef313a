"""A private RabbitMQ node, a SQLite store and a router on them: nothing here is a double.

The broker's port is filled by a small client over py-amqp, so that the router is tested against the
port and not against one implementation of it.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import amqp
import pytest

from hub.broker.ports import Outcome, Outgoing
from hub.codes import AgencyCode, Environment, MessageId, MessageType
from hub.envelope import Arrival, EnvelopeDraft, Header, Receipt, sha256_hex
from hub.errors import BrokerUnavailable
from hub.routing.access import demo_rules
from hub.routing.process import Router
from hub.routing.snapshot import Snapshots, new_id
from hub.schemas.compose import compose
from hub.schemas.example import example_draft
from hub.schemas.receipts import compose_receipt
from hub.settings import HubSection, Settings
from hub.signing import signer
from hub.signing.keys import SigningKey, load_pem
from hub.store import directory
from hub.store.engine import Store
from hub.store.lease import Lease
from hub.store.rows import CertificateRow
from hub.testing.pki import build
from hub.testing.world import DEPARTMENT, HUB, MERGED, ONE_STOP, OTHER, sample_rows

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
CONTROL = Path("/usr/lib/rabbitmq/bin/rabbitmqctl")
PASSWORD = secrets.token_hex(8)
AGENCIES = (ONE_STOP, DEPARTMENT, OTHER, MERGED)
ATTACHED = (*AGENCIES, "H12.05")
"""H12.05 is attached in the directory and has no queue: what goes there comes back."""
INGRESS, DUE = "hub.ingress.0", "hub.retry.due"
LOST = (OSError, amqp.exceptions.AMQPError)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _definitions() -> dict:
    """Users, exchanges, queues and bindings as the architecture names them."""
    salt = secrets.token_bytes(4)
    digest = base64.b64encode(salt + hashlib.sha256(salt + PASSWORD.encode()).digest()).decode()
    users = ("hub", *AGENCIES)
    queues = [INGRESS, DUE, "hub.retry.10", *(f"inbox.{code}" for code in AGENCIES)]
    queues += [f"inbox.{code}.urgent" for code in AGENCIES]
    quorum = {"x-queue-type": "quorum"}
    rung = {
        "x-message-ttl": 300,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": DUE,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
    bindings = [("hub.ingress", INGRESS, "")]
    bindings += [
        ("hub.delivery", name, name.removeprefix("inbox."))
        for name in queues
        if name.startswith("inbox.")
    ]
    return {
        "users": [
            {
                "name": name,
                "password_hash": digest,
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": "",
            }
            for name in users
        ],
        "vhosts": [{"name": "/"}],
        "permissions": [
            {"user": name, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}
            for name in users
        ],
        "exchanges": [
            {"name": name, "vhost": "/", "type": kind, "durable": True, "auto_delete": False,
             "internal": False, "arguments": {}}
            for name, kind in (("hub.ingress", "fanout"), ("hub.delivery", "direct"))
        ],
        "queues": [
            {"name": name, "vhost": "/", "durable": True, "auto_delete": False,
             "arguments": quorum | (rung if name == "hub.retry.10" else {})}
            for name in queues
        ],
        "bindings": [
            {"source": exchange, "vhost": "/", "destination": queue, "destination_type": "queue",
             "routing_key": key, "arguments": {}}
            for exchange, queue, key in bindings
        ],
    }  # fmt: skip


class PrivateNode:
    """A RabbitMQ node in a folder of its own, with its own epmd."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, epmd, dist = free_port(), free_port(), free_port()
        folder.mkdir(parents=True)
        (folder / "plugins").write_text("[].")
        (folder / "definitions.json").write_text(json.dumps(_definitions()))
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.default = 127.0.0.1:{self.port}\n"
            f"load_definitions = {folder}/definitions.json\n"
            "disk_free_limit.absolute = 50MB\n"
        )
        self.env = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"t{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(dist),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        }
        self.epmd = subprocess.Popen(["epmd", "-port", str(epmd)], env=self.env)
        self.server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "out").open("ab") as output:
            self.server = subprocess.Popen([SERVER], env=self.env, stdout=output, stderr=output)
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            assert self.server.poll() is None, (self.folder / "out").read_text()[-2000:]
            try:
                self.connect("hub").close()
            except LOST:
                time.sleep(0.3)
            else:
                return
        raise AssertionError((self.folder / "out").read_text()[-2000:])

    def connect(self, user: str) -> amqp.Connection:
        connection = amqp.Connection(
            f"127.0.0.1:{self.port}", user, PASSWORD, login_method="PLAIN", connect_timeout=5
        )
        connection.connect()
        return connection

    def stop(self) -> None:
        """Stop gracefully by rabbitmqctl: quorum queues keep what they have."""
        if self.server is not None and self.server.poll() is None:
            subprocess.run([CONTROL, "stop"], env=self.env, capture_output=True, check=False)
            self.server.wait(60)

    def end(self) -> None:
        self.stop()
        self.epmd.terminate()
        self.epmd.wait(10)


class TestPublisher:
    """The publisher's port over py-amqp: one window, one wait."""

    __test__ = False

    def __init__(self, node: PrivateNode, user: str = "hub") -> None:
        self._node, self._user = node, user
        self._connection: amqp.Connection | None = None

    def _open(self) -> None:
        self._connection = self._node.connect(self._user)
        self._channel = self._connection.channel()
        self._channel.confirm_select()
        self._acked: set[int] = set()
        self._returned: set[str] = set()
        self._sent = 0
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_return"].add(self._on_return)

    def _on_ack(self, tag: int, multiple: bool) -> None:  # noqa: FBT001  the library's callback
        self._acked.update(range(1, tag + 1) if multiple else [tag])

    def _on_return(self, _error: object, _exchange: str, _key: str, message: amqp.Message) -> None:
        self._returned.add(message.headers["window"])

    def publish_window(self, messages: Sequence[Outgoing]) -> list[Outcome]:
        try:
            if self._connection is None:
                self._open()
            first = self._sent + 1
            for number, one in enumerate(messages):
                self._sent += 1
                self._publish(one, f"{first + number}")
            wanted = set(range(first, first + len(messages)))
            deadline = time.monotonic() + 10
            while not wanted <= self._acked and time.monotonic() < deadline:
                self._connection.drain_events(timeout=1)
        except LOST:
            self._connection = None
            return [Outcome.UNKNOWN] * len(messages)
        return [
            Outcome.RETURNED if f"{first + n}" in self._returned
            else Outcome.CONFIRMED if first + n in self._acked
            else Outcome.UNKNOWN
            for n in range(len(messages))
        ]  # fmt: skip

    def _publish(self, one: Outgoing, mark: str) -> None:
        message = amqp.Message(
            one.body,
            content_type="application/xml",
            delivery_mode=2,
            message_id=one.message_id,
            application_headers={**one.headers, "window": mark},
            **({"user_id": self._user} if self._user != "hub" else {}),
        )
        self._channel._basic_publish(
            message, exchange=one.exchange, routing_key=one.routing_key, mandatory=True
        )

    def close(self) -> None:
        close(self._connection)
        self._connection = None


def close(connection: amqp.Connection | None) -> None:
    """Close a connection that may be lost already."""
    with contextlib.suppress(*LOST):
        if connection is not None:
            connection.close()


class TestConsumer:
    """The consumer's port over py-amqp."""

    __test__ = False

    def __init__(self, node: PrivateNode, queues: Sequence[str], size: int = 50) -> None:
        self._node, self._queues, self._size = node, queues, size
        self._connection: amqp.Connection | None = None
        self._ready: list[Arrival] = []

    def _open(self) -> None:
        self._connection = self._node.connect("hub")
        self._channel = self._connection.channel()
        self._channel.basic_qos(0, 200, a_global=False)
        self._ready = []
        self._open_tags: set[int] = set()
        for queue in self._queues:
            self._channel.basic_consume(queue, callback=self._receiver(queue))

    def _receiver(self, queue: str):
        def receive(message: amqp.Message) -> None:
            found = dict(message.headers)
            self._open_tags.add(message.delivery_tag)
            self._ready.append(
                Arrival(
                    raw=bytes(message.body),
                    tag=message.delivery_tag,
                    account=message.properties.get("user_id"),
                    routing_key=message.delivery_info["routing_key"],
                    queue=queue,
                    claimed_id=message.properties.get("message_id"),
                    redeliveries=int(found.get("x-delivery-count", 0)),
                    headers=found,
                )
            )

        return receive

    def next_window(self, timeout_s: float) -> list[Arrival]:
        try:
            if self._connection is None:
                self._open()
            deadline = time.monotonic() + timeout_s
            while not self._ready and (left := deadline - time.monotonic()) > 0:
                self._drain(left)
            while len(self._ready) < self._size and self._drain(0.01):
                pass
        except LOST as error:
            self._connection = None
            raise BrokerUnavailable(reason=str(error)) from error
        window, self._ready = self._ready[: self._size], self._ready[self._size :]
        return window

    def _drain(self, timeout_s: float) -> bool:
        try:
            self._connection.drain_events(timeout=timeout_s)
        except TimeoutError:
            return False
        return True

    def ack(self, arrivals: Sequence[Arrival]) -> None:
        """One ack for a whole window.

        A channel keeps at most 32 commands to a quorum queue in flight and drops the rest when it
        closes: of 200 single acks before a close, RabbitMQ 3.10.8 was seen to lose 161.
        """
        done = {one.tag for one in arrivals}
        if done and done == {tag for tag in self._open_tags if tag <= max(done)}:
            self._settle(
                lambda tag: self._channel.basic_ack(tag, multiple=True),
                [max(arrivals, key=lambda one: one.tag)],
            )
        else:
            self._settle(self._channel.basic_ack, arrivals)
        self._open_tags -= done

    def reject(self, arrivals: Sequence[Arrival], *, requeue: bool) -> None:
        self._settle(lambda tag: self._channel.basic_reject(tag, requeue), arrivals)
        self._open_tags -= {one.tag for one in arrivals}

    def _settle(self, how, arrivals: Sequence[Arrival]) -> None:
        try:
            for one in arrivals if self._connection else ():
                how(one.tag)
        except LOST:
            self._connection = None

    def close(self) -> None:
        close(self._connection)
        self._connection = None


@dataclass
class Installation:
    """One home on one node: agencies that send and receive, and a router in a thread."""

    node: PrivateNode
    settings: Settings
    store: Store
    keys: dict[str, SigningKey]
    routers: list[tuple[Router, threading.Thread]] = field(default_factory=list)

    def draft(self, type_: str, sender: str, *to: str, **header: object) -> EnvelopeDraft:
        now = datetime.now(UTC)
        made = example_draft(
            type_,
            AgencyCode.parse(sender),
            [AgencyCode.parse(one) for one in to],
            now=now,
            environment=Environment.TRIAL,
            message_id=new_id(now),
        )
        return replace(made, header=replace(made.header, **header))

    def signed(self, draft: EnvelopeDraft, key: str | None = None) -> bytes:
        return signer.sign(compose(draft), self.keys[key or draft.header.sender.value])

    def send(self, account: str, *bodies: bytes) -> None:
        """Publish to the ingress from an agency's own account and wait for the confirms."""
        publisher = TestPublisher(self.node, account)
        outgoing = [Outgoing("hub.ingress", account, raw, "") for raw in bodies]
        outgoing = [replace(one, message_id=claimed(one.body)) for one in outgoing]
        assert set(publisher.publish_window(outgoing)) == {Outcome.CONFIRMED}
        publisher.close()

    def take(self, queue: str, count: int, timeout_s: float = 20) -> list[Arrival]:
        """Take ``count`` arrivals from a queue and acknowledge them."""
        consumer = TestConsumer(self.node, [queue])
        found: list[Arrival] = []
        deadline = time.monotonic() + timeout_s
        while len(found) < count and time.monotonic() < deadline:
            window = consumer.next_window(0.5)
            consumer.ack(window)
            found += window
        consumer.close()
        return found

    def left_in(self, queue: str) -> int:
        connection = self.node.connect("hub")
        left = connection.channel().queue_declare(queue, passive=True).message_count
        connection.close()
        return int(left)

    def settled(self, queue: str, count: int, timeout_s: float = 15) -> bool:
        """Whether a queue comes to hold exactly ``count`` ready messages."""
        deadline = time.monotonic() + timeout_s
        while self.left_in(queue) != count and time.monotonic() < deadline:
            time.sleep(0.2)
        return self.left_in(queue) == count

    def receipt(self, type_: str, sender: str, subject: bytes, **facts: object) -> bytes:
        now, key = datetime.now(UTC), self.keys[sender]
        about = Snapshots(self.store, self.settings, self.keys[HUB]).current()
        valid = about.validator.validate(about.verifier.verify(subject, at=now))
        header = Header(
            message_id=new_id(now),
            environment=Environment.TRIAL,
            type=MessageType(type_),
            sender=AgencyCode.parse(sender),
            recipients=(valid.header.sender,),
            conversation_id=valid.header.conversation_id,
            created_at=now,
            in_reply_to=valid.header.message_id,
            signer_certificate=key.certificate_sha256,
        )
        said = Receipt(
            header.type, valid.header.message_id, valid.header.sender, sha256_hex(subject), now
        )
        unsigned = compose_receipt(replace(said, **facts), header=header)
        return signer.sign_canonical(unsigned, key)

    def read(self, raw: bytes):
        context = Snapshots(self.store, self.settings, self.keys[HUB]).current()
        return context.validator.validate(context.verifier.verify(raw, at=datetime.now(UTC)))

    def router(self, lease: Lease | None = None) -> Router:
        return Router(
            store=self.store,
            consumer=TestConsumer(self.node, [INGRESS, DUE]),
            publisher=TestPublisher(self.node),
            snapshots=Snapshots(self.store, self.settings, self.keys[HUB]),
            clock=lambda: datetime.now(UTC),
            stop=threading.Event(),
            lease=lease,
        )

    def start_router(self) -> Router:
        router = self.router()
        thread = threading.Thread(target=router.run, daemon=True)
        thread.start()
        self.routers.append((router, thread))
        return router

    def stop_routers(self) -> None:
        for router, thread in self.routers:
            router.stop.set()
            thread.join(15)
            assert not thread.is_alive()
            router.consumer.close()
            router.publisher.close()
        self.routers.clear()

    def rows(self, statement: str) -> list[tuple]:
        with self.store.read() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement).all()]

    def eventually(self, statement: str, expected: list[tuple], timeout_s: float = 20) -> None:
        """Wait until a query of the store has that answer."""
        deadline = time.monotonic() + timeout_s
        while (found := self.rows(statement)) != expected and time.monotonic() < deadline:
            time.sleep(0.1)
        assert found == expected


def claimed(raw: bytes) -> str:
    start = raw.index(b"<MessageId>") + len(b"<MessageId>")
    return MessageId.parse(raw[start : start + 36].decode()).value


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateNode]:
    if not SERVER.exists():
        pytest.fail("rabbitmq-server is not installed: apt install rabbitmq-server")
    folder = tmp_path_factory.mktemp("rabbit") / "node"
    made = PrivateNode(folder)
    try:
        made.start()
        yield made
    finally:
        made.end()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def pki_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("pki")
    codes = [AgencyCode.parse(code) for code in (*AGENCIES, HUB)]
    build(home, codes, now=datetime.now(UTC), hub_code=AgencyCode.parse(HUB))
    return home


@pytest.fixture
def hub(node: PrivateNode, pki_home: Path, tmp_path: Path) -> Iterator[Installation]:
    """A fresh store and empty queues, with a running router."""
    shutil.copytree(pki_home / "pki", tmp_path / "pki")
    settings = Settings(home=tmp_path, hub=HubSection(code=HUB))
    store = Store.open(settings.store_url, create=True)
    at = datetime.now(UTC)
    directory.replace_agencies(store, sample_rows(ATTACHED), actor="test", at=at)
    for rule in demo_rules():
        directory.add_rule(store, rule, "test", at)
    keys = {}
    for code in (*AGENCIES, HUB):
        folder = settings.pki / "agencies" / code
        key = keys[code] = load_pem(folder / "key.pem", folder / "cert.pem")
        begins = key.certificate.not_valid_before_utc
        row = CertificateRow(key.certificate_sha256, code, key.certificate_der, begins)
        directory.add_certificate(store, row, "test", at)
    connection = node.connect("hub")
    channel = connection.channel()
    for queue in _definitions()["queues"]:
        channel.queue_purge(queue["name"])
    connection.close()
    made = Installation(node, settings, store, keys)
    made.start_router()
    yield made
    made.stop_routers()
    store.close()
