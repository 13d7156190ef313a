"""Repeats are answered by the state of the first; other content under an id is a conflict (§8)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.envelope import Arrival
from hub.routing.decision import Verdict
from hub.schemas.receipts import read_receipt
from hub.store.rows import AccessRow, DeliveryState
from hub.testing.world import DEPARTMENT, MERGED, NOW, ONE_STOP, OTHER, World, fresh_id

TYPE = "dossier.received"


def test_repeat_of_an_accepted_message_gets_the_very_receipt_again(world: World) -> None:
    """Three times the same bytes: one delivery, and byte for byte the first receipt."""
    arrival = world.sent(TYPE, ONE_STOP, DEPARTMENT)
    first = world.route(arrival)
    _confirm(world)
    for _time in range(2):
        again = world.route(arrival)
        assert again.verdict is Verdict.REPEATED
        assert (again.record.deliveries, again.record.receipts) == ((), ())
        assert [send.raw for send in again.sends] == [first.record.receipts[0].raw]


def _confirm(world: World) -> None:
    """As if the broker had confirmed everything so far."""
    for key, prior in world.memory.items():
        world.memory[key] = replace(
            prior,
            deliveries=tuple(replace(row, confirmed_at=NOW) for row in prior.deliveries),
            receipts=tuple(replace(row, confirmed_at=NOW) for row in prior.receipts),
        )


def test_repeat_publishes_again_what_was_never_confirmed(world: World) -> None:
    """Dedupe stops acceptance, never publication: unconfirmed deliveries go out again."""
    arrival = world.sent("document.new", DEPARTMENT, OTHER, MERGED)
    first = world.route(arrival)
    again = world.route(arrival)
    assert {send.delivery for send in again.sends if send.delivery} == {
        row.id for row in first.record.deliveries
    }
    assert all(send.raw == arrival.raw for send in again.sends if send.delivery)


def test_same_id_with_other_content_is_a_conflict(world: World) -> None:
    """Other bytes under a known id are refused, deliver nothing and change nothing."""
    draft = world.draft(TYPE, ONE_STOP, DEPARTMENT)
    first = Arrival(raw=world.signed(draft), tag=1, account=ONE_STOP)
    world.route(first)
    other = replace(draft, header=replace(draft.header, priority=1))
    decision = world.route(Arrival(raw=world.signed(other), tag=2, account=ONE_STOP))
    assert (decision.verdict, _reason(world, decision)) == (
        Verdict.CONFLICT, "duplicate.conflict",
    )  # fmt: skip
    assert (decision.record.messages, decision.record.deliveries) == ((), ())
    again = world.route(first)
    sent = world.read(next(send.raw for send in again.sends if send.receipt))
    assert sent.header.type.value == "receipt.accepted"


def test_same_id_of_another_sender_is_another_message(world: World) -> None:
    """The key holds the sender: two agencies may use one id."""
    identity = fresh_id()
    for sender in (ONE_STOP, DEPARTMENT):
        arrival = world.sent("document.new", sender, OTHER, message_id=identity)
        assert world.route(arrival).verdict is Verdict.ACCEPTED


def test_repeat_of_a_rejected_message_is_judged_anew(world: World) -> None:
    """What was refused is judged by today's rules, under the same row."""
    arrival = world.sent("citizen.lookup", ONE_STOP, DEPARTMENT)
    first = world.route(arrival)
    rules = [AccessRow(1, ONE_STOP, DEPARTMENT, "citizen.*", allow=True)]
    opened = World.of(world.pki, rules=rules)
    opened.memory = world.memory
    decision = opened.route(arrival)
    assert decision.verdict is Verdict.ACCEPTED
    assert decision.record.messages[0].id == first.record.messages[0].id


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (DeliveryState.DELIVERED, "receipt.accepted"),
        (DeliveryState.DEFERRED, "receipt.status"),
        (DeliveryState.PARKED, "receipt.status"),
        (DeliveryState.REFUSED, "anew"),
        (DeliveryState.EXPIRED, "anew"),
    ],
)
def test_repeat_is_answered_by_the_state_of_the_first(
    world: World, state: DeliveryState, expected: str
) -> None:
    """Delivered: the stored receipt; in progress: a status; refused or expired: judged anew."""
    arrival = world.sent(TYPE, ONE_STOP, DEPARTMENT)
    world.route(arrival)
    _confirm(world)
    ((key, prior),) = world.memory.items()
    rows = tuple(replace(row, state=state) for row in prior.deliveries)
    world.memory[key] = replace(prior, deliveries=rows)
    decision = world.route(arrival)
    if expected == "anew":
        assert decision.verdict is Verdict.ACCEPTED
        assert len(decision.record.deliveries) == 1
        return
    assert decision.verdict is Verdict.REPEATED
    (send,) = decision.sends
    assert world.read(send.raw).header.type.value == expected


def _reason(world: World, decision) -> str:
    (row,) = decision.record.receipts
    return read_receipt(world.read(row.raw)).reason
