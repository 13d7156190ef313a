"""What this agency says: drafts and receipts become signed bytes, and own work is checked first."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from hub.adapters.contract import Draft
from hub.codes import AgencyCode, Environment, MessageId, MessageType
from hub.envelope import (
    MAX_ENVELOPE,
    EnvelopeDraft,
    Header,
    Receipt,
    Recipient,
    SignedEnvelope,
    sha256_hex,
)
from hub.errors import (
    DuplicateRecipient,
    HubError,
    MessageExpired,
    NoIdentity,
    Place,
    XmlTooLarge,
)
from hub.schemas.compose import compose
from hub.schemas.receipts import MAX_PLACE, compose_receipt
from hub.schemas.validate import Validator, ValidEnvelope
from hub.settings import Settings
from hub.signing import signer
from hub.signing.keys import SigningKey, load_pem
from hub.store.edge_rows import OutboxRow

DELIVERED = MessageType("receipt.delivered")
REFUSED = MessageType("receipt.refused")
DEFERRED = MessageType("receipt.deferred")
OUTCOMES = {DELIVERED: "delivered", REFUSED: "refused", DEFERRED: "deferred"}


def new_id(at: datetime) -> MessageId:
    """Return a new version 7 id of that time."""
    return MessageId.new(int(at.timestamp() * 1000), secrets.token_bytes(10))


def load_key(settings: Settings, agency: AgencyCode) -> SigningKey:
    """Return the agency's key from ``pki/agencies/<CODE>/``.

    Raises ``NoIdentity``, ``KeyUnreadable`` or ``KeyMismatch``.
    """
    folder = settings.pki / "agencies" / agency.value
    if not (folder / "key.pem").exists():
        raise NoIdentity(value=agency.value)
    return load_pem(folder / "key.pem", folder / "cert.pem")


@dataclass(frozen=True)
class EdgeSigner:
    """Signs for one agency."""

    agency: AgencyCode
    environment: Environment
    key: SigningKey = field(repr=False)
    max_age_days: int = 30
    """Only to say it in ``MessageExpired``."""
    validator: Validator = field(default_factory=Validator, repr=False)
    new_id: Callable[[datetime], MessageId] = new_id

    def message(self, key: str, draft: Draft, at: datetime, *, source: bool) -> OutboxRow:
        """Return a draft as a signed outbox row, judged as the hub will judge it.

        Raises what is wrong with it: ``schema.*``, ``code.*``, ``attachment.*``, ``header.*``,
        ``xml.*``. The bytes are final: they are stored and never signed again.
        """
        header = self._header(draft, at)
        _check(header, at, self.max_age_days)
        raw = signer.sign(
            compose(EnvelopeDraft(header, draft.payload, draft.attachments)), self.key
        )
        if len(raw) > MAX_ENVELOPE:
            raise XmlTooLarge(size=len(raw), limit=MAX_ENVELOPE)
        self.validator.check_draft(raw)
        return OutboxRow(
            key=key,
            message_id=header.message_id.value,
            type=header.type.value,
            digest=sha256_hex(raw),
            raw=raw,
            created_at=at,
            source=source,
            priority=header.priority,
        )

    def _header(self, draft: Draft, at: datetime) -> Header:
        message_id = self.new_id(at)
        return Header(
            message_id=message_id,
            environment=self.environment,
            type=draft.type,
            sender=self.agency,
            recipients=tuple(draft.recipients),
            conversation_id=draft.conversation_id or message_id,
            created_at=at,
            in_reply_to=draft.in_reply_to,
            dossier_code=draft.dossier_code,
            document_id=draft.document_id,
            expires_at=draft.expires_at,
            priority=draft.priority,
            sequence=draft.sequence,
        )

    def receipt(
        self,
        type_: MessageType,
        about: ValidEnvelope,
        at: datetime,
        *,
        error: HubError | None = None,
        reference: str = "",
        retry_after_s: int | None = None,
    ) -> SignedEnvelope:
        """Return this agency's signed receipt about a message.

        ``error`` gives reason, sentences and place of a negative one; ``reference`` (the legacy
        system's own id) is the place of a positive one. It carries neither dossier code nor
        document id, so that receipts take no numbers in the streams of dossiers and documents.
        """
        subject = about.header
        receipt = Receipt(
            type=type_,
            subject_id=subject.message_id,
            subject_sender=subject.sender,
            subject_digest=about.digest,
            at=at,
            recipients=(Recipient(self.agency, OUTCOMES[type_]),),
            reason=error.code if error else "",
            detail_vi=error.message("vi") if error else "",
            detail_en=error.message("en") if error else "",
            place=(str(error.place) if error else reference)[:MAX_PLACE],
            retry_after_s=retry_after_s,
        )
        header = Header(
            message_id=self.new_id(at),
            environment=self.environment,
            type=type_,
            sender=self.agency,
            recipients=(subject.sender,),
            conversation_id=subject.conversation_id,
            created_at=at,
            in_reply_to=subject.message_id,
            signer_certificate=self.key.certificate_sha256,
        )
        raw = signer.sign_canonical(compose_receipt(receipt, header=header), self.key)
        return SignedEnvelope(raw, header.message_id, self.agency)

    def stored(self, message_id: str, raw: bytes, priority: int = 0) -> SignedEnvelope:
        """Return stored bytes of this agency, to be published as they are."""
        return SignedEnvelope(raw, MessageId(message_id), self.agency, priority)


def _check(header: Header, at: datetime, max_age_days: int) -> None:
    """What the hub would refuse at once and no schema can see."""
    for code in header.recipients:
        if header.recipients.count(code) > 1:
            raise DuplicateRecipient(value=code, place=Place(path="/Envelope/Header/To"))
    if header.expires_at is not None and header.expires_at <= at:
        raise MessageExpired(limit=max_age_days)
