"""The error tree: stable codes, two sentences with the same facts, safe rendering."""

from __future__ import annotations

import inspect
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import errors
from hub.errors import REGISTRY, Disposition, HubError, Place, UnknownReceiver
from hub.errors.edge import DirectoryRefused, RowUnmappable

LEAVES = sorted(REGISTRY.values(), key=lambda leaf: leaf.code)


def _listed(text):
    return tuple(text.split())


PUBLISHED = _listed("""
    xml.malformed xml.doctype xml.too_large xml.too_deep xml.encoding
    profile.signature_missing profile.signature_count profile.signature_place profile.reference
    profile.transform profile.algorithm profile.key_info profile.comment_or_pi
    signature.digest_mismatch signature.value_mismatch
    trust.unknown_issuer trust.not_in_date trust.revoked trust.revocation_unknown trust.key_usage
    trust.weak_key trust.signer_mismatch trust.unregistered
    schema.violation schema.unknown_type schema.unknown_version
    header.environment header.expired header.clock header.recipient_count
    header.duplicate_recipient
    routing.unknown_receiver routing.closed_receiver routing.not_allowed
    duplicate.same duplicate.conflict
    attachment.missing attachment.digest_mismatch attachment.too_large
""")
"""The codes that scripts and partners rely on: never renamed, never dropped."""
NEVER_ANSWERED = ("xml.", "profile.", "signature.", "trust.")
HOSTILE = st.text(st.characters(exclude_categories=[])) | st.integers() | st.none() | st.binary()


def _facts(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def _any_of(leaf: type[HubError], **facts: object) -> HubError:
    if leaf is DirectoryRefused:
        return DirectoryRefused([RowUnmappable(row=1, reason="x")], file="f.csv")
    return leaf(**facts)


@pytest.mark.parametrize("code", PUBLISHED)
def test_every_published_code_exists(code):
    """A code that the command line's contract names is raised by exactly one class."""
    assert REGISTRY[code].code == code


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.code)
def test_a_leaf_is_complete(leaf):
    """Code in a dotted family, one sentence in each language with the same facts, a disposition."""
    assert re.fullmatch(r"[a-z]+\.[a-z][a-z_]*", leaf.code)
    assert isinstance(leaf.disposition, Disposition)
    assert leaf.vi.endswith(".")
    assert leaf.en.endswith(".")
    assert leaf.vi != leaf.en or leaf.en == "{reason}."
    assert _facts(leaf.vi) == _facts(leaf.en)
    assert issubclass(leaf, HubError)


def test_every_class_of_the_tree_is_a_family_a_leaf_or_a_leafs_variant():
    """Families have no code; a variant words its leaf's case better, and changes nothing else."""
    found = list(HubError.__subclasses__())
    for family in found:
        found += family.__subclasses__()
    for one in found:
        parent = one.__mro__[1]
        if not parent.code:
            assert bool(one.code) == (one in LEAVES), one
        else:
            assert one.code == parent.code
            assert one.disposition == parent.disposition
            assert _facts(one.vi) == _facts(one.en) == _facts(parent.en)


def test_the_package_exports_every_leaf():
    """Whoever imports ``hub.errors`` finds each leaf under its own name."""
    for leaf in LEAVES:
        assert getattr(errors, leaf.__name__) is leaf
        assert leaf.__name__ in errors.__all__


def test_a_code_cannot_be_taken_twice():
    """A second class with a taken code is refused when it is written, not when it is raised."""
    with pytest.raises(TypeError, match="is taken by"):
        type("Second", (HubError,), {"code": "xml.malformed", "__doc__": "x."})
    assert REGISTRY["xml.malformed"] is errors.XmlMalformed


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.code)
def test_what_is_never_answered(leaf):
    """XML, profile, signature and trust are quarantined; the rest of the wire is not."""
    quarantined = leaf.disposition is Disposition.QUARANTINE
    if leaf.code.startswith(NEVER_ANSWERED):
        assert quarantined
    else:
        assert quarantined == (leaf.code in ("header.account", "header.contradiction"))


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.code)
def test_missing_facts_never_hide_an_error(leaf):
    """An error raised without its facts still tells its sentence, with question marks."""
    error = _any_of(leaf)
    for lang in ("vi", "en"):
        assert error.message(lang)
        assert "{" not in error.message(lang)
    assert ("?" in error.message("en")) == bool(_facts(leaf.en) - set(error.facts))


@given(
    leaf=st.sampled_from([leaf for leaf in LEAVES if leaf is not DirectoryRefused]),
    facts=st.dictionaries(
        st.sampled_from(sorted({f for leaf in LEAVES for f in _facts(leaf.en)})), HOSTILE
    ),
    detail=st.text(st.characters(exclude_categories=[]), max_size=50),
    where=st.builds(Place, file=st.text(), line=st.integers(0), path=st.text()),
)
def test_no_fact_breaks_or_escapes_a_sentence(leaf, facts, detail, where):
    """Whatever the facts are, the sentence is one line of printable text, and so is the place."""
    error = leaf(detail, place=where, **facts)
    for text in error.as_dict().values():
        assert text.isprintable()
    assert error.as_dict()["code"] == leaf.code
    assert str(error) == error.message("en")


def test_a_strangers_words_cannot_steer_a_terminal_or_a_log():
    """Escapes, line ends, right-to-left overrides, NUL and lone surrogates are made visible."""
    error = UnknownReceiver(value="H1\x1b[2J\nINFO all well\u202e\x00\ud800")
    assert (
        error.message("en") == "No agency has the code H1\ufffd[2J INFO all well\ufffd\ufffd\ufffd."
    )
    error.message("vi").encode("utf-8")


def test_vietnamese_and_braces_pass_unchanged():
    """Only what cannot be seen is replaced; a fact is never read as a placeholder."""
    error = UnknownReceiver(value="Sở Tư pháp {sender} %s")
    assert "Sở Tư pháp {sender} %s" in error.message("vi")


def test_a_fact_may_read_otherwise_in_vietnamese():
    """``reason_vi`` stands in the Vietnamese sentence, ``reason`` in the English one."""
    error = RowUnmappable(row=3, reason="no name", reason_vi="thiếu tên")
    assert error.message("vi") == "Dòng 3 không ánh xạ được: thiếu tên."
    assert error.message("en") == "The row 3 cannot be mapped: no name."


def test_at_fills_only_what_is_empty():
    """The innermost place wins; outer floors add file and line, and the sentence follows."""
    error = RowUnmappable(row=3, reason="x", place=Place(column="name"))
    same = error.at(file="a.csv", line=7, column="other")
    assert same is error
    assert error.place == Place(file="a.csv", line=7, column="name")
    assert str(error) == error.message("en")
    assert "[a.csv:7:name]" in str(error)


def test_many_faults_of_a_file_are_counted_and_the_first_listed():
    """A file with a thousand faults says so in a sentence that a person can still read."""
    faults = [RowUnmappable(row=n, reason="x", place=Place(line=n)) for n in range(1000)]
    error = DirectoryRefused(faults, file="a.csv")
    assert error.problems == tuple(faults)
    assert "1000" in error.message("vi")
    assert error.message("en").count("source.mapping") == DirectoryRefused.LISTED


def test_every_class_has_its_sentence_as_docstring():
    """The English sentence is the class's own docstring, not an inherited one."""
    for leaf in LEAVES:
        assert inspect.cleandoc(leaf.__dict__["__doc__"])
