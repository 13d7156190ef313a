"""``hub bench relay``: a whole router on a private RabbitMQ node, next to a bare relay.

Everything is signed before the clock starts and lies in ``hub.ingress`` before each round. The
router then takes it, judges it, keeps it in a real store, delivers it and answers with receipts;
the bare relay only moves it on, with the same client, windows and confirms. They take turns.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from hub.broker import accounts
from hub.broker.consumer import WindowConsumer
from hub.broker.node import Node, NodeInfo
from hub.broker.ports import Outcome, Outgoing, WindowLimits
from hub.broker.publisher import ConfirmPublisher
from hub.broker.topology import Admin, apply, desired
from hub.codes import AgencyCode, Environment, MessageId
from hub.routing.access import demo_rules
from hub.routing.process import Router
from hub.routing.snapshot import Snapshots, new_id
from hub.schemas.example import example
from hub.settings import HubSection, Settings
from hub.signing import signer
from hub.signing.keys import SigningKey, load_pem
from hub.store import directory
from hub.store.engine import Store
from hub.store.rows import CertificateRow
from hub.testing.measure import Measurement
from hub.testing.pki import build
from hub.testing.world import sample_rows

SENDER, RECEIVER, HUB = "H12.15", "H13.15", "00.99.W00"
TYPE = "document.status"
TURNS = 4
SHARDS = 2
WARM_UP = 100
"""Messages that each side moves before the clock starts."""
IDLE_S = 0.2
Message = tuple[str, bytes]


@dataclass
class Bench:
    """A home, its node and its store, for as long as the benchmark runs."""

    settings: Settings
    store: Store
    info: NodeInfo
    keys: dict[str, SigningKey]
    limits: WindowLimits = field(default_factory=WindowLimits)

    @property
    def shards(self) -> list[str]:
        """The ingress queues."""
        return [f"hub.ingress.{number}" for number in range(SHARDS)]

    def consumer(self) -> WindowConsumer:
        """Return a consumer of every shard."""
        return WindowConsumer(self.info.amqp_url, self.shards, self.limits)

    def publisher(self) -> ConfirmPublisher:
        """Return a publisher on the hub's own account."""
        return ConfirmPublisher(self.info.amqp_url)

    def signed(self, size: int) -> Message:
        """Return a fresh message id and its signed envelope of exactly ``size`` bytes."""
        at, key = datetime.now(UTC), self.keys[SENDER]
        identity = new_id(at)
        overhead = len(signer.sign(_draft(at, None, identity), key))
        overhead -= len(_draft(at, None, identity))
        return identity.value, signer.sign(_draft(at, size - overhead, identity), key)

    def load(self, messages: list[Message]) -> None:
        """Put messages into the ingress; raises ``RuntimeError`` when one is not confirmed."""
        password = accounts.password(self.settings.home, SENDER)
        url = accounts.agency_url(self.info.amqp_url, SENDER, password)
        publisher = ConfirmPublisher(url, account=SENDER)
        for start in range(0, len(messages), 200):
            window = [
                Outgoing("hub.ingress", SENDER, raw, identity)
                for identity, raw in messages[start : start + 200]
            ]
            if set(publisher.publish_window(window)) != {Outcome.CONFIRMED}:
                raise RuntimeError("not confirmed")
        publisher.close()

    def empty(self) -> None:
        """Throw away what was delivered, so that each round meets the same broker."""
        inboxes = [f"inbox.{code}" for code in (SENDER, RECEIVER)]
        consumer = WindowConsumer(self.info.amqp_url, inboxes, WindowLimits(messages=1000))
        while arrivals := consumer.next_window(IDLE_S):
            consumer.ack(arrivals)
        consumer.close()


def _draft(at: datetime, size: int | None, identity: MessageId) -> bytes:
    return example(
        TYPE,
        AgencyCode.parse(SENDER),
        [AgencyCode.parse(RECEIVER)],
        now=at,
        environment=Environment.TRIAL,
        size=size,
        message_id=identity,
    )


@contextmanager
def _bench() -> Iterator[Bench]:
    folder = Path(tempfile.mkdtemp(prefix="hub-bench-"))
    node = Node(folder / "broker")
    store: Store | None = None
    try:
        settings = Settings(home=folder, hub=HubSection(code=HUB))
        keys = _keys(settings)
        store = Store.open(settings.store_url, create=True)
        _fill(store, keys)
        info = node.start()
        wanted = desired([SENDER, RECEIVER], [], shards=SHARDS, rungs=settings.broker.rungs_s)
        with Admin.open(info.amqp_url, info.management_url, folder) as admin:
            apply(wanted, admin)
        yield Bench(settings, store, info, keys)
    finally:
        if store is not None:
            store.close()
        node.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _keys(settings: Settings) -> dict[str, SigningKey]:
    codes = (SENDER, RECEIVER, HUB)
    parsed = [AgencyCode.parse(code) for code in codes]
    build(settings.home, parsed, now=datetime.now(UTC), hub_code=AgencyCode.parse(HUB))
    folders = {code: settings.pki / "agencies" / code for code in codes}
    return {code: load_pem(at / "key.pem", at / "cert.pem") for code, at in folders.items()}


def _fill(store: Store, keys: dict[str, SigningKey]) -> None:
    at = datetime.now(UTC)
    directory.replace_agencies(store, sample_rows((SENDER, RECEIVER)), actor="bench", at=at)
    for rule in demo_rules():
        directory.add_rule(store, rule, "bench", at)
    for code, key in keys.items():
        begins = key.certificate.not_valid_before_utc
        row = CertificateRow(key.certificate_sha256, code, key.certificate_der, begins)
        directory.add_certificate(store, row, "bench", at)


@dataclass
class _Side:
    """One of the two that take turns: what it did, and how long it took."""

    name: str
    step: Callable[[], int]
    """Move one window on and return its number of messages."""
    each: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    def take(self, count: int, *, counted: bool = True) -> None:
        """Move ``count`` messages on; a message's time is that of its window."""
        done, cpu, started = 0, time.process_time(), time.perf_counter()
        while done < count:
            before = time.perf_counter()
            moved = self.step()
            done += moved
            if counted:
                self.each += [time.perf_counter() - before] * moved
        if counted:
            self.seconds += time.perf_counter() - started
            self.cpu_seconds += time.process_time() - cpu

    def measured(self, stages: dict[str, float], size: int) -> Measurement:
        """Return what was measured."""
        facts = {"bytes": size, "windows_of": WindowLimits().messages, "algorithm": "RSA_SHA256"}
        count = len(self.each)
        return Measurement(
            self.name, count, self.seconds, self.cpu_seconds, self.each, stages, facts=facts
        )


def relay(size: int, count: int) -> Iterator[Measurement]:
    """Measure the router and the bare relay on the same messages' sizes, by turns."""
    with _bench() as bench:
        consumer, publisher = bench.consumer(), bench.publisher()
        snapshots = Snapshots(bench.store, bench.settings, bench.keys[HUB])
        router = Router(
            store=bench.store,
            consumer=consumer,
            publisher=publisher,
            snapshots=snapshots,
            clock=lambda: datetime.now(UTC),
            stop=threading.Event(),
        )
        routed = _Side("relay", lambda: router.step(IDLE_S))
        bare = _Side("relay-bare", lambda: _moved_on(consumer, publisher))
        each = max(1, count // TURNS)
        before: dict[str, float] = {}
        for turn in range(TURNS + 1):
            number = each if turn else WARM_UP
            if turn == 1:
                before = router.stages.as_dict() | {"waited": publisher.waited_s}
            messages = [bench.signed(size) for _one in range(number)]
            for side in (routed, bare):
                waited = publisher.waited_s
                bench.load(messages if side is routed else [bench.signed(size) for _ in messages])
                side.take(number, counted=turn > 0)
                if side is bare:
                    before["waited"] = before.get("waited", 0.0) + publisher.waited_s - waited
                bench.empty()
        after = router.stages.as_dict() | {"waited": publisher.waited_s}
        spent = {name: after[name] - before.get(name, 0.0) for name in after}
        yield routed.measured(_stages(spent), size)
        yield bare.measured({}, size)
        consumer.close()
        publisher.close()


def _stages(spent: dict[str, float]) -> dict[str, float]:
    """Name the stages as the command's contract does: seconds of all messages together."""
    waited = spent.pop("waited")
    for counted in ("messages", "windows"):
        spent.pop(counted, None)
    return spent | {"publish": spent["publish"] - waited, "confirm": waited}


def _moved_on(consumer: WindowConsumer, publisher: ConfirmPublisher) -> int:
    """Take a window, publish it to the receiver, wait for the confirms, acknowledge."""
    arrivals = consumer.next_window(IDLE_S)
    outgoing = [
        Outgoing("hub.delivery", RECEIVER, one.raw, one.claimed_id or "") for one in arrivals
    ]
    if outgoing and set(publisher.publish_window(outgoing)) != {Outcome.CONFIRMED}:
        raise RuntimeError("not confirmed")
    consumer.ack(arrivals)
    return len(arrivals)
