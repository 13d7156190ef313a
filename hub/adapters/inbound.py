"""The incoming lane: inbox → judged → handed over or recorded → answered → acknowledged.

One window after the other. Nothing is acknowledged before the store has committed what became of it
and the broker has confirmed the receipt; whatever breaks in between comes again and is recognised.
What is held back (see ``hub.adapters.ordering``) stays unacknowledged in memory: after a lost
connection, a pause or a restart it comes again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub import log
from hub.adapters.answers import Answers
from hub.adapters.edge import Backoff, Edge
from hub.adapters.faults import fault
from hub.adapters.handover import Handover
from hub.adapters.incoming import Incoming, Settled, SystemDown, judge, quarantine
from hub.adapters.ordering import HOLD_MESSAGES, overdue
from hub.adapters.port import Client
from hub.broker.ports import Outcome
from hub.envelope import Arrival, SignedEnvelope
from hub.errors import StoreUnavailable

WINDOW = HOLD_MESSAGES + 8
"""Arrivals in hand at once, with those held back, and the prefetch of each queue: small, so that
a pause gives little back, and above ``HOLD_MESSAGES``, so that reading goes on beside them."""
HOPELESS_AFTER = 6
"""Redeliveries after which a message that our own code fails on is set aside, as at the router."""

_log = log.get("inbound")


@dataclass(frozen=True, slots=True)
class _Finished:
    arrival: Arrival
    envelope: SignedEnvelope | None


class InboundLane:
    """Reads the agency's inbox. One thread."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._handover = Handover(edge)
        self._answers = Answers(edge)
        self._held: list[Incoming] = []
        self._finished: list[_Finished] = []
        self._down = Backoff(first_s=1.0, longest_s=30.0)

    @property
    def paused(self) -> bool:
        """Whether reading is paused because the partner's system is down."""
        return self._down.failing

    def step(self, client: Client, timeout_s: float) -> int:
        """Take and finish one window; return how many arrivals it had.

        Raises ``BrokerUnavailable`` or ``StoreUnavailable``: then call :meth:`forget`, because
        everything unacknowledged comes again.
        """
        if not self._up():
            self._edge.stop.wait(timeout_s)
            return 0
        arrivals = client.receive(limit=WINDOW - len(self._held), timeout_s=timeout_s)
        try:
            self._work(arrivals)
        except SystemDown:
            seconds = self._down.failed(self._edge.clock())
            _log.warning("paused", probe_in_s=seconds)
            self._answer(client)
            self.forget()
            client.pause()
        else:
            self._answer(client)
        return len(arrivals)

    def forget(self) -> None:
        """Forget what is held or unanswered: the broker gives all of it to us again."""
        self._held.clear()
        self._finished.clear()

    def _up(self) -> bool:
        """Whether to read; a system that was down is probed now and then."""
        at = self._edge.clock()
        if not self._down.failing:
            return True
        if not self._down.ready(at):
            return False
        if self._edge.health().ok:
            self._down.succeeded()
            _log.info("resumed")
            return True
        _log.warning("still_down", probe_in_s=self._down.failed(at))
        return False

    def _work(self, arrivals: Sequence[Arrival]) -> None:
        """Deal with new arrivals, then with what they have freed, then with what waited too long.

        A stop leaves the rest untouched and unacknowledged.
        """
        for arrival in arrivals:
            if self._edge.stop.is_set():
                return
            incoming = judge(arrival, self._edge, self._edge.clock())
            if incoming is None:
                self._finished.append(_Finished(arrival, None))
            elif not self._settle(incoming):
                self._held.append(incoming)
        self._free()
        while not self._edge.stop.is_set():
            waiting = [one.waiting for one in self._held]
            late = overdue(waiting, self._edge.clock())
            if late is None:
                return
            self._settle(self._held.pop(waiting.index(late)), waited=True)
            self._free()

    def _free(self) -> None:
        """Try what is held back, in order, until nothing moves any more."""
        moved = True
        while moved:
            moved = False
            for one in sorted(self._held, key=lambda held: (held.stream, held.seq)):
                if not self._edge.stop.is_set() and self._settle(one):
                    self._held.remove(one)
                    moved = True

    def _settle(self, incoming: Incoming, *, waited: bool = False) -> bool:
        """Deal with one message; ``False``: it is held back."""
        try:
            settled = self._settled(incoming, waited=waited)
        except (StoreUnavailable, SystemDown):
            raise
        except Exception as error:
            if incoming.arrival.redeliveries < HOPELESS_AFTER:
                raise
            failure = fault(error)
            settled = quarantine(incoming.arrival, failure, self._edge, self._edge.clock())
        if settled is not None:
            self._finished.append(_Finished(incoming.arrival, settled.envelope))
        return settled is not None

    def _settled(self, incoming: Incoming, *, waited: bool) -> Settled | None:
        at = self._edge.clock()
        if incoming.valid.header.type.is_receipt:
            return self._answers.settle(incoming, at, waited=waited)
        return self._handover.settle(incoming, at, waited=waited)

    def _answer(self, client: Client) -> None:
        """Publish the receipts, wait for the confirms, acknowledge; again until all are out.

        A stop leaves what the broker did not take: it comes again and the stored bytes are sent.
        """
        wait = Backoff(first_s=0.2, longest_s=5.0)
        while self._finished:
            envelopes = [one.envelope for one in self._finished if one.envelope is not None]
            outcomes = iter(client.publish(envelopes) if envelopes else ())
            sent = [
                one.envelope is None or next(outcomes) is Outcome.CONFIRMED
                for one in self._finished
            ]
            good = [one.arrival for one, ok in zip(self._finished, sent, strict=True) if ok]
            if good:
                client.ack(good)
            self._finished = [one for one, ok in zip(self._finished, sent, strict=True) if not ok]
            if self._finished:
                seconds = wait.failed(self._edge.clock())
                _log.warning("receipts_not_taken", count=len(self._finished), again_in_s=seconds)
                if self._edge.stop.wait(seconds):
                    return
