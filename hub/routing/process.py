"""The router: window → judge → one transaction → publish window → confirms → acknowledge (§5).

One thread. Nothing is acknowledged before the store has committed and the broker has taken every
delivery and receipt that follows from it; whatever breaks in between comes again and is recognised.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Protocol

from hub import log
from hub.broker.ports import Consumer, Publisher
from hub.envelope import Arrival, sha256_hex
from hub.errors import BrokerUnavailable, HubError, SecondRouter, StoreUnavailable
from hub.routing.context import Context
from hub.routing.decision import Decision
from hub.routing.judged import Judged
from hub.routing.outbox import Outbox
from hub.routing.stages import Stages
from hub.routing.verdicts import fault
from hub.routing.window import Item, judged_item, recorded, sends_of
from hub.store.engine import Store
from hub.store.lease import Lease
from hub.store.window import WindowStore

ALONE_AFTER = 3
"""Redeliveries after which a message is judged in a window of its own."""
HOPELESS_AFTER = 6
"""Redeliveries after which a message that cannot be recorded is kept for an operator instead."""
LEASE_S = 30.0
IDLE_S = 0.5
"""Seconds to wait for a window: what was confirmed is in the store within twice that."""
TRIES = 3
"""Attempts to commit a window before its arrivals are given back."""
FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 5.0

_log = log.get("router")


class SnapshotSource(Protocol):
    """Where the router takes its snapshot from (:class:`hub.routing.snapshot.Snapshots`)."""

    def current(self) -> Context:
        """Return the snapshot of now; raises ``StoreUnavailable``."""


@dataclass
class Router:
    """Routes windows of arrivals until it is told to stop."""

    store: Store
    consumer: Consumer
    publisher: Publisher
    snapshots: SnapshotSource
    clock: Callable[[], datetime]
    stop: threading.Event
    lease: Lease | None = None
    """Renewed while the router lives; ``None``: the caller vouches that it is the only one."""
    stages: Stages = field(default_factory=Stages)
    outbox: Outbox = field(init=False)
    _renewed: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.store, self.publisher, self.clock)
        self._windows = WindowStore(self.store)
        self._renewed = perf_counter()

    def run(self) -> None:
        """Route until ``stop`` is set; then finish the window and note what was confirmed.

        Raises ``SecondRouter`` when the lease has gone to another router. Everything transient is
        waited out.
        """
        wait_s = FIRST_WAIT_S
        while not self.stop.is_set():
            try:
                self.step(IDLE_S)
                wait_s = FIRST_WAIT_S
            except SecondRouter:
                raise
            except Exception as error:  # noqa: BLE001  one window must not end the router
                _log.warning("waiting", **told(error), seconds=wait_s)
                self.stop.wait(wait_s)
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)
        self._last_note()

    def _last_note(self) -> None:
        """What cannot be noted any more is published once again by the sweeper: no harm."""
        try:
            self.note_confirmed()
        except HubError as error:
            _log.warning("confirms_not_noted", code=error.code)

    def step(self, timeout_s: float) -> int:
        """Take and finish one window; return how many arrivals it had.

        Raises ``BrokerUnavailable``, ``StoreUnavailable`` or ``SecondRouter``; what was not
        acknowledged comes again.
        """
        self._renew()
        arrivals = self.consumer.next_window(timeout_s)
        started = perf_counter()
        if not arrivals:
            self.note_confirmed()
            return 0
        self.stages.windows += 1
        self.stages.messages += len(arrivals)
        together = [one for one in arrivals if one.redeliveries < ALONE_AFTER]
        alone = [[one] for one in arrivals if one.redeliveries >= ALONE_AFTER]
        self.stages.consume += perf_counter() - started
        self._finish_all(([together] if together else []) + alone)
        return len(arrivals)

    def _finish_all(self, groups: Sequence[Sequence[Arrival]]) -> None:
        """Finish every group, also after one that failed; then raise the first failure."""
        failures: list[Exception] = []
        for group in groups:
            try:
                self._finish(group)
            except SecondRouter:
                raise
            except Exception as error:  # noqa: BLE001  raised below
                failures.append(error)
        if failures:
            raise failures[0]

    def _renew(self) -> None:
        if self.lease is None or perf_counter() - self._renewed < LEASE_S / 3:
            return
        self.lease = self.lease.renew(self.store, LEASE_S, self.clock())
        self._renewed = perf_counter()

    def _finish(self, group: Sequence[Arrival]) -> None:
        try:
            decisions, context = self._committed(group)
            started = perf_counter()
            published = self.outbox.publish(sends_of(decisions), context, self.stop)
            self.stages.publish += perf_counter() - started
        except SecondRouter:
            raise
        except Exception:
            self._give_back(group)
            raise
        if not published:
            self._give_back(group)
            return
        started = perf_counter()
        self.consumer.ack(group)
        self.stages.acknowledge += perf_counter() - started

    def _give_back(self, group: Sequence[Arrival]) -> None:
        try:
            self.consumer.reject(group, requeue=True)
        except BrokerUnavailable:
            _log.warning("given_back_by_the_broker", arrivals=len(group))

    def _committed(self, group: Sequence[Arrival]) -> tuple[list[Decision], Context]:
        """Judge and commit, trying again for a while when the store does not answer."""
        wait_s = FIRST_WAIT_S
        for attempt in range(1, TRIES + 1):
            try:
                return self._commit(group)
            except StoreUnavailable as error:
                if attempt == TRIES or self.stop.wait(wait_s):
                    raise
                _log.warning("store_hiccup", code=error.code, attempt=attempt)
                wait_s *= 4
            except SecondRouter:
                raise
            except Exception as error:
                if group[0].redeliveries < HOPELESS_AFTER:
                    raise
                digest = sha256_hex(group[0].raw)
                _log.error("kept_for_an_operator", digest=digest, **told(error))
                return self._commit(group, fault(error))
        raise StoreUnavailable(reason="no answer")

    def _commit(
        self, group: Sequence[Arrival], failure: HubError | None = None
    ) -> tuple[list[Decision], Context]:
        """Judge and commit; with ``failure`` nothing is judged: it is kept with that reason."""
        context, at = self.snapshots.current(), self.clock()
        items: list[Item] = [
            Judged(arrival, at, sha256_hex(arrival.raw), error=failure)
            if failure
            else judged_item(arrival, context, at, self.stages)
            for arrival in group
        ]
        confirmed = self.outbox.confirmed
        decisions = recorded(
            items,
            context,
            self._windows,
            lease=self.lease,
            confirmed=confirmed,
            at=at,
            stages=self.stages,
        )
        confirmed.clear()
        return decisions, context

    def note_confirmed(self) -> None:
        """Write to the store what the broker has confirmed since the last window."""
        confirmed = self.outbox.confirmed
        if not confirmed:
            return
        with self._windows.window() as tx:
            tx.confirm(confirmed.deliveries, confirmed.receipts, self.clock())
        confirmed.clear()


def told(error: Exception) -> dict[str, str]:
    """Return what may be logged of an exception: code or kind and place, never its values."""
    if isinstance(error, HubError):
        return {"code": error.code}
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return {"code": type(error).__name__, "where": where}
