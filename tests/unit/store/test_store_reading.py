"""Reading the store: what is open, unconfirmed, parked or past its time; traces and counts."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.store import deliveries, messages
from hub.store.rows import DeliveryChange, DeliveryState, MessageState, WindowRecord
from hub.store.times import from_us, to_us
from hub.testing import rows
from hub.testing.rows import at, delivery, message, quarantine, receipt, whole

MINUTE = timedelta(seconds=60)


def _record(windows, *records):
    with windows.window() as tx:
        for record in records:
            tx.record(record)


def _one(windows, **changes):
    """One message with one delivery."""
    one = message(b"<a>%s</a>" % rows.new_id().encode())
    sent = delivery(one, **changes)
    _record(windows, WindowRecord(messages=(one,), deliveries=(sent,)))
    return one, sent


# --- times ----------------------------------------------------------------------------------------

moments = st.datetimes(
    min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30),  # noqa: DTZ001  given a zone next
    timezones=st.integers(-23 * 60, 23 * 60).map(lambda m: timezone(timedelta(minutes=m))),
)  # fmt: skip


@given(moments)
def test_a_moment_is_kept_to_the_microsecond(moment):
    """Any zone, any year: the same instant comes back, in UTC, without rounding."""
    kept = to_us(moment)
    assert isinstance(kept, int)
    assert from_us(kept) == moment
    assert from_us(kept).tzinfo is UTC


@given(moments, moments)
def test_order_in_the_store_is_order_in_time(one, two):
    """Comparing the stored numbers compares the instants."""
    assert (to_us(one) < to_us(two)) == (one < two)


def test_a_time_without_a_zone_is_a_mistake():
    """A naive time is refused: nobody knows which instant it means."""
    with pytest.raises(TypeError):
        to_us(datetime(2026, 3, 4))  # noqa: DTZ001  the point of the test
    assert to_us(None) is None
    assert from_us(None) is None


# --- deliveries -----------------------------------------------------------------------------------


def test_only_what_is_older_than_a_minute_is_published_again(store, windows):
    """A delivery recorded 60 s ago is not older than 60 s; a microsecond more and it is."""
    _one(windows)
    exactly = rows.T0 + MINUTE
    assert deliveries.unconfirmed(store, exactly - MINUTE) == []
    found = deliveries.unconfirmed(store, exactly + timedelta(microseconds=1) - MINUTE)
    assert len(found) == 1


@pytest.mark.parametrize("state", DeliveryState)
def test_only_queued_and_unconfirmed_deliveries_are_published_again(store, windows, state):
    """Deferred ones lie on a rung, the others are done or wait for a person."""
    _one(windows, state=state)
    _one(windows, state=state, confirmed_at=at(1))
    found = deliveries.unconfirmed(store, at(100))
    assert len(found) == (1 if state is DeliveryState.QUEUED else 0)


def test_a_delivery_comes_with_all_that_publishing_needs(store, windows):
    """Bytes, id, sender, type, priority and digest of the message, and the row itself."""
    one, sent = _one(windows, seq=7, attempts=2)
    (found,) = deliveries.unconfirmed(store, at(100))
    assert found.delivery == sent
    assert (found.message_id, found.sender, found.type) == (one.message_id, one.sender, one.type)
    assert (found.raw, found.digest, found.priority) == (one.raw, one.digest, one.priority)


def test_unconfirmed_receipts_come_oldest_first(store, windows):
    """The hub's own receipts are swept up too, until the broker has confirmed them."""
    one = message()
    told = [receipt(one, created_at=at(n)) for n in (3, 1, 2)]
    _record(windows, WindowRecord(messages=(one,), receipts=tuple(told)))
    with windows.window() as tx:
        tx.confirm([], [told[2].id], at(5))
    found = deliveries.unconfirmed_receipts(store, at(100))
    assert found == [told[1], told[0]]
    assert deliveries.unconfirmed_receipts(store, at(1)) == []


@pytest.mark.parametrize("state", DeliveryState)
def test_what_is_past_its_time(store, windows, state):
    """Open deliveries of messages whose ExpiresAt has passed, and no others."""
    late = message(b"late", expires_at=at(10))
    never = message(b"never")
    _record(
        windows,
        WindowRecord(
            messages=(late, never),
            deliveries=(delivery(late, state=state), delivery(never, state=state)),
        ),
    )
    assert deliveries.expired(store, at(10)) == []
    found = deliveries.expired(store, at(11))
    waiting = state in (DeliveryState.QUEUED, DeliveryState.DEFERRED)
    assert [one.raw for one in found] == ([b"late"] if waiting else [])


def test_parked_deliveries_are_found_by_id_message_or_receiver(store, windows):
    """However a person names it, in either case of letters; groups count and tell the oldest."""
    one, sent = _one(windows, state=DeliveryState.PARKED, reason="routing.unroutable")
    _one(windows, state=DeliveryState.PARKED, reason="routing.unroutable", created_at=at(-9))
    _one(windows, receiver="H14.15", state=DeliveryState.PARKED, reason="sink.unknown")
    for wanted in (sent.id, one.message_id, one.message_id.upper()):
        assert [found.delivery for found in deliveries.parked(store, wanted)] == [sent]
    assert len(deliveries.parked(store, "h13.15")) == 2
    assert deliveries.parked(store, "nobody\ud800") == []
    largest, other = deliveries.parked_groups(store)
    assert largest == deliveries.ParkedGroup("H13.15", "routing.unroutable", 2, at(-9))
    assert (other.receiver, other.count) == ("H14.15", 1)


def test_open_deliveries_by_queue(store, windows):
    """Depth and age by the store's own account: queued and deferred ones."""
    _one(windows, created_at=at(5))
    _one(windows, state=DeliveryState.DEFERRED, created_at=at(3))
    _one(windows, state=DeliveryState.DELIVERED, created_at=at(1))
    assert deliveries.open_by_queue(store) == {"inbox.H13.15": 2}
    assert deliveries.oldest_by_queue(store) == {"inbox.H13.15": at(3)}


# --- messages -------------------------------------------------------------------------------------


def test_a_life_is_found_by_message_dossier_or_document(store, windows):
    """Events in the order in which they were written, times in RFC 3339, the oldest first."""
    names = {"dossier_code": "H12.15-260304-0007", "document_id": "D1"}
    first = whole(b"1", arrived_at=at(1), **names)
    second = whole(b"2", arrived_at=at(2), **names)
    _record(windows, second, first)
    for wanted in names.values():
        found = messages.trace(store, wanted)
        assert [one["message_id"] for one in found] == [
            first.messages[0].message_id,
            second.messages[0].message_id,
        ]
    (found,) = messages.trace(store, first.messages[0].message_id.upper())
    assert found["to"] == ["H13.15", "H14.15"]
    assert [one["kind"] for one in found["events"]][:2] == ["arrived", "accepted"]
    assert datetime.fromisoformat(found["events"][0]["at"]).utcoffset() == timedelta(0)
    assert messages.trace(store, "unknown") == []


def test_forged_arrivals_come_last_and_bounded(store, windows):
    """Anybody can claim an id: the true message stays first, and a flood is cut."""
    true = whole()
    (one,) = true.messages
    forged = tuple(quarantine(claimed_id=one.message_id) for _ in range(messages.MAX_TRACED + 5))
    _record(windows, true, WindowRecord(quarantined=forged))
    found = messages.trace(store, one.message_id)
    assert found[0]["state"] == "accepted"
    assert {entry["state"] for entry in found[1:]} == {"quarantined"}
    assert len(found) == 1 + messages.MAX_TRACED


def test_counts(store, windows):
    """Messages by verdict, deliveries by outcome, forgeries by code."""
    good, refused = whole(b"1"), whole(b"2")
    rejected = message(b"3", state=MessageState.REJECTED)
    _record(
        windows,
        good,
        refused,
        WindowRecord(
            messages=(rejected,),
            quarantined=(quarantine(), dataclasses.replace(quarantine(), code="xml.doctype")),
            changes=(
                DeliveryChange(good.deliveries[0].id, DeliveryState.DELIVERED, at(1)),
                DeliveryChange(good.deliveries[1].id, DeliveryState.PARKED, at(1)),
                DeliveryChange(refused.deliveries[0].id, DeliveryState.REFUSED, at(1)),
            ),
        ),
    )
    assert messages.counts(store) == {
        "accepted": 2, "delivered": 1, "refused": 2, "parked": 1, "forged_quarantined": 2,
    }  # fmt: skip
    assert messages.quarantined_by_code(store) == {
        "signature.digest_mismatch": 1,
        "xml.doctype": 1,
    }
