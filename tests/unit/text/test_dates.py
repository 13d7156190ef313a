"""Dates are read by the column's declared formats, as Vietnam time, and by nothing else."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.adapters.dates import VIETNAM, DateColumn, read, write
from hub.errors import ConfigInvalid, DateUnreadable

NAIVE = datetime.fromisoformat  # what drivers give: no offset

THREE = DateColumn(
    "ngay_tiep_nhan",
    ("yyyy-MM-dd HH:mm:ss", "dd/MM/yyyy", "dd/MM/yyyy HH:mm", "yyyyMMddHHmmss"),
)
FORMATS = [
    "yyyyMMddHHmmss",
    "yyyy-MM-dd HH:mm:ss",
    "yyyy/MM/dd HH:mm:ss",
    "dd/MM/yyyy HH:mm:ss",
    "d/M/yyyy HH:mm:ss",
    "dd-MM-yyyy-HH-mm-ss",
    "iso",
    "epoch_ms",
]


@pytest.mark.parametrize(
    ("raw", "iso"),
    [
        ("2026-03-04 08:30:00", "2026-03-04T08:30:00+07:00"),
        ("04/03/2026", "2026-03-04T00:00:00+07:00"),
        ("10/03/2026 10:15", "2026-03-10T10:15:00+07:00"),
        ("20260304154500", "2026-03-04T15:45:00+07:00"),
        (datetime(2026, 3, 4, 1, 0, tzinfo=timezone.utc), "2026-03-04T08:00:00+07:00"),
        (NAIVE("2026-03-04T08:00"), "2026-03-04T08:00:00+07:00"),
        (date(2026, 3, 4), "2026-03-04T00:00:00+07:00"),
        (b"2026-03-04 08:30:00", "2026-03-04T08:30:00+07:00"),
    ],
)
def test_three_spellings_in_one_column(raw, iso):
    """The three spellings of the sample database, and a driver's own types, give one instant."""
    assert read(raw, THREE).isoformat() == iso


@pytest.mark.parametrize(
    "raw", [None, "", "  ", "0001-01-01 00:00:00", "01/01/0001", "1900-01-01", NAIVE("1900-01-01")]
)
def test_sentinels_mean_unknown(raw):
    """Empty, NULL and the sentinels are unknown, not year one."""
    assert read(raw, THREE) is None


@pytest.mark.parametrize("raw", ["4/3/2026", "2026-02-30 08:00:00", "20260304", "hôm qua", "１２"])
def test_other_spelling_is_an_error_with_the_column(raw):
    """A spelling that is not declared is refused, naming the column and its formats."""
    with pytest.raises(DateUnreadable) as caught:
        read(raw, THREE)
    assert caught.value.place.column == "ngay_tiep_nhan"
    assert "dd/MM/yyyy" in str(caught.value)


def test_old_dates_have_no_hour_of_zone_history():
    """1960 and 1975 are +07:00 as well; zone data would say +08:00."""
    assert read("01/06/1975", THREE).utcoffset() == timedelta(hours=7)


@pytest.mark.parametrize("name", ["dd/MM", "hh:mm dd/MM/yyyy", "yyyy-MM-dd yyyy"])
def test_impossible_declaration_is_refused(name):
    """A format that is no whole date, or has unknown letters, is a configuration error."""
    with pytest.raises(ConfigInvalid):
        DateColumn("c", (name,))


def test_day_first_and_month_first_never_meet():
    """A column can't be declared to hold both dd/MM and MM/dd."""
    with pytest.raises(ConfigInvalid):
        DateColumn("c", ("dd/MM/yyyy", "MM/dd/yyyy"))


@given(
    st.datetimes(NAIVE("1971-01-01"), NAIVE("2100-01-01")).map(lambda d: d.replace(microsecond=0)),
    st.sampled_from(FORMATS),
)
def test_written_date_reads_back(moment, name):
    """What is written in a declared format reads back as the same instant."""
    instant = moment.replace(tzinfo=VIETNAM)
    assert read(write(instant, name), DateColumn("c", (name,))) == instant
