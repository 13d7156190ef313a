"""Receipts change a delivery's state, reach the message's sender, and never cause receipts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.codes import AgencyCode
from hub.envelope import Arrival
from hub.routing.decision import Verdict
from hub.routing.retry import Due, decide_due, rung_for
from hub.schemas.compose import compose
from hub.schemas.receipts import read_receipt
from hub.signing import signer
from hub.store.rows import DeliveryChange, DeliveryState, MessageState, RepresentsRow
from hub.testing.world import (
    DEPARTMENT,
    GATEWAY,
    HUB,
    NOW,
    ONE_STOP,
    OTHER,
    REMOTE,
    World,
    code,
    fresh_id,
)

TYPE = "dossier.received"


@pytest.fixture
def subject(world: World) -> Arrival:
    """A message from the one-stop that was delivered to the department."""
    arrival = world.sent(TYPE, ONE_STOP, DEPARTMENT)
    assert world.route(arrival).verdict is Verdict.ACCEPTED
    return arrival


def state_of(world: World, subject: Arrival) -> DeliveryState:
    header = world.read(subject.raw).header
    (row,) = world.memory[header.sender.value, header.message_id.value].deliveries
    return row.state


@pytest.mark.parametrize(
    ("type_", "state"),
    [
        ("receipt.delivered", DeliveryState.DELIVERED),
        ("receipt.refused", DeliveryState.REFUSED),
        ("receipt.deferred", DeliveryState.DEFERRED),
    ],
)
def test_receivers_receipt_changes_state_and_is_forwarded(
    world: World, subject: Arrival, type_: str, state: DeliveryState
) -> None:
    """The delivery moves, and the very bytes of the receipt go to the message's sender."""
    receipt = world.receipt(type_, DEPARTMENT, subject)
    decision = world.route(receipt)
    assert decision.verdict is Verdict.RECEIPT
    assert (decision.record.changes[0].state, decision.record.changes[0].attempt) == (state, 1)
    assert decision.record.receipts == ()
    (row,) = decision.record.deliveries
    assert (row.receiver, row.queue) == (ONE_STOP, f"inbox.{ONE_STOP}")
    assert decision.sends[0].raw == receipt.raw
    assert state_of(world, subject) is state


def test_deferral_puts_the_stored_bytes_on_a_rung(world: World, subject: Arrival) -> None:
    """A deferred delivery waits on the ladder, by its stored bytes, for as long as was asked."""
    decision = world.route(world.receipt("receipt.deferred", DEPARTMENT, subject, retry_after_s=90))
    rung = decision.sends[-1]
    assert (rung.rung_s, rung.attempt, rung.raw) == (600, 1, None)
    header = world.read(subject.raw).header
    prior = world.memory[ONE_STOP, header.message_id.value]
    assert (rung.digest, rung.delivery) == (prior.digest, prior.deliveries[0].id)


@pytest.mark.parametrize(
    ("sender", "facts"),
    [
        (OTHER, {}),
        (DEPARTMENT, {"subject_digest": "0" * 64}),
        (DEPARTMENT, {"subject_id": fresh_id()}),
        (DEPARTMENT, {"subject_sender": code(OTHER)}),
        (DEPARTMENT, {"in_reply_to": fresh_id()}),
    ],
    ids=["stranger", "digest", "id", "sender", "in_reply_to"],
)
def test_receipt_about_what_was_not_delivered_to_its_sender_is_parked(
    world: World, subject: Arrival, sender: str, facts: dict
) -> None:
    """It changes nothing, goes nowhere, causes nothing, and waits for an operator."""
    decision = world.route(world.receipt("receipt.delivered", sender, subject, **facts))
    assert (decision.verdict, decision.code) == (Verdict.PARKED, "receipt.refused_itself")
    assert decision.record.messages[0].state is MessageState.PARKED
    assert [event.kind for event in decision.record.events] == ["parked"]
    assert (decision.sends, decision.record.changes, decision.record.receipts) == ((), (), ())
    assert state_of(world, subject) is DeliveryState.QUEUED


@pytest.mark.parametrize("type_", ["receipt.accepted", "receipt.rejected", "receipt.expired"])
def test_agency_cannot_speak_for_the_hub(world: World, subject: Arrival, type_: str) -> None:
    """Receipts that only the hub gives are parked when an agency sends them."""
    decision = world.route(world.receipt(type_, DEPARTMENT, subject))
    assert (decision.verdict, decision.code) == (Verdict.PARKED, "receipt.refused_itself")


def test_forged_receipt_is_quarantined(world: World, subject: Arrival) -> None:
    """A receipt with a changed byte is quarantined like anything else, and changes nothing."""
    receipt = world.receipt("receipt.delivered", DEPARTMENT, subject)
    forged = replace(receipt, raw=receipt.raw.replace(b"delivered<", b"refused__<"))
    assert world.route(forged).verdict is Verdict.QUARANTINED
    assert state_of(world, subject) is DeliveryState.QUEUED


def test_invalid_receipt_is_parked_and_never_answered(world: World, subject: Arrival) -> None:
    """Even with a good signature, content that is no receipt is not answered by a rejection."""
    draft = world.draft("receipt.delivered", DEPARTMENT, ONE_STOP)
    bad = compose(draft).replace(b"<SubjectDigest>", b"<SubjectDigest>x")
    raw = signer.sign(bad, world.key(code(DEPARTMENT)))
    decision = world.route(Arrival(raw=raw, tag=1, account=DEPARTMENT))
    assert (decision.verdict, decision.code) == (Verdict.PARKED, "schema.violation")
    assert (decision.sends, decision.record.receipts) == ((), ())


def test_delivered_after_expired_is_a_contradiction(world: World, subject: Arrival) -> None:
    """The recorded expiry stands, the contradiction is recorded, and the sender is told."""
    ((key, prior),) = world.memory.items()
    rows = tuple(replace(row, state=DeliveryState.EXPIRED) for row in prior.deliveries)
    world.memory[key] = replace(prior, deliveries=rows)
    decision = world.route(world.receipt("receipt.delivered", DEPARTMENT, subject))
    kinds = [event.kind for event in decision.record.events]
    assert "contradiction" in kinds
    assert decision.record.changes == ()
    assert [entry.action for entry in decision.record.audit] == ["message.contradiction"]
    assert [row.receiver for row in decision.record.deliveries] == [ONE_STOP]


def test_second_delivered_receipt_is_no_contradiction(world: World, subject: Arrival) -> None:
    """A receiver that says the same again under another id changes nothing and alarms nobody."""
    world.route(world.receipt("receipt.delivered", DEPARTMENT, subject))
    decision = world.route(world.receipt("receipt.delivered", DEPARTMENT, subject))
    assert decision.record.changes == ()
    assert "contradiction" not in [event.kind for event in decision.record.events]


def test_repeated_receipt_is_forwarded_again_only_while_unconfirmed(
    world: World, subject: Arrival
) -> None:
    """The same receipt bytes again: unconfirmed copies go out again, confirmed ones do not."""
    receipt = world.receipt("receipt.delivered", DEPARTMENT, subject)
    first = world.route(receipt)
    again = world.route(receipt)
    assert again.verdict is Verdict.REPEATED
    assert [send.delivery for send in again.sends] == [first.record.deliveries[0].id]
    for key, prior in world.memory.items():
        done = tuple(replace(row, confirmed_at=NOW) for row in prior.deliveries)
        world.memory[key] = replace(prior, deliveries=done)
    assert world.route(receipt).sends == ()


def test_repeated_deferral_climbs_the_ladder_once(world: World, subject: Arrival) -> None:
    """A repeated deferral with unconfirmed copies goes on the same rung, not a higher one."""
    deferral = world.receipt("receipt.deferred", DEPARTMENT, subject)
    first = world.route(deferral)
    again = world.route(deferral)
    assert first.sends[-1].rung_s == again.sends[-1].rung_s == 10
    assert again.sends[-1].attempt == first.sends[-1].attempt == 1
    assert again.record.changes == ()


def test_query_of_the_sender_is_answered_with_the_states(world: World, subject: Arrival) -> None:
    """The sender asks; the hub answers with receipt.status to the one who asked."""
    decision = world.route(world.receipt("receipt.query", ONE_STOP, subject))
    (row,) = decision.record.receipts
    status = read_receipt(world.read(row.raw))
    assert (decision.verdict, row.receiver) == (Verdict.ANSWERED, ONE_STOP)
    assert (status.type.value, status.state) == ("receipt.status", "accepted")
    assert [(r.code.value, r.outcome) for r in status.recipients] == [(DEPARTMENT, "queued")]


def test_query_about_an_unknown_message_of_ones_own(world: World) -> None:
    """A sender that asks about what never came learns that the hub does not know it."""
    never = world.sent(TYPE, ONE_STOP, DEPARTMENT)
    decision = world.route(world.receipt("receipt.query", ONE_STOP, never))
    status = read_receipt(world.read(decision.record.receipts[0].raw))
    assert (status.state, status.recipients) == ("unknown", ())


def test_query_of_a_receiver_is_answered_to_the_receiver(world: World, subject: Arrival) -> None:
    """A receiver may ask about what was delivered to it."""
    decision = world.route(world.receipt("receipt.query", DEPARTMENT, subject))
    (row,) = decision.record.receipts
    header = world.read(row.raw).header
    assert (row.receiver, header.recipients) == (DEPARTMENT, (code(DEPARTMENT),))


def test_query_of_a_stranger_is_parked(world: World, subject: Arrival) -> None:
    """Nobody learns of messages that are not theirs."""
    decision = world.route(world.receipt("receipt.query", OTHER, subject))
    assert (decision.verdict, decision.sends) == (Verdict.PARKED, ())


def test_agency_behind_a_gateway_may_answer_only_for_itself(world: World) -> None:
    """A receipt for a delivery to a gateway counts from an agency that the message names."""
    rows = tuple(RepresentsRow(GATEWAY, agency, NOW, None) for agency in (REMOTE, "H26.01"))
    acting = World.of(world.pki, represents=rows)
    arrival = acting.sent("document.new", DEPARTMENT, REMOTE)
    acting.route(arrival)
    stranger = acting.route(_by_gateway(acting, "H26.01", arrival))
    assert stranger.verdict is Verdict.PARKED
    named = acting.route(_by_gateway(acting, REMOTE, arrival))
    assert named.record.changes[0].state is DeliveryState.DELIVERED


def _by_gateway(world: World, sender: str, subject: Arrival) -> Arrival:
    about = world.read(subject.raw)
    made = world.draft("receipt.delivered", sender, DEPARTMENT, in_reply_to=about.header.message_id)
    fields = {
        **made.payload.fields,
        "SubjectMessageId": about.header.message_id.value,
        "SubjectFrom": about.header.sender.value,
        "SubjectDigest": about.digest,
    }
    draft = replace(made, payload=replace(made.payload, fields=fields))
    return Arrival(raw=world.signed(draft, world.key(code(GATEWAY))), tag=1, account=GATEWAY)


@pytest.mark.parametrize(
    ("attempts", "wish", "expected"),
    [(1, None, 10), (2, None, 60), (9, None, 3600), (1, 61, 3600), (3, 5, 3600), (1, 99_999, 3600)],
)
def test_rung_of_the_ladder(attempts: int, wish: int | None, expected: int) -> None:
    """Each deferral climbs one rung; a wish only ever lengthens the wait."""
    assert rung_for(attempts, wish, (10, 60, 3600)) == expected


def _due(world: World, subject: Arrival, attempt: int = 1, **more: object) -> Due:
    about = world.read(subject.raw)
    prior = world.memory[ONE_STOP, about.header.message_id.value]
    return Due(
        arrival=subject,
        at=NOW,
        digest=about.digest,
        delivery=prior.deliveries[0].id,
        sender=ONE_STOP,
        message_id=about.header.message_id.value,
        attempt=attempt,
        expires_at=more.get("expires_at"),
    )


def test_what_comes_down_goes_back_into_the_inbox(world: World, subject: Arrival) -> None:
    """After the rung the stored bytes go to the inbox again and the delivery is queued."""
    world.route(world.receipt("receipt.deferred", DEPARTMENT, subject))
    decision = decide_due(_due(world, subject), world.memory)
    assert decision.verdict is Verdict.RETRIED
    assert decision.record.changes == (
        DeliveryChange(decision.sends[0].delivery, DeliveryState.QUEUED, NOW),
    )
    assert (decision.sends[0].raw, decision.sends[0].queue) == (subject.raw, f"inbox.{DEPARTMENT}")


def test_expired_or_stale_copies_stay_out_of_the_inbox(world: World, subject: Arrival) -> None:
    """Past ExpiresAt, an older attempt, or a delivery that is over: nothing is published."""
    world.route(world.receipt("receipt.deferred", DEPARTMENT, subject))
    expired = decide_due(_due(world, subject, expires_at=NOW), world.memory)
    assert (expired.verdict, expired.sends) == (Verdict.EXPIRED, ())
    stale = decide_due(_due(world, subject, attempt=0), world.memory)
    assert (stale.verdict, stale.sends) == (Verdict.DROPPED, ())
    world.route(world.receipt("receipt.refused", DEPARTMENT, subject))
    assert decide_due(_due(world, subject, attempt=2), world.memory).verdict is Verdict.DROPPED
    unknown = replace(_due(world, subject), message_id=fresh_id().value)
    assert decide_due(unknown, world.memory).verdict is Verdict.DROPPED


def test_hubs_code_is_no_agency_of_its_own_receipts(world: World) -> None:
    """The hub's own code is a living centre of the directory, and has no inbox."""
    row = world.context.directory.row(AgencyCode.parse(HUB))
    assert row is not None
    assert (row.kind, row.attached) == ("centre", False)
