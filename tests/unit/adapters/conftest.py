"""One connector's edge: real store, real signatures; only the broker's client is scripted."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.adapters.contract import Applied, Batch, Confirmation, Draft, Health, Inbound, Item, Parts
from hub.adapters.edge import Edge
from hub.adapters.edge_signer import EdgeSigner
from hub.adapters.inbound import InboundLane
from hub.adapters.outbound import OutboundLane
from hub.broker.ports import Outcome
from hub.codes import DossierCode, Environment, MessageType
from hub.envelope import Arrival, Payload, Receipt, Recipient, SignedEnvelope
from hub.errors import SinkUnavailable
from hub.schemas.example import example_draft
from hub.schemas.receipts import read_receipt
from hub.store.edge import EdgeStore
from hub.testing.pki import TestPki
from hub.testing.world import HUB, MERGED, NOW, OTHER, World, code, make_pki

OWN, PEER = OTHER, MERGED
"""The agency whose connector is tested, and one that it exchanges messages with (P-256 keys)."""
TRIAL = Environment.TRIAL


@pytest.fixture(scope="session")
def pki() -> TestPki:
    return make_pki()


@pytest.fixture
def world(pki: TestPki) -> World:
    return World.of(pki)


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Stop(threading.Event):
    """A stop that never lets a test wait: time is the clock's."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


@dataclass
class Queue:
    """What the broker keeps: the inbox, and everything that was published to the hub."""

    ready: deque[Arrival] = field(default_factory=deque)
    unacked: dict[int, Arrival] = field(default_factory=dict)
    published: list[bytes] = field(default_factory=list)
    acked: list[bytes] = field(default_factory=list)
    pauses: int = 0
    outcomes: deque[Outcome] = field(default_factory=deque)
    """What becomes of the next publications; ``CONFIRMED`` when there is nothing here."""
    tags: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def put(self, raw: bytes, seq: int = 0, **headers: object) -> None:
        found = {"seq": seq, **headers} if seq else headers
        self.ready.append(Arrival(raw, 0, queue=f"inbox.{OWN}", headers=found))

    def give_back(self) -> None:
        for arrival in reversed(self.unacked.values()):
            again = replace(arrival, redeliveries=arrival.redeliveries + 1)
            self.ready.appendleft(again)
        self.unacked.clear()


class ScriptedClient:
    """The client's port over a :class:`Queue`; a new one gets what the old one had not acked."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue

    def publish(self, envelopes: Sequence[SignedEnvelope]) -> list[Outcome]:
        outcomes = []
        for envelope in envelopes:
            outcome = self.queue.outcomes.popleft() if self.queue.outcomes else Outcome.CONFIRMED
            outcomes.append(outcome)
            if outcome is not Outcome.REFUSED:
                self.queue.published.append(envelope.raw)
        return outcomes

    def receive(self, *, limit: int, timeout_s: float) -> list[Arrival]:
        assert limit > 0
        found = []
        while self.queue.ready and len(found) < limit:
            arrival = replace(self.queue.ready.popleft(), tag=next(self.queue.tags))
            self.queue.unacked[arrival.tag] = arrival
            found.append(arrival)
        return found

    def ack(self, arrivals: Sequence[Arrival]) -> None:
        for arrival in arrivals:
            self.queue.acked.append(self.queue.unacked.pop(arrival.tag).raw)

    def reject(self, arrivals: Sequence[Arrival], *, requeue: bool = True) -> None:
        raise NotImplementedError

    def pause(self) -> None:
        self.queue.pauses += 1
        self.queue.give_back()

    def close(self) -> None:
        self.queue.give_back()


@dataclass
class Legacy:
    """A partner's system as source, sink and probe: it keeps what it was given, by key."""

    records: list[Item] = field(default_factory=list)
    applied: dict[str, Inbound] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)
    """Keys as they were written; one that stands here twice was applied twice."""
    told: list[tuple[str, Confirmation, Receipt | None]] = field(default_factory=list)
    fail: deque[Exception | None] = field(default_factory=deque)
    """What the next calls of ``apply`` raise; ``None``: nothing."""
    lookup_fails: Exception | None = None
    up: bool = True
    replies: tuple[Draft, ...] = ()

    def poll(self, checkpoint: str | None, limit: int) -> Batch:
        if not self.up:
            raise SinkUnavailable
        start = int(checkpoint or 0)
        found = tuple(self.records[start : start + limit])
        return Batch(found, str(start + len(found)))

    def confirm(self, key: str, confirmation: Confirmation, receipt: Receipt | None) -> None:
        if not self.up:
            raise SinkUnavailable
        self.told.append((key, confirmation, receipt))

    def apply(self, message: Inbound, key: str) -> Applied:
        self.calls.append(key)
        error = self.fail.popleft() if self.fail else None
        if error is not None:
            raise error
        if not self.up:
            raise SinkUnavailable
        self.effects.append(key)
        self.applied[key] = message
        return Applied(f"ref-{len(self.applied)}", self.replies)

    def lookup(self, key: str) -> Applied | None:
        if self.lookup_fails is not None:
            raise self.lookup_fails
        return Applied("found", self.replies) if key in self.applied else None

    def probe(self) -> Health:
        return Health(self.up)


class FixedTrust:
    """The world's trust, which never changes."""

    def __init__(self, world: World) -> None:
        self._verifier = world.context.verifier

    def verifier(self, at: datetime):
        return self._verifier

    def check_own(self, *_: object) -> None: ...


@dataclass
class Desk:
    """One connector at work: store, partner's system, broker, and both lanes."""

    world: World
    path: Path
    legacy: Legacy = field(default_factory=Legacy)
    queue: Queue = field(default_factory=Queue)
    clock: Clock = field(default_factory=Clock)
    accepts: tuple[str, ...] = ("*",)
    agency: str = OWN
    wrap: Callable[[Any], Any] = lambda part: part
    """Puts something between the lanes and their store, client and partner's system."""

    def __post_init__(self) -> None:
        self.stop = Stop()
        self.store = EdgeStore.open(self.path)
        self.client = self.wrap(ScriptedClient(self.queue))
        self.start()

    def start(self) -> None:
        """Make the lanes, as after a start of the process."""
        legacy = self.wrap(self.legacy)
        parts = Parts(legacy, legacy, legacy, self.accepts)
        own = code(self.agency)
        self.edge = Edge(
            agency=own,
            hub=code(HUB),
            environment=TRIAL,
            parts=parts,
            store=self.wrap(self.store),
            signer=EdgeSigner(own, TRIAL, self.world.key(own)),
            trust=FixedTrust(self.world),
            clock=self.clock,
            stop=self.stop,
        )
        self.outbound = OutboundLane(self.edge, poll_s=1.0)
        self.inbound = InboundLane(self.edge)

    def restart(self) -> None:
        """Start anew on the same file: what was in memory is gone, the unacked comes again."""
        self.queue.give_back()
        self.store.close()
        self.store = EdgeStore.open(self.path)
        self.client = self.wrap(ScriptedClient(self.queue))
        self.start()

    def receive(self, raw: bytes = b"", seq: int = 0) -> list[str]:
        """Let a message come in (if given), do one round, and return the types published by it."""
        if raw:
            self.queue.put(raw, seq)
        before = len(self.queue.published)
        self.inbound.step(self.client, 0.0)
        return [self.read(one).header.type.value for one in self.queue.published[before:]]

    def send(self) -> list[bytes]:
        """Poll, publish and tell once; return the bytes published."""
        before = len(self.queue.published)
        self.clock.forward(1.0)
        self.outbound.poll()
        self.outbound.publish(self.client)
        self.outbound.tell()
        return self.queue.published[before:]

    def read(self, raw: bytes):
        return self.world.read(raw)

    def receipt_of(self, raw: bytes) -> Receipt:
        return read_receipt(self.read(raw))

    def message(self, type_: str = "dossier.received", sender: str = PEER, **header) -> bytes:
        """Return a signed example for this agency."""
        return self.world.signed(self.world.draft(type_, sender, self.agency, **header))

    def key_of(self, raw: bytes) -> str:
        header = self.read(raw).header
        return f"{header.sender}/{header.message_id}"

    def say(self, type_: str, sender: str, subject: bytes, **facts) -> bytes:
        """Return a signed receipt about one of our messages."""
        return self.world.receipt(type_, sender, subject, **facts).raw

    def accepted(self, subject: bytes, *, resolved: str = "", via: str = "exact") -> bytes:
        """Return the hub's receipt.accepted: every receiver resolved to itself or ``resolved``."""
        told = tuple(
            Recipient(to, "queued", code(resolved) if resolved else to, via)
            for to in self.read(subject).header.recipients
        )
        return self.say("receipt.accepted", HUB, subject, recipients=told)

    def item(self, key: str, *to: str, type_: str = "dossier.received", **fields) -> Item:
        """Return a record to send, with an example's payload."""
        receivers = tuple(code(one) for one in to or (PEER,))
        made = example_draft(type_, code(OWN), receivers, now=NOW, environment=TRIAL)
        draft = Draft(
            MessageType(type_),
            receivers,
            made.payload,
            made.attachments,
            dossier_code=made.header.dossier_code,
            document_id=made.header.document_id,
        )
        return Item(key, replace(draft, **fields), label=key)

    def broken(self, key: str) -> Item:
        """Return a record whose payload no schema accepts."""
        return self.item(key, payload=Payload("DossierReceived", {"No": "x"}))

    def stream(self, of: int, dossier: str = "HS-1") -> list[bytes]:
        """Return messages of one dossier, in order; their running numbers count from 1."""
        return [self.message(dossier_code=DossierCode(dossier)) for _ in range(of)]


@pytest.fixture
def desk(world: World, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(world, tmp_path / "edge.sqlite")
    yield made
    made.store.close()


@pytest.fixture(scope="session")
def make_desk(pki: TestPki) -> Callable[..., Desk]:
    """For tests that need many desks: the caller gives the path, and closes the store."""
    return lambda path, **fields: Desk(World.of(pki), path, **fields)
