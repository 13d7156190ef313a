"""libxml2 and xmlschema are each other's oracle, and nothing but a HubError ever comes out."""

from __future__ import annotations

import re

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hub import safexml
from hub.errors import HubError
from hub.schemas.catalog import catalogue
from hub.schemas.explain import explaining_schema

TYPES = st.sampled_from(sorted(catalogue()))
ODD = st.sampled_from(
    [
        "",
        "0",
        "-1",
        "+7",
        "x",
        "99",
        "00",
        "1e5",
        ".5",
        "2026-02-30",
        "24:00:00",
        "+15:00",
        "Z",
        " ",
    ]
) | st.sampled_from(
    ["\n", "a" * 70, "ế" * 600, "<a/>", "<Code>1</Code>", "&#x9;", "true", "é", "10000-"]
)


@given(name=TYPES, odd=ODD, spot=st.integers(0, 10_000), whole=st.booleans())
@settings(max_examples=400, deadline=None)
def test_both_validators_give_one_verdict(scene, name: str, odd: str, spot: int, whole):
    """Whatever is put into whichever value, libxml2 and xmlschema agree on it.

    Base64 is left out: libxml2 skips what is not base64, and the hub checks that itself.
    """
    xml = scene.example(name).decode()
    xml = re.sub("<Attachments>.*</Attachments>", "", xml)
    values = [match.span() for match in re.finditer("(?<![?])>[^<]+(?=<)", xml)]
    start, end = values[spot % len(values)]
    xml = xml[: start + 1] + odd + xml[end if whole else start + 1 :]
    root = safexml.parse(xml.encode())
    explained = next(explaining_schema().iter_errors(root), None)
    assert scene.validator._judge.validate(root) == (explained is None)


@given(
    name=TYPES,
    edits=st.lists(
        st.tuples(st.integers(0, 10_000), st.binary(max_size=4)), min_size=1, max_size=4
    ),
)
@settings(max_examples=300, deadline=None)
def test_mutated_bytes_are_valid_or_a_hub_error(scene, name: str, edits):
    """Any bytes give a header or an error with a code, a place and two sentences."""
    xml = scene.example(name)
    for at, new in edits:
        spot = at % len(xml)
        xml = xml[:spot] + new + xml[spot + len(new) + at % 3 :]
    _judge_or_explain(scene, xml)


@given(name=TYPES, spots=st.tuples(st.integers(0, 200), st.integers(0, 200)), cut=st.booleans())
@settings(max_examples=300, deadline=None)
def test_moved_and_removed_elements_are_valid_or_a_hub_error(scene, name: str, spots, cut):
    """The same for well-formed documents whose elements were taken away or put elsewhere."""
    root = safexml.parse(scene.example(name))
    elements = list(root.iter())[1:]
    first, second = (elements[spot % len(elements)] for spot in spots)
    assume(first not in second.iterancestors() and first is not second)
    if cut:
        first.getparent().remove(first)
    else:
        second.append(first)
    _judge_or_explain(scene, safexml.etree.tostring(root))


def _judge_or_explain(scene, xml: bytes) -> None:
    refusal = None
    try:
        scene.validator.check_draft(xml)
    except HubError as error:
        refusal = error
    assert refusal is None or refusal.code
    assert refusal is None or refusal.message("vi") != refusal.message("en")
