"""A RabbitMQ node, a SQLite store and a router on them: nothing here is a double.

Agencies send by the hub's own client; what arrives is looked at by pika, a client of other people.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pika
import pytest

from hub.broker.client import AgencyClient
from hub.broker.consumer import WindowConsumer
from hub.broker.node import Node, NodeInfo
from hub.broker.ports import Outcome, WindowLimits
from hub.broker.publisher import ConfirmPublisher
from hub.codes import AgencyCode, Environment, MessageId, MessageType
from hub.envelope import EnvelopeDraft, Header, Receipt, SignedEnvelope, sha256_hex
from hub.routing.access import demo_rules
from hub.routing.process import Router
from hub.routing.snapshot import Snapshots, new_id
from hub.schemas.compose import compose
from hub.schemas.example import example_draft
from hub.schemas.receipts import compose_receipt
from hub.settings import BrokerSection, HubSection, Settings
from hub.signing import signer
from hub.signing.keys import SigningKey, load_pem
from hub.store import directory
from hub.store.engine import Store
from hub.store.lease import Lease
from hub.store.rows import CertificateRow
from hub.testing.broker import RUNGS_S, Broker, fresh_vhost
from hub.testing.pki import build
from hub.testing.world import DEPARTMENT, HUB, MERGED, ONE_STOP, OTHER, sample_rows

AGENCIES = (ONE_STOP, DEPARTMENT, OTHER, MERGED)
ATTACHED = (*AGENCIES, "H12.05")
"""H12.05 is attached in the directory and has no queue: what goes there comes back."""
INGRESS, DUE = "hub.ingress.0", "hub.retry.due"
WINDOW = WindowLimits(messages=50)


@dataclass(frozen=True)
class Taken:
    """What pika found in a queue: the bytes, and the hub's headers without their prefix."""

    raw: bytes
    headers: dict[str, object]


@dataclass
class Installation:
    """One home on one node: agencies that send and receive, and a router in a thread."""

    broker: Broker
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
        code = AgencyCode.parse(account)
        envelopes = [SignedEnvelope(raw, MessageId(claimed(raw)), code) for raw in bodies]
        with closing(AgencyClient(self.broker.agency_url(account), account)) as client:
            assert set(client.publish(envelopes)) == {Outcome.CONFIRMED}

    def take(self, queue: str, count: int, timeout_s: float = 20) -> list[Taken]:
        """Take ``count`` messages from a queue and acknowledge them."""
        found: list[Taken] = []
        with self.looking() as channel:
            channel.basic_qos(prefetch_count=count)
            deadline = time.monotonic() + timeout_s
            for method, properties, raw in channel.consume(queue, inactivity_timeout=0.2):
                if method is not None:
                    channel.basic_ack(method.delivery_tag)
                    found.append(Taken(raw, ours(properties)))
                if len(found) == count or time.monotonic() > deadline:
                    break
            channel.cancel()
        return found

    @contextmanager
    def looking(self) -> Iterator[pika.adapters.blocking_connection.BlockingChannel]:
        connection = pika.BlockingConnection(pika.URLParameters(self.broker.admin_url))
        try:
            yield connection.channel()
        finally:
            connection.close()

    def left_in(self, queue: str) -> int:
        with self.looking() as channel:
            return int(channel.queue_declare(queue, passive=True).method.message_count)

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
            consumer=WindowConsumer(self.broker.amqp_url, [INGRESS, DUE], WINDOW),
            publisher=ConfirmPublisher(self.broker.amqp_url, confirm_timeout_s=10),
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


def ours(properties: pika.BasicProperties) -> dict[str, object]:
    prefix = "x-lt-"
    named = (properties.headers or {}).items()
    return {name.removeprefix(prefix): value for name, value in named if name.startswith(prefix)}


@pytest.fixture(scope="session")
def pki_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("pki")
    codes = [AgencyCode.parse(code) for code in (*AGENCIES, HUB)]
    build(home, codes, now=datetime.now(UTC), hub_code=AgencyCode.parse(HUB))
    return home


@contextmanager
def installed(node: NodeInfo, pki_home: Path, home: Path) -> Iterator[Installation]:
    """A fresh store and a fresh virtual host, with a running router."""
    shutil.copytree(pki_home / "pki", home / "pki")
    section = BrokerSection(shards=1, rungs_s=RUNGS_S)
    settings = Settings(home=home, hub=HubSection(code=HUB), broker=section)
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
    with fresh_vhost(node, home, AGENCIES) as broker:
        made = Installation(broker, settings, store, keys)
        made.start_router()
        try:
            yield made
        finally:
            made.stop_routers()
    store.close()


@pytest.fixture
def hub(node: NodeInfo, pki_home: Path, tmp_path: Path) -> Iterator[Installation]:
    """An installation on the node that all tests share."""
    with installed(node, pki_home, tmp_path) as made:
        yield made


@pytest.fixture
def hub_apart(spare_node: Node, pki_home: Path, tmp_path: Path) -> Iterator[Installation]:
    """An installation on the node that may be stopped."""
    with installed(spare_node.info, pki_home, tmp_path) as made:
        yield made
