"""Settings of the folder connector, and the rules they make."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from hub.adapters.dms.rules import DIALECTS, DmsRules, OwnOrgan
from hub.adapters.options import Options, parse
from hub.codes import AgencyCode, Environment
from hub.errors import ConfigInvalid, HubError


class OrganOptions(Options):
    """``[options.organ]``: how the agency signs its automatic answers."""

    name: str = ""
    in_charge: str = ""
    address: str = ""
    email: str = ""
    telephone: str = ""
    fax: str = ""
    website: str = ""


class DmsOptions(Options):
    """``[options]``; folders are relative to the settings file."""

    out_folder: Path
    """Where the software puts what it sends: only read, and emptied into the next two."""
    in_folder: Path
    """Where it expects what it receives. ``.lienthong`` in it is the connector's own."""
    sent_folder: Path
    failed_folder: Path
    """Refused and unreadable files, each with its reason beside it."""
    dialect: Literal["java", "net"] = "java"
    """For the answers that the connector writes itself."""
    settle_s: Annotated[float, Field(ge=0, le=3600)] = 2.0
    """Seconds that size and time of a file must stand still before it is taken."""
    marker_suffix: str = ".ready"
    """``NAME.edxml.ready`` beside a file says that it is whole."""
    incomplete_after_s: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    """Seconds that a truncated or locked file is waited for."""
    automatic_01: bool = True
    aliases: tuple[str, ...] = ()
    """Other codes of this agency that the software writes in ``From``."""
    organ: OrganOptions = OrganOptions()
    system: str = "dms"
    check_sender: bool = True
    known_as: Mapping[str, str] = {}
    accept_edoc: bool = False
    refuse_damaged: bool = False
    priority_from_one: bool = False

    def at(self, folder: Path) -> DmsOptions:
        """Return the options with absolute folders; raises ``ConfigInvalid`` when two are one."""
        names = ("out_folder", "in_folder", "sent_folder", "failed_folder")
        found = {name: (folder / getattr(self, name)).resolve() for name in names}
        if len(set(found.values())) < len(found):
            raise ConfigInvalid(file="dms", key="out_folder", reason="two of the folders are one")
        return self.model_copy(update=found)

    def rules(self, agency: AgencyCode, environment: Environment) -> DmsRules:
        """Return what the adapter needs to know; raises ``ConfigInvalid`` for a bad alias."""
        try:
            aliases = frozenset(AgencyCode.parse(code, environment) for code in self.aliases)
        except HubError as error:
            reason = error.message("en")
            raise ConfigInvalid(file="dms", key="aliases", reason=reason) from error
        return DmsRules(
            agency,
            environment,
            aliases,
            OwnOrgan(**self.organ.model_dump()),
            DIALECTS[self.dialect],
            self.automatic_01,
            self.system,
            self.check_sender,
            dict(self.known_as),
            self.accept_edoc,
            self.refuse_damaged,
            self.priority_from_one,
        )


def options_of(given: Mapping[str, object], folder: Path) -> DmsOptions:
    """Check the table of options; raises ``ConfigInvalid`` naming the key."""
    return parse(DmsOptions, given, "dms").at(folder)
