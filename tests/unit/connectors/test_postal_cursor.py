"""The cursor with overlap: nothing is lost, whatever comes late and whatever a crash forgets."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hub.adapters.postal.cursor import OverlapCursor

OVERLAP = 10
FIRST = "0000"


def before(cursor: str) -> str:
    """Return the id ten below."""
    return f"{max(0, int(cursor) - OVERLAP):04d}"


class Tracking(RuleBasedStateMachine):
    """A post that inserts late rows, a runner that may fail to commit, a process that restarts."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: set[str] = set()
        self.outbox: set[str] = set()
        self.checkpoint = FIRST
        self.clock = 1
        self.cursor: OverlapCursor[None] = OverlapCursor(before)

    def after(self, start: str):
        """Return the post's rows behind an id."""
        return [(one, None) for one in sorted(self.rows) if one > start]

    @rule(step=st.integers(0, 5))
    def insert(self, step):
        """A new row; time goes on."""
        self.clock += step + 1
        self.rows.add(f"{self.clock:04d}")

    @rule(late=st.integers(1, OVERLAP - 1))
    def insert_late(self, late):
        """A row whose id is up to the overlap older than the newest."""
        self.rows.add(f"{max(1, self.clock - late):04d}")

    @rule(limit=st.integers(1, 4), committed=st.booleans())
    def poll(self, limit, committed):
        """One poll; only if it was committed are its rows and its cursor known."""
        found, highest = self.cursor.read(self.checkpoint, limit, self.after)
        fresh = [one for one, _ in found if one > self.checkpoint]
        assert len(fresh) <= limit
        assert highest >= self.checkpoint
        if committed:
            self.outbox |= {one for one, _ in found}
            self.checkpoint = highest

    @rule()
    def restart(self):
        """The process forgets everything but the checkpoint."""
        self.cursor = OverlapCursor(before)

    @invariant()
    def nothing_behind_the_overlap_is_missing(self):
        """Every row far enough behind the cursor is in the outbox (a late one may be newer)."""
        lost = {one for one in self.rows if one <= before(self.checkpoint)} - self.outbox
        assert not lost

    def teardown(self):
        """Once the post is quiet, polling brings everything within the overlap."""
        for _ in range(2 * len(self.rows) + 2):
            found, self.checkpoint = self.cursor.read(self.checkpoint, 2, self.after)
            self.outbox |= {one for one, _ in found}
        assert self.rows == self.outbox


Tracking.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestTracking = Tracking.TestCase


def test_late_row_that_was_not_stored_is_offered_again():
    """A late row leaves the cursor where it was, so only the outbox can say that it was kept."""
    rows = ["0020", "0021"]
    cursor: OverlapCursor[None] = OverlapCursor(before)
    _, mark = cursor.read(FIRST, 9, lambda start: [(r, None) for r in rows if r > start])
    rows.insert(0, "0015")
    for _ in range(2):
        found, same = cursor.read(mark, 9, lambda start: [(r, None) for r in rows if r > start])
        assert ([one for one, _ in found], same) == (["0015"], mark)
    cursor.settled("0015")
    found, _ = cursor.read(mark, 9, lambda start: [(r, None) for r in rows if r > start])
    assert found == []


def test_row_without_an_id_is_offered_and_moves_nothing():
    """A row without an id can't move the cursor, and the rows behind it go on."""
    cursor: OverlapCursor[str] = OverlapCursor(before)
    found, mark = cursor.read(FIRST, 9, lambda _: [("", "odd"), ("0003", "good")])
    assert [row for _, row in found] == ["odd", "good"]
    assert mark == "0003"
