"""The judgement and the keys of one home, for commands that work without a running hub."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.codes import AgencyCode
from hub.errors import HubError, NoIdentity, NotFound, UsageError
from hub.routing.pipeline import check_header
from hub.routing.verdicts import fault
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
    own = AgencyCode.parse(code, settings.hub.environment).value
    folder = settings.pki / "agencies" / own
    if not (folder / "key.pem").exists():
        raise NoIdentity(value=own)
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

    def judge(self, read: Callable[[], bytes], at: datetime) -> dict[str, Any]:
        """Return what is to be said of the bytes that ``read`` returns; never raises.

        ``error`` is what refused them, or ``None``. A refused envelope is shown with what its
        signature covers, if that held.
        """
        self.verified = self.valid = None
        error: HubError | None = None
        try:
            self._judge(read(), at)
        except HubError as found:
            error = found
        except Exception as found:  # noqa: BLE001  one file must stop nothing else
            error = fault(found)
        judged = error is not None and not isinstance(error, UsageError)
        return {
            "accepted": error is None,
            "code": error.code if error else "",
            "disposition": error.disposition.value if error and judged else "",
            **self._known(),
            "error": error,
        }

    def _judge(self, raw: bytes, at: datetime) -> None:
        self.verified = self.verifier.verify(raw, at=at)
        self.valid = self.validator.validate(self.verified)
        check_header(self.valid.header, self.settings, at)

    def _known(self) -> dict[str, Any]:
        """What may be believed of the envelope judged last."""
        verified, header = self.verified, self.valid.header if self.valid else None
        message_id = verified.message_id if verified else None
        return {
            "message_id": message_id.value if message_id else "",
            "from": verified.sender.value if verified else "",
            "to": [code.value for code in header.recipients] if header else [],
            "type": header.type.value if header else "",
            "signer": verified.signer_sha256 if verified else "",
        }
