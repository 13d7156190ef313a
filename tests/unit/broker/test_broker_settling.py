"""Few frames for many settlements, and every verdict reaches exactly its delivery."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.broker.settling import Settlement, Unsettled, Verdict


class Settling(RuleBasedStateMachine):
    """The channel at the broker's side, as AMQP 0-9-1 describes ack and RabbitMQ nack."""

    def __init__(self) -> None:
        super().__init__()
        self.mine = Unsettled()
        self.next = 1
        self.decided: dict[int, Verdict] = {}
        self.at_broker: dict[int, Verdict | None] = {}

    def broker_takes(self, found: list[Settlement]) -> None:
        for one in found:
            assert self.at_broker.get(one.tag, Verdict.ACK) is None, "unknown delivery tag"
            for tag, verdict in self.at_broker.items():
                if verdict is None and (tag == one.tag or (one.multiple and tag < one.tag)):
                    self.at_broker[tag] = one.verdict

    @rule(count=st.integers(1, 5))
    def deliver(self, count: int) -> None:
        for _each in range(count):
            self.mine.delivered(self.next)
            self.at_broker[self.next] = None
            self.next += 1

    @precondition(lambda self: self.next > 1)
    @rule(data=st.data(), verdict=st.sampled_from(Verdict))
    def settle(self, data, verdict: Verdict) -> None:
        """Any tags, settled ones and ones never delivered among them."""
        tags = data.draw(st.lists(st.integers(0, self.next + 2), max_size=6))
        for tag in tags:
            if 0 < tag < self.next:
                self.decided.setdefault(tag, verdict)
        self.broker_takes(self.mine.settle(tags, verdict))

    @rule()
    def flush(self) -> None:
        self.broker_takes(self.mine.flush())
        told = {tag: verdict for tag, verdict in self.at_broker.items() if verdict is not None}
        assert told == self.decided

    @invariant()
    def nothing_false_is_told(self) -> None:
        for tag, verdict in self.at_broker.items():
            assert verdict is None or self.decided[tag] is verdict


TestSettling = Settling.TestCase


def test_window_is_one_frame_in_any_order() -> None:
    """A hundred acks, told in two groups out of order, are one frame."""
    mine = Unsettled()
    for tag in range(1, 101):
        mine.delivered(tag)
    assert mine.settle([tag for tag in range(1, 101) if tag != 50], Verdict.ACK) == [
        Settlement(49, True, Verdict.ACK)
    ]
    assert mine.settle([50], Verdict.ACK) == [Settlement(100, True, Verdict.ACK)]
    assert mine.flush() == []
