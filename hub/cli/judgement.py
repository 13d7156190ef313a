"""The judgement and the keys of one home, for commands that work without a running hub."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.codes import AgencyCode
from hub.errors import NoIdentity, NotFound
from hub.routing.pipeline import check_header
from hub.schemas.validate import Validator, ValidEnvelope
from hub.settings import Settings
from hub.signing import keys
from hub.signing.keys import SigningKey
from hub.signing.verifier import VerifiedEnvelope, Verifier
from hub.store.engine import Store
from hub.store.trust import load_trust

__all__ = ["Judge", "SigningKey", "identity"]


def identity(settings: Settings, code: str) -> SigningKey:
    """Return the key of an agency of this home; raises ``NoIdentity`` or ``KeyUnreadable``."""
    agency = AgencyCode.parse(code, settings.hub.environment)
    folder = settings.pki / "agencies" / agency.value
    if not (folder / "key.pem").exists():
        raise NoIdentity(value=agency.value)
    return keys.load_pem(folder / "key.pem", folder / "cert.pem")


@dataclass
class Judge:
    """Parse, profile, trust, binding, schema and header: the router's judgement of one file."""

    settings: Settings
    verifier: Verifier
    validator: Validator
    verified: VerifiedEnvelope | None = None
    valid: ValidEnvelope | None = None

    @classmethod
    def of(cls, settings: Settings) -> Judge:
        """Load the home's trust material; raises ``StoreUnavailable``."""
        store = Store.open(settings.store_url)
        try:
            trust = load_trust(store, settings)
        finally:
            store.close()
        return cls(settings, Verifier(trust), Validator())

    @property
    def last(self) -> ValidEnvelope:
        """The envelope accepted last; raises ``NotFound`` before the first."""
        if self.valid is None:
            raise NotFound(value="envelope")
        return self.valid

    def judge(self, raw: bytes, at: datetime) -> dict[str, Any]:
        """Return the facts of an acceptable envelope; raises the leaf that says what is wrong."""
        self.verified = self.valid = None
        self.verified = self.verifier.verify(raw, at=at)
        valid = self.validator.validate(self.verified)
        check_header(valid.header, self.settings, at)
        self.valid = valid
        return {
            "accepted": True,
            "message_id": valid.header.message_id.value,
            "from": valid.header.sender.value,
            "to": [code.value for code in valid.header.recipients],
            "type": valid.header.type.value,
            "signer": self.verified.signer_sha256,
        }

    def known(self) -> dict[str, Any]:
        """Return what the signature of a refused envelope covers, if it held."""
        if self.verified is None:
            return {}
        message_id = self.verified.message_id
        return {
            "from": self.verified.sender.value,
            "message_id": message_id.value if message_id else "",
            "signer": self.verified.signer_sha256,
        }
