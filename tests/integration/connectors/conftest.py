"""What the connector tests share: a clock, the two agencies, and a carrier between them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pytest

from connectors.one_stop.database import connect
from connectors.one_stop.mapping import load
from connectors.one_stop.sink import SqlSink
from connectors.one_stop.source import SqlSource
from connectors.simulators import one_stop as vendor
from connectors.vnpost.client import Ngsp
from connectors.vnpost.config import VnpostConfig
from connectors.vnpost.sink import OrderSink
from connectors.vnpost.source import TrackingSource
from hub.adapters.contract import Draft, Inbound, Item
from hub.adapters.one_stop.events import EventMaker
from hub.codes import AgencyCode, Environment, MessageId
from hub.envelope import EnvelopeDraft, Header
from hub.schemas.compose import compose
from hub.schemas.validate import Validator

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=timezone.utc)
TRIAL = Environment.TRIAL
COMMUNE = AgencyCode.parse("H12.101.01", TRIAL)
DEPARTMENT = AgencyCode.parse("H12.15", TRIAL)
POST = AgencyCode.parse("0100000000", TRIAL)


class Carrier:
    """Does what hub and runner do between a source and a sink, without the wire."""

    def __init__(self) -> None:
        self.count = 0

    def inbound(self, draft: Draft, sender: AgencyCode) -> Inbound:
        """Compose the draft, judge it by the schema, and hand it over as a received message."""
        self.count += 1
        made = MessageId.new(1_772_600_000_000 + self.count, self.count.to_bytes(10, "big"))
        header = Header(
            made, TRIAL, draft.type, sender, draft.recipients, made, NOW,
            dossier_code=draft.dossier_code, document_id=draft.document_id,
        )  # fmt: skip
        Validator().check_draft(compose(EnvelopeDraft(header, draft.payload, draft.attachments)))
        return Inbound(
            made, draft.type, sender, draft.recipients[0], NOW, made, draft.payload,
            draft.attachments, "0" * 64, dossier_code=draft.dossier_code,
            document_id=draft.document_id,
        )  # fmt: skip

    def carry(self, items: Iterable[Item], sender: AgencyCode, sink) -> list[str]:
        """Give every item to the sink; returns the types carried."""
        types = []
        for item in items:
            assert item.error is None, item.error
            message = self.inbound(item.draft, sender)
            sink.apply(message, message.key)
            types.append(str(message.type))
        return types


@pytest.fixture
def carrier():
    """A carrier between a source and a sink."""
    return Carrier()


def office(db: Path, profile: str, agency: AgencyCode):
    """Make one vendor's database with the connector's source and sink on it."""
    vendor.create(db, profile)
    engine = connect(f"sqlite:///{db}")
    mapping = load(profile, Path())
    source = SqlSource(engine, mapping, EventMaker(mapping, agency, TRIAL, lambda: NOW))
    return SimpleNamespace(db=db, source=source, sink=SqlSink(engine, mapping), code=agency)


@pytest.fixture
def commune(tmp_path):
    """A commune's one-stop with two dossiers waiting to go up."""
    made = office(tmp_path / "commune.db", "commune", COMMUNE)
    vendor.fill_commune(made.db)
    return made


@pytest.fixture
def department(tmp_path):
    """A department's one-stop, empty."""
    return office(tmp_path / "department.db", "department", DEPARTMENT)


LATER = datetime(2026, 3, 12, 2, 0, tzinfo=timezone.utc)
DESK = {
    "code": "H12.15",
    "name": "Bộ phận Một cửa minh họa",
    "address": "Số 2 đường Minh Họa",
    "phone": "0240000000",
    "province": "10",
}


class Running:
    """A server process and the connector's parts on it; leaving stops it by SIGTERM."""

    def __init__(self, data: Path, folder: Path, **options):
        self.command = [sys.executable, "-m", "connectors.simulators.vnpost", "--data", str(data)]
        self.secret = folder / "secret"
        self.secret.touch(mode=0o600)
        self.secret.write_text("sim-secret")
        self.options = options

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        url = json.loads(self.process.stdout.readline())["url"]
        options = {
            "url": url,
            "consumer_key": "sim-key",
            "secret_file": str(self.secret),
            "timeout_s": 1.0,
            "page_size": 2,
            "customers": {"crm": DESK},
            **self.options,
        }
        config = VnpostConfig.parse(options)
        self.client = Ngsp(config)
        source = TrackingSource(self.client, config, TRIAL, lambda: LATER)
        self.hands = httpx2.Client(base_url=f"{url}/_sim/", trust_env=False)
        return SimpleNamespace(
            source=source,
            sink=OrderSink(self.client, config),
            config=config,
            client=self.client,
            do=lambda action, **body: self.hands.post(action, json=body).json(),
            see=lambda what: self.hands.get(what).json(),
            stop=self.stop,
        )

    def stop(self):
        """Stop the server by SIGTERM; it ends with status 0."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(10) == 0

    def __exit__(self, *_):
        self.client.close()
        self.hands.close()
        if self.process.poll() is None:
            self.stop()
        self.process.stdout.close()


@pytest.fixture
def post(tmp_path):
    """A post of our own: a server process that keeps its books in a file."""
    with Running(tmp_path / "post.sqlite", tmp_path) as made:
        yield made


@pytest.fixture
def running():
    """The class that runs a server process, for tests that start it more than once."""
    return Running
