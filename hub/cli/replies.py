"""The receipt that ``hub receive --receipt`` answers with, signed with the agency's own key."""

from __future__ import annotations

import secrets
from datetime import datetime

from hub.cli.judgement import Judge, identity
from hub.codes import AgencyCode, MessageId, MessageType
from hub.envelope import Header, Receipt, Recipient, SignedEnvelope
from hub.schemas.receipts import compose_receipt
from hub.settings import Settings
from hub.signing import signer

DELIVERED = MessageType("receipt.delivered")


def delivered(settings: Settings, code: AgencyCode, judge: Judge, at: datetime) -> SignedEnvelope:
    """Return ``receipt.delivered`` from ``code`` for the envelope that ``judge`` accepted last."""
    subject = judge.last
    key = identity(settings, code.value)
    message_id = MessageId.new(int(at.timestamp() * 1000), secrets.token_bytes(10))
    header = Header(
        message_id=message_id,
        environment=settings.hub.environment,
        type=DELIVERED,
        sender=code,
        recipients=(subject.header.sender,),
        conversation_id=subject.header.conversation_id,
        created_at=at,
        in_reply_to=subject.header.message_id,
        dossier_code=subject.header.dossier_code,
        document_id=subject.header.document_id,
        signer_certificate=key.certificate_sha256,
    )
    receipt = Receipt(
        type=DELIVERED,
        subject_id=subject.header.message_id,
        subject_sender=subject.header.sender,
        subject_digest=subject.digest,
        at=at,
        recipients=(Recipient(code=code, outcome="delivered"),),
    )
    raw = signer.sign_canonical(compose_receipt(receipt, header=header), key)
    return SignedEnvelope(raw, message_id, code)
