"""What an agency's connector must know to judge packets, whatever its vendor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from hub.adapters.dates import VIETNAM
from hub.codes import AgencyCode, CodeKind, Environment
from hub.schemas.edxml import Dialect, ReadOptions
from hub.schemas.edxml.vocabulary import REQUIRED

DIALECTS = {"java": Dialect.JAVA, "net": Dialect.DOTNET, "dotnet": Dialect.DOTNET}
"""How settings name the dialects that are written."""


@dataclass(frozen=True, slots=True)
class OwnOrgan:
    """How the agency signs its own answers; empty texts are taken from the packet answered."""

    name: str = ""
    in_charge: str = ""
    address: str = ""
    email: str = ""
    telephone: str = ""
    fax: str = ""
    website: str = ""


@dataclass(frozen=True, slots=True)
class DmsRules:
    """Settings of one agency's document management."""

    agency: AgencyCode
    environment: Environment
    aliases: frozenset[AgencyCode] = frozenset()
    """Other codes of this agency that its software writes in ``From``."""
    organ: OwnOrgan = OwnOrgan()
    dialect: Dialect = Dialect.JAVA
    """For what the connector itself writes."""
    automatic_01: bool = True
    """Answer every document that arrives with status 01."""
    system: str = "dms"
    """The source system's name in statuses."""
    check_sender: bool = True
    """Refuse an arriving packet whose ``From`` is another agency's than the sender, if known."""
    known_as: Mapping[str, str] = field(default_factory=dict)
    """Codes that partners still write in ``From``, and whose they are now."""
    accept_edoc: bool = False
    refuse_damaged: bool = False
    priority_from_one: bool = False

    @property
    def own(self) -> frozenset[AgencyCode]:
        """All codes of this agency."""
        return self.aliases | {self.agency}

    def owner_of(self, code: AgencyCode) -> str:
        """Return whose a code is; empty for an older code that only a directory could tell."""
        if code in self.own:
            return self.agency.value
        known = self.known_as.get(code.value)
        return known or (code.value if code.kind is CodeKind.NEW else "")

    def reading(self, now: datetime, *, arriving: bool = False) -> ReadOptions:
        """Return how packets are read at ``now``; one that has arrived need not be complete."""
        return ReadOptions(
            now.astimezone(VIETNAM).date(),
            self.environment,
            accept_edoc=self.accept_edoc,
            refuse_damaged=self.refuse_damaged and not arriving,
            priority_from_one=self.priority_from_one,
            required=frozenset({"DocumentId"}) if arriving else REQUIRED,
        )
