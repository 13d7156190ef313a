"""What the hub itself says: receipts and pongs, composed and signed under the hub's own code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.codes import AgencyCode, DossierCode, MessageId, MessageType
from hub.envelope import EnvelopeDraft, Header, Payload, Receipt, Recipient, sha256_hex
from hub.errors import HubError
from hub.routing.context import Context
from hub.schemas.compose import compose
from hub.schemas.receipts import compose_receipt
from hub.schemas.validate import ValidEnvelope
from hub.signing import signer
from hub.store.rows import MessageRow, MessageState, ReceiptRow

ACCEPTED = MessageType("receipt.accepted")
REJECTED = MessageType("receipt.rejected")
STATUS = MessageType("receipt.status")
EXPIRED = MessageType("receipt.expired")
UNDELIVERABLE = MessageType("receipt.undeliverable")
PONG = MessageType("connectivity.pong")


@dataclass(frozen=True, slots=True)
class Subject:
    """The message that a receipt speaks of, and who is told."""

    row: str
    """``MessageRow.id``."""
    message_id: MessageId
    sender: AgencyCode
    """As the sender wrote it."""
    digest: str
    conversation_id: MessageId
    to: AgencyCode
    """Who is told: the receipt's ``To``."""
    receiver: str
    """Canonical code of the inbox that it goes to: of ``to``, or of its gateway."""
    dossier_code: DossierCode | None = None
    document_id: str | None = None


def say(
    type_: MessageType,
    subject: Subject,
    context: Context,
    at: datetime,
    *,
    recipients: Sequence[Recipient] = (),
    error: HubError | None = None,
    state: str = "",
) -> ReceiptRow:
    """Return a signed receipt of the hub about ``subject``; ``error`` gives reason and place."""
    receipt = Receipt(
        type=type_,
        subject_id=subject.message_id,
        subject_sender=subject.sender,
        subject_digest=subject.digest,
        at=at,
        recipients=tuple(recipients),
        reason=error.code if error else "",
        detail_vi=error.message("vi") if error else "",
        detail_en=error.message("en") if error else "",
        place=str(error.place) if error else "",
        state=state,
    )
    header = _header(type_, subject, context, at)
    raw = signer.sign_canonical(compose_receipt(receipt, header=header), context.key)
    return _row(header, subject, raw, at)


def pong(valid: ValidEnvelope, subject: Subject, context: Context, at: datetime) -> MessageRow:
    """Return the hub's signed answer to a ping, as a message of the hub's own."""
    ping = valid.payload().fields
    fields = {
        "Nonce": ping["Nonce"],
        "SentAt": ping["SentAt"],
        "AnsweredAt": at.isoformat(),
    }
    header = _header(PONG, subject, context, at)
    draft = compose(EnvelopeDraft(header, Payload("ConnectivityPong", fields)))
    raw = signer.sign(draft, context.key)
    return MessageRow(
        id=context.new_id(at).value,
        sender=context.hub.value,
        message_id=header.message_id.value,
        digest=sha256_hex(raw),
        type=PONG.value,
        environment=context.environment.value,
        state=MessageState.ACCEPTED,
        arrived_at=at,
        created_at=at,
        conversation_id=header.conversation_id.value,
        priority=0,
        signer_sha256=context.key.certificate_sha256,
        raw=raw,
        in_reply_to=subject.message_id.value,
    )


def _header(type_: MessageType, subject: Subject, context: Context, at: datetime) -> Header:
    return Header(
        message_id=context.new_id(at),
        environment=context.environment,
        type=type_,
        sender=context.hub,
        recipients=(subject.to,),
        conversation_id=subject.conversation_id,
        created_at=at,
        in_reply_to=subject.message_id,
        dossier_code=subject.dossier_code,
        document_id=subject.document_id,
        signer_certificate=context.key.certificate_sha256,
    )


def _row(header: Header, subject: Subject, raw: bytes, at: datetime) -> ReceiptRow:
    return ReceiptRow(
        id=header.message_id.value,
        message=subject.row,
        message_id=header.message_id.value,
        type=header.type.value,
        receiver=subject.receiver,
        digest=sha256_hex(raw),
        raw=raw,
        created_at=at,
    )
