"""An agency with folders, and the connector's parts on them, for the tests of the connector."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest

from connectors.dms.app import parts
from connectors.simulators import dms as clerks
from hub.adapters.contract import Confirmation, Draft, Inbound
from hub.adapters.dms.making import Order
from hub.codes import AgencyCode, Environment, MessageId
from hub.envelope import EnvelopeDraft, Header
from hub.schemas.compose import compose
from hub.schemas.validate import Validator

TRIAL = Environment.TRIAL
NOW = datetime(2026, 3, 20, 2, 0, tzinfo=timezone.utc)


class Clock:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Office:
    """One agency's folders and connector."""

    root: Path
    code: AgencyCode
    clock: Clock
    options: dict[str, object]

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        for name in ("out", "in", "sent", "failed"):
            (self.root / name).mkdir(exist_ok=True)
        self.start()

    def start(self) -> None:
        """Make the connector's parts anew, as after a crash."""
        given = {f"{name}_folder": name for name in ("out", "in", "sent", "failed")}
        made = parts(
            {"settle_s": 0, **given, **self.options}, self.code, TRIAL, self.root, self.clock
        )
        self.source, self.sink, self.probe = made.source, made.sink, made.probe

    def folder(self, name: str) -> Path:
        return self.root / name

    def files(self, name: str) -> list[str]:
        """Return the names that a clerk sees in a folder."""
        return sorted(path.name for path in self.folder(name).iterdir() if path.name[0] != ".")

    def put(self, data: bytes, name: str = "vb.edxml") -> Path:
        path = self.folder("out") / name
        path.write_bytes(data)
        return path

    def new(self, *to: str, **given) -> bytes:
        """Let a clerk write a document; return its bytes."""
        made = clerks.new(Order(self.code.value, to, **given), self.folder("out"), self.clock.now)
        return Path(made["file"]).read_bytes()

    def items(self, limit: int = 50):
        return self.source.poll(None, limit).items

    def confirm(self, key: str, what: str, receipt=None) -> None:
        self.source.confirm(key, Confirmation(what), receipt)


COUNT = iter(range(1, 1_000_000))


def inbound(draft: Draft, sender: AgencyCode, receiver: AgencyCode) -> Inbound:
    """Compose a draft, hold it to the schema, and hand it over as a received message."""
    number = next(COUNT)
    made = MessageId.new(1_772_600_000_000 + number, number.to_bytes(10, "big"))
    header = Header(
        made, TRIAL, draft.type, sender, draft.recipients, draft.conversation_id or made, NOW,
        document_id=draft.document_id, in_reply_to=draft.in_reply_to, priority=draft.priority,
    )  # fmt: skip
    Validator().check_draft(compose(EnvelopeDraft(header, draft.payload, draft.attachments)))
    return Inbound(
        made, draft.type, sender, receiver, NOW, header.conversation_id, draft.payload,
        draft.attachments, "0" * 64, document_id=draft.document_id,
        in_reply_to=draft.in_reply_to, priority=draft.priority,
    )  # fmt: skip


def carry(items, sender: Office, *receivers: Office) -> list[Draft]:
    """Do what hub and runners do: publish, confirm, hand over; return the replies."""
    replies = []
    for item in items:
        assert item.error is None, item.error
        for receiver in receivers:
            if receiver.code in item.draft.recipients:
                message = inbound(item.draft, sender.code, receiver.code)
                replies += receiver.sink.apply(message, message.key).replies
        sender.confirm(item.key, "published")
    return replies


@pytest.fixture
def clock():
    """The clock of all offices."""
    return Clock()


@pytest.fixture
def office(tmp_path, clock):
    """Makes an agency with folders: ``office("H13.15", settle_s=2)``."""
    return lambda code, **options: Office(tmp_path / code, AgencyCode.parse(code), clock, options)


@pytest.fixture
def author(office):
    """The agency that writes."""
    return office("H13.15")


@pytest.fixture
def reader(office):
    """An agency that receives."""
    return office("H17.15")


@pytest.fixture
def hub():
    """What stands between connectors: ``hub.inbound(draft, sender, receiver)``, ``hub.carry``."""
    return SimpleNamespace(inbound=inbound, carry=carry)


@pytest.fixture
def sample():
    """Gives a sample packet's bytes."""
    folder = Path(__file__).parents[3] / "unit" / "edxml" / "samples"
    return lambda name: (folder / f"{name}.edxml").read_bytes()
