"""The order of a stream: pure functions, so properties over every arrival order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.adapters.ordering import (
    HOLD_MESSAGES,
    HOLD_S,
    MAX_SETTLED,
    Stream,
    Turn,
    Waiting,
    overdue,
)

NOW = datetime(2026, 7, 15, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
NUMBERS = st.integers(1, 40)


def play(arrivals: list[int], stream: Stream | None = None) -> tuple[list[int], list[int], Stream]:
    """Hand over what is ready, hold back the rest; return what was handed over and what is held."""
    stream, handed, held = stream or Stream(), [], []
    for seq in arrivals:
        held.append(seq)
        moved = True
        while moved:
            moved = False
            for one in sorted(held):
                if stream.turn(one, NOW) is Turn.READY:
                    held.remove(one)
                    handed.append(one)
                    stream = stream.settle(one)
                    moved = True
    return handed, held, stream


@given(st.permutations(range(1, 13)))
def test_any_arrival_order_is_handed_over_in_order(arrivals):
    """Whatever the order of arrival, messages are handed over by their numbers, all of them."""
    handed, held, stream = play(list(arrivals))
    assert (handed, held) == (sorted(arrivals), [])
    assert stream == Stream(base=12)


@given(st.lists(NUMBERS, unique=True), st.data())
def test_nothing_is_handed_over_before_a_predecessor_that_is_there(arrivals, data):
    """With numbers missing, what is handed over is the unbroken beginning, and the rest is held."""
    handed, held, _stream = play(arrivals)
    unbroken = []
    while len(unbroken) + 1 in arrivals:
        unbroken.append(len(unbroken) + 1)
    assert handed == unbroken
    assert sorted(handed + held) == sorted(arrivals)


@given(st.lists(NUMBERS, unique=True, min_size=1))
def test_release_lets_everything_through_in_order(arrivals):
    """Giving up the gaps one after the other hands over the rest, still by number."""
    handed, held, stream = play(arrivals)
    while held:
        first = min(held)
        stream = stream.release(first)
        more, held, stream = play(held, stream)
        handed += more
    assert handed == sorted(arrivals)


@given(st.lists(st.tuples(st.sampled_from(["settle", "defer", "release"]), NUMBERS)), NUMBERS)
def test_a_stream_survives_the_store(steps, seq):
    """What is written to the store and read back decides alike, now and later."""
    stream = Stream()
    for name, number in steps:
        stream = stream.defer(number, LATER) if name == "defer" else getattr(stream, name)(number)
    again = Stream.parse(stream.text())
    assert again == stream
    for at in (NOW, LATER + timedelta(seconds=1)):
        assert again.turn(seq, at) is stream.turn(seq, at)


def test_nothing_overtakes_what_was_deferred():
    """Behind a deferred message the next one waits, until it is back or its time is over."""
    stream = Stream(base=3).defer(4, LATER)
    assert stream.turn(4, NOW) is Turn.READY
    assert stream.turn(5, NOW) is Turn.BEHIND
    assert stream.turn(5, LATER) is Turn.READY
    assert stream.settle(4).turn(5, NOW) is Turn.READY


def test_a_gap_behind_a_deferred_message_is_still_a_gap():
    """Once the deferred one's time is over, a missing number is looked for like any other."""
    stream = Stream(base=3).defer(4, LATER)
    assert stream.turn(7, LATER) is Turn.GAP
    assert stream.settle(5).settle(6).turn(7, LATER) is Turn.READY


def test_late_and_repeated_numbers_are_never_held():
    """What is below the point reached, or without a number, is handed over at once."""
    stream = Stream(base=5).settle(8)
    assert [stream.turn(seq, NOW) for seq in (0, 1, 5, 8)] == [Turn.READY] * 4
    assert stream.settle(2) == stream
    assert stream.release(3) == stream
    assert stream.defer(3, LATER) == stream


@given(st.sets(st.integers(2, 10_000), max_size=300))
def test_memory_of_a_stream_is_bounded(numbers):
    """However many numbers settle above a gap, the state stays small."""
    stream = Stream()
    for number in sorted(numbers, reverse=True):
        stream = stream.settle(number)
        assert len(stream.settled) <= MAX_SETTLED
    assert all(stream.turn(number, NOW) is Turn.READY for number in numbers)


def test_hold_back_ends_after_a_time():
    """The one that has waited longest is let go by its stream's first, not before its time."""
    held = [Waiting("a", 5, NOW), Waiting("b", 2, NOW + timedelta(seconds=1)),
            Waiting("a", 4, NOW + timedelta(seconds=2))]  # fmt: skip
    assert overdue(held, NOW + timedelta(seconds=HOLD_S - 1)) is None
    assert overdue(held, NOW + timedelta(seconds=HOLD_S)) == held[2]


def test_hold_back_ends_at_a_number():
    """One more than may be held back lets the longest waiting go at once."""
    held = [Waiting("a", 99 - n, NOW + timedelta(milliseconds=n)) for n in range(HOLD_MESSAGES)]
    assert overdue(held, NOW + timedelta(seconds=1)) is None
    held.append(Waiting("b", 1, NOW + timedelta(seconds=1)))
    first = overdue(held, NOW + timedelta(seconds=1))
    assert first is not None
    assert (first.stream, first.seq) == ("a", min(99 - n for n in range(HOLD_MESSAGES)))
    assert overdue([], NOW) is None
