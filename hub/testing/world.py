"""A small world for the pipeline: the sample directory, real keys and signatures, the demo's rules.

It decides on arrivals and remembers what the store would, so that rules can be tested without one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from hub.codes import AgencyCode, Environment, MessageId, MessageType
from hub.envelope import Arrival, EnvelopeDraft, Header, Receipt, Recipient
from hub.routing.access import AccessRules, demo_rules
from hub.routing.context import Context
from hub.routing.decision import Decision, Key, remembered
from hub.routing.directory import Directory, import_csv
from hub.routing.pipeline import decide, judge, keys_of
from hub.schemas.compose import compose
from hub.schemas.example import example_draft
from hub.schemas.receipts import compose_receipt
from hub.schemas.validate import Validator, ValidEnvelope
from hub.settings import HubSection, Settings
from hub.signing import signer
from hub.signing.keys import SigningKey
from hub.signing.trust import Represents, TrustStore
from hub.signing.verifier import Verifier
from hub.store.rows import AccessRow, AgencyRow, Prior, RepresentsRow
from hub.testing.pki import TestPki

NOW = datetime(2026, 7, 15, 3, 0, tzinfo=UTC)
HUB = "00.99.W00"
ONE_STOP, DEPARTMENT, OTHER = "H12.101.01", "H12.15", "H13.15"
CLOSED_A, CLOSED_B, MERGED = "H12.31.21", "H12.31.22", "H12.101"
"""Two communes that were merged into a third, with ``redirect=auto``."""
REMOTE, GATEWAY = "H26.15", "00.26.W00"
"""An agency without an inbox here, and the connection centre that it is reached by."""
POST = "0100000000"
ATTACHED = frozenset({ONE_STOP, DEPARTMENT, OTHER, MERGED, POST, "H12.05", "H99.19"})
_SERIAL = itertools.count(1)


def code(text: str) -> AgencyCode:
    """Return an agency code of the trial environment."""
    return AgencyCode.parse(text)


def fresh_id(at: datetime = NOW) -> MessageId:
    """Return a message id that no other has in this process."""
    return MessageId.new(int(at.timestamp() * 1000), next(_SERIAL).to_bytes(10, "big"))


def sample_rows(attached: Iterable[str] = ATTACHED) -> tuple[AgencyRow, ...]:
    """Return the shipped sample directory, centres first, with these agencies attached."""
    data = files("hub.cli") / "data"
    centres = import_csv((data / "centres.csv").read_bytes(), file="centres.csv").rows
    agencies = (data / "agencies.csv").read_bytes()
    rows = import_csv(agencies, file="agencies.csv", known=centres).rows
    chosen = set(attached)
    return tuple(replace(row, attached=row.code in chosen) for row in (*centres, *rows))


def make_pki(now: datetime = NOW) -> TestPki:
    """Return keys for the agencies named here: RSA-2048 for two, P-256 (made faster) for others."""
    pki = TestPki.make([ONE_STOP, DEPARTMENT], now=now)
    for other in (OTHER, MERGED, REMOTE, GATEWAY, POST, HUB, "H12.05", "H99.19"):
        pki.agency(other, "p256")
    return pki


def make_context(
    pki: TestPki,
    *,
    rules: Iterable[AccessRow] | None = None,
    represents: Iterable[RepresentsRow] = (),
    rows: Iterable[AgencyRow] | None = None,
) -> Context:
    """Return a snapshot of the sample directory, or of ``rows``, under the demo's rules."""
    directory = Directory.of(sample_rows() if rows is None else rows)
    acting = tuple(represents)
    material = replace(
        pki.material(),
        aliases=directory.aliases(),
        represents=tuple(
            Represents(code(row.gateway), code(row.agency), row.valid_from, row.valid_to)
            for row in acting
        ),
    )
    return Context.of(
        Settings(home=Path("/nowhere"), hub=HubSection(code=HUB)),
        directory=directory,
        access=AccessRules.of(demo_rules() if rules is None else rules, directory.kinds()),
        verifier=Verifier(TrustStore(material)),
        key=pki.agency(HUB, "p256"),
        new_id=fresh_id,
        represents=acting,
    )


@dataclass
class World:
    """Everything that a message needs to be judged, and the hub's memory of what it decided."""

    pki: TestPki
    context: Context
    memory: dict[Key, Prior] = field(default_factory=dict)

    @classmethod
    def of(cls, pki: TestPki, **parts: Any) -> World:
        """Make a world that remembers nothing yet; ``parts`` go to :func:`make_context`."""
        return cls(pki, make_context(pki, **parts))

    def key(self, agency: AgencyCode) -> SigningKey:
        """Return an agency's own key, by any of its codes."""
        return self.pki.agency(self.context.directory.canonical(agency).value, "p256")

    def draft(self, type_: str, sender: str, *to: str, **header: Any) -> EnvelopeDraft:
        """Return an example of a type with these header fields changed."""
        receivers = [code(one) for one in to]
        environment = Environment.TRIAL
        made = example_draft(
            type_,
            code(sender),
            receivers,
            now=NOW,
            environment=environment,
            message_id=fresh_id(),
        )
        return replace(made, header=replace(made.header, **header))

    def signed(self, draft: EnvelopeDraft, key: SigningKey | None = None) -> bytes:
        """Sign a draft with the sender's own key, or another."""
        return signer.sign(compose(draft), key or self.key(draft.header.sender))

    def sent(self, type_: str, sender: str, *to: str, **header: Any) -> Arrival:
        """Return a good message as it arrives from the sender's own account."""
        draft = self.draft(type_, sender, *to, **header)
        account = self.context.directory.canonical(draft.header.sender).value
        return Arrival(raw=self.signed(draft), tag=1, account=account)

    def route(self, arrival: Arrival, at: datetime = NOW) -> Decision:
        """Judge, decide, and remember as the store would."""
        judged = judge(arrival, self.context, at)
        keys = keys_of(judged, self.context)
        known = {key: self.memory[key] for key in keys if key in self.memory}
        decision = decide(judged, known, self.context)
        decision = decision.numbered(range(1, 1 + len(decision.record.deliveries)))
        self.memory.update(remembered(known, decision))
        return decision

    def receipt(
        self,
        type_: str,
        sender: str,
        subject: Arrival | bytes,
        *,
        at: datetime = NOW,
        in_reply_to: MessageId | None = None,
        **facts: Any,
    ) -> Arrival:
        """Return a receiver's receipt about a message; ``facts`` change fields of the receipt."""
        raw = subject if isinstance(subject, bytes) else subject.raw
        about = self.read(raw)
        key = self.key(code(sender))
        receipt = Receipt(
            type=MessageType(type_),
            subject_id=about.header.message_id,
            subject_sender=about.header.sender,
            subject_digest=about.digest,
            at=at,
            recipients=(Recipient(code(sender), "delivered"),),
        )
        header = Header(
            message_id=fresh_id(),
            environment=Environment.TRIAL,
            type=receipt.type,
            sender=code(sender),
            recipients=(about.header.sender,),
            conversation_id=about.header.conversation_id,
            created_at=at,
            in_reply_to=in_reply_to or about.header.message_id,
            signer_certificate=key.certificate_sha256,
        )
        unsigned = compose_receipt(replace(receipt, **facts), header=header)
        return Arrival(raw=signer.sign_canonical(unsigned, key), tag=1, account=sender)

    def read(self, raw: bytes) -> ValidEnvelope:
        """Verify and validate bytes as any receiver does."""
        return Validator().validate(self.context.verifier.verify(raw, at=NOW))
