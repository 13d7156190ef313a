"""The test bed: a connector's module on a throw-away partner, with keys of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Protocol

from hub.adapters.contract import Inbound, Item, Parts, Sink, Source
from hub.adapters.edge_settings import ConnectorSettings
from hub.adapters.edge_signer import EdgeSigner
from hub.adapters.incoming import Incoming
from hub.codes import AgencyCode, Environment
from hub.envelope import Arrival
from hub.schemas.validate import Validator, ValidEnvelope
from hub.signing.trust import TrustStore
from hub.signing.verifier import Verifier
from hub.testing.conformance import snapshot
from hub.testing.conformance.verdict import NotConcerned
from hub.testing.pki import TestPki

AGENCY = AgencyCode.parse("H12.15")
"""The agency that connectors are checked for."""
PEER = AgencyCode.parse("H13.15")
"""Who writes to it, where the source's own records name nobody."""
LIMIT = 1000
MAX_AGE_DAYS = 30


class Module(Protocol):
    """What the suite needs of a connector's module."""

    def factory(self, settings: ConnectorSettings) -> Parts:
        """Make the parts."""

    def check_fixture(self, folder: Path) -> AbstractContextManager[Mapping[str, object]]:
        """Make a throw-away partner; gives the options to reach it."""


@dataclass
class Keys:
    """Keys and trust for the agency and whoever writes to it; made once, they protect nothing."""

    pki: TestPki = field(default_factory=TestPki.make)

    def signer(self, agency: AgencyCode) -> EdgeSigner:
        """Return an agency's signer, as the runner has one."""
        key = self.pki.agency(agency.value, "p256")
        return EdgeSigner(agency, Environment.TRIAL, key, MAX_AGE_DAYS)

    def valid(self, raw: bytes, at: datetime) -> ValidEnvelope:
        """Verify and validate signed bytes as every receiver does."""
        verified = Verifier(TrustStore(self.pki.material())).verify(raw, at=at)
        return Validator().validate(verified)

    def inbound(self, raw: bytes, receiver: AgencyCode) -> Inbound:
        """Return signed bytes as a sink gets them."""
        now = datetime.now(UTC)
        return Incoming(Arrival(raw, 1), self.valid(raw, now), 0, now).handed(receiver)


@dataclass
class Bed:
    """One partner and the way to it."""

    module: Module
    folder: Path
    options: Mapping[str, object]
    keys: Keys
    take_away: Callable[[], None]

    def parts(self) -> Parts:
        """Make the connector's parts anew, as after a restart."""
        kind = getattr(self.module, "__name__", "connector").removesuffix(".app").rpartition(".")[2]
        return self.module.factory(
            ConnectorSettings(
                name="check",
                kind=kind,
                agency=AGENCY,
                environment=Environment.TRIAL,
                folder=self.folder,
                options=self.options,
            )
        )

    def source(self) -> Source:
        """Return a new source; raises ``NotConcerned`` when the connector has none."""
        found = self.parts().source
        if found is None:
            raise NotConcerned("đầu nối không có Source", "the connector has no Source")
        return found

    def sink(self) -> Sink:
        """Return a new sink; raises ``NotConcerned`` when the connector has none."""
        found = self.parts().sink
        if found is None:
            raise NotConcerned("đầu nối không có Sink", "the connector has no Sink")
        return found

    def items(self) -> list[Item]:
        """Return every record that a new source finds from the start."""
        return list(self.source().poll(None, LIMIT).items)

    @cached_property
    def drafts(self) -> list[Item]:
        """The records that can be sent; none when there is no source."""
        source = self.parts().source
        found = [] if source is None else source.poll(None, LIMIT).items
        return [item for item in found if item.draft is not None]

    def observe(self) -> dict[str, str]:
        """Return what the partner holds now."""
        own = getattr(self.module, "check_observe", None)
        if own is not None:
            return dict(own(self.options, self.folder))
        return snapshot.of_folder(self.folder)

    def says(self, flag: str) -> bool:
        """Whether the module declares something about itself (``REPEATABLE``, ``ATTACHMENTS``)."""
        return bool(getattr(self.module, flag, False))

    def down(self) -> None:
        """Take the partner away; one that still answers then is a folder, which is moved aside."""
        watcher = self.parts().probe
        self.take_away()
        try:
            still = watcher.probe().ok
        except Exception:  # noqa: BLE001  judged by the case about the probe
            still = False
        if still:
            self.folder.rename(self.folder.with_name(f"{self.folder.name}.gone"))


@contextmanager
def bed(module: Module, root: Path, keys: Keys) -> Iterator[Bed]:
    """Make a bed in a new folder under ``root``; its partner is gone at the end."""
    folder = root / f"partner-{len(list(root.iterdir()))}"
    folder.mkdir()
    fixture = module.check_fixture(folder)
    options = fixture.__enter__()
    left: list[bool] = []

    def take_away() -> None:
        if not left:
            left.append(True)
            fixture.__exit__(None, None, None)

    try:
        yield Bed(module, folder, options, keys, take_away)
    finally:
        take_away()
