"""The router on a real RabbitMQ node and a real SQLite store."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.errors import SecondRouter, StoreUnavailable
from hub.routing.snapshot import Snapshots
from hub.routing.sweeper import sweep
from hub.schemas.receipts import read_receipt
from hub.store import audit, directory
from hub.store.lease import Lease
from hub.store.rows import AccessRow
from hub.store.window import WindowTx
from hub.testing.world import CLOSED_A, CLOSED_B, DEPARTMENT, HUB, MERGED, ONE_STOP, OTHER

TYPE = "dossier.received"
LOAD = 3000
"""Messages that keep the router busy for longer than the broker takes to stop."""


def receipts(hub, count: int, code: str = ONE_STOP):
    return [read_receipt(hub.read(one.raw)) for one in hub.take(f"inbox.{code}", count)]


def test_forwards_byte_for_byte_and_answers(hub) -> None:
    """What the agency signed arrives unchanged, stamped with its number; the sender is told."""
    raw = hub.signed(hub.draft(TYPE, ONE_STOP, DEPARTMENT))
    hub.send(ONE_STOP, raw)
    (arrival,) = hub.take(f"inbox.{DEPARTMENT}", 1)
    assert arrival.raw == raw
    assert arrival.headers["seq"] == 1
    (receipt,) = receipts(hub, 1)
    assert receipt.type.value == "receipt.accepted"
    hub.eventually("select count(*) from deliveries where confirmed_us is not null", [(1,)])
    hub.eventually("select count(*) from receipts where confirmed_us is not null", [(1,)])
    assert audit.verify(hub.store).ok


def test_sender_may_still_use_its_old_code(hub) -> None:
    """An old code in From is the same agency: its own certificate, account, inbox and key."""
    draft = hub.draft("document.new", "000.00.13.H12", OTHER)
    hub.send(DEPARTMENT, hub.signed(draft, key=DEPARTMENT))
    assert [one.type.value for one in receipts(hub, 1, DEPARTMENT)] == ["receipt.accepted"]
    assert hub.rows("select sender from messages") == [(DEPARTMENT,)]


def test_fan_out_and_merged_successors(hub) -> None:
    """Several receivers get one copy each; two merged agencies' successor gets one for both."""
    raw = hub.signed(hub.draft("document.new", DEPARTMENT, OTHER, CLOSED_A, CLOSED_B, "H12.77"))
    hub.send(DEPARTMENT, raw)
    assert [one.raw for one in hub.take(f"inbox.{OTHER}", 1)] == [raw]
    assert [one.raw for one in hub.take(f"inbox.{MERGED}", 1)] == [raw]
    (told,) = receipts(hub, 1, DEPARTMENT)
    assert [one.outcome for one in told.recipients] == [
        "queued", "redirected", "redirected", "rejected",
    ]  # fmt: skip
    assert hub.left_in(f"inbox.{MERGED}") == 0


def test_three_times_the_same_is_delivered_once(hub) -> None:
    """In one window or in three: one delivery, and the very same receipt each time."""
    raw = hub.signed(hub.draft(TYPE, ONE_STOP, DEPARTMENT))
    hub.send(ONE_STOP, raw, raw)
    first = hub.take(f"inbox.{ONE_STOP}", 2)
    hub.send(ONE_STOP, raw)
    third = hub.take(f"inbox.{ONE_STOP}", 1)
    assert len({one.raw for one in (*first, *third)}) == 1
    assert len(hub.take(f"inbox.{DEPARTMENT}", 2, timeout_s=2)) == 1
    assert hub.rows("select count(*) from deliveries") == [(1,)]
    assert hub.rows("select count(*) from events where kind = 'repeated'") == [(2,)]


def test_conflict_is_refused(hub) -> None:
    """The same id with other content delivers nothing and says why."""
    draft = hub.draft(TYPE, ONE_STOP, DEPARTMENT)
    hub.send(ONE_STOP, hub.signed(draft))
    assert len(hub.take(f"inbox.{DEPARTMENT}", 1)) == 1
    hub.send(ONE_STOP, hub.signed(replace(draft, header=replace(draft.header, priority=1))))
    assert [one.reason for one in receipts(hub, 2)] == ["", "duplicate.conflict"]
    assert hub.left_in(f"inbox.{DEPARTMENT}") == 0


def test_forged_is_quarantined_and_unanswered(hub) -> None:
    """A changed byte and another agency's key are recorded and counted; nobody hears of them."""
    raw = hub.signed(hub.draft(TYPE, ONE_STOP, DEPARTMENT))
    other = hub.signed(hub.draft(TYPE, ONE_STOP, DEPARTMENT), key=OTHER)
    junk = b"<x><MessageId>00000000-0000-4000-8000-000000000000</MessageId>"
    hub.send(ONE_STOP, raw.replace(b"<Priority>0<", b"<Priority>1<"), other, junk)
    hub.eventually(
        "select code from quarantine order by code",
        [("signature.digest_mismatch",), ("trust.signer_mismatch",), ("xml.malformed",)],
    )
    assert hub.rows("select count(*) from messages") == [(0,)]
    hub.send(ONE_STOP, raw)
    assert len(receipts(hub, 1)) == 1
    assert hub.left_in(f"inbox.{ONE_STOP}") == 0


def test_delivery_without_a_queue_is_parked_and_told(hub) -> None:
    """What the broker returns is parked with its reason and the sender is told."""
    hub.send(DEPARTMENT, hub.signed(hub.draft("document.new", DEPARTMENT, "H12.05")))
    told = sorted(receipts(hub, 2, DEPARTMENT), key=lambda one: one.type.value)
    assert [(one.type.value, one.reason) for one in told] == [
        ("receipt.accepted", ""),
        ("receipt.undeliverable", "routing.unroutable"),
    ]
    hub.eventually("select state, reason from deliveries", [("parked", "routing.unroutable")])


def test_receipt_changes_the_state_and_reaches_the_sender(hub) -> None:
    """receipt.delivered: first the state in the store, then the bytes in the sender's inbox."""
    raw = hub.signed(hub.draft(TYPE, ONE_STOP, DEPARTMENT))
    hub.send(ONE_STOP, raw)
    hub.take(f"inbox.{DEPARTMENT}", 1)
    said = hub.receipt("receipt.delivered", DEPARTMENT, raw)
    hub.send(DEPARTMENT, said)
    assert said in [one.raw for one in hub.take(f"inbox.{ONE_STOP}", 2)]
    assert hub.rows("select count(*) from deliveries where state = 'delivered'") == [(1,)]


def test_deferred_comes_back_by_the_ladder(hub) -> None:
    """A deferred message waits on a rung as stored bytes and comes into the inbox again."""
    raw = hub.signed(hub.draft(TYPE, ONE_STOP, DEPARTMENT))
    hub.send(ONE_STOP, raw)
    assert len(hub.take(f"inbox.{DEPARTMENT}", 1)) == 1
    hub.send(DEPARTMENT, hub.receipt("receipt.deferred", DEPARTMENT, raw, retry_after_s=1))
    (again,) = hub.take(f"inbox.{DEPARTMENT}", 1)
    assert (again.raw, again.headers["attempt"]) == (raw, 1)
    hub.eventually("select state, attempts from deliveries where seq = 1 and queue like "
                   f"'inbox.{DEPARTMENT}'", [("queued", 1)])  # fmt: skip


def test_ping_to_the_hub(hub) -> None:
    """The hub's signed pong is in the sender's inbox."""
    hub.send(ONE_STOP, hub.signed(hub.draft("connectivity.ping", ONE_STOP, HUB)))
    headers = [hub.read(one.raw).header for one in hub.take(f"inbox.{ONE_STOP}", 2)]
    assert {one.type.value for one in headers} == {"receipt.accepted", "connectivity.pong"}
    assert {one.sender.value for one in headers} == {HUB}


def test_new_rules_are_seen_without_a_restart(hub) -> None:
    """A rule added in the store decides on the next message."""
    draft = hub.draft("citizen.lookup", ONE_STOP, DEPARTMENT)
    hub.send(ONE_STOP, hub.signed(draft))
    assert [one.reason for one in receipts(hub, 1)] == ["routing.not_allowed"]
    rule = AccessRow(0, ONE_STOP, DEPARTMENT, "citizen.*", allow=True)
    directory.add_rule(hub.store, rule, "test", datetime.now(UTC))
    hub.send(
        ONE_STOP, hub.signed(draft), hub.signed(hub.draft("citizen.lookup", ONE_STOP, DEPARTMENT))
    )
    assert len(hub.take(f"inbox.{DEPARTMENT}", 2)) == 2


def test_broker_restart_under_load_loses_nothing_and_records_once(hub_apart, spare_node) -> None:
    """Stopped and started in the middle: each message is recorded once and delivered."""
    hub = hub_apart
    bodies = [hub.signed(hub.draft(TYPE, ONE_STOP, DEPARTMENT)) for _each in range(LOAD)]
    hub.send(ONE_STOP, *bodies)
    spare_node.stop()
    ((recorded,),) = hub.rows("select count(*) from messages")
    assert 0 < recorded < LOAD, "the broker did not stop in the middle"
    spare_node.start()
    confirmed = "select count(*) from deliveries where confirmed_us is not null"
    hub.eventually(confirmed, [(LOAD,)], 90)
    arrived = [one.raw for one in hub.take(f"inbox.{DEPARTMENT}", 10_000, timeout_s=5)]
    assert set(arrived) == set(bodies)
    assert hub.rows("select count(*), count(distinct message_id) from messages") == [(LOAD, LOAD)]
    assert audit.verify(hub.store).ok


def test_stop_in_the_middle_finishes_the_window(hub) -> None:
    """After a graceful stop nothing is half-done, and the next router takes the rest."""
    bodies = [hub.signed(hub.draft(TYPE, ONE_STOP, DEPARTMENT)) for _each in range(300)]
    hub.send(ONE_STOP, *bodies)
    hub.stop_routers()
    ((recorded,),) = hub.rows("select count(*) from messages")
    assert 0 < recorded < 300, "the router did not stop in the middle"
    assert hub.rows("select count(*) from deliveries where confirmed_us is null") == [(0,)]
    assert hub.settled("hub.ingress.0", 300 - recorded)
    hub.start_router()
    hub.eventually("select count(*) from messages", [(300,)], 60)
    arrived = [one.raw for one in hub.take(f"inbox.{DEPARTMENT}", 300)]
    assert sorted(arrived) == sorted(bodies)
    assert hub.left_in(f"inbox.{DEPARTMENT}") == 0


def test_store_hiccup_is_waited_out(hub, monkeypatch) -> None:
    """While the store does not answer nothing is acknowledged; afterwards everything is there."""
    broken = threading.Event()
    broken.set()
    whole = type(hub.store).write

    def failing(self):
        if broken.is_set():
            raise StoreUnavailable(reason="test")
        return whole(self)

    monkeypatch.setattr(type(hub.store), "write", failing)
    raw = hub.signed(hub.draft(TYPE, ONE_STOP, DEPARTMENT))
    hub.send(ONE_STOP, raw)
    assert hub.take(f"inbox.{DEPARTMENT}", 1, timeout_s=2) == []
    broken.clear()
    assert [one.raw for one in hub.take(f"inbox.{DEPARTMENT}", 1)] == [raw]


def test_sweeper_publishes_again_and_expires(hub) -> None:
    """What was never confirmed goes out again; what has expired is told, and closed."""
    hub.stop_routers()
    now = datetime.now(UTC)
    draft = hub.draft(TYPE, ONE_STOP, DEPARTMENT, expires_at=now + timedelta(seconds=30))
    hub.start_router()
    raw = hub.signed(draft)
    hub.send(ONE_STOP, raw)
    hub.take(f"inbox.{DEPARTMENT}", 1)
    (router, _thread) = hub.routers[0]
    hub.eventually("select count(*) from deliveries where confirmed_us is not null", [(1,)])
    hub.stop_routers()
    with hub.store.write() as connection:
        connection.exec_driver_sql("update deliveries set confirmed_us = null")
    context = Snapshots(hub.store, hub.settings, hub.keys[HUB]).current()
    done = sweep(
        hub.store, router.publisher, context, now + timedelta(seconds=90), threading.Event()
    )
    assert done.published_again == 1
    assert [one.raw for one in hub.take(f"inbox.{DEPARTMENT}", 1)] == [raw]
    hub.take(f"inbox.{ONE_STOP}", 1)
    done = sweep(
        hub.store, router.publisher, context, now + timedelta(minutes=11), threading.Event()
    )
    assert done.expired == 1
    assert [one.type.value for one in receipts(hub, 1)] == ["receipt.expired"]
    assert hub.rows("select state from deliveries") == [("expired",)]
    again = sweep(
        hub.store, router.publisher, context, now + timedelta(minutes=12), threading.Event()
    )
    assert (again.published_again, again.expired) == (0, 0)
    router.publisher.close()


def test_lost_lease_ends_the_router_before_it_records_anything(hub) -> None:
    """When the lease has gone to another owner the window is not committed, and comes again."""
    hub.stop_routers()
    now = datetime.now(UTC)
    lease = Lease.acquire(hub.store, "one", 30, now)
    with pytest.raises(SecondRouter):
        Lease.acquire(hub.store, "two", 30, now)
    Lease.acquire(hub.store, "two", 30, now + timedelta(seconds=31))
    hub.send(ONE_STOP, hub.signed(hub.draft(TYPE, ONE_STOP, DEPARTMENT)))
    router = hub.router(lease)
    with pytest.raises(SecondRouter):
        router.run()
    router.consumer.close()
    assert hub.rows("select count(*) from messages") == [(0,)]
    hub.start_router()
    assert len(hub.take(f"inbox.{DEPARTMENT}", 1)) == 1


def test_message_that_cannot_be_recorded_is_kept_and_stops_nothing(hub, monkeypatch) -> None:
    """A fault that only one message meets sends it to an operator; the others go on."""
    bad = hub.signed(hub.draft(TYPE, ONE_STOP, DEPARTMENT))
    good = hub.signed(hub.draft(TYPE, ONE_STOP, DEPARTMENT))
    whole = WindowTx.record

    def failing(self, record) -> None:
        if any(row.raw == bad for row in record.messages):
            raise ZeroDivisionError
        whole(self, record)

    monkeypatch.setattr(WindowTx, "record", failing)
    hub.send(ONE_STOP, bad, good)
    assert [one.raw for one in hub.take(f"inbox.{DEPARTMENT}", 1, timeout_s=40)] == [good]
    hub.eventually("select code from quarantine", [("internal.fault",)], 60)
    assert hub.settled("hub.ingress.0", 0)
