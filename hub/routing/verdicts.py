"""The decisions that refuse: quarantined, rejected, parked; and the rows that every one writes."""

from __future__ import annotations

from hub.envelope import Recipient
from hub.errors import HubError, InternalFault
from hub.routing import voice
from hub.routing.context import Context
from hub.routing.decision import Decision, Send, Verdict, audit
from hub.routing.judged import Judged
from hub.store.rows import (
    AuditEntry,
    EventRow,
    MessageRow,
    MessageState,
    Prior,
    QuarantineRow,
    ReceiptRow,
    WindowRecord,
)

MAX_DETAIL = 500
"""Characters of a reason that are kept."""


def evidence(
    judged: Judged, row_id: str, state: MessageState, error: HubError | None = None
) -> MessageRow:
    """Return the row of a message that claims its key; a header that is not valid stays blank."""
    key, verified = judged.key, judged.verified
    if key is None or verified is None:
        msg = "a quarantined arrival claims no key"
        raise ValueError(msg)
    header = judged.valid.header if judged.valid else None
    gateway = verified.by_gateway
    return MessageRow(
        id=row_id,
        sender=key[0],
        message_id=key[1],
        digest=judged.digest,
        type=judged.type,
        environment=header.environment.value if header else "",
        state=state,
        arrived_at=judged.at,
        created_at=header.created_at if header else judged.at,
        conversation_id=judged.conversation.value,
        priority=header.priority if header else 0,
        signer_sha256=verified.signer_sha256,
        raw=judged.arrival.raw,
        schema=header.schema if header else "",
        in_reply_to=_text(header.in_reply_to) if header else None,
        dossier_code=_text(header.dossier_code) if header else None,
        document_id=header.document_id if header else None,
        expires_at=header.expires_at if header else None,
        by_gateway=_text(gateway),
        reason=error.code if error else "",
        detail=error.message("en")[:MAX_DETAIL] if error else "",
        account=judged.arrival.account or "",
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def subject_of(judged: Judged, row_id: str) -> voice.Subject:
    """Return the arrival as the subject of a receipt to its sender."""
    verified, identity = judged.verified, judged.message_id
    if verified is None or identity is None:
        msg = "a quarantined arrival is never answered"
        raise ValueError(msg)
    header = judged.valid.header if judged.valid else None
    return voice.Subject(
        row=row_id,
        message_id=identity,
        sender=verified.sender,
        digest=judged.digest,
        conversation_id=judged.conversation,
        to=verified.sender,
        receiver=judged.told,
        dossier_code=header.dossier_code if header else None,
        document_id=header.document_id if header else None,
    )


def event(judged: Judged, row_id: str, kind: str, **detail: str) -> EventRow:
    """One step in the life of the message ``row_id``."""
    return EventRow(row_id, judged.at, kind, detail)


def sent(receipt: ReceiptRow, context: Context) -> Send:
    """Return the publication of what the hub says; the inbox is looked up when it goes out."""
    return Send(
        queue="",
        message_id=receipt.message_id,
        sender=context.hub.value,
        raw=receipt.raw,
        digest=receipt.digest,
        receipt=receipt.id,
        receiver=receipt.receiver,
    )


def quarantined(judged: Judged, error: HubError, context: Context) -> Decision:
    """Record and count; nobody is answered, and no key is claimed."""
    row_id = context.new_id(judged.at).value
    arrival = judged.arrival
    account, claimed = (arrival.account or "")[:64], (arrival.claimed_id or "")[:64].lower()
    row = QuarantineRow(
        id=row_id,
        arrived_at=judged.at,
        digest=judged.digest,
        code=error.code,
        detail=error.message("en")[:MAX_DETAIL],
        account=account,
        raw=arrival.raw,
        claimed_id=claimed,
    )
    record = WindowRecord(
        quarantined=(row,),
        events=(event(judged, row_id, "quarantined", code=error.code),),
        audit=(audit(judged.at, "quarantined", account, code=error.code, digest=judged.digest),),
    )
    return Decision(Verdict.QUARANTINED, record, code=error.code)


def rejected(
    judged: Judged,
    error: HubError,
    prior: Prior | None,
    context: Context,
    recipients: tuple[Recipient, ...] = (),
) -> Decision:
    """Record the refusal and answer it with a signed ``receipt.rejected`` that says why."""
    row_id = prior.message if prior else context.new_id(judged.at).value
    subject = subject_of(judged, row_id)
    receipt = voice.say(
        voice.REJECTED, subject, context, judged.at, recipients=recipients, error=error
    )
    record = WindowRecord(
        messages=(evidence(judged, row_id, MessageState.REJECTED, error),),
        receipts=(receipt,),
        events=(
            event(judged, row_id, "arrived", account=judged.arrival.account or ""),
            event(judged, row_id, "rejected", code=error.code),
        ),
        audit=(line(judged, "rejected", error.code),),
    )
    sends = (sent(receipt, context),)
    return Decision(Verdict.REJECTED, record, sends, judged.key, error.code)


def parked(judged: Judged, error: HubError, prior: Prior | None, context: Context) -> Decision:
    """Keep for an operator; nobody is answered. A message already accepted stays what it is."""
    if judged.key is None:
        return quarantined(judged, error, context)
    row_id = prior.message if prior else context.new_id(judged.at).value
    messages: tuple[MessageRow, ...] = ()
    if prior is None or prior.state is not MessageState.ACCEPTED:
        messages = (evidence(judged, row_id, MessageState.PARKED, error),)
    record = WindowRecord(
        messages=messages,
        events=(event(judged, row_id, "parked", code=error.code),),
        audit=(line(judged, "parked", error.code),),
    )
    return Decision(Verdict.PARKED, record, (), judged.key, error.code)


def fault(error: Exception) -> InternalFault:
    """Return what is told of an exception that nobody expected: its kind, never its words."""
    return InternalFault(kind=type(error).__name__)


def line(judged: Judged, verdict: str, code: str = "") -> AuditEntry:
    """The log's line about a message that claims its key."""
    sender, message_id = judged.key or ("", "")
    detail = {"type": judged.type, "digest": judged.digest} | ({"code": code} if code else {})
    return audit(judged.at, verdict, f"{sender} {message_id}", **detail)
