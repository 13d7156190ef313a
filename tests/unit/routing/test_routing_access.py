"""Who may send what to whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.codes import AgencyCode, MessageType
from hub.routing.access import AccessRules, demo_rules
from hub.schemas.catalog import catalogue
from hub.store.rows import AccessRow
from hub.testing.world import sample_rows

KINDS = {row.code: row.kind for row in sample_rows()}


def allowed(rules: list[AccessRow], sender: str, receiver: str, type_: str) -> bool:
    verdict = AccessRules.of(rules, KINDS).test(
        AgencyCode.parse(sender), AgencyCode.parse(receiver), MessageType.parse(type_)
    )
    return verdict.allowed


def rule(sender: str, receiver: str, type_: str, *, allow: bool = True, id_: int = 1) -> AccessRow:
    return AccessRow(id_, sender, receiver, type_, allow=allow)


def test_nothing_is_allowed_without_a_rule() -> None:
    """Deny by default, with no rule to name."""
    verdict = AccessRules.of([], KINDS).test(
        AgencyCode.parse("H12.15"), AgencyCode.parse("H13.15"), MessageType("document.new")
    )
    assert (verdict.allowed, verdict.rule) == (False, None)


@pytest.mark.parametrize(
    ("pattern", "code", "fits"),
    [
        ("*", "H12.15", True),
        ("H12.15", "H12.15", True),
        ("h12.15", "H12.15", True),
        ("H12.15", "H12.1", False),
        ("H12.*", "H12.15", True),
        ("H12.*", "H12.31.21", True),
        ("H12.*", "H12", False),
        ("H12.*", "H13.15", False),
        ("H12.1.*", "H12.15", False),
        ("@commune", "H12.101", True),
        ("@commune", "H12.15", False),
        ("@commune", "H77.77", False),
    ],
)
def test_patterns_of_parties(pattern: str, code: str, *, fits: bool) -> None:
    """Exact code, prefix by whole groups, kind, everyone; for senders and receivers alike."""
    assert allowed([rule(pattern, "*", "*")], code, "H13.15", "document.new") is fits
    assert allowed([rule("*", pattern, "*")], "H13.15", code, "document.new") is fits


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [("*", True), ("dossier.*", True), ("dossier.received", True), ("dossier.paid", False),
     ("document.*", False), ("doss.*", False)],
)  # fmt: skip
def test_patterns_of_types(pattern: str, *, fits: bool) -> None:
    """A type, a family or everything."""
    assert allowed([rule("*", "*", pattern)], "H12.15", "H13.15", "dossier.received") is fits


def test_deny_beats_allow_in_any_order() -> None:
    """One rule that denies is enough, wherever it stands, and it is the one that is named."""
    rules = [rule("*", "*", "*", id_=1), rule("H12.15", "*", "*", allow=False, id_=2)]
    for ordered in (rules, rules[::-1]):
        verdict = AccessRules.of(ordered, KINDS).test(
            AgencyCode.parse("H12.15"), AgencyCode.parse("H13.15"), MessageType("document.new")
        )
        assert verdict.rule is not None
        assert (verdict.allowed, verdict.rule.id) == (False, 2)


@pytest.mark.parametrize(
    ("sender", "receiver", "type_"),
    [
        ("H12.101.01", "H12.15", "dossier.submitted"),
        ("H12.15", "H12.101.01", "step.finished"),
        ("H12.15", "H12.101.01", "result.issued"),
        ("H12.15", "H13.15", "subrequest.opened"),
        ("H12.15", "H17.15", "document.new"),
        ("H26.15", "H12.101", "document.recall"),
        ("0100000000", "H12.101.01", "postal.accepted"),
        ("0100000000", "H99.19", "dossier.submitted"),
        ("H99.19", "0100000000", "postal.result_handover"),
        ("H12.15", "00.99.W00", "connectivity.ping"),
        ("0100000000", "H12.15", "connectivity.pong"),
    ],
)
def test_demo_rules_cover_the_scenario(sender: str, receiver: str, type_: str) -> None:
    """What the demo's scenario sends is allowed by the shipped rules."""
    assert allowed(list(demo_rules()), sender, receiver, type_)


@pytest.mark.parametrize(
    ("sender", "receiver", "type_"),
    [
        ("H12.15", "H13.15", "citizen.lookup"),
        ("0100000000", "H22.01", "postal.accepted"),
        ("G22", "H12.15", "dossier.submitted"),
    ],
)
def test_demo_rules_allow_no_more(sender: str, receiver: str, type_: str) -> None:
    """Citizens' data, and dossiers outside one-stops, departments and the post, stay denied."""
    assert not allowed(list(demo_rules()), sender, receiver, type_)


def test_demo_rules_name_known_families_and_kinds() -> None:
    """A rule for a type or kind that does not exist would allow nothing, silently."""
    families = {name.split(".")[0] for name in catalogue()}
    for row in demo_rules():
        assert row.type.removesuffix(".*") in families
        for pattern in (row.sender, row.receiver):
            assert pattern == "*" or pattern.removeprefix("@") in set(KINDS.values())


PARTY = st.sampled_from(["*", "H12.*", "H12.15", "@department", "@commune", "H13.15"])
RULES = st.lists(
    st.builds(
        AccessRow,
        st.integers(1, 99),
        PARTY,
        PARTY,
        st.sampled_from(["*", "document.*", "document.new", "dossier.*"]),
        st.booleans(),
    ),
    max_size=8,
)


@given(RULES, st.sampled_from(["H12.15", "H12.101"]), st.sampled_from(["H13.15", "H12.15"]))
def test_adding_a_denial_never_allows_more(rules: list[AccessRow], sender: str, to: str) -> None:
    """Rules that deny only ever take away, and asking twice gives the same answer."""
    more = [*rules, rule("H12.*", "*", "document.*", allow=False)]
    assert not allowed(more, sender, to, "document.new")
    if allowed(more, sender, to, "dossier.paid"):
        assert allowed(rules, sender, to, "dossier.paid")
