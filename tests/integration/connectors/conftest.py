"""What the connector tests share: a clock, the two agencies, and a carrier between them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest

from connectors.one_stop.database import connect
from connectors.one_stop.mapping import load
from connectors.one_stop.sink import SqlSink
from connectors.one_stop.source import SqlSource
from connectors.simulators import one_stop as vendor
from hub.adapters.contract import Draft, Inbound, Item
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
    source = SqlSource(engine, mapping, agency, TRIAL, lambda: NOW)
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
