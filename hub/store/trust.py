"""Bring the trust material of a home together: files for anchors, the store for registrations.

The router, the connectors and the command line all judge certificates by what is loaded here.
"""

from __future__ import annotations

from dataclasses import replace

from hub.codes import AgencyCode
from hub.settings import Settings
from hub.signing.policy import STRICT_V1, Policy
from hub.signing.trust import (
    Registration,
    Represents,
    TrustMaterial,
    TrustStore,
    material_from_folder,
)
from hub.store import directory
from hub.store.engine import Store


def policy_of(settings: Settings) -> Policy:
    """Return the strict profile with this home's answer to an unknown revocation state."""
    return replace(STRICT_V1, revocation_unknown=settings.trust.revocation_unknown)


def load_trust(store: Store, settings: Settings) -> TrustStore:
    """Return the trust store of a home as it is now.

    Raises ``StoreUnavailable``, or ``KeyUnreadable`` naming an anchor or list that cannot be read.
    """
    anchors, intermediates, crls = material_from_folder(settings.pki)
    registrations = tuple(
        Registration(
            agency=AgencyCode.parse(row.agency),
            certificate_der=row.der,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            retired_at=row.retired_at,
        )
        for row in directory.certificates(store)
    )
    represents = tuple(
        Represents(
            gateway=AgencyCode.parse(row.gateway),
            agency=AgencyCode.parse(row.agency),
            valid_from=row.valid_from,
            valid_to=row.valid_to,
        )
        for row in directory.represents(store)
    )
    material = TrustMaterial(
        anchors=anchors,
        intermediates=intermediates,
        crls=crls,
        registrations=registrations,
        represents=represents,
        aliases={old: row.code for row in directory.agencies(store) for old in row.aliases},
    )
    return TrustStore(material, policy_of(settings))
