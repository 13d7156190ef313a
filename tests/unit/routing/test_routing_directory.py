"""Which agency a code means on a date, and where its messages go."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.codes import AgencyCode
from hub.errors import ClosedReceiver, UnknownReceiver
from hub.routing.directory import MAX_STEPS, Directory
from hub.routing.succession import alive
from hub.store.rows import AgencyRow
from hub.testing.world import sample_rows

JULY = date(2026, 7, 1)
BEGIN, END = date(2020, 9, 15), date(2025, 6, 30)


def agency(code: str, **more: object) -> AgencyRow:
    facts = {"parent": None, "centre": None, "valid_from": BEGIN, "valid_to": None} | more
    return AgencyRow(code=code, name=f"Cơ quan {code}", kind="unit", **facts)


def closed(code: str, *successors: str, redirect: str = "auto") -> AgencyRow:
    return agency(code, valid_to=END, superseded_by=successors, redirect=redirect)


def resolve(rows: list[AgencyRow] | tuple[AgencyRow, ...], code: str, at: date | datetime = JULY):
    return Directory.of(rows).resolve(AgencyCode.parse(code), at)


@pytest.fixture(scope="module")
def sample() -> Directory:
    return Directory.of(sample_rows({"H12.15", "H12.13", "H12.101", "H17.15", "H13.15"}))


@pytest.mark.parametrize(
    ("code", "resolved", "via", "queue"),
    [
        ("H12.15", "H12.15", "exact", "inbox.H12.15"),
        (" h12.15 ", "H12.15", "exact", "inbox.H12.15"),
        ("000.00.13.H12", "H12.15", "alias", "inbox.H12.15"),
        ("000.00.17.H12", "H12.13", "alias", "inbox.H12.13"),
        ("H12.31.21", "H12.101", "successor", "inbox.H12.101"),
        ("000.22.31.H12", "H12.101", "successor", "inbox.H12.101"),
        ("H26.15", "H26.15", "centre", "gateway.00.26.W00"),
        ("000.00.15.H26", "H26.15", "centre", "gateway.00.26.W00"),
        ("00.13.W00", "00.13.W00", "centre", "gateway.00.13.W00"),
    ],
)
def test_sample_codes_resolve(
    sample: Directory, code: str, resolved: str, via: str, queue: str
) -> None:
    """Exact, alias, automatic successor, centre: each as the sample directory says."""
    found = sample.resolve(AgencyCode.parse(code), JULY)
    assert (found.resolved.value, found.via, found.queue) == (resolved, via, queue)


def test_old_code_is_never_reversed(sample: Directory) -> None:
    """000.00.13.H12 reversed would be the living H12.13; it belongs to H12.15 and goes there.

    And an old code that nobody has stays unknown, though its reversal H12.15 exists.
    """
    assert sample.resolve(AgencyCode.parse("000.00.13.H12"), JULY).resolved.value == "H12.15"
    with pytest.raises(UnknownReceiver):
        sample.resolve(AgencyCode.parse("000.00.15.H12"), JULY)


@pytest.mark.parametrize(
    ("code", "successor"),
    [("H47.15", "H17.15"), ("H47.10", "H17.15"), ("G14", "G06"), ("H12.31", "-"), ("H04", "H12")],
)
def test_closed_without_redirect_names_the_living_successor(
    sample: Directory, code: str, successor: str
) -> None:
    """A closed agency is refused; the refusal names who lives at the end of its line."""
    with pytest.raises(ClosedReceiver) as caught:
        sample.resolve(AgencyCode.parse(code), JULY)
    assert caught.value.facts["successor"] == successor


def test_validity_is_inclusive_in_vietnams_dates() -> None:
    """The last day ends at midnight in Vietnam (17:00 UTC), and the first one begins there."""
    rows = [
        replace(closed("H12.31.21", "H12.101"), attached=True),
        agency("H12.101", valid_from=date(2025, 7, 1), attached=True),
    ]
    last = datetime(2025, 6, 30, 16, 59, 59, tzinfo=UTC)
    first = datetime(2025, 6, 30, 17, 0, tzinfo=UTC)
    assert resolve(rows, "H12.31.21", last).via == "exact"
    assert resolve(rows, "H12.31.21", first).resolved.value == "H12.101"
    with pytest.raises(UnknownReceiver):
        resolve(rows, "H12.101", last)
    assert resolve(rows, "H12.101", first).via == "exact"


@pytest.mark.parametrize(
    "rows",
    [
        [closed("H12.1", "H12.2", "H12.3"), agency("H12.2"), agency("H12.3")],
        [closed("H12.1", "H12.2"), closed("H12.2", "H12.3", redirect="no"), agency("H12.3")],
        [closed("H12.1", "H12.2", redirect="no"), agency("H12.2")],
        [closed("H12.1", "H12.2"), closed("H12.2", "H12.1")],
        [closed("H12.1", "H12.1")],
    ],
    ids=["two living", "refusal in between", "refusal", "circle", "self"],
)
def test_no_redirect_without_one_clear_automatic_line(rows: list[AgencyRow]) -> None:
    """Several living successors, a refusal anywhere on the way, or a circle: refused."""
    with pytest.raises(ClosedReceiver):
        resolve([replace(row, attached=True) for row in rows], "H12.1")


def test_one_living_among_closed_successors_is_enough() -> None:
    """Several lines of succession of which one agency lives lead to it."""
    rows = [
        closed("H12.1", "H12.2", "H12.3"),
        closed("H12.2", "H12.4"),
        closed("H12.3", "H12.4"),
        agency("H12.4", attached=True),
    ]
    found = resolve(rows, "H12.1")
    assert (found.resolved.value, found.chain) == ("H12.4", ("H12.1", "H12.2", "H12.4"))


@pytest.mark.parametrize(("steps", "reached"), [(MAX_STEPS, True), (MAX_STEPS + 1, False)])
def test_eight_steps_are_followed_and_no_more(steps: int, *, reached: bool) -> None:
    """A line of eight successions is followed to its end; a ninth is not."""
    rows = [closed(f"H12.{n}", f"H12.{n + 1}") for n in range(1, steps + 1)]
    rows.append(agency(f"H12.{steps + 1}", attached=True))
    if reached:
        assert resolve(rows, "H12.1").resolved.value == f"H12.{steps + 1}"
    else:
        with pytest.raises(ClosedReceiver):
            resolve(rows, "H12.1")


def test_closed_centre_hands_over_to_its_living_successor() -> None:
    """An agency whose centre was closed is reached by the centre that took over."""
    centre = replace(closed("00.04.W00", "00.12.W00", redirect="no"), kind="centre")
    rows = [centre, replace(agency("00.12.W00"), kind="centre"), agency("H04", centre="00.04.W00")]
    found = resolve(rows, "H04")
    assert (found.via, found.queue) == ("centre", "gateway.00.12.W00")


def test_successor_behind_a_centre_is_told_as_successor() -> None:
    """Redirection is what the receipt must say, even when the way then leads over a gateway."""
    rows = [
        closed("H12.1", "H13.1"),
        agency("H13.1", centre="00.13.W00"),
        replace(agency("00.13.W00"), kind="centre"),
    ]
    found = resolve(rows, "H12.1")
    assert (found.via, found.queue, found.resolved.value) == (
        "successor", "gateway.00.13.W00", "H13.1",
    )  # fmt: skip


def test_living_agency_that_nothing_reaches_is_unknown(sample: Directory) -> None:
    """No inbox here and no centre: refused with the reason, not queued anywhere."""
    with pytest.raises(UnknownReceiver) as caught:
        sample.resolve(AgencyCode.parse("G22"), JULY)
    assert "centre" in caught.value.detail


CODES = [f"H12.{n}" for n in range(1, 8)]
ROW = st.builds(
    lambda code, alive_now, successors, redirect, attached: agency(
        code,
        valid_to=None if alive_now else END,
        superseded_by=tuple(successors),
        redirect=redirect,
        attached=attached,
    ),
    st.sampled_from(CODES),
    st.booleans(),
    st.lists(st.sampled_from(CODES), max_size=3, unique=True),
    st.sampled_from(["auto", "no"]),
    st.booleans(),
)


@given(st.lists(ROW, max_size=12), st.sampled_from(CODES))
def test_resolve_ends_and_only_at_a_living_agency(rows: list[AgencyRow], code: str) -> None:
    """Whatever the directory holds, resolving ends: at a living attached agency or in an error."""
    directory = Directory.of(rows)
    try:
        found = directory.resolve(AgencyCode.parse(code), JULY)
    except (UnknownReceiver, ClosedReceiver):
        return
    row = directory.row(found.resolved)
    assert row is not None
    assert row.attached
    assert alive(row, JULY)
    assert found.chain[-1] == row.code
    for passed in found.chain[:-1]:
        middle = directory.row(AgencyCode.parse(passed))
        assert middle is not None
        assert middle.redirect == "auto"
        assert not alive(middle, JULY)
