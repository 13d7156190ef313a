"""``hub example``: every type has an example that two independent validators accept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lxml import etree

from hub import safexml
from hub.codes import MessageId
from hub.envelope import MAX_ENVELOPE
from hub.errors import UnknownType, UsageError
from hub.schemas.catalog import catalogue
from hub.schemas.compose import DECLARATION, compose
from hub.schemas.explain import explaining_schema

TYPES = sorted(catalogue())


@pytest.mark.parametrize("name", TYPES)
def test_example_is_valid_for_libxml2_and_xmlschema(scene, name: str):
    """Both validators accept the example, and it says the type it was asked for."""
    xml = scene.example(name)
    header = scene.validator.check_draft(xml)
    assert header.type.value == name
    assert not list(explaining_schema().iter_errors(safexml.parse(xml)))


@pytest.mark.parametrize("name", TYPES)
def test_example_is_in_exclusive_canonical_form(scene, name: str):
    """What ``compose`` writes behind the declaration is its own exclusive C14N."""
    xml = scene.example(name)
    canonical = etree.tostring(safexml.parse(xml), method="c14n", exclusive=True)
    assert DECLARATION + canonical == xml


@pytest.mark.parametrize("name", TYPES)
def test_example_has_exactly_the_size_asked_for(scene, name: str):
    """With a size, the unsigned XML has just so many bytes and stays valid."""
    for size in (4096, 4097, 4300, 10_240, 200_000):
        xml = scene.example(name, size=size)
        assert len(xml) == size
        scene.validator.check_draft(xml)


@pytest.mark.parametrize("size", [1_500_000, 3_000_000, 5_590_000])
def test_example_reaches_megabytes_by_several_attachments(scene, size: int):
    """Large sizes are shared out among attachments within their limits."""
    xml = scene.example("dossier.submitted", size=size)
    assert len(xml) == size
    valid = scene.valid(xml)
    assert sum(item.size for item in valid.attachments()) > size * 0.74


def test_small_size_leaves_out_what_is_optional(scene):
    """A size below the full example's is reached by leaving out optional fields."""
    full = scene.example("dossier.submitted")
    xml = scene.example("dossier.submitted", size=len(full) - 500)
    assert len(xml) == len(full) - 500
    assert b"Applicant" in full
    assert b"Applicant" not in xml
    scene.validator.check_draft(xml)


@pytest.mark.parametrize("size", [0, 500, 6_000_000, MAX_ENVELOPE, MAX_ENVELOPE + 1])
def test_impossible_size_is_refused(scene, size: int):
    """A size the type cannot have is a usage error in both languages."""
    with pytest.raises(UsageError) as caught:
        scene.example("connectivity.ping", size=size)
    assert caught.value.message("vi") != caught.value.message("en")


def test_same_entropy_gives_the_same_bytes(scene):
    """Nothing varies but what is handed in."""

    def counting() -> Iterator[bytes]:
        number = 0
        while True:
            number += 1
            yield number.to_bytes(4, "big")

    def entropy():
        source = counting()
        return lambda length: (next(source) * length)[:length]

    first = scene.example("document.new", size=9000, entropy=entropy())
    assert first == scene.example("document.new", size=9000, entropy=entropy())


def test_message_id_and_recipients_are_taken(scene):
    """The caller's message id and receivers stand in the header."""
    given = MessageId.parse("0199a7f0-0000-7000-8000-000000000001")
    header = scene.validator.check_draft(scene.example("connectivity.ping", message_id=given))
    assert header.message_id == given
    assert [str(code) for code in header.recipients] == ["H12.15"]


def test_draft_and_xml_are_one(scene):
    """The draft of an example composes to a valid envelope too."""
    draft = scene.draft("postal.handover")
    assert scene.validator.check_draft(compose(draft)) == draft.header


def test_recall_is_urgent(scene):
    """A recall goes to the urgent queue, so its example has the priority for it."""
    assert scene.validator.check_draft(scene.example("document.recall")).priority == 3


def test_unknown_type_is_refused(scene):
    """There is no example of a type outside the table."""
    with pytest.raises(UnknownType):
        scene.example("dossier.eaten")
