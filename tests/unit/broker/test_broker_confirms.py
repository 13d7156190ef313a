"""The confirm window as a state machine, against a plain model of what a broker may answer."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.broker.confirms import ConfirmTracker
from hub.broker.ports import Outcome


@dataclass
class Publish:
    """One publish as the model knows it."""

    tag: int
    key: str
    window: int
    outcome: Outcome = Outcome.UNKNOWN
    answered: bool = False


class ConfirmWindows(RuleBasedStateMachine):
    """Windows on one channel; the broker answers in any way the protocol allows, also late."""

    def __init__(self) -> None:
        super().__init__()
        self.tracker = ConfirmTracker()
        self.all: list[Publish] = []
        self.window = 0

    def open_ones(self) -> list[Publish]:
        return [one for one in self.all if not one.answered]

    @rule()
    def begin(self) -> None:
        """A new window; the one before may have been given up."""
        self.window += 1
        self.tracker.begin()

    @rule(keys=st.lists(st.sampled_from("abc"), min_size=1, max_size=5))
    def publish(self, keys: list[str]) -> None:
        for key in keys:
            tag = self.tracker.published(key)
            self.all.append(Publish(tag, key, self.window))

    @precondition(lambda self: self.open_ones())
    @rule(data=st.data(), multiple=st.booleans(), good=st.booleans())
    def answer(self, data, *, multiple: bool, good: bool) -> None:
        """An ack or nack of one open tag or of all up to it; tags of old windows too."""
        chosen = data.draw(st.sampled_from(self.open_ones()))
        outcome = Outcome.CONFIRMED if good else Outcome.REFUSED
        self.tracker.answered(chosen.tag, multiple=multiple, outcome=outcome)
        for one in self.open_ones():
            if one is chosen or (multiple and one.tag < chosen.tag):
                one.answered = True
                if one.outcome is Outcome.UNKNOWN:
                    one.outcome = outcome

    @precondition(lambda self: self.open_ones())
    @rule(data=st.data())
    def give_back(self, data) -> None:
        """A return of the oldest open publish with some key, if it belongs to this window.

        The broker returns before it acks, so an old window's publish that is still open could be
        returned late as well: with the same key as one of this window's it would be mistaken.
        That takes two publishes with the same message id, delivery and route, of which the older
        was never answered; both then had no queue to go to.
        """
        here = [
            one for one in self.open_ones()
            if one.window == self.window and one.outcome is Outcome.UNKNOWN
        ]  # fmt: skip
        if not here:
            return
        key = data.draw(st.sampled_from(here)).key
        oldest = next(one for one in here if one.key == key)
        self.tracker.returned(key)
        oldest.outcome = Outcome.RETURNED

    @rule(tag=st.integers(10_000, 10_010), multiple=st.just(value=False))
    def nonsense(self, tag: int, *, multiple: bool) -> None:
        """An answer to a tag never used changes nothing."""
        self.tracker.answered(tag, multiple=multiple, outcome=Outcome.CONFIRMED)
        self.tracker.returned("never published")

    @invariant()
    def outcomes_are_the_models(self) -> None:
        here = [one for one in self.all if one.window == self.window]
        assert self.tracker.outcomes == [one.outcome for one in here]
        assert self.tracker.complete == all(one.answered for one in here)


TestConfirmWindows = ConfirmWindows.TestCase


def test_late_confirm_does_not_count_for_the_next_window() -> None:
    """The fault of kombu's confirm_publish: an ack of a window given up belongs to nobody else."""
    tracker = ConfirmTracker()
    tracker.begin()
    old = tracker.published("a")
    tracker.begin()
    tracker.published("a")
    tracker.answered(old, multiple=False, outcome=Outcome.CONFIRMED)
    assert tracker.outcomes == [Outcome.UNKNOWN]
    assert not tracker.complete


def test_multiple_confirm_of_everything() -> None:
    """Tag 0 with multiple means all so far (AMQP 0-9-1, basic.ack)."""
    tracker = ConfirmTracker()
    tracker.begin()
    for key in "abc":
        tracker.published(key)
    tracker.answered(0, multiple=True, outcome=Outcome.CONFIRMED)
    assert tracker.outcomes == [Outcome.CONFIRMED] * 3


def test_return_before_its_ack_wins() -> None:
    """The ack that RabbitMQ sends after a return does not make it confirmed."""
    tracker = ConfirmTracker()
    tracker.begin()
    tracker.published("a")
    second = tracker.published("b")
    tracker.returned("b")
    tracker.answered(second, multiple=True, outcome=Outcome.CONFIRMED)
    assert tracker.outcomes == [Outcome.CONFIRMED, Outcome.RETURNED]
