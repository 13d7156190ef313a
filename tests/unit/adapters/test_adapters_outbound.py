"""The outgoing lane: every record once, as the same bytes, and the source hears of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from hub.adapters.contract import Confirmation, Item, Reason
from hub.adapters.outbound import POLL_LIMIT
from hub.broker.ports import Outcome
from hub.codes import AgencyCode
from hub.envelope import Attachment
from hub.errors import RowUnmappable, SinkUnavailable, StoreUnavailable
from hub.store.edge_rows import OutboxState
from hub.testing.world import MERGED, NOW, ONE_STOP, OTHER

PEER = MERGED


def test_a_record_becomes_one_valid_message_of_this_agency(desk):
    """What is published verifies, is From this agency, has a version 7 id and a conversation."""
    desk.legacy.records = [desk.item("row:1")]
    (raw,) = desk.send()
    header = desk.read(raw).header
    assert (str(header.sender), header.recipients) == (OTHER, (AgencyCode.parse(PEER),))
    assert header.conversation_id == header.message_id
    assert header.message_id.value[14] == "7"
    assert desk.legacy.told == [("row:1", Confirmation.PUBLISHED, None)]


def test_a_key_is_sent_once_however_often_it_is_read(desk):
    """A source that reads with overlap sends nothing twice, also within one batch."""
    desk.legacy.records = [desk.item("row:1"), desk.item("row:1"), desk.item("row:2")]
    assert len(desk.send()) == 2
    desk.legacy.records = [*desk.legacy.records, desk.item("row:2"), desk.item("row:3")]
    assert len(desk.send()) == 1
    assert desk.send() == []


BAD = {
    "unmappable": lambda desk: Item("bad", error=RowUnmappable(row="7", reason="no status")),
    "not in the schema": lambda desk: desk.broken("bad"),
    "no receiver": lambda desk: desk.item("bad", recipients=()),
    "a receiver twice": lambda desk: desk.item("bad", PEER, PEER),
    "201 receivers": lambda desk: desk.item(
        "bad", recipients=tuple(AgencyCode.parse(f"H12.{n}") for n in range(100, 301))
    ),
    "expired": lambda desk: desk.item("bad", expires_at=NOW - timedelta(minutes=1)),
    "priority": lambda desk: desk.item("bad", priority=9),
    "attachment too large": lambda desk: desk.item(
        "bad", attachments=(Attachment.of("a.bin", "application/octet-stream", bytes(1 << 21)),)
    ),
    "wrong digest": lambda desk: desk.item(
        "bad", attachments=(Attachment("a.bin", "text/plain", 2, "0" * 64, b"xy"),)
    ),
    "not a draft": lambda desk: Item("bad", draft="text"),  # type: ignore[arg-type]  # a vendor's bug
    "nothing at all": lambda desk: Item("bad"),
}
CODES = {
    "unmappable": "source.mapping",
    "not in the schema": "schema.violation",
    "no receiver": "header.recipient_count",
    "a receiver twice": "header.duplicate_recipient",
    "201 receivers": "header.recipient_count",
    "expired": "header.expired",
    "priority": "schema.violation",
    "attachment too large": "attachment.too_large",
    "wrong digest": "attachment.digest_mismatch",
    "not a draft": "internal.fault",
    "nothing at all": "internal.fault",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_record_is_parked_with_its_reason_and_stops_nobody(desk, name):
    """Parked in both languages, told to the source; the next record goes on."""
    desk.legacy.records = [BAD[name](desk), desk.item("good")]
    assert len(desk.send()) == 1
    (parked,) = desk.store.parked()
    assert (parked.key, parked.code) == ("bad", CODES[name])
    assert parked.vi
    assert parked.en
    assert ("bad", Confirmation.PARKED, None) in desk.legacy.told
    assert desk.send() == []


@pytest.fixture
def clerk(desk):
    """A desk whose partner's system has a place for reasons."""

    class Clerk(type(desk.legacy)):
        def confirm_parked(self, key: str, reason: Reason) -> None:
            if not self.up:
                raise SinkUnavailable
            self.told.append((key, Confirmation.PARKED, reason))

    desk.legacy = Clerk()
    desk.start()
    return desk


@pytest.mark.parametrize("name", BAD)
def test_a_source_that_wants_the_reason_gets_it(clerk, name):
    """What the store keeps for the operator is what the source hears, later if it was away."""
    clerk.legacy.records = [BAD[name](clerk)]
    clerk.outbound.poll()
    clerk.legacy.up = False
    clerk.outbound.tell()
    assert clerk.legacy.told == []
    clerk.legacy.up = True
    clerk.restart()
    clerk.send()
    (row,) = clerk.store.parked()
    reason = Reason(CODES[name], row.vi, row.en, row.at)
    assert clerk.legacy.told == [("bad", Confirmation.PARKED, reason)]
    assert clerk.store.notices() == []


def test_a_reason_that_is_gone_is_not_made_up(clerk):
    """Once an operator has removed the parked row, the source hears of it without a reason."""
    clerk.legacy.records = [clerk.broken("bad")]
    clerk.outbound.poll()
    with closing(sqlite3.connect(clerk.path)) as store:
        store.execute("delete from parked")
        store.commit()
    clerk.send()
    assert clerk.legacy.told == [("bad", Confirmation.PARKED, None)]


@pytest.mark.parametrize("key", ["", "k" * 301])
def test_a_key_that_does_not_fit_is_parked(desk, key):
    """An empty or too long key can't be kept as one; the record is not lost silently."""
    desk.legacy.records = [desk.item(key)]
    assert desk.send() == []
    assert desk.store.parked()[0].code == "internal.fault"


def test_more_than_one_batch_comes_at_once(desk):
    """After a full batch the next poll does not wait for the interval, until all is there."""
    desk.legacy.records = [desk.item(f"row:{n}") for n in range(POLL_LIMIT + 3)]
    desk.outbound.poll()
    desk.outbound.poll()
    assert desk.store.counts()["outbox.new"] == POLL_LIMIT + 3
    assert desk.store.checkpoint() == str(POLL_LIMIT + 3)


def test_what_the_broker_did_not_take_is_sent_again_as_the_same_bytes(desk):
    """Refused, returned or unknown: the stored bytes go out again, later, until confirmed."""
    desk.legacy.records = [desk.item("row:1"), desk.item("row:2"), desk.item("row:3")]
    desk.queue.outcomes.extend([Outcome.UNKNOWN, Outcome.CONFIRMED, Outcome.RETURNED])
    first = desk.send()
    assert desk.store.counts()["outbox.published"] == 1
    desk.outbound.publish(desk.client)
    assert len(desk.queue.published) == 3
    second = desk.send()
    assert second == [first[0], first[2]]
    assert desk.store.counts() == {"outbox.published": 3, "parked": 0, "quarantined": 0}


def test_bytes_survive_a_restart_and_are_not_signed_again(desk):
    """What was taken before a crash goes out after it, byte for byte."""
    desk.legacy.records = [desk.item("row:1")]
    desk.outbound.poll()
    (stored,) = desk.store.unpublished()
    desk.restart()
    assert desk.send() == [stored.raw]


def test_publishing_reads_bounded_memory(desk):
    """A window is cut by bytes too, and a message larger than that still goes out alone."""
    desk.legacy.records = [desk.item(f"row:{n}") for n in range(4)]
    desk.outbound.poll()
    size = len(desk.store.unpublished()[0].raw)
    assert len(desk.store.unpublished(max_bytes=size * 2 + size // 2)) == 2
    assert len(desk.store.unpublished(max_bytes=1)) == 1
    assert len(desk.store.unpublished(limit=3)) == 3


def test_a_source_that_is_away_is_probed_and_waited_for(desk):
    """While it is down it is asked less and less often; afterwards nothing is missing."""
    desk.legacy.records = [desk.item("row:1")]
    desk.legacy.up = False
    polls = []
    asked = desk.legacy.poll
    desk.legacy.poll = lambda *a: polls.append(desk.clock.now) or asked(*a)
    for _ in range(120):
        assert desk.send() == []
    assert len(polls) == 1
    desk.legacy.up = True
    sent = [raw for _ in range(60) for raw in desk.send()]
    assert len(sent) == 1


def test_a_source_that_fails_in_an_unknown_way_does_not_end_the_lane(desk):
    """Any exception of a connector's code is waited out like an absence."""
    desk.legacy.records = [desk.item("row:1")]
    good = desk.legacy.poll
    desk.legacy.poll = lambda *_: 1 / 0
    assert desk.send() == []
    desk.legacy.poll = good
    desk.clock.forward(60)
    assert len(desk.send()) == 1


def test_a_store_that_is_away_is_not_the_sources_fault(desk, monkeypatch):
    """A failing transaction is raised: nothing of the batch is taken, nothing is skipped."""
    desk.legacy.records = [desk.item("row:1")]

    def fail(*_: object) -> None:
        raise StoreUnavailable(reason="disk full")

    with monkeypatch.context() as patch:
        patch.setattr(desk.store, "take_batch", fail)
        with pytest.raises(StoreUnavailable):
            desk.outbound.poll()
    assert len(desk.send()) == 1


def test_telling_waits_for_a_source_that_is_away(desk):
    """A notice is kept until the source has taken it, through a restart too."""
    desk.legacy.records = [desk.item("row:1")]
    told = desk.legacy.confirm

    def away(*_: object) -> None:
        raise SinkUnavailable

    desk.legacy.confirm = away
    desk.send()
    desk.restart()
    desk.legacy.confirm = told
    desk.clock.forward(60)
    desk.send()
    assert desk.legacy.told == [("row:1", Confirmation.PUBLISHED, None)]


def test_telling_that_fails_is_parked_and_stops_nobody(desk):
    """A source whose confirm raises something else is not asked for ever."""
    desk.legacy.records = [desk.item("row:1"), desk.item("row:2")]
    told = desk.legacy.confirm
    desk.legacy.confirm = lambda key, *rest: 1 / 0 if key == "row:1" else told(key, *rest)
    desk.send()
    assert [key for key, *_ in desk.legacy.told] == ["row:2"]
    assert desk.store.parked()[0].key == "confirm:published:row:1"


def test_the_source_hears_the_whole_life_of_its_item(desk):
    """Published, accepted, delivered: each once, with the receipt that says so."""
    desk.legacy.records = [desk.item("row:1")]
    (raw,) = desk.send()
    for receipt in (desk.accepted(raw), desk.say("receipt.delivered", PEER, raw)):
        desk.receive(receipt)
        desk.receive(receipt)
        desk.send()
    told = [confirmation for _key, confirmation, _receipt in desk.legacy.told]
    assert told == [Confirmation.PUBLISHED, Confirmation.ACCEPTED, Confirmation.DELIVERED]
    receipt = desk.legacy.told[1][2]
    assert receipt == desk.receipt_of(desk.queue.acked[0])
    assert receipt.recipients[0].outcome == "queued"


def test_a_rejection_reaches_the_source_with_its_reason(desk):
    """The hub's receipt.rejected is handed on whole."""
    desk.legacy.records = [desk.item("row:1", ONE_STOP)]
    (raw,) = desk.send()
    desk.receive(desk.say("receipt.rejected", "00.99.W00", raw, reason="routing.unknown_receiver"))
    desk.send()
    key, confirmation, receipt = desk.legacy.told[-1]
    assert (key, confirmation) == ("row:1", Confirmation.REFUSED)
    assert receipt.reason == "routing.unknown_receiver"
    row = desk.store.find_by_message_id(receipt.subject_id.value)
    assert (row.state, row.reason) == (OutboxState.REFUSED, "routing.unknown_receiver")
