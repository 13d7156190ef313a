"""A scene for the schema tests: two invented agencies, their keys, and the real verifier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import pytest

from hub.codes import AgencyCode, Environment
from hub.schemas.example import example, example_draft
from hub.schemas.validate import Validator, ValidEnvelope
from hub.signing.signer import sign
from hub.signing.trust import TrustStore
from hub.signing.verifier import VerifiedEnvelope, Verifier
from hub.testing.pki import TestPki

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=timezone(timedelta(hours=7)))
SENDER = AgencyCode.parse("H99.19")
RECEIVER = AgencyCode.parse("H12.15")


@dataclass(frozen=True)
class Scene:
    """Makes examples, signs them and judges them as the router does."""

    pki: TestPki
    verifier: Verifier
    validator: Validator

    def example(self, name: str, **options: object) -> bytes:
        """Return an unsigned example of a type."""
        common = {"now": NOW, "environment": Environment.TRIAL}
        return example(name, SENDER, [RECEIVER], **{**common, **options})

    def draft(self, name: str, **options: object):
        """Return an example as a draft."""
        common = {"now": NOW, "environment": Environment.TRIAL}
        return example_draft(name, SENDER, [RECEIVER], **{**common, **options})

    def verified(self, xml: bytes) -> VerifiedEnvelope:
        """Sign a draft as the sender and verify it."""
        return self.verifier.verify(sign(xml, self.pki.agency("H99.19")), at=self.pki.now)

    def valid(self, xml: bytes) -> ValidEnvelope:
        """Sign, verify and validate a draft."""
        return self.validator.validate(self.verified(xml))


@pytest.fixture(scope="session")
def scene() -> Scene:
    pki = TestPki.make()
    pki.agency("H99.19", "p256")
    return Scene(pki, Verifier(TrustStore(pki.material())), Validator())


@pytest.fixture(scope="session")
def swap(scene: Scene) -> Callable[[str, str, str], bytes]:
    """Return an example in which one text was replaced; the text must be there."""

    def swapped(name: str, old: str, new: str) -> bytes:
        xml = scene.example(name).decode()
        assert old in xml
        return xml.replace(old, new, 1).encode()

    return swapped
