"""Any interleaving of sending, repeating, receipts and confirms keeps the books straight."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hub.envelope import Arrival
from hub.routing.decision import Verdict
from hub.store.rows import DeliveryState
from hub.testing.pki import TestPki
from hub.testing.world import DEPARTMENT, NOW, OTHER, World, make_pki

RECEIPTS = ("receipt.delivered", "receipt.refused", "receipt.deferred")
FINAL = {DeliveryState.DELIVERED, DeliveryState.REFUSED, DeliveryState.EXPIRED}
RECEIVERS = (OTHER, "H12.05")


@cache
def _pki() -> TestPki:
    return make_pki()


class OneMessage(RuleBasedStateMachine):
    """One message to two receivers, and everything that may happen to it, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World.of(_pki())
        self.said: list[Arrival] = []
        self.final: dict[str, DeliveryState] = {}
        self.subject = self.world.sent("document.new", DEPARTMENT, *RECEIVERS)
        header = self.world.read(self.subject.raw).header
        self.key = (DEPARTMENT, header.message_id.value)

    @initialize()
    def first(self) -> None:
        assert self.world.route(self.subject).verdict is Verdict.ACCEPTED

    @rule()
    def repeat(self) -> None:
        """A repeat never makes a delivery while one is open or done for that receiver."""
        before = self.world.memory[self.key].deliveries
        anew = all(row.state in (DeliveryState.REFUSED, DeliveryState.EXPIRED) for row in before)
        decision = self.world.route(self.subject)
        assert bool(decision.record.deliveries) is anew
        assert len(decision.record.receipts) + sum(1 for s in decision.sends if s.receipt) >= 1

    @rule(who=st.sampled_from(RECEIVERS), type_=st.sampled_from(RECEIPTS))
    def receive(self, who: str, type_: str) -> None:
        """A receiver answers; what the hub does never is a receipt."""
        receipt = self.world.receipt(type_, who, self.subject)
        decision = self.world.route(receipt)
        assert decision.verdict is Verdict.RECEIPT
        assert decision.record.receipts == ()
        assert [row.receiver for row in decision.record.deliveries] == [DEPARTMENT]
        self.said.append(receipt)

    @rule(data=st.data())
    def say_again(self, data: st.DataObject) -> None:
        """A repeated receipt changes no state and adds no delivery."""
        if not self.said:
            return
        decision = self.world.route(data.draw(st.sampled_from(self.said)))
        assert decision.verdict is Verdict.REPEATED
        assert (decision.record.changes, decision.record.deliveries) == ((), ())

    @rule()
    def confirm(self) -> None:
        """The broker confirms everything so far."""
        for key, prior in self.world.memory.items():
            rows = tuple(replace(row, confirmed_at=NOW) for row in prior.deliveries)
            self.world.memory[key] = replace(prior, deliveries=rows)

    @rule()
    def conflict(self) -> None:
        """Other content under the same id never changes anything."""
        before = self.world.memory[self.key].deliveries
        made = self.world.draft("document.new", DEPARTMENT, OTHER)
        identity = self.world.read(self.subject.raw).header.message_id
        other = replace(made, header=replace(made.header, message_id=identity))
        raw = self.world.signed(other)
        decision = self.world.route(Arrival(raw=raw, tag=9, account=DEPARTMENT))
        assert decision.verdict is Verdict.CONFLICT
        assert self.world.memory[self.key].deliveries == before

    @invariant()
    def final_states_stay(self) -> None:
        """A delivery that is over never opens again."""
        prior = self.world.memory.get(self.key)
        for row in prior.deliveries if prior else ():
            assert self.final.get(row.id, row.state) is row.state
            if row.state in FINAL:
                self.final[row.id] = row.state


TestOneMessage = OneMessage.TestCase
TestOneMessage.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
