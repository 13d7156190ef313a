"""A scene for the signing tests: two invented agencies, their keys, one envelope, the verifier."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from hub.signing.keys import SigningKey
from hub.signing.policy import STRICT_V1, Policy
from hub.signing.signer import sign
from hub.signing.trust import TrustMaterial, TrustStore
from hub.signing.verifier import VerifiedEnvelope, Verifier
from hub.testing.pki import TestPki

NOW = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)
SENDER, OTHER = "H12.15", "H13.15"
MESSAGE_ID = "0198c0de-0000-7000-8000-000000000001"
DRAFT = f"""<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="urn:lienthong:envelope:1" version="1">
  <Header>
    <MessageId>{MESSAGE_ID}</MessageId>
    <Environment>trial</Environment>
    <Type schema="1">survey.submitted</Type>
    <From code="{SENDER}"/>
    <To code="{OTHER}"/>
    <ConversationId>{MESSAGE_ID}</ConversationId>
    <CreatedAt>2026-07-01T10:00:00+07:00</CreatedAt>
    <Priority>0</Priority>
  </Header>
  <Body>
    <k:Answers xmlns:k="urn:lienthong:survey:1" xmlns:n="urn:x" b='2' a="1 &lt; &quot;">
      <k:Text><![CDATA[Hài lòng & đúng hẹn <5>]]></k:Text>
      <Plain xmlns="" xmlns:k2="urn:x" k2:c="&#xD;&#x9;">Trần Thị Ví Dụ &#x1F600;</Plain>
    </k:Answers>
  </Body>
</Envelope>
""".encode()


@dataclass(frozen=True)
class Scene:
    """Keys, trust and the verifier, all judged at ``NOW``."""

    pki: TestPki
    material: TrustMaterial
    verifier: Verifier
    draft: bytes = DRAFT
    now: datetime = NOW
    sender: str = SENDER
    other: str = OTHER
    message_id: str = MESSAGE_ID

    @property
    def key(self) -> SigningKey:
        """The sender's key."""
        return self.pki.agency(SENDER)

    @property
    def raw(self) -> bytes:
        """The envelope, signed by its sender."""
        return sign(DRAFT, self.key)

    def resigned(self, draft: bytes) -> bytes:
        """Another draft, signed by the sender."""
        return sign(draft, self.key)

    def verify(self, raw: bytes) -> VerifiedEnvelope:
        """Verify at ``NOW``."""
        return self.verifier.verify(raw, at=NOW)

    def trusting(self, *keys: SigningKey, policy: Policy = STRICT_V1, **changes) -> Verifier:
        """Return a verifier for which these keys are registered for the sender too."""
        more = tuple(self.pki.registration(SENDER, key) for key in keys)
        base = self.material
        changed = replace(base, registrations=base.registrations + more, **changes)
        return Verifier(TrustStore(changed, policy), policy)


def _scene(kind: str) -> Scene:
    pki = TestPki.make(now=NOW)
    for code in (SENDER, OTHER):
        pki.agency(code, kind)
    material = pki.material()
    return Scene(pki, material, Verifier(TrustStore(material)))


@pytest.fixture(scope="session")
def rsa_scene() -> Scene:
    return _scene("rsa2048")


@pytest.fixture(scope="session")
def ec_scene() -> Scene:
    return _scene("p256")


@pytest.fixture(scope="session", params=["rsa2048", "p256"])
def scene(request: pytest.FixtureRequest) -> Scene:
    """The scene with RSA keys, and again with EC keys."""
    return request.getfixturevalue({"rsa2048": "rsa_scene", "p256": "ec_scene"}[request.param])
