"""Watermarks: every kind comes back from a checkpoint, sorts, and can be stepped back from."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.adapters.watermark import Position, below, sequence, usable
from hub.errors import ConfigInvalid

TIMES = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1))  # noqa: DTZ001 - drivers give naive times
MARKS = st.one_of(st.integers(), st.text(), st.binary(min_size=8, max_size=8), TIMES)


@given(MARKS, MARKS)
def test_checkpoint_gives_back_what_it_was_made_of(mark, row):
    """Numbers, text, bytes and times come back as what they were, whatever they hold."""
    position = Position(mark, row)
    assert Position.parse(position.checkpoint()) == position


@given(st.text(max_size=40))
def test_checkpoint_that_is_none_is_refused(text):
    """Text that is no checkpoint is refused by name; reading never begins again from zero."""
    try:
        found = Position.parse(text)
    except ConfigInvalid:
        return
    assert Position.parse(found.checkpoint()) == found


@given(TIMES, st.integers(0, 100_000))
def test_text_time_steps_back_in_seconds(moment, overlap):
    """A text time goes back by seconds and still sorts as text."""
    mark = moment.strftime("%Y-%m-%d %H:%M:%S")
    moved = below(mark, overlap)
    expected = moment.replace(microsecond=0) - timedelta(seconds=overlap)
    assert moved == expected.strftime("%Y-%m-%d %H:%M:%S")
    assert moved <= mark


@pytest.mark.parametrize(
    ("mark", "overlap", "expected"),
    [
        (100, 7, 93),
        ((500).to_bytes(8, "big"), 7, (493).to_bytes(8, "big")),
        ((5).to_bytes(8, "big"), 7, bytes(8)),
        ("20260304000010", 20, "20260303235950"),
        ("2026-03-04T00:00:10", 20, "2026-03-03T23:59:50"),
        ("2026-03-04 00:00:10.123", 20, "2026-03-03 23:59:50"),
        ("0001-01-01 00:00:00", 20, "0001-01-01 00:00:00"),
        ("any", 0, "any"),
    ],
)
def test_each_kind_steps_back_in_its_unit(mark, overlap, expected):
    """Numbers and row versions go back by numbers, times by seconds, a sentinel not at all."""
    assert below(mark, overlap) == expected


@pytest.mark.parametrize(
    ("value", "overlap", "found"),
    [
        (Decimal(7), 5, 7),
        (Decimal("7.5"), 5, None),
        ("04/03/2026 08:30:00", 5, None),
        ("04/03/2026 08:30:00", 0, "04/03/2026 08:30:00"),
        ("2026-03-04 08:30:00", 5, "2026-03-04 08:30:00"),
        (None, 5, None),
    ],
)
def test_only_what_sorts_is_a_watermark(value, overlap, found):
    """Text must be a time that sorts where an overlap is asked for; NULL and fractions never do."""
    assert usable(value, overlap) == found


@given(MARKS)
def test_sequence_fits_the_wire(mark):
    """Whatever the watermark, the running number has 1 to 18 digits, but for negative ones."""
    if isinstance(mark, int):
        mark = abs(mark)
    assert len(str(sequence(mark))) <= 18


def test_times_number_in_order():
    """A later time has a larger number."""
    first = datetime(2026, 3, 4, 1, tzinfo=timezone.utc)
    assert sequence(first) < sequence(first + timedelta(milliseconds=1))
