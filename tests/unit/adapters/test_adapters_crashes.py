"""A crash or a failure at every step: nothing lost, nothing twice, whatever the history.

The machine plays the hub (messages, repeats, the retry ladder, receipts), the partner's system and
a process that dies at any call to store, broker or partner, before or after its effect.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from hub.adapters.contract import Confirmation
from hub.broker.ports import Outcome
from hub.codes import DossierCode
from hub.errors import SinkRefused, SinkUnavailable, SinkUnknown
from hub.store.edge_rows import InboxState
from hub.testing.world import MERGED

PEER = MERGED
FAILURES = {
    "unavailable": SinkUnavailable,
    "refused": lambda: SinkRefused(reason="x"),
    "unknown": SinkUnknown,
    "bug": ZeroDivisionError,
}


class Crash(BaseException):
    """The process dies here; nothing catches it."""


CALLS = ("apply", "put_inbox") * 3 + (
    "lookup", "poll", "confirm", "put_stream", "take_batch", "mark_published", "record_answer",
    "told", "publish", "receive", "ack", "pause",
)  # fmt: skip
"""Every call that has an effect somewhere; the two that decide on exactly once more often."""


class Fuse:
    """Kills the process at a chosen call, once, before or after the call has had its effect."""

    def __init__(self) -> None:
        self.name, self.after, self.left = "", False, 0

    def aim(self, name: str, *, after: bool, calls: int) -> None:
        """Die at the ``calls``-th call of ``name`` from now on."""
        self.name, self.after, self.left = name, after, calls

    def burn(self, name: str, *, after: bool) -> None:
        if self.left and (name, after) == (self.name, self.after):
            self.left -= 1
            if not self.left:
                raise Crash

    def wrap(self, part: Any) -> Any:
        return _Fused(part, self)


class _Fused:
    """Something whose calls may be the last ones."""

    def __init__(self, part: Any, fuse: Fuse) -> None:
        self._part, self._fuse = part, fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)

        def called(*args: Any, **facts: Any) -> Any:
            self._fuse.burn(name, after=False)
            result = found(*args, **facts)
            self._fuse.burn(name, after=True)
            return result

        return called if callable(found) else found


class Life(RuleBasedStateMachine):
    """One connector's life. ``make`` and ``folder`` are set by the test."""

    make: Callable[..., Any]
    folder: Path
    serial = itertools.count()

    def __init__(self) -> None:
        super().__init__()
        self.fuse = Fuse()
        path = self.folder / f"{next(self.serial)}.sqlite"
        self.desk = type(self).make(path, wrap=self.fuse.wrap)
        self.sent: list[tuple[bytes, int]] = []
        """What the hub has delivered: bytes and running number."""
        self.records: list[str] = []
        self.counts: Counter[int] = Counter()
        self.seen = 0
        """How much of what was published the hub has dealt with."""
        self.answered: set[bytes] = set()

    @rule(
        deliveries=st.lists(st.tuples(st.integers(0, 1), st.booleans()), min_size=1, max_size=3),
        records=st.lists(st.sampled_from([True, True, False]), max_size=2),
        failures=st.lists(st.sampled_from([None, *sorted(FAILURES)]), max_size=3),
        lost=st.lists(st.sampled_from([Outcome.UNKNOWN, Outcome.REFUSED]), max_size=3),
        death=st.tuples(st.sampled_from(CALLS), st.booleans(), st.integers(1, 2)),
        rounds=st.integers(1, 3),
    )
    def time_passes(
        self,
        deliveries: list[tuple[int, bool]],
        records: list[bool],
        failures: list[str | None],
        lost: list[Outcome],
        death: tuple[str, bool, int],
        rounds: int,
    ) -> None:
        """Messages and records come in while calls fail; the process may die at one of them."""
        for stream, ahead in deliveries:
            self._deliver(stream, ahead=ahead)
        for good in records:
            self._record(good=good)
        self.desk.legacy.fail.extend(FAILURES[name]() if name else None for name in failures)
        self.desk.queue.outcomes.extend(lost)
        self.fuse.aim(death[0], after=death[1], calls=death[2])
        for _ in range(rounds):
            self.round()

    def _deliver(self, stream: int, *, ahead: bool) -> None:
        """The next message of a dossier; ``ahead`` of everything that waits in the queue."""
        code = DossierCode(f"HS-{stream}")
        raw = self.desk.message(dossier_code=code)
        self.counts[stream] += 1
        self.sent.append((raw, self.counts[stream]))
        self.desk.queue.put(*self.sent[-1])
        if ahead:
            self.desk.queue.ready.rotate(1)

    def _record(self, *, good: bool) -> None:
        key = f"row:{len(self.records)}"
        self.desk.legacy.records.append(self.desk.item(key) if good else self.desk.broken(key))
        self.records.append(key)

    @rule(data=st.data())
    def hub_repeats(self, data: st.DataObject) -> None:
        """Something is published once more: a retry of the hub, a lost confirm."""
        if self.sent:
            self.desk.queue.put(*data.draw(st.sampled_from(self.sent)))

    @rule(up=st.booleans())
    def system(self, *, up: bool) -> None:
        """The partner's system goes down or comes back."""
        self.desk.legacy.up = up

    def round(self) -> None:
        """The connector works for a moment; when it dies, it is started again."""
        self.desk.clock.forward(1)
        try:
            self.desk.outbound.poll()
            self.desk.outbound.publish(self.desk.client)
            self.desk.outbound.tell()
            self.desk.inbound.step(self.desk.client, 0.0)
        except Crash:
            self.fuse.left = 0
            self.desk.restart()

    @rule()
    def hub_works(self) -> None:
        """The hub deals with what was published: ladder, acceptance, and the peer's receipt."""
        queue = self.desk.queue
        fresh, self.seen = queue.published[self.seen :], len(queue.published)
        for raw in fresh:
            header = self.desk.read(raw).header
            if header.type.value == "receipt.deferred":
                subject = header.in_reply_to
                found = [one for one in self.sent if self._id(one[0]) == subject]
                queue.put(*found[0])
            elif not header.type.is_receipt and raw not in self.answered:
                self.answered.add(raw)
                queue.put(self.desk.accepted(raw))
                queue.put(self.desk.say("receipt.delivered", PEER, raw))

    def _id(self, raw: bytes) -> object:
        return self.desk.read(raw).header.message_id

    def teardown(self) -> None:
        """All failures end; then everything must come out right."""
        desk = self.desk
        self.fuse.left = 0
        desk.legacy.fail.clear()
        desk.queue.outcomes.clear()
        desk.legacy.up = True
        for _ in range(25):
            desk.clock.forward(6)
            self.round()
            self.hub_works()
        self._check_inbox()
        self._check_outbox()
        desk.store.close()

    def _check_inbox(self) -> None:
        desk = self.desk
        assert not desk.queue.ready
        assert not desk.queue.unacked
        effects = Counter(desk.legacy.effects)
        assert set(effects.values()) <= {1}
        final = self._final_receipts()
        for raw, _seq in self.sent:
            key = desk.key_of(raw)
            row = desk.store.inbox(key)
            told = final.get(self._id(raw), set())
            if row.state is InboxState.PARKED:
                assert not told
                assert key in [one.key for one in desk.store.kept()]
            else:
                assert (row.state, told) == (InboxState.DONE, {(row.receipt, key in effects)})
        self._check_order()

    def _final_receipts(self) -> dict[object, set[tuple[bytes, bool]]]:
        found: dict[object, set[tuple[bytes, bool]]] = {}
        for raw in self.desk.queue.published:
            header = self.desk.read(raw).header
            if header.type.value in ("receipt.delivered", "receipt.refused"):
                one = (raw, header.type.value == "receipt.delivered")
                found.setdefault(header.in_reply_to, set()).add(one)
        return found

    def _check_order(self) -> None:
        numbers = {self.desk.key_of(raw): seq for raw, seq in self.sent}
        for dossier in ("HS-0", "HS-1"):
            mine = [
                numbers[key]
                for key in self.desk.legacy.effects
                if str(self.desk.legacy.applied[key].dossier_code) == dossier
            ]
            assert mine == sorted(mine)

    def _check_outbox(self) -> None:
        desk = self.desk
        assert desk.store.unpublished() == []
        assert desk.store.notices() == []
        sent = [raw for raw in desk.queue.published if not desk.read(raw).header.type.is_receipt]
        assert len(set(sent)) == len({self._id(raw) for raw in sent})
        parked = {one.key for one in desk.store.parked() if not one.key.startswith("inbox:")}
        told = {(key, confirmation) for key, confirmation, _ in desk.legacy.told}
        assert len(set(sent)) + len(parked) == len(self.records)
        for key in self.records:
            end = Confirmation.PARKED if key in parked else Confirmation.DELIVERED
            assert (key, end) in told


def test_any_history_of_crashes_and_failures_ends_well(make_desk, tmp_path):
    """Once at the sink, in order, with one final receipt; every record out as one message."""
    memory = Path("/dev/shm")
    """The death of a process loses no page of the kernel's, so no disk is needed to play it."""

    class Machine(Life):
        make = staticmethod(make_desk)
        folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else tmp_path))

    profile = settings(max_examples=40, stateful_step_count=12, deadline=None)
    try:
        run_state_machine_as_test(Machine, settings=profile)
    finally:
        shutil.rmtree(Machine.folder, ignore_errors=True)
