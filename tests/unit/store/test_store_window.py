"""A window's transaction: everything or nothing, keys claimed once, numbers without gaps."""

from __future__ import annotations

import dataclasses
import signal

import pytest
from sqlalchemy import func, select

from hub.envelope import sha256_hex
from hub.errors import NotFound, SecondRouter, StoreDamaged, StoreUnavailable
from hub.store import audit, blobs, messages
from hub.store.lease import Lease
from hub.store.rows import (
    DeliveryChange,
    DeliveryState,
    EventRow,
    MessageState,
    QuarantineRow,
    WindowRecord,
)
from hub.store.tables import metadata
from hub.testing import rows
from hub.testing.rows import at, delivery, message, quarantine, receipt, whole

TABLES = [table for table in metadata.sorted_tables if table.name != "leases"]
KEY = ("H12.15", "H13.15", "dossier:1")


def _counts(store):
    with store.read() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table))
            for table in TABLES
        }


def _everything():
    """A record that touches every table a window writes."""
    first = whole(b"<first/>")
    forged = quarantine()
    return dataclasses.replace(
        first,
        quarantined=(forged,),
        events=(*first.events, rows.event(forged, "quarantined")),
        audit=(*first.audit, rows.entry("second")),
    )


def test_evidence_verdict_and_consequences_are_one_transaction(store, windows):
    """Message, bytes, deliveries, receipt, events, log, number: all there after the block."""
    with windows.window() as tx:
        tx.next_seqs([KEY])
        tx.record(_everything())
    found = {name: count for name, count in _counts(store).items() if count}
    assert found == {
        "messages": 1, "blobs": 3, "deliveries": 2, "receipts": 1, "quarantine": 1, "events": 3,
        "audit": 2, "sequences": 1,
    }  # fmt: skip


class Broken(Exception):
    """Injected."""


@pytest.mark.parametrize("after", ["seqs", "record", "confirm"])
def test_a_failure_anywhere_leaves_nothing(store, windows, after):
    """An exception at any point of the window undoes every part of it, the numbers too."""
    before = _counts(store)
    record = _everything()

    def window():
        with windows.window() as tx:
            tx.next_seqs([KEY, KEY])
            if after != "seqs":
                tx.record(record)
            if after == "confirm":
                tx.confirm([record.deliveries[0].id], [record.receipts[0].id], at(1))
            raise Broken

    with pytest.raises(Broken):
        window()
    assert _counts(store) == before
    with windows.window() as tx:
        assert tx.next_seqs([KEY]) == [1]


@pytest.mark.parametrize(
    "bad",
    [
        {"deliveries": (delivery(message()),)},
        {"receipts": (receipt(message()),)},
        {"events": (EventRow(None, rows.T0, "x"),)},
        {"quarantined": (dataclasses.replace(quarantine(), code=None),)},
    ],
    ids=["delivery of nothing", "receipt of nothing", "event of nothing", "no code"],
)
def test_a_row_that_the_database_refuses_takes_the_window_with_it(store, windows, bad):
    """A violated constraint in the last part undoes the parts that had already been written."""
    before = _counts(store)
    record = dataclasses.replace(whole(), **bad)
    with pytest.raises(StoreUnavailable), windows.window() as tx:
        tx.record(record)
    assert _counts(store) == before


CHILD = """
import sys
from hub.store.engine import Store
from hub.store.window import WindowStore
from hub.testing import rows
store = Store.open(f"sqlite:///{sys.argv[1]}")
for n in range(10_000):
    with WindowStore(store).window() as tx:
        numbers = tx.next_seqs([("H12.15", "H13.15", "dossier:1")] * 5)
        for number in numbers:
            tx.record(rows.whole(b"<a>%d</a>" % number, id=f"{sys.argv[2]}-{number}",
                                 message_id=f"{sys.argv[2]}-{number}"))
        print(numbers[-1], "open", flush=True)
    print(numbers[-1], "committed", flush=True)
"""


def _killed_in_a_window(child, file, name):
    """Kill the child with signal 9 within its third window; return the last committed number."""
    process = child(CHILD, file, name)
    committed, windows_seen = 0, 0
    for line in process.stdout:
        number, state = line.split()
        if state == "committed":
            committed = int(number)
        windows_seen += state == "open"
        if windows_seen == 3:
            break
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    for line in process.stdout:
        number, state = line.split()
        if state == "committed":
            committed = int(number)
    return committed


def test_kill_9_in_a_window_leaves_whole_windows(store, file, child):
    """Whatever was said to be committed is there, and of the rest nothing or a whole window."""
    committed = _killed_in_a_window(child, file, "one")
    committed = max(committed, _killed_in_a_window(child, file, "two"))
    found = _counts(store)
    total = found["messages"]
    assert total % 5 == 0
    assert total >= committed >= 10
    assert found["deliveries"] == 2 * total
    assert found["receipts"] == total
    assert found["audit"] == total
    with store.read() as connection:
        sequences = metadata.tables["sequences"]
        assert connection.scalar(select(sequences.c.value)) == total
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    assert audit.verify(store).ok


# --- evidence -------------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", [b"", b"\x00\xff\xfe", "Hà Nội".encode(), b"x" * 3_000_000])
def test_bytes_come_back_as_they_were(store, windows, raw):
    """What an agency signed is kept byte for byte."""
    with windows.window() as tx:
        tx.record(whole(raw))
    assert blobs.raw(store, sha256_hex(raw)) == raw


def test_the_same_bytes_are_kept_once(store, windows):
    """Content-addressed: a message, its repeat in quarantine and a receipt may share them."""
    with windows.window() as tx:
        one = message(b"same")
        tx.record(WindowRecord(messages=(one,), receipts=(receipt(one, b"same"),)))
    with windows.window() as tx:
        tx.record(WindowRecord(quarantined=(quarantine(b"same"), quarantine(b"same"))))
    assert _counts(store)["blobs"] == 1


def test_bytes_under_a_foreign_digest_are_refused(store, windows):
    """Else the true owner of the digest would find its place taken by other bytes."""
    record = whole(b"mine", digest=sha256_hex(b"yours"))
    with pytest.raises(StoreDamaged), windows.window() as tx:
        tx.record(record)
    with pytest.raises(NotFound):
        blobs.raw(store, sha256_hex(b"yours"))


# --- dedupe ---------------------------------------------------------------------------------------


def test_a_key_is_sender_and_message_id(windows):
    """What is known of a key comes back whole; other senders' equal ids are other keys."""
    record = whole()
    (one,) = record.messages
    with windows.window() as tx:
        tx.record(record)
        tx.record(whole(sender="H14.15", message_id=one.message_id))
    with windows.window() as tx:
        keys = [("H12.15", one.message_id), ("H13.15", one.message_id), ("H12.15", rows.new_id())]
        found = tx.priors(keys)
        assert tx.priors([]) == {}
    assert set(found) == {("H12.15", one.message_id)}
    prior = found["H12.15", one.message_id]
    assert (prior.message, prior.digest, prior.state) == (one.id, one.digest, one.state)
    assert set(prior.deliveries) == set(record.deliveries)
    assert prior.receipts == record.receipts


def test_a_key_cannot_be_claimed_twice(store, windows):
    """A second row for the same sender and id is refused by the database itself."""
    one = message()
    with windows.window() as tx:
        tx.record(WindowRecord(messages=(one,)))
    again = WindowRecord(messages=(message(message_id=one.message_id),))
    with pytest.raises(StoreUnavailable), windows.window() as tx:
        tx.record(again)
    assert _counts(store)["messages"] == 1


def test_a_message_judged_anew_replaces_its_verdict(windows):
    """Rejected first and accepted later is one message, with the later verdict and new rows."""
    first = message(state=MessageState.REJECTED, reason="routing.not_allowed")
    refusal = receipt(first, type="receipt.rejected")
    with windows.window() as tx:
        tx.record(WindowRecord(messages=(first,), receipts=(refusal,)))
    accepted = dataclasses.replace(first, state=MessageState.ACCEPTED, reason="")
    sent = delivery(accepted)
    with windows.window() as tx:
        tx.record(WindowRecord(messages=(accepted,), deliveries=(sent,)))
        (prior,) = tx.priors([(first.sender, first.message_id)]).values()
    assert prior.state is MessageState.ACCEPTED
    assert prior.deliveries == (sent,)
    assert prior.receipts == (refusal,)


def test_what_is_quarantined_claims_no_key(windows):
    """A forged arrival with somebody's id must not keep the true message out."""
    identity = rows.new_id()
    with windows.window() as tx:
        tx.record(WindowRecord(quarantined=(quarantine(claimed_id=identity),) * 1))
        tx.record(WindowRecord(quarantined=(quarantine(claimed_id=identity),)))
        assert tx.priors([("H12.15", identity)]) == {}
        tx.record(whole(message_id=identity))
        assert len(tx.priors([("H12.15", identity)])) == 1


def test_two_thousand_keys_in_one_window(windows):
    """The largest window asks for all its keys at once."""
    record = WindowRecord(messages=tuple(message(b"%d" % n) for n in range(2_000)))
    with windows.window() as tx:
        tx.record(record)
    with windows.window() as tx:
        keys = [(one.sender, one.message_id) for one in record.messages]
        assert len(tx.priors(keys)) == 2_000
        orders = [("H12.15", "H13.15", f"dossier:{n}") for n in range(2_000)]
        assert tx.next_seqs(orders) == [1] * 2_000


@pytest.mark.parametrize("nasty", ["\x00", "\ud800", "a" * 300, "x\udfffy\x00", "hà nội"])
def test_what_amqp_lets_through_never_breaks_a_window(store, windows, nasty):
    """NUL and lone surrogates in unsigned properties are kept as U+FFFD, long ones cut."""
    forged = QuarantineRow(rows.new_id(), rows.T0, sha256_hex(b"f"), "xml.malformed", nasty, nasty,
                           b"f", nasty)  # fmt: skip
    one = message(account=nasty, detail=nasty)
    sent = delivery(one)
    record = WindowRecord(
        messages=(one,),
        deliveries=(sent,),
        quarantined=(forged,),
        events=(EventRow(forged.id, rows.T0, "quarantined", {"code": nasty}),),
        audit=(dataclasses.replace(rows.entry(nasty, code=nasty), actor=nasty),),
        changes=(DeliveryChange(sent.id, DeliveryState.PARKED, rows.T0, nasty, nasty),),
    )
    with windows.window() as tx:
        tx.record(record)
    assert audit.verify(store).ok
    (traced,) = messages.trace(store, nasty[:64])
    assert traced["state"] == "quarantined"


# --- numbers --------------------------------------------------------------------------------------


def test_numbers_run_from_one_for_each_key(windows):
    """One counter for each sender, receiver and order key; equal keys in one call count on."""
    other = ("H12.15", "H14.15", "dossier:1")
    third = ("H14.15", "H13.15", "dossier:1")
    with windows.window() as tx:
        assert tx.next_seqs([KEY, other, KEY, third]) == [1, 1, 2, 1]
        assert tx.next_seqs([]) == []
    with windows.window() as tx:
        assert tx.next_seqs([other, KEY]) == [2, 3]


# --- changes and confirms -------------------------------------------------------------------------


def _state(tx, one):
    (prior,) = tx.priors([(one.sender, one.message_id)]).values()
    return prior.deliveries[0]


FINAL = (DeliveryState.DELIVERED, DeliveryState.REFUSED, DeliveryState.EXPIRED)


@pytest.mark.parametrize("before", DeliveryState)
@pytest.mark.parametrize("after", DeliveryState)
def test_a_final_state_stays(windows, before, after):
    """A sweeper or an operator that read an older state cannot take a final word back."""
    one = message()
    sent = delivery(one, state=before)
    with windows.window() as tx:
        tx.record(WindowRecord(messages=(one,), deliveries=(sent,)))
        assert tx.still_open([sent.id, rows.new_id()]) == (
            {sent.id} - ({sent.id} if before in FINAL else set())
        )
        change = DeliveryChange(sent.id, after, at(1), "why", "detail", attempt=1)
        tx.record(WindowRecord(changes=(change,)))
        found = _state(tx, one)
    if before in FINAL:
        assert found == sent
    else:
        assert (found.state, found.reason, found.detail, found.attempts) == (
            after, "why", "detail", 1,
        )  # fmt: skip


def test_many_changes_in_one_window(windows):
    """A window of receipts changes as many deliveries as it has, each to its own state."""
    record = whole()
    with windows.window() as tx:
        tx.record(record)
        states = (DeliveryState.DELIVERED, DeliveryState.REFUSED)
        changes = tuple(
            DeliveryChange(row.id, state, at(1))
            for row, state in zip(record.deliveries, states, strict=True)
        )
        tx.record(WindowRecord(changes=changes))
        (prior,) = tx.priors([(record.messages[0].sender, record.messages[0].message_id)]).values()
    expected = {row.id: state for row, state in zip(record.deliveries, states, strict=True)}
    assert {row.id: row.state for row in prior.deliveries} == expected


def test_attempts_are_counted_in_the_store(windows):
    """Only changes that end an attempt count."""
    one = message()
    sent = delivery(one)
    with windows.window() as tx:
        tx.record(WindowRecord(messages=(one,), deliveries=(sent,)))
        for attempt in (1, 0, 1):
            change = DeliveryChange(sent.id, DeliveryState.DEFERRED, at(1), attempt=attempt)
            tx.record(WindowRecord(changes=(change,)))
        assert _state(tx, one).attempts == 2


def test_the_first_confirm_counts(windows):
    """A copy that was published again does not change when the broker first had it."""
    record = whole()
    (one,), (told,) = record.messages, record.receipts
    ids = [row.id for row in record.deliveries]
    with windows.window() as tx:
        tx.record(record)
        tx.confirm([ids[0]], [], at(1))
        tx.confirm(ids, [told.id], at(2))
        tx.confirm([rows.new_id()], [rows.new_id()], at(3))
        (prior,) = tx.priors([(one.sender, one.message_id)]).values()
    confirmed = {row.id: row.confirmed_at for row in prior.deliveries}
    assert confirmed == {ids[0]: at(1), ids[1]: at(2)}
    assert prior.receipts[0].confirmed_at == at(2)


def test_a_stale_token_is_refused_inside_the_transaction(store, windows):
    """A router that lost its lease while judging cannot commit what it decided."""
    old = Lease.acquire(store, "router-1", 30, rows.T0)
    Lease.acquire(store, "router-2", 30, at(31))

    def commit():
        with windows.window() as tx:
            tx.check_token(old.name, old.token)
            tx.record(whole())

    def commit_late():
        with windows.window() as tx:
            tx.record(whole())
            tx.check_token(old.name, old.token)

    for attempt in (commit, commit_late):
        with pytest.raises(SecondRouter):
            attempt()
    assert _counts(store)["messages"] == 0
    with windows.window() as tx, pytest.raises(SecondRouter):
        tx.check_token("nobody's", 1)
