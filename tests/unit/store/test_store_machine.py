"""The window store against a model in memory: any history of windows, failures and restarts."""

from __future__ import annotations

import contextlib
import copy
import dataclasses

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hub.store import audit, blobs, deliveries
from hub.store.engine import Store
from hub.store.rows import (
    DeliveryChange,
    DeliveryRow,
    DeliveryState,
    MessageRow,
    MessageState,
    ReceiptRow,
    WindowRecord,
)
from hub.store.window import WindowStore
from hub.testing import rows
from hub.testing.rows import at

SENDERS = ("H12.15", "H13.15", "H14.15")
IDENTITIES = tuple(rows.new_id() for _ in range(4))
RAWS = (b"<a/>", b"<b/>" * 200, b"<c/>")
FINAL = (DeliveryState.DELIVERED, DeliveryState.REFUSED, DeliveryState.EXPIRED)


class Aborted(Exception):
    """A window that does not commit."""


@dataclasses.dataclass
class Model:
    """What a store must hold."""

    messages: dict[tuple[str, str], MessageRow] = dataclasses.field(default_factory=dict)
    deliveries: dict[str, DeliveryRow] = dataclasses.field(default_factory=dict)
    receipts: dict[str, ReceiptRow] = dataclasses.field(default_factory=dict)
    numbers: dict[tuple[str, str, str], int] = dataclasses.field(default_factory=dict)
    bytes: dict[str, bytes] = dataclasses.field(default_factory=dict)
    logged: int = 0


steps = st.lists(
    st.one_of(
        st.tuples(st.just("message"), st.sampled_from(SENDERS), st.sampled_from(IDENTITIES),
                  st.sampled_from(RAWS), st.sampled_from(MessageState)),
        st.tuples(st.just("change"), st.integers(0, 50), st.sampled_from(DeliveryState),
                  st.integers(0, 1)),
        st.tuples(st.just("confirm"), st.integers(0, 50), st.integers(0, 9)),
        st.tuples(st.just("quarantine"), st.sampled_from(RAWS)),
    ),
    min_size=1,
    max_size=6,
)  # fmt: skip


class Windows(RuleBasedStateMachine):
    """Windows of steps; each is committed or aborted as a whole."""

    fresh = b""
    folder = None

    def __init__(self):
        super().__init__()
        self.path = self.folder / f"{rows.new_id()}.sqlite"
        self.path.write_bytes(self.fresh)
        self.store = Store.open(f"sqlite:///{self.path}")
        self.model = Model()

    def teardown(self):
        self.store.close()

    @rule(steps=steps, commits=st.booleans())
    def window(self, steps, commits):
        after = copy.deepcopy(self.model)
        with contextlib.suppress(Aborted):
            self._run(steps, after, commits=commits)
            self.model = after

    def _run(self, steps, after, *, commits):
        with WindowStore(self.store).window() as tx:
            for step in steps:
                getattr(self, f"_{step[0]}")(tx, after, *step[1:])
            self._agree(tx, after)
            if not commits:
                raise Aborted

    def _message(self, tx, model, sender, identity, raw, state):
        """A message of one sender, new or judged anew, with a delivery and a receipt."""
        known = model.messages.get((sender, identity))
        one = rows.message(raw, sender=sender, message_id=identity, state=state)
        if known is not None:
            one = dataclasses.replace(known, state=state)
        key = (sender, "H13.15", one.message_id)
        (number,) = tx.next_seqs([key])
        model.numbers[key] = model.numbers.get(key, 0) + 1
        assert number == model.numbers[key]
        sent = rows.delivery(one, seq=number, order_key=one.message_id)
        told = rows.receipt(one, created_at=at(len(model.receipts)))
        tx.record(
            WindowRecord(
                messages=(one,),
                deliveries=(sent,),
                receipts=(told,),
                events=(rows.event(one),),
                audit=(rows.entry(identity),),
            )
        )
        model.messages[sender, identity] = one
        model.deliveries[sent.id] = sent
        model.receipts[told.id] = told
        model.bytes |= {one.digest: one.raw, told.digest: told.raw}
        model.logged += 1

    def _change(self, tx, model, which, state, attempt):
        if not model.deliveries:
            return
        row = list(model.deliveries.values())[which % len(model.deliveries)]
        change = DeliveryChange(row.id, state, at(9), "reason", "detail", attempt)
        tx.record(WindowRecord(changes=(change, change)))
        for _ in range(2):
            if row.state not in FINAL:
                row = dataclasses.replace(
                    row, state=state, reason="reason", detail="detail",
                    attempts=row.attempts + attempt,
                )  # fmt: skip
        model.deliveries[row.id] = row

    def _confirm(self, tx, model, which, second):
        if not model.deliveries:
            return
        row = list(model.deliveries.values())[which % len(model.deliveries)]
        told = list(model.receipts.values())[which % len(model.receipts)]
        tx.confirm([row.id], [told.id], at(second))
        for table, one in ((model.deliveries, row), (model.receipts, told)):
            if one.confirmed_at is None:
                table[one.id] = dataclasses.replace(one, confirmed_at=at(second))

    def _quarantine(self, tx, model, raw):
        forged = rows.quarantine(raw, claimed_id=IDENTITIES[0])
        tx.record(WindowRecord(quarantined=(forged,), audit=(rows.entry(forged.code),)))
        model.bytes[forged.digest] = raw
        model.logged += 1

    @rule()
    def compress(self):
        blobs.compress(self.store, limit=3)

    @rule()
    def restart(self):
        self.store.close()
        self.store = Store.open(f"sqlite:///{self.path}")

    @invariant()
    def the_store_is_the_model(self):
        with WindowStore(self.store).window() as tx:
            self._agree(tx, self.model)
        for digest, raw in self.model.bytes.items():
            assert blobs.raw(self.store, digest) == raw
        assert audit.verify(self.store) == audit.AuditReport(ok=True, entries=self.model.logged)
        waiting = {
            row.id
            for row in self.model.deliveries.values()
            if row.confirmed_at is None and row.state is DeliveryState.QUEUED
        }
        found = deliveries.unconfirmed(self.store, at(1_000), limit=10_000)
        assert {one.delivery.id for one in found} == waiting

    def _agree(self, tx, model):
        keys = [(sender, identity) for sender in SENDERS for identity in IDENTITIES]
        priors = tx.priors(keys)
        assert set(priors) == set(model.messages)
        for key, one in model.messages.items():
            prior = priors[key]
            assert (prior.message, prior.digest, prior.state) == (one.id, one.digest, one.state)
            mine = [row for row in model.deliveries.values() if row.message == one.id]
            assert sorted(prior.deliveries, key=lambda row: row.id) == sorted(
                mine, key=lambda row: row.id
            )
            told = [row for row in model.receipts.values() if row.message == one.id]
            assert sorted(prior.receipts, key=lambda row: row.id) == sorted(
                told, key=lambda row: row.id
            )


def test_any_history_of_windows_leaves_what_the_model_says(tmp_path, fresh):
    """Committed windows are there whole, aborted ones left nothing, whatever came between."""
    machine = type("WindowsHere", (Windows,), {"fresh": fresh.read_bytes(), "folder": tmp_path})
    run = machine.TestCase
    run.settings = settings(max_examples=15, stateful_step_count=10, deadline=None)
    run().runTest()


def test_the_model_would_notice(tmp_path, fresh):
    """The comparison is not empty: one row changed behind the store's back is found."""
    machine = type("WindowsHere", (Windows,), {"fresh": fresh.read_bytes(), "folder": tmp_path})()
    machine.window(
        [("message", SENDERS[0], IDENTITIES[0], RAWS[0], MessageState.ACCEPTED)], commits=True
    )
    machine.the_store_is_the_model()
    with machine.store.write() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET seq = seq + 1")
    with pytest.raises(AssertionError):
        machine.the_store_is_the_model()
    machine.teardown()
