"""An agency's own hands: it signs with its key, sends from its account, and reads its inbox."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from hub.broker import accounts
from hub.broker.client import AgencyClient
from hub.broker.ports import Outcome
from hub.codes import AgencyCode
from hub.envelope import EnvelopeDraft, Header, Receipt, SignedEnvelope
from hub.routing.snapshot import new_id
from hub.schemas.compose import compose
from hub.schemas.example import example_draft
from hub.schemas.receipts import read_receipt
from hub.schemas.validate import Validator, ValidEnvelope
from hub.settings import Settings
from hub.signing import signer
from hub.signing.keys import SigningKey, load_pem
from hub.signing.verifier import Verifier

PATIENCE_S = 60.0
QUIET_S = 1.0


@dataclass(frozen=True, slots=True)
class Letter:
    """A message out of an inbox: verified, valid, and its bytes as they came."""

    valid: ValidEnvelope
    raw: bytes = field(repr=False)

    @property
    def type(self) -> str:
        """Its message type."""
        return self.valid.header.type.value

    def receipt(self) -> Receipt:
        """Read it as a receipt."""
        return read_receipt(self.valid)


@dataclass
class Agency:
    """One agency that has no system of its own in the demo."""

    code: AgencyCode
    key: SigningKey
    client: AgencyClient
    verifier: Verifier
    validator: Validator
    environment: Any

    @classmethod
    def of(
        cls,
        settings: Settings,
        code: str,
        amqp_url: str,
        verifier: Verifier,
        validator: Validator,
    ) -> Agency:
        """Take the key and the account of an agency of this home.

        Raises ``KeyUnreadable``, or what the missing account raises.
        """
        folder = settings.pki / "agencies" / code
        url = accounts.agency_url(amqp_url, code, accounts.password(settings.home, code))
        return cls(
            AgencyCode.parse(code, settings.hub.environment),
            load_pem(folder / "key.pem", folder / "cert.pem"),
            AgencyClient(url, code),
            verifier,
            validator,
            settings.hub.environment,
        )

    def draft(self, type_: str, *to: str, **header: Any) -> EnvelopeDraft:
        """Return an example message of a type, with these header fields changed."""
        at = datetime.now(UTC)
        made = example_draft(
            type_,
            self.code,
            [AgencyCode.parse(one, self.environment) for one in to],
            now=at,
            environment=self.environment,
            message_id=new_id(at),
        )
        return replace(made, header=replace(made.header, **header))

    def signed(self, draft: EnvelopeDraft, key: SigningKey | None = None) -> bytes:
        """Sign a draft with the agency's own key, or another."""
        return signer.sign(compose(draft), key or self.key)

    def send(self, header: Header, *bodies: bytes) -> None:
        """Publish bytes under the id of ``header``; raises ``RuntimeError`` if unconfirmed."""
        envelopes = [SignedEnvelope(raw, header.message_id, self.code) for raw in bodies]
        outcomes = self.client.publish(envelopes)
        if set(outcomes) != {Outcome.CONFIRMED}:
            raise RuntimeError(f"publish: {[one.value for one in outcomes]}")

    def take(self, wanted: Callable[[Letter], bool], count: int = 1) -> list[Letter]:
        """Take messages from the inbox until ``count`` wanted ones came; others are dropped.

        Raises ``RuntimeError`` when they do not come.
        """
        found: list[Letter] = []
        deadline = time.monotonic() + PATIENCE_S
        while len(found) < count:
            if time.monotonic() > deadline:
                raise RuntimeError(f"inbox.{self.code}: {len(found)} of {count} came")
            found += [one for one in self._next(QUIET_S) if wanted(one)]
        return found

    def nothing_more(self) -> list[Letter]:
        """Return what else comes within a second."""
        return self._next(QUIET_S)

    def about(self, header: Header) -> Callable[[Letter], bool]:
        """Return a test for answers to a message."""
        return lambda letter: letter.valid.header.in_reply_to == header.message_id

    def _next(self, timeout_s: float) -> list[Letter]:
        arrivals = self.client.receive(limit=50, timeout_s=timeout_s)
        letters = []
        for arrival in arrivals:
            verified = self.verifier.verify(arrival.raw, at=datetime.now(UTC))
            letters.append(Letter(self.validator.validate(verified), arrival.raw))
        self.client.ack(arrivals)
        return letters

    def close(self) -> None:
        """Close the connection."""
        self.client.close()
