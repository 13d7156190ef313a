"""Decide on receipts: they change the state of a delivery, then reach the message's sender.

A ``receipt.*`` never causes a receipt or a rejection: a bad one is parked, or quarantined before it
comes here. The one question among them, ``receipt.query``, is answered by ``receipt.status``.
"""

from __future__ import annotations

import contextlib
from datetime import datetime

from hub.codes import AgencyCode
from hub.envelope import Receipt, Recipient
from hub.errors import DuplicateConflict, HubError, ReceiptRefused
from hub.routing import voice
from hub.routing.context import Context
from hub.routing.decision import Decision, Key, Memory, Send, Verdict
from hub.routing.judged import Judged
from hub.routing.messages import delivery, outcomes, queued, send, unconfirmed
from hub.routing.retry import rung_for
from hub.routing.table import Hop, queue_name
from hub.routing.verdicts import event, evidence, line, parked, sent
from hub.schemas.validate import ValidEnvelope
from hub.store.rows import (
    DeliveryChange,
    DeliveryRow,
    DeliveryState,
    EventRow,
    MessageState,
    Prior,
    WindowRecord,
)

QUERY = "receipt.query"
DEFERRED = "receipt.deferred"
OPEN = frozenset({DeliveryState.QUEUED, DeliveryState.DEFERRED, DeliveryState.PARKED})
STATES = {
    "receipt.delivered": DeliveryState.DELIVERED,
    "receipt.refused": DeliveryState.REFUSED,
    DEFERRED: DeliveryState.DEFERRED,
}


def subject_key(receipt: Receipt, context: Context) -> Key:
    """Return the key of the message that a receipt speaks of."""
    return (context.directory.canonical(receipt.subject_sender).value, receipt.subject_id.value)


def decide_receipt(judged: Judged, memory: Memory, context: Context) -> Decision:
    """Decide on a ``receipt.*``; ``memory`` holds its own key's past and its subject's."""
    prior = memory.get(judged.key) if judged.key else None
    if prior is not None and prior.digest != judged.digest:
        return parked(judged, DuplicateConflict(), prior, context)
    if prior is not None and prior.state is MessageState.ACCEPTED:
        return _repeat(judged, prior, memory, context)
    if judged.error is not None or judged.valid is None or judged.receipt is None:
        error = judged.error or ReceiptRefused(reason="unreadable")
        return parked(judged, error, prior, context)
    subject = memory.get(subject_key(judged.receipt, context))
    try:
        if judged.valid.header.type.value == QUERY:
            return _answered(judged, judged.valid, judged.receipt, prior, subject, context)
        row = _checked(judged, judged.valid, judged.receipt, subject, context)
    except ReceiptRefused as error:
        return parked(judged, error, prior, context)
    return _changed(judged, judged.valid, judged.receipt, prior, row, context)


def _repeat(judged: Judged, prior: Prior, memory: Memory, context: Context) -> Decision:
    """Silently finish what the first did not: unconfirmed copies are published again."""
    again: list[Send] = list(unconfirmed(judged, prior))
    again += [sent(row, context) for row in prior.receipts if row.confirmed_at is None]
    if again and judged.type == DEFERRED and judged.receipt is not None and judged.sender:
        subject = memory.get(subject_key(judged.receipt, context))
        row = _row_of(subject, judged.sender, context, judged) if subject else None
        if subject and row and row.state is DeliveryState.DEFERRED:
            again.append(_rung(judged.receipt, subject, row, row.attempts, context))
    record = WindowRecord(events=(event(judged, prior.message, "repeated"),))
    return Decision(Verdict.REPEATED, record, tuple(again), judged.key)


def _checked(
    judged: Judged,
    valid: ValidEnvelope,
    receipt: Receipt,
    subject: Prior | None,
    context: Context,
) -> tuple[Prior, DeliveryRow]:
    """Return the delivery that a receipt speaks of; raises ``ReceiptRefused``."""
    _check_form(valid, receipt)
    if subject is None or subject.digest != receipt.subject_digest:
        raise ReceiptRefused(reason="no such message with this digest")
    row = _row_of(subject, judged.sender, context, judged) if judged.sender else None
    if row is None:
        raise ReceiptRefused(reason="not delivered to its sender")
    return subject, row


def _check_form(valid: ValidEnvelope, receipt: Receipt) -> None:
    if valid.spec.senders == ("hub",):
        raise ReceiptRefused(reason=f"only the hub says {valid.spec.name}")
    if valid.header.in_reply_to != receipt.subject_id:
        raise ReceiptRefused(reason="InReplyTo is not the subject")


def _row_of(
    subject: Prior, sender: AgencyCode, context: Context, judged: Judged
) -> DeliveryRow | None:
    """The delivery to this agency, by itself or through its centre; open ones first."""
    mine = [
        row
        for row in subject.deliveries
        if row.receiver == sender.value or _named(row, sender, context, judged.at)
    ]
    ordered = sorted(mine, key=lambda row: (row.state in OPEN, row.created_at))
    return ordered[-1] if ordered else None


def _named(row: DeliveryRow, sender: AgencyCode, context: Context, at: datetime) -> bool:
    """Whether the message was for this agency, whoever's queue it went through."""
    for code in map(AgencyCode.parse, row.named.split()):
        if context.directory.canonical(code) == sender:
            return True
        with contextlib.suppress(HubError):
            if context.directory.resolve(code, at).resolved == sender:
                return True
    return False


def _changed(
    judged: Judged,
    valid: ValidEnvelope,
    receipt: Receipt,
    prior: Prior | None,
    found: tuple[Prior, DeliveryRow],
    context: Context,
) -> Decision:
    subject, row = found
    row_id = prior.message if prior else context.new_id(judged.at).value
    changes, events = _effect(judged, receipt, row)
    forward, more = _forward(judged, valid, receipt, row_id, context)
    sends = [send(one, judged) for one in forward]
    if changes and changes[0].state is DeliveryState.DEFERRED:
        sends.append(_rung(receipt, subject, row, row.attempts + 1, context))
    contradiction = any(one.kind == "contradiction" for one in events)
    record = WindowRecord(
        messages=(evidence(judged, row_id, MessageState.ACCEPTED),),
        deliveries=forward,
        events=(event(judged, row_id, "receipt_seen"), *events, *more),
        changes=changes,
        audit=(line(judged, "contradiction" if contradiction else "receipt"),),
    )
    return Decision(Verdict.RECEIPT, record, tuple(sends), judged.key)


def _effect(
    judged: Judged, receipt: Receipt, row: DeliveryRow
) -> tuple[tuple[DeliveryChange, ...], tuple[EventRow, ...]]:
    """What a receipt does to the delivery: nothing if it contradicts what is recorded."""
    state = STATES[receipt.type.value]
    detail = {"receiver": row.receiver, "receipt": judged.key[1] if judged.key else ""}
    if row.state not in OPEN:
        if row.state is state:
            return (), ()
        detail |= {"recorded": row.state.value, "told": state.value}
        return (), (event(judged, row.message, "contradiction", **detail),)
    change = DeliveryChange(row.id, state, judged.at, receipt.reason, "", attempt=1)
    return (change,), (event(judged, row.message, state.value, **detail, reason=receipt.reason),)


def _forward(
    judged: Judged, valid: ValidEnvelope, receipt: Receipt, row_id: str, context: Context
) -> tuple[tuple[DeliveryRow, ...], tuple[EventRow, ...]]:
    """Deliver the receipt to the subject's sender; what the hub itself said ends here."""
    sender = context.directory.canonical(receipt.subject_sender)
    if sender == context.hub:
        return (), ()
    try:
        found = context.directory.resolve(sender, judged.at)
    except HubError as error:
        return (), (event(judged, row_id, "receipt_unroutable", code=error.code),)
    queue = queue_name(found.queue, urgent=False)
    hop = Hop(receipt.subject_sender.value, found.receiver.value, found.via, queue)
    row = delivery(hop, row_id, valid.header.order_key, judged, context)
    return (row,), (queued(judged, row),)


def _rung(
    receipt: Receipt, subject: Prior, row: DeliveryRow, attempts: int, context: Context
) -> Send:
    return Send(
        queue=row.queue,
        message_id=receipt.subject_id.value,
        sender=subject_key(receipt, context)[0],
        digest=subject.digest,
        delivery=row.id,
        message=row.message,
        seq=row.seq,
        attempt=attempts,
        rung_s=rung_for(attempts, receipt.retry_after_s, context.rungs_s),
    )


def _answered(
    judged: Judged,
    valid: ValidEnvelope,
    receipt: Receipt,
    prior: Prior | None,
    subject: Prior | None,
    context: Context,
) -> Decision:
    """Answer a query of the message's sender or of one of its receivers."""
    _check_form(valid, receipt)
    own = judged.sender == context.directory.canonical(receipt.subject_sender)
    same = subject is not None and subject.digest == receipt.subject_digest
    if not own:
        _checked(judged, valid, receipt, subject, context)
    row_id = prior.message if prior else context.new_id(judged.at).value
    told: tuple[Recipient, ...] = outcomes(subject) if subject and same else ()
    about = voice.Subject(
        row=row_id,
        message_id=receipt.subject_id,
        sender=receipt.subject_sender,
        digest=receipt.subject_digest,
        conversation_id=valid.header.conversation_id,
        to=valid.header.sender,
        receiver=judged.told,
        dossier_code=valid.header.dossier_code,
        document_id=valid.header.document_id,
    )
    answer = voice.say(
        voice.STATUS,
        about,
        context,
        judged.at,
        recipients=told,
        error=DuplicateConflict() if subject and not same else None,
        state=subject.state.value if subject and same else "unknown",
    )
    record = WindowRecord(
        messages=(evidence(judged, row_id, MessageState.ACCEPTED),),
        receipts=(answer,),
        events=(event(judged, row_id, "receipt_seen"), event(judged, row_id, "answered")),
        audit=(line(judged, "receipt"),),
    )
    return Decision(Verdict.ANSWERED, record, (sent(answer, context),), judged.key)
