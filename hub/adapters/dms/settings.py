"""Settings that every connector of a document management system has, whatever its vendor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from hub.adapters.dms.rules import DIALECTS, DmsRules, OwnOrgan
from hub.adapters.options import Options
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


class PacketOptions(Options):
    """What ``[options]`` says of packets."""

    dialect: Literal["java", "net"] = "java"
    """For the answers that the connector writes itself."""
    automatic_01: bool = True
    """Answer every document that arrives with status 01."""
    aliases: tuple[str, ...] = ()
    """Other codes of this agency that its software writes in ``From``."""
    organ: OrganOptions = OrganOptions()
    system: str = "dms"
    """The source system's name in statuses."""
    check_sender: bool = True
    """Refuse an arriving packet whose ``From`` is known to be another agency's than the sender:
    by its new form, by ``known_as``, or as one of this agency's own codes."""
    known_as: Mapping[str, str] = {}
    """Codes that partners still write in ``From``, and whose they are now."""
    accept_edoc: bool = False
    """Send packets of the older namespace e-doc.vn too."""
    refuse_damaged: bool = False
    """Refuse to send PDFs that went through a text conversion, instead of telling."""
    priority_from_one: bool = False
    """The software counts priorities 1 to 5 instead of 0 to 4."""

    def rules(self, agency: AgencyCode, environment: Environment) -> DmsRules:
        """Return what the adapter needs to know; raises ``ConfigInvalid`` for a bad alias."""
        try:
            aliases = frozenset(AgencyCode.parse(code, environment) for code in self.aliases)
        except HubError as error:
            reason, vi = error.message("en"), error.message("vi")
            raise ConfigInvalid(file="dms", key="aliases", reason=reason, reason_vi=vi) from error
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
