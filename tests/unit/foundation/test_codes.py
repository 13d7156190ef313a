"""Identifier codes: every shape that occurs, nothing else, one spelling for each."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from hub.codes import (
    MAX_AGENCY_CODE,
    MAX_DOSSIER_CODE,
    AgencyCode,
    CodeKind,
    DossierCode,
    Environment,
    GsoProvince,
    PostProvince,
    ProcedureCode,
)
from hub.errors import CodeMalformed, CodeTestOnly

REAL = [
    # code, kind, level 1, the proposal for a new code
    ("000.00.15.H26", CodeKind.OLD_FULL, "H26", "H26.15"),
    ("000.00.00.H53", CodeKind.OLD_FULL, "H53", "H53"),
    ("000.21.31.H53", CodeKind.OLD_FULL, "H53", "H53.31.21"),
    ("001.00.10.H47", CodeKind.OLD_FULL, "H47", "H47.10.001"),
    ("28.22.H17", CodeKind.OLD_SHORT, "H17", "H17.22.28"),
    ("01.02.G22", CodeKind.OLD_SHORT, "G22", "G22.02.01"),
    ("01.K36", CodeKind.OLD_SHORT, "K36", "K36.01"),
    ("K57", CodeKind.NEW, "K57", None),
    ("H26.15", CodeKind.NEW, "H26", None),
    ("G12.18", CodeKind.NEW, "G12", None),
    ("H37.02.02", CodeKind.NEW, "H37", None),
    ("H37.DN.001", CodeKind.NEW, "H37", None),
    ("000.A53.000", CodeKind.PARTY, "A53", None),
    ("00.53.W00", CodeKind.CENTRE, "W00", None),
    ("0101234567", CodeKind.ENTERPRISE, "", None),
]
TRIAL_ONLY = [
    ("VXP.SAAS.03", CodeKind.TEST),
    ("001.00.20.JB2", CodeKind.TEST),
    ("777.77.04.D77", CodeKind.OLD_FULL),
    ("000.00.19.H99", CodeKind.OLD_FULL),
    ("H99.15", CodeKind.NEW),
    ("Z99", CodeKind.NEW),
    ("T01.02", CodeKind.NEW),
    ("01.J22", CodeKind.OLD_SHORT),
]
MALFORMED = [
    "",
    " ",
    ".",
    "null",
    "H26.",
    ".H26",
    "H26..15",
    "H 26.15",
    "H26. 15",
    "H26.15\n",
    "H26.15\r\n",
    "\nH26.15",
    "H26.15\x00",
    "H26.15\u2028",
    "000.1137.H53",
    "000.00.00",
    "000.00.15.H2",
    "00.00.15.15.H26",
    "0000.00.15.H26",
    "H26.15.H53",
    "H26.A53",
    "000.00.15.\uff2826",
    "\u0130\u0130.01",
    "v\u0131p.saas",
    "H26.\u017f\u017f",
    "H26.\ufb01",
    "\u0661\u0662.K36",
    "H\u0662\u0666.15",
    "010123456",
    "01012345678",
    "53.W00.00",
    "000.A53.00",
    "Sở Tư pháp",
    "H26.15;DROP",
    "H26.*",
    "H26.#",
    "H26/15",
    "H26.15-260304-0007",
    "H" * 36,
    "H26." + "1" * 32,
]
CANONICAL = re.compile(r"[0-9A-Z]+(\.[0-9A-Z]+)*")


@pytest.mark.parametrize(("text", "kind", "level_1", "guess"), REAL)
@pytest.mark.parametrize("environment", Environment)
def test_every_kind_that_occurs_is_read_anywhere(text, kind, level_1, guess, environment):
    """Each shape of the identifier sheet parses in both environments, with its kind and level."""
    code = AgencyCode.parse(text, environment)
    assert (str(code), code.kind, code.level_1) == (text, kind, level_1)
    assert not code.is_test
    assert code.guessed_new_form() == guess


@pytest.mark.parametrize(("text", "kind"), TRIAL_ONLY)
def test_test_codes_live_in_the_trial_environment_only(text, kind):
    """Anything may name a test system in a trial, and none of it in production."""
    code = AgencyCode.parse(text, Environment.TRIAL)
    assert (code.value, code.kind, code.is_test) == (text, kind, True)
    with pytest.raises(CodeTestOnly, match=re.escape(text)):
        AgencyCode.parse(text, Environment.PRODUCTION)


@pytest.mark.parametrize("environment", Environment)
@pytest.mark.parametrize("text", MALFORMED)
def test_nothing_is_repaired(text, environment):
    """Missing groups, inner blanks, line ends, look-alike letters, wildcards: all refused."""
    with pytest.raises(CodeMalformed) as caught:
        AgencyCode.parse(text, environment)
    assert caught.value.message("vi").isprintable()


def test_the_width_ends_at_35_characters():
    """SĐ1:2022 QCVN 102 gives a code 35 characters, not one more; blanks around do not count."""
    edge = "H26." + "1" * (MAX_AGENCY_CODE - 4)
    assert AgencyCode.parse(f"  {edge} ").value == edge
    with pytest.raises(CodeMalformed):
        AgencyCode.parse(edge + "1")


def test_the_order_of_matching():
    """A centre also fits the short old form and is a centre; ten digits are an enterprise."""
    assert AgencyCode.parse("00.53.W00").kind is CodeKind.CENTRE
    assert AgencyCode.parse("000.53.W00").kind is CodeKind.OLD_SHORT
    assert AgencyCode.parse("000.00.53.W00").kind is CodeKind.OLD_FULL
    assert AgencyCode.parse("H26.0101234567").kind is CodeKind.NEW


def test_blanks_and_case_do_not_make_another_agency():
    """Two spellings of one code are equal, hash alike and are written alike."""
    spellings = [" h26.15", "H26.15\t", "\u00a0H26.15 ", "H26.15"]
    assert {str(AgencyCode.parse(text)) for text in spellings} == {"H26.15"}
    assert len({AgencyCode.parse(text) for text in spellings}) == 1


def test_old_and_new_code_are_different_values():
    """Whether two codes name one agency is the directory's to say, never a comparison's."""
    assert AgencyCode.parse("000.00.15.H26") != AgencyCode.parse("H26.15")


def test_a_long_text_is_refused_and_not_remembered():
    """A megabyte of blanks around a code costs nothing that stays."""
    with pytest.raises(CodeMalformed) as caught:
        AgencyCode.parse(" " * 1_000_000 + "H26.15")
    assert len(caught.value.message("en")) < 200


def test_codes_are_frozen():
    """A code that was checked cannot be changed behind the check."""
    with pytest.raises(FrozenInstanceError):
        AgencyCode.parse("H26").value = "H27"


two, three = st.from_regex(r"[0-9]{2}", fullmatch=True), st.from_regex(r"[0-9]{3}", fullmatch=True)
letter = st.from_regex(r"[A-Z][0-9]{2}", fullmatch=True)
shaped = st.one_of(
    st.builds("{}.{}.{}.{}".format, three, two, two, letter),
    st.builds("{}.{}.{}".format, two, two, letter),
    st.builds("{}.{}".format, three, letter),
    st.from_regex(r"[A-Z][0-9]{2}(\.[0-9A-Z]{1,4}){0,5}", fullmatch=True),
    st.from_regex(r"[0-9]{10}", fullmatch=True),
    st.from_regex(r"[0-9]{3}\.A[0-9]{2}\.[0-9]{3}", fullmatch=True),
    st.from_regex(r"[0-9]{2}\.[0-9]{2}\.W00", fullmatch=True),
    st.from_regex(r"[0-9A-Z]{1,5}(\.[0-9A-Z]{1,5}){1,4}", fullmatch=True),
)
anything = st.one_of(shaped, st.text(max_size=50), shaped.map(str.lower), shaped.map(" {} ".format))


@given(anything)
@example("\u0130")
def test_parsing_what_was_written_gives_the_same(text):
    """``parse(str(code)) == code`` for all that parses, and what parses is canonical."""
    try:
        code = AgencyCode.parse(text)
    except CodeMalformed:
        return
    assert CANONICAL.fullmatch(code.value)
    assert len(code.value) <= MAX_AGENCY_CODE
    assert text.strip(" \t\u00a0").isascii()
    again = AgencyCode.parse(str(code))
    assert (again, again.kind, hash(again)) == (code, code.kind, hash(code))
    assert code.guessed_new_form() is None or AgencyCode.parse(code.guessed_new_form())


@given(shaped, st.integers(0, 34), st.characters())
def test_a_changed_character_never_slips_through(text, at, char):
    """Whatever one character becomes, the result is a code by the pattern or it is refused."""
    changed = text[:at] + char + text[at + 1 :]
    try:
        value = AgencyCode.parse(changed).value
    except CodeMalformed:
        return
    assert value == changed.strip(" \t\u00a0").upper()
    assert CANONICAL.fullmatch(value)


@given(shaped)
def test_production_takes_a_subset(text):
    """Production accepts what trial accepts without the test codes, and reads it the same."""
    try:
        trial = AgencyCode.parse(text, Environment.TRIAL)
    except CodeMalformed:
        with pytest.raises(CodeMalformed):
            AgencyCode.parse(text, Environment.PRODUCTION)
        return
    if trial.is_test:
        with pytest.raises(CodeTestOnly):
            AgencyCode.parse(text, Environment.PRODUCTION)
    else:
        assert AgencyCode.parse(text, Environment.PRODUCTION) == trial


@pytest.mark.parametrize("text", ["production", "trial"])
def test_environments_are_two(text):
    """The two worlds by their names, and no third one."""
    assert Environment.parse(text).value == text


@pytest.mark.parametrize("text", ["", "Trial", "trial\n", " trial", "demo", "production;trial"])
def test_no_other_environment(text):
    """No spelling is guessed: an envelope for another world must not be taken for ours."""
    with pytest.raises(CodeMalformed):
        Environment.parse(text)


@pytest.mark.parametrize(
    ("text", "legal"),
    [
        ("000.00.19.H99-260304-0007", True),
        ("H26.15-260304-0007", True),
        ("H26-260304-123456", True),
        ("H26.15-260304-007", False),
        ("H26.15-20260304-0007", False),
        ("H26.15-260304-54321-1", False),
        ("28.22.H17-260304-0007", False),
        ("HSMC 2026/15", False),
        ("12345678901", False),
        ("số 15/TTPVHCC", False),
    ],
)
def test_dossier_codes_are_checked_softly(text, legal):
    """Every code that an office uses is carried as it is; the legal form is only recognised."""
    code = DossierCode.parse(text)
    assert str(code) == text
    assert code.is_legal_form is legal


@pytest.mark.parametrize(
    "text", ["", " ", " a", "a ", "a\n", "a\nb", "a\tb", "a\x00", "a\u200b", "x" * 65, "a\u2028b"]
)
def test_what_is_no_dossier_code(text):
    """Nothing, blanks at an end, what cannot be seen, or more than 64 characters."""
    with pytest.raises(CodeMalformed):
        DossierCode.parse(text)


@given(st.text(max_size=MAX_DOSSIER_CODE + 2))
def test_a_dossier_code_stays_what_it_was(text):
    """What is accepted is never changed: other systems look it up by this very text."""
    try:
        code = DossierCode.parse(text)
    except CodeMalformed:
        assume(text)
        return
    assert code.value == text
    assert 1 <= len(text) <= MAX_DOSSIER_CODE


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("1.012766", "1.012766"),
        ("3.000181.000.00.00.H22", "3.000181"),
        ("1.000948.h38", "1.000948"),
        (" 1.000948.H38 ", "1.000948"),
    ],
)
def test_procedures_are_compared_on_their_base(text, base):
    """The suffix of an agency is kept, and makes no other procedure of it."""
    code = ProcedureCode.parse(text)
    assert code.base == base
    assert code == ProcedureCode.parse(base)
    assert str(code) == text.strip().upper()


@pytest.mark.parametrize(
    "text",
    ["", "1.01276", "11.012766", "1.0127661", "1.012766.", "1.012766.X", "1.012766\n",
     "\u0661.012766"],
)  # fmt: skip
def test_what_is_no_procedure(text):
    """One digit, a dot and six digits are the least; nothing unknown may follow."""
    with pytest.raises(CodeMalformed):
        ProcedureCode.parse(text)


def test_two_lists_of_provinces_never_mix():
    """Code 10 of the statistical office and code 10 of the post are not equal."""
    assert GsoProvince.parse("10") != PostProvince.parse("10")
    assert GsoProvince.parse("01").value == "01"


@pytest.mark.parametrize("kind", [GsoProvince, PostProvince])
@pytest.mark.parametrize("text", ["", "1", "001", "1a", "10\n", "\u0661\u0660", " 10"])
def test_a_province_is_two_digits(kind, text):
    """Text of exactly two ASCII digits; a lost leading zero is not guessed back."""
    with pytest.raises(CodeMalformed):
        kind.parse(text)
