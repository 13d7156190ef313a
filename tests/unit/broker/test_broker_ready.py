"""The order in which ready arrivals are handed out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.broker.ready import URGENT_IN_A_ROW, InOrder, UrgentFirst
from hub.envelope import Arrival


def arrival(number: int, *, urgent: bool = False) -> Arrival:
    return Arrival(b"", number, queue="inbox.H12.01" + (".urgent" if urgent else ""))


@given(st.lists(st.booleans(), max_size=80))
def test_urgent_first_and_nobody_waits_for_ever(kinds: list[bool]) -> None:
    """All come out once, each kind in its order, and after ten urgent ones a normal one."""
    ready = UrgentFirst()
    for number, urgent in enumerate(kinds):
        ready.add(arrival(number, urgent=urgent))
    taken, row = [], 0
    while ready:
        normal_left = any(not kinds[n] for n in range(len(kinds)) if n not in taken)
        urgent_left = any(kinds[n] for n in range(len(kinds)) if n not in taken)
        first, number = ready.first().tag, ready.take().tag
        assert first == number
        taken.append(number)
        if urgent_left and normal_left:
            assert kinds[number] == (row < URGENT_IN_A_ROW)
        row = row + 1 if kinds[number] else 0
    assert sorted(taken) == list(range(len(kinds)))
    for kind in (True, False):
        own = [number for number in taken if kinds[number] is kind]
        assert own == sorted(own)


def test_in_order_is_first_come_first_served() -> None:
    """And can be forgotten."""
    ready = InOrder()
    for number in range(3):
        ready.add(arrival(number, urgent=number == 2))
    assert [ready.take().tag, len(ready)] == [0, 2]
    ready.clear()
    assert not ready
