"""Order within a dossier, and recalls that overtake: handed over by the hub's numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.adapters.ordering import HOLD_MESSAGES, HOLD_S
from hub.codes import DossierCode
from hub.errors import SinkRefused, SinkUnavailable, SinkUnknown
from hub.testing.world import MERGED, NOW, OTHER

PEER = MERGED


def numbers(desk, raws: list[bytes]) -> list[int]:
    """Return the places of what was applied within ``raws``."""
    keys = [desk.key_of(raw) for raw in raws]
    return [keys.index(key) + 1 for key in desk.legacy.applied]


def test_messages_of_a_dossier_are_handed_over_by_their_numbers(desk):
    """What came ahead of its predecessor is held back, and follows it at once."""
    raws = desk.stream(3)
    assert desk.receive(raws[2], 3) == []
    assert desk.receive(raws[1], 2) == []
    assert desk.queue.acked == []
    assert desk.receive(raws[0], 1) == ["receipt.delivered"] * 3
    assert numbers(desk, raws) == [1, 2, 3]


def test_held_messages_come_again_after_a_restart(desk):
    """How far the stream has come stands in the store; what was held comes from the broker."""
    raws = desk.stream(3)
    desk.receive(raws[0], 1)
    desk.receive(raws[2], 3)
    desk.restart()
    assert desk.receive() == []
    assert desk.receive(raws[1], 2) == ["receipt.delivered"] * 2
    assert numbers(desk, raws) == [1, 2, 3]


def test_a_gap_holds_back_for_a_while_only(desk):
    """Its time over, what waits is handed over; the straggler is too, late, when it comes."""
    raws = desk.stream(3)
    desk.receive(raws[2], 3)
    desk.receive(raws[1], 2)
    desk.clock.forward(HOLD_S - 1)
    assert desk.receive() == []
    desk.clock.forward(2)
    assert desk.receive() == ["receipt.delivered"] * 2
    assert desk.receive(raws[0], 1) == ["receipt.delivered"]
    assert numbers(desk, raws) == [2, 3, 1]


def test_only_so_many_are_held_back(desk):
    """Reading never stops for streams with gaps: the longest waiting is let go."""
    late = [(desk.stream(1, f"HS-{n}")[0], 2) for n in range(HOLD_MESSAGES + 1)]
    for raw, seq in late:
        desk.receive(raw, seq)
        desk.clock.forward(0.1)
    assert list(desk.legacy.applied) == [desk.key_of(late[0][0])]


def test_nothing_overtakes_a_deferred_message(desk):
    """The successors of a deferred message are deferred too, and follow when it is done."""
    raws = desk.stream(3)
    desk.legacy.fail.append(SinkUnavailable())
    assert desk.receive(raws[0], 1) == ["receipt.deferred"]
    assert desk.receive(raws[1], 2) == ["receipt.deferred"]
    assert desk.receipt_of(desk.queue.published[1]).reason == "order.waiting"
    assert desk.receive(raws[1], 2) == ["receipt.deferred"]
    assert desk.receive(raws[2], 3) == ["receipt.deferred"]
    assert desk.receive(raws[0], 1) == ["receipt.delivered"]
    assert desk.receive(raws[1], 2) == ["receipt.delivered"]
    assert desk.receive(raws[2], 3) == ["receipt.delivered"]
    assert numbers(desk, raws) == [1, 2, 3]


def test_a_deferred_message_that_has_expired_holds_nobody_back(desk):
    """After its ExpiresAt nobody will bring it back: its successors go on."""
    first = desk.message(dossier_code=DossierCode("HS-1"), expires_at=NOW + timedelta(minutes=1))
    (second,) = desk.stream(1)
    desk.legacy.fail.append(SinkUnavailable())
    desk.receive(first, 1)
    assert desk.receive(second, 2) == ["receipt.deferred"]
    desk.clock.forward(61)
    assert desk.receive(second, 2) == ["receipt.delivered"]


@pytest.mark.parametrize("first", [SinkRefused(reason="x"), SinkUnknown()])
def test_a_refused_or_parked_message_releases_its_successors(desk, first):
    """What will never be handed over holds nobody back."""
    raws = desk.stream(2)
    desk.legacy.fail.append(first)
    desk.receive(raws[0], 1)
    assert desk.receive(raws[1], 2) == ["receipt.delivered"]


def test_streams_do_not_wait_for_each_other(desk):
    """No order across dossiers."""
    held, free = desk.stream(1, "HS-1")[0], desk.stream(1, "HS-2")[0]
    desk.receive(held, 2)
    assert desk.receive(free, 1) == ["receipt.delivered"]


def document(desk, type_: str, identity: str, **header) -> bytes:
    """Return a document message whose payload speaks of ``identity``."""
    draft = desk.world.draft(type_, PEER, OTHER, document_id=identity, **header)
    field = "TargetDocumentId" if type_ == "document.recall" else "DocumentId"
    fields = {**draft.payload.fields, field: identity}
    return desk.world.signed(replace(draft, payload=replace(draft.payload, fields=fields)))


def test_a_recall_seen_first_stops_the_document(desk):
    """The recall came by the urgent queue: it waits for nobody, and the document is refused."""
    new = document(desk, "document.new", "VB-1")
    recall = document(desk, "document.recall", "VB-1")
    assert desk.receive(recall, 2) == ["receipt.delivered"]
    desk.restart()
    assert desk.receive(new, 1) == ["receipt.refused"]
    assert desk.receipt_of(desk.queue.published[-1]).reason == "document.recalled"
    assert list(desk.legacy.applied) == [desk.key_of(recall)]


def test_a_recall_stops_only_its_own_senders_documents_made_before_it(desk):
    """Another document, or one made anew after the recall, is handed over."""
    desk.receive(document(desk, "document.recall", "VB-1"), 2)
    other = document(desk, "document.new", "VB-2")
    anew = document(desk, "document.new", "VB-1", created_at=NOW + timedelta(seconds=1))
    assert desk.receive(other) == ["receipt.delivered"]
    assert desk.receive(anew, 1) == ["receipt.delivered"]
