"""Decide on ordinary messages: accept, repeat by the state of the first, refuse as a conflict."""

from __future__ import annotations

from dataclasses import replace

from hub.codes import AgencyCode
from hub.envelope import Recipient
from hub.errors import DuplicateConflict, HubError, UnknownReceiver
from hub.routing import voice
from hub.routing.context import Context
from hub.routing.decision import Decision, Send, Verdict
from hub.routing.judged import Judged
from hub.routing.table import PING, Hop, hops, is_urgent
from hub.routing.verdicts import event, evidence, line, rejected, sent, subject_of
from hub.schemas.validate import ValidEnvelope
from hub.store.rows import (
    DeliveryRow,
    DeliveryState,
    EventRow,
    MessageRow,
    MessageState,
    Prior,
    WindowRecord,
)

ANSWERED = frozenset({DeliveryState.QUEUED, DeliveryState.DELIVERED})
"""A repeat of what is queued or delivered gets the stored receipt again."""
IN_PROGRESS = frozenset({DeliveryState.DEFERRED, DeliveryState.PARKED})


def decide_message(judged: Judged, prior: Prior | None, context: Context) -> Decision:
    """Decide on a message that is no receipt, whose sender may be answered."""
    if prior is not None:
        if prior.digest != judged.digest:
            return conflict(judged, prior, context)
        repeated = _repeat(judged, prior, context)
        if repeated is not None:
            return repeated
    if judged.error is not None:
        return rejected(judged, judged.error, prior, context)
    if judged.valid is None:
        msg = "neither valid nor refused"
        raise ValueError(msg)
    if not any(route.open for route in judged.routes):
        told = tuple(route.told() for route in judged.routes)
        return rejected(judged, _first_error(judged), prior, context, told)
    return _accepted(judged, judged.valid, prior, context)


def _first_error(judged: Judged) -> HubError:
    errors = [route.error for route in judged.routes if route.error is not None]
    return errors[0] if errors else UnknownReceiver(value="-")


def _accepted(
    judged: Judged, valid: ValidEnvelope, prior: Prior | None, context: Context
) -> Decision:
    row_id = prior.message if prior else context.new_id(judged.at).value
    urgent = is_urgent(valid.header, valid.spec)
    deliveries = tuple(
        delivery(hop, row_id, valid.header.order_key, judged, context)
        for hop in hops(judged.routes, urgent=urgent)
    )
    subject = subject_of(judged, row_id)
    told = tuple(route.told() for route in judged.routes)
    receipt = voice.say(voice.ACCEPTED, subject, context, judged.at, recipients=told)
    events = [
        event(judged, row_id, "arrived", account=judged.arrival.account or ""),
        event(judged, row_id, "accepted"),
        *(queued(judged, row) for row in deliveries),
    ]
    record = WindowRecord(
        messages=(evidence(judged, row_id, MessageState.ACCEPTED),),
        deliveries=deliveries,
        receipts=(receipt,),
        events=tuple(events),
        audit=(line(judged, "accepted"),),
    )
    sends = (*(send(row, judged) for row in deliveries), sent(receipt, context))
    decision = Decision(Verdict.ACCEPTED, record, sends, judged.key)
    if any(route.to_hub and route.open for route in judged.routes):
        return _with_pong(decision, judged, valid, subject, context)
    return decision


def delivery(
    hop: Hop, row_id: str, order_key: str, judged: Judged, context: Context
) -> DeliveryRow:
    """Return a new delivery to one queue; its running number is given by the store."""
    return DeliveryRow(
        id=context.new_id(judged.at).value,
        message=row_id,
        named=hop.named,
        receiver=hop.receiver,
        via=hop.via,
        queue=hop.queue,
        state=DeliveryState.QUEUED,
        created_at=judged.at,
        order_key=order_key,
    )


def send(row: DeliveryRow, judged: Judged) -> Send:
    """Return the publication of the arrived bytes to one delivery's queue."""
    sender, message_id = judged.key or ("", "")
    return Send(
        queue=row.queue,
        message_id=message_id,
        sender=sender,
        raw=judged.arrival.raw,
        digest=judged.digest,
        delivery=row.id,
        message=row.message,
        seq=row.seq,
        attempt=row.attempts,
    )


def queued(judged: Judged, row: DeliveryRow) -> EventRow:
    """The event of a new delivery."""
    return event(judged, row.message, "queued", receiver=row.receiver, named=row.named, via=row.via)


def _with_pong(
    decision: Decision,
    judged: Judged,
    valid: ValidEnvelope,
    subject: voice.Subject,
    context: Context,
) -> Decision:
    """Add the hub's pong, a message of the hub's own to whoever sent the ping."""
    if valid.header.type.value != PING:
        return decision
    answer = voice.pong(valid, subject, context, judged.at)
    found = context.directory.resolve(AgencyCode.parse(subject.receiver), judged.at)
    hop = Hop(subject.receiver, found.receiver.value, found.via, found.queue)
    order_key = f"conversation:{answer.conversation_id}"
    row = delivery(hop, answer.id, order_key, judged, context)
    record = decision.record
    return replace(
        decision,
        record=replace(
            record,
            messages=(*record.messages, answer),
            deliveries=(*record.deliveries, row),
            events=(
                *record.events,
                event(judged, subject.row, "delivered", receiver=context.hub.value),
                queued(judged, row),
            ),
        ),
        sends=(*decision.sends, _own(answer, row)),
    )


def _own(message: MessageRow, row: DeliveryRow) -> Send:
    return Send(
        queue=row.queue,
        message_id=message.message_id,
        sender=message.sender,
        raw=message.raw,
        digest=message.digest,
        delivery=row.id,
        message=row.message,
    )


def _repeat(judged: Judged, prior: Prior, context: Context) -> Decision | None:
    """Answer by the state of the first; ``None``: it is to be judged anew."""
    states = {row.state for row in prior.deliveries}
    if prior.state is not MessageState.ACCEPTED:
        return None
    if states & ANSWERED or not states:
        stored = [row for row in prior.receipts if row.type == voice.ACCEPTED.value][-1:]
        sends = (*unconfirmed(judged, prior), *(sent(row, context) for row in stored))
        record = WindowRecord(events=(event(judged, prior.message, "repeated"),))
        return Decision(Verdict.REPEATED, record, sends, judged.key)
    if states & IN_PROGRESS:
        return _status(judged, prior, context)
    return None


def unconfirmed(judged: Judged, prior: Prior) -> tuple[Send, ...]:
    """Return the publications of the first that the broker never confirmed, to be done again."""
    return tuple(
        send(row, judged)
        for row in prior.deliveries
        if row.confirmed_at is None and row.state is DeliveryState.QUEUED
    )


def _status(judged: Judged, prior: Prior, context: Context) -> Decision:
    subject = subject_of(judged, prior.message)
    receipt = voice.say(
        voice.STATUS, subject, context, judged.at, recipients=outcomes(prior), state="in_progress"
    )
    record = WindowRecord(receipts=(receipt,), events=(event(judged, prior.message, "repeated"),))
    return Decision(Verdict.REPEATED, record, (sent(receipt, context),), judged.key)


def outcomes(prior: Prior) -> tuple[Recipient, ...]:
    """Return where each receiver of a known message stands."""
    return tuple(
        Recipient(
            code=AgencyCode.parse(named),
            outcome=row.state.value,
            resolved=AgencyCode.parse(row.receiver),
            via=row.via,
            reason=row.reason,
        )
        for row in prior.deliveries
        for named in row.named.split()
    )


def conflict(judged: Judged, prior: Prior, context: Context) -> Decision:
    """Refuse other content under a known id; the first message stays what it is."""
    error = DuplicateConflict()
    subject = subject_of(judged, prior.message)
    receipt = voice.say(voice.REJECTED, subject, context, judged.at, error=error)
    record = WindowRecord(
        receipts=(receipt,),
        events=(event(judged, prior.message, "conflict", digest=judged.digest),),
        audit=(line(judged, "conflict"),),
    )
    return Decision(Verdict.CONFLICT, record, (sent(receipt, context),), judged.key, error.code)
