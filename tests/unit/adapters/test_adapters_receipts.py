"""Receipts about our own messages: which are believed, and what the source hears."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.adapters.ordering import HOLD_S
from hub.testing.world import CLOSED_A, HUB, MERGED, OTHER

PEER = MERGED


def sent(desk, *to: str) -> bytes:
    """Send one record and return its bytes."""
    desk.legacy.records.append(desk.item(f"row:{len(desk.legacy.records)}", *to))
    (raw,) = desk.send()
    return raw


LIES = {
    "accepted by an agency": lambda desk, raw: desk.say("receipt.accepted", PEER, raw),
    "rejected by an agency": lambda desk, raw: desk.say("receipt.rejected", PEER, raw),
    "delivered by the hub": lambda desk, raw: desk.say("receipt.delivered", HUB, raw),
    "delivered by a stranger": lambda desk, raw: desk.say("receipt.delivered", "H99.19", raw),
    "refused by a stranger": lambda desk, raw: desk.say("receipt.refused", "H99.19", raw),
    "of other bytes": lambda desk, raw: desk.say(
        "receipt.delivered", PEER, raw, subject_digest="0" * 64
    ),
    "of another sender": lambda desk, raw: desk.say(
        "receipt.delivered", PEER, raw, subject_sender=desk.read(raw).header.recipients[0]
    ),
    "of nothing": lambda desk, raw: desk.say("receipt.delivered", PEER, desk.message()),
    "in reply to something else": lambda desk, raw: desk.say(
        "receipt.delivered", PEER, raw, in_reply_to=desk.read(desk.message()).header.message_id
    ),
    "a question": lambda desk, raw: desk.say("receipt.query", PEER, raw),
}


@pytest.mark.parametrize("name", LIES)
def test_receipts_that_lie_are_not_believed(desk, name):
    """Signed well, yet by or about the wrong one: kept, alarmed, acked, and nothing moves."""
    raw = sent(desk)
    desk.receive(desk.accepted(raw))
    desk.send()
    told = list(desk.legacy.told)
    lie = LIES[name](desk, raw)
    assert desk.receive(lie) == []
    assert desk.queue.acked[-1] == lie
    desk.send()
    assert desk.legacy.told == told
    assert desk.store.counts() == {"outbox.accepted": 1, "parked": 0, "quarantined": 1}
    assert desk.store.kept()[0].code == "receipt.refused_itself"


def test_receipts_cause_nothing(desk):
    """Good or bad, a receipt is never answered."""
    raw = sent(desk)
    for receipt in (desk.accepted(raw), desk.say("receipt.delivered", PEER, raw)):
        assert desk.receive(receipt) == []
    assert desk.store.unpublished() == []


def test_a_successor_is_believed_when_the_hub_has_named_it(desk):
    """To a closed agency; the hub says who got it; that one's receipt counts."""
    raw = sent(desk, CLOSED_A)
    desk.receive(desk.accepted(raw, resolved=PEER, via="successor"))
    desk.receive(desk.say("receipt.delivered", PEER, raw))
    desk.send()
    assert [told[1].value for told in desk.legacy.told] == ["published", "accepted", "delivered"]


def test_a_successor_before_receipt_accepted_is_held_back(desk):
    """Whether to believe it can't be told yet: it waits, and counts once the hub has spoken."""
    raw = sent(desk, CLOSED_A)
    early = desk.say("receipt.delivered", PEER, raw)
    desk.receive(early, 1)
    assert desk.queue.acked == []
    accepted = desk.accepted(raw, resolved=PEER, via="successor")
    desk.receive(accepted)
    assert desk.queue.acked in ([accepted, early], [early, accepted])
    assert desk.store.counts()["outbox.delivered"] == 1


def test_an_early_receipt_that_nothing_explains_is_quarantined(desk):
    """After the hold-back it is kept and alarmed like any other that is not believed."""
    raw = sent(desk, CLOSED_A)
    desk.receive(desk.say("receipt.delivered", PEER, raw))
    desk.clock.forward(HOLD_S)
    desk.receive()
    assert desk.store.counts()["quarantined"] == 1


def test_delivered_needs_every_receiver(desk):
    """Of two receivers one is not enough; a redirection of both to one is."""
    raw = sent(desk, PEER, "H99.19")
    desk.receive(desk.accepted(raw))
    desk.receive(desk.say("receipt.delivered", PEER, raw))
    assert desk.store.counts()["outbox.accepted"] == 1
    desk.receive(desk.say("receipt.delivered", "H99.19", raw))
    assert desk.store.counts()["outbox.delivered"] == 1


def test_one_refusal_is_told_at_once(desk):
    """The first negative receipt decides; what others say later changes nothing."""
    raw = sent(desk, PEER, "H99.19")
    desk.receive(desk.accepted(raw))
    desk.receive(desk.say("receipt.refused", PEER, raw, reason="sink.refused"))
    desk.receive(desk.say("receipt.delivered", "H99.19", raw))
    desk.send()
    assert [told[1].value for told in desk.legacy.told] == ["published", "accepted", "refused"]


def test_expiry_after_delivery_is_a_contradiction_and_changes_nothing(desk):
    """Delivered stays delivered, whatever the hub says afterwards."""
    raw = sent(desk)
    desk.receive(desk.accepted(raw))
    desk.receive(desk.say("receipt.delivered", PEER, raw))
    desk.receive(desk.say("receipt.expired", HUB, raw, reason="header.expired"))
    assert desk.store.counts()["outbox.delivered"] == 1
    assert len(desk.store.answers(desk.read(raw).header.message_id.value)) == 3


def test_receipts_may_come_in_any_order(desk):
    """Delivered before accepted is delivered, told once; a deferral moves nothing."""
    raw = sent(desk)
    desk.receive(desk.say("receipt.deferred", PEER, raw, retry_after_s=5))
    desk.receive(desk.say("receipt.delivered", PEER, raw))
    desk.receive(desk.accepted(raw))
    desk.send()
    assert [told[1].value for told in desk.legacy.told] == ["published", "delivered"]


def test_receipts_count_in_the_order_of_their_stream_and_wait_for_nobody(desk):
    """A message behind a receipt's number is not held back once the receipt was seen."""
    raw = sent(desk)
    conversation = desk.read(raw).header.conversation_id
    delivered = desk.say("receipt.delivered", PEER, raw)
    draft = desk.world.draft("dossier.received", PEER, OTHER, conversation_id=conversation)
    bare = replace(draft, header=replace(draft.header, dossier_code=None))
    assert desk.receive(desk.world.signed(bare), 2) == []
    assert desk.receive(delivered, 1) == ["receipt.delivered"]


def test_a_source_without_sink_still_hears_receipts(desk, make_desk, tmp_path):
    """A connector that only sends refuses messages and believes receipts."""
    raw = sent(desk)
    desk.edge = replace(desk.edge, parts=replace(desk.edge.parts, sink=None))
    desk.inbound = type(desk.inbound)(desk.edge)
    assert desk.receive(desk.message()) == ["receipt.refused"]
    desk.receive(desk.accepted(raw))
    assert desk.store.counts()["outbox.accepted"] == 1
