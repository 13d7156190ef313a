"""The incoming lane: exactly once at the legacy side, whatever comes and whatever fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.adapters.contract import Applied
from hub.broker.ports import Outcome
from hub.codes import DossierCode, Environment
from hub.envelope import sha256_hex
from hub.errors import EdxmlMalformed, SinkRefused, SinkUnavailable, SinkUnknown
from hub.store.edge_rows import InboxState
from hub.testing.world import CLOSED_A, MERGED, NOW, OTHER

PEER = MERGED


def test_a_message_is_applied_answered_and_acknowledged(desk):
    """The sink gets the payload under its key, the sender a signed receipt with the reference."""
    raw = desk.message()
    assert desk.receive(raw) == ["receipt.delivered"]
    assert list(desk.legacy.applied) == [desk.key_of(raw)]
    assert desk.queue.acked == [raw]
    receipt = desk.receipt_of(desk.queue.published[0])
    assert (receipt.subject_digest, receipt.place) == (sha256_hex(raw), "ref-1")
    header = desk.read(desk.queue.published[0]).header
    assert (str(header.sender), str(header.recipients[0])) == (OTHER, PEER)
    assert header.in_reply_to == receipt.subject_id
    handed = desk.legacy.applied[desk.key_of(raw)]
    assert (str(handed.receiver), handed.payload) == (OTHER, desk.read(raw).payload())


def test_repeats_get_the_same_receipt_again(desk):
    """However often it comes, the sink is called once and the receipt's bytes are the first's."""
    raw = desk.message()
    for _ in range(3):
        assert desk.receive(raw) == ["receipt.delivered"]
        desk.restart()
    assert len(desk.legacy.calls) == 1
    assert len(set(desk.queue.published)) == 1
    assert len(desk.queue.acked) == 3


def test_other_content_under_a_known_id_is_quarantined(desk):
    """The first stays what it is; the second is kept, acknowledged and never answered."""
    draft = desk.world.draft("dossier.received", PEER, OTHER)
    first = desk.world.signed(draft)
    other = desk.world.signed(
        replace(draft, header=replace(draft.header, dossier_code=DossierCode("X-1")))
    )
    assert desk.receive(first) == ["receipt.delivered"]
    assert desk.receive(other) == []
    (kept,) = desk.store.kept()
    assert (kept.code, kept.raw) == ("duplicate.conflict", other)
    assert desk.queue.acked == [first, other]


def test_a_type_that_is_not_taken_here_is_refused(desk, make_desk, tmp_path):
    """The sender hears why; the sink is not asked."""
    other = make_desk(tmp_path / "other.sqlite", accepts=("document.*",))
    assert other.receive(other.message()) == ["receipt.refused"]
    assert other.receipt_of(other.queue.published[0]).reason == "sink.refused"
    assert other.legacy.calls == []
    other.store.close()


BAD = {
    "not xml": lambda desk: b"<not",
    "changed": lambda desk: desk.message().replace(b"DossierReceived", b"DossierReceivee"),
    "unsigned": lambda desk: desk.message()[:-300],
    "other environment": lambda desk: desk.message(environment=Environment.PRODUCTION),
    "foreign key": lambda desk: desk.world.signed(
        desk.world.draft("dossier.received", PEER, OTHER), desk.world.pki.agency("H99.19", "p256")
    ),
}
CODES = {
    "not xml": "xml.malformed",
    "changed": "signature.digest_mismatch",
    "unsigned": "xml.malformed",
    "other environment": "header.environment",
    "foreign key": "trust.signer_mismatch",
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arrivals_are_kept_and_never_answered(desk, name):
    """Bytes, digest and code are kept; nothing is published or handed over; the next goes on."""
    raw, good = BAD[name](desk), desk.message()
    desk.queue.put(raw)
    assert desk.receive(good) == ["receipt.delivered"]
    (kept,) = desk.store.kept()
    assert (kept.raw, kept.digest, kept.code) == (raw, sha256_hex(raw), CODES[name])
    assert sorted(desk.queue.acked) == sorted([raw, good])
    assert list(desk.legacy.applied) == [desk.key_of(good)]
    assert desk.store.counts()["quarantined"] == 1


def test_a_message_for_a_predecessor_of_this_agency_is_taken(desk, make_desk, tmp_path):
    """To may name an alias or a closed agency whose messages come here; the hub's queue decides."""
    own = make_desk(tmp_path / "merged.sqlite", agency=PEER)
    raw = own.world.signed(own.world.draft("dossier.received", OTHER, CLOSED_A))
    assert own.receive(raw) == ["receipt.delivered"]
    assert str(own.read(own.queue.published[0]).header.sender) == PEER
    own.store.close()


def test_nothing_is_handed_over_after_its_expiry(desk):
    """It is the hub that says receipt.expired: the edge keeps silent and acknowledges."""
    raw = desk.message(expires_at=NOW + timedelta(minutes=1))
    desk.clock.forward(60)
    assert desk.receive(raw) == []
    assert desk.receive(raw) == []
    assert (desk.legacy.calls, desk.queue.acked) == ([], [raw, raw])
    assert desk.store.inbox(desk.key_of(raw)).state is InboxState.EXPIRED


def test_a_refusal_of_the_sink_is_told_with_its_reason(desk):
    """receipt.refused carries code and sentences; a repeat gets the same and is not tried."""
    raw = desk.message()
    desk.legacy.fail.append(SinkRefused(reason="no such dossier", reason_vi="không có hồ sơ"))
    assert desk.receive(raw) == ["receipt.refused"]
    receipt = desk.receipt_of(desk.queue.published[0])
    assert receipt.reason == "sink.refused"
    assert "không có hồ sơ" in receipt.detail_vi
    assert desk.receive(raw) == ["receipt.refused"]
    assert len(desk.legacy.calls) == 1


def test_a_passing_failure_is_deferred_and_taken_when_it_comes_back(desk):
    """receipt.deferred with reason and RetryAfter, acked; the hub's next attempt succeeds."""
    raw = desk.message()
    desk.legacy.fail.append(SinkUnavailable("row locked"))
    assert desk.receive(raw) == ["receipt.deferred"]
    receipt = desk.receipt_of(desk.queue.published[0])
    assert (receipt.reason, receipt.retry_after_s) == ("sink.unavailable", 1)
    assert desk.queue.acked == [raw]
    assert desk.receive(raw) == ["receipt.delivered"]
    assert len(desk.legacy.applied) == 1


def test_a_failure_that_had_an_effect_is_found_by_the_look_up(desk):
    """A time-out after the write: the retry asks first, and does not write again."""
    raw = desk.message()
    good = desk.legacy.apply

    def late(message, key):
        good(message, key)
        raise SinkUnavailable

    desk.legacy.apply = late
    assert desk.receive(raw) == ["receipt.deferred"]
    desk.legacy.apply = good
    assert desk.receive(raw) == ["receipt.delivered"]
    assert len(desk.legacy.calls) == 1


def test_a_system_that_is_down_stops_the_reading_and_burns_no_attempt(desk):
    """Nothing is deferred: all goes back to the queue, is probed for, then taken in order."""
    first, second = desk.message(), desk.message()
    desk.queue.put(first)
    desk.legacy.up = False
    assert desk.receive(second) == []
    assert desk.queue.pauses == 1
    assert len(desk.queue.ready) == 2
    assert desk.inbound.paused
    for _ in range(5):
        assert desk.receive() == []
    desk.legacy.up = True
    desk.clock.forward(31)
    assert desk.receive() == ["receipt.delivered"] * 2
    assert list(desk.legacy.applied) == [desk.key_of(first), desk.key_of(second)]
    assert not desk.inbound.paused


def test_what_was_done_before_the_pause_is_still_answered(desk):
    """A message applied in the same window gets its receipt and its ack before reading stops."""
    good, bad = desk.message(), desk.message()
    desk.queue.put(good)
    desk.queue.put(bad)
    desk.legacy.fail.extend([None, SinkUnavailable()])
    desk.legacy.probe = lambda: replace(type(desk.legacy)().probe(), ok=False)
    assert desk.receive() == ["receipt.delivered"]
    assert desk.queue.acked == [good]
    assert len(desk.queue.ready) == 1


PARKING = {
    "sink.unknown": SinkUnknown("HTTP 200 ?"),
    "edxml.malformed": EdxmlMalformed(reason="x"),
    "internal.fault": KeyError("a name of a person"),
}


@pytest.mark.parametrize("code", PARKING)
def test_other_errors_are_parked_and_the_sender_hears_nothing_yet(desk, code):
    """Bytes kept, alarm given, acknowledged; the next message goes on; a repeat changes nothing."""
    raw, good = desk.message(), desk.message()
    desk.legacy.fail.append(PARKING[code])
    desk.queue.put(raw)
    assert desk.receive(good) == ["receipt.delivered"]
    assert desk.receive(raw) == []
    key = desk.key_of(raw)
    (kept,) = desk.store.kept()
    assert (kept.key, kept.code, kept.raw) == (key, code, raw)
    assert desk.store.inbox(key).state is InboxState.PARKED
    (parked,) = desk.store.parked()
    assert parked.key == f"inbox:{key}"
    assert "a name of a person" not in parked.en + parked.vi
    assert len(desk.legacy.calls) == 2


def crashed(desk, raw: bytes, *, applied: bool) -> None:
    """Leave the desk as a crash during ``apply`` does."""

    class Crash(BaseException):
        """The process dies."""

    good = desk.legacy.apply

    def dies(message, key):
        if applied:
            good(message, key)
        raise Crash

    desk.legacy.apply = dies
    with pytest.raises(Crash):
        desk.receive(raw)
    desk.legacy.apply = good
    desk.restart()
    assert desk.store.inbox(desk.key_of(raw)).state is InboxState.TAKEN


@pytest.mark.parametrize("applied", [True, False])
def test_after_a_crash_the_sink_is_asked(desk, applied):
    """Applied before the crash or not: one effect, one receipt."""
    raw = desk.message()
    crashed(desk, raw, applied=applied)
    assert desk.receive() == ["receipt.delivered"]
    assert len(desk.legacy.applied) == 1


def test_a_sink_that_cannot_tell_parks_as_unknown(desk):
    """Neither repeated nor forgotten: a person decides."""
    raw = desk.message()
    crashed(desk, raw, applied=True)
    desk.legacy.lookup_fails = SinkUnknown()
    assert desk.receive() == []
    assert desk.store.inbox(desk.key_of(raw)).reason == "sink.unknown"
    assert len(desk.legacy.calls) == 1


def test_a_look_up_that_is_unavailable_for_now_is_deferred(desk):
    """The hub brings it back, and then the sink is asked again."""
    raw = desk.message()
    crashed(desk, raw, applied=True)
    desk.legacy.lookup_fails = SinkUnavailable()
    assert desk.receive() == ["receipt.deferred"]
    desk.legacy.lookup_fails = None
    assert desk.receive(raw) == ["receipt.delivered"]
    assert len(desk.legacy.calls) == 1


def test_a_look_up_that_fails_in_an_unknown_way_parks(desk):
    """Whether it was applied is not known: no second call."""
    raw = desk.message()
    crashed(desk, raw, applied=True)
    desk.legacy.lookup_fails = ZeroDivisionError()
    assert desk.receive() == []
    assert desk.store.inbox(desk.key_of(raw)).reason == "internal.fault"
    assert len(desk.legacy.calls) == 1


def test_a_probe_that_fails_says_that_the_system_is_down(desk):
    """An exception of the probe is an answer too: reading stops, and it is asked again."""
    raw, good = desk.message(), desk.legacy.probe
    desk.legacy.probe = lambda: 1 / 0
    desk.legacy.fail.append(SinkUnavailable())
    assert desk.receive(raw) == []
    assert desk.inbound.paused
    desk.legacy.probe = good
    desk.clock.forward(31)
    assert desk.receive() == ["receipt.delivered"]


def test_a_look_up_on_a_system_that_is_down_waits(desk):
    """Not knowing because nobody answers is no reason to park."""
    raw = desk.message()
    crashed(desk, raw, applied=True)
    desk.legacy.lookup_fails, desk.legacy.up = SinkUnknown(), False
    assert desk.receive() == []
    assert desk.inbound.paused
    desk.legacy.lookup_fails, desk.legacy.up = None, True
    desk.clock.forward(31)
    assert desk.receive() == ["receipt.delivered"]


def test_replies_go_out_once_with_the_message_that_caused_them(desk):
    """They enter the outbox in the transaction that marks the message done, by own keys."""
    item = desk.item("x", PEER, type_="dossier.resolved")
    desk.legacy.replies = (item.draft, replace(item.draft, recipients=()))
    raw = desk.message()
    desk.receive(raw)
    desk.receive(raw)
    (row,) = desk.store.unpublished()
    assert (row.key, row.source) == (f"reply:{desk.key_of(raw)}:0", False)
    (parked,) = desk.store.parked()
    assert (parked.key, parked.code) == (
        f"reply:{desk.key_of(raw)}:1",
        "header.recipient_count",
    )
    assert len(desk.send()) == 1
    assert desk.legacy.told == []


def test_nothing_is_acknowledged_before_its_receipt_is_confirmed(desk):
    """A receipt that the broker does not take is published again, the same bytes, then acked."""
    raw = desk.message()
    desk.queue.outcomes.extend([Outcome.UNKNOWN, Outcome.REFUSED])
    assert desk.receive(raw) == ["receipt.delivered"] * 2
    assert len(set(desk.queue.published)) == 1
    assert desk.queue.acked == [raw]


def test_a_stop_leaves_the_rest_unacknowledged(desk):
    """The message at hand is finished and answered; the others are still the broker's."""
    raws = [desk.message() for _ in range(3)]
    good = desk.legacy.apply

    def last(message, key):
        desk.stop.set()
        return good(message, key)

    desk.legacy.apply = last
    for raw in raws:
        desk.queue.put(raw)
    assert desk.receive() == ["receipt.delivered"]
    assert desk.queue.acked == raws[:1]
    desk.client.close()
    assert len(desk.queue.ready) == 2


def test_applied_without_reference_is_fine(desk):
    """An empty reference leaves the receipt's place out."""
    desk.legacy.apply = lambda *_: Applied()
    assert desk.receive(desk.message()) == ["receipt.delivered"]
    assert desk.receipt_of(desk.queue.published[0]).place == ""
