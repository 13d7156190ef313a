"""The reader's leniency and limits, field by field, and what order and prefixes may be."""

from __future__ import annotations

import io
import random
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.codes import Environment
from hub.errors import (
    CodeTestOnly,
    EdxmlDate,
    EdxmlField,
    EdxmlMalformed,
    EdxmlNamespace,
    EdxmlOrganId,
    EdxmlRecipient,
    EdxmlTooLong,
)
from hub.errors.base import REGISTRY
from hub.schemas.edxml import ReadOptions, notices, read
from hub.schemas.edxml.vocabulary import LENGTHS, NAMESPACE, XMLDSIG

SAMPLES = Path(__file__).parent / "samples"
TODAY = date(2026, 3, 20)
N = f"{{{NAMESPACE}}}"
WELL_FORMED = [
    "valid/new_java",
    "valid/new_dotnet",
    "valid/update_java",
    "valid/replace_java",
    "status/status_03",
]


def shuffled(data: bytes, seed: int, prefix: str) -> bytes:
    """Return the packet with its children in another order, under another prefix (ElementTree)."""
    rng = random.Random(seed)
    ET.register_namespace(prefix, NAMESPACE)
    root = ET.fromstring(data)
    kept = {"To", "TraceHeader", "Place", "Reference", "Attachment", "Receiver"}
    for element in root.iter():
        children = list(element)
        if len({child.tag for child in children}) > 1 or not kept & {
            child.tag.removeprefix(N) for child in children
        }:
            order = list(range(len(children)))
            rng.shuffle(order)
            # Twins keep their order among themselves: it is data.
            slots: dict[str, list[ET.Element]] = {}
            for child in children:
                slots.setdefault(child.tag, []).append(child)
            element[:] = [slots[children[number].tag].pop(0) for number in order]
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def comparable(packet):
    """Return what must not depend on order or prefix."""
    hidden = {"dialect": None, "notices": ()}
    return replace(packet, **hidden)


@settings(deadline=None, max_examples=60)
@given(
    name=st.sampled_from(WELL_FORMED),
    seed=st.integers(0, 2**32),
    prefix=st.sampled_from(["a", "edXML", "x1", "ed-xml", "_"]),
)
def test_any_order_and_any_prefix_read_the_same(name, seed, prefix):
    """Elements are found by namespace and local name, wherever they stand."""
    data = (SAMPLES / f"{name}.edxml").read_bytes()
    options = ReadOptions(TODAY, keep_content=True)
    other = shuffled(data, seed, prefix)
    assert comparable(read(other, options)) == comparable(read(data, options))


def changed(data: bytes, element: str, value: str | None) -> bytes:
    """Return the packet with the first ``element`` holding ``value``, or without it."""
    pattern = rf"<edXML:{element}>[^<]*</edXML:{element}>".encode()
    new = b"" if value is None else f"<edXML:{element}>{value}</edXML:{element}>".encode()
    made, count = re.subn(pattern, lambda _: new, data, count=1)
    assert count == 1
    return made


@pytest.mark.parametrize(
    ("element", "value", "error"),
    [
        ("OrganId", None, EdxmlField),
        ("OrganId", "null", EdxmlField),
        ("OrganId", "H12 .15", EdxmlOrganId),
        ("OrganName", None, EdxmlField),
        ("DocumentId", "", EdxmlField),
        ("CodeNumber", None, EdxmlField),
        ("CodeNotation", " ", EdxmlField),
        ("PromulgationDate", None, EdxmlField),
        ("PromulgationDate", "04/03/2026", EdxmlDate),
        ("PromulgationDate", "2026-03-04", EdxmlDate),
        ("DueDate", "2026/13/01", EdxmlDate),
        ("Type", "hai", EdxmlField),
        ("TypeDetail", "-1", EdxmlField),
        ("TypeName", None, EdxmlField),
        ("Subject", None, EdxmlField),
        ("Priority", "5", EdxmlField),
        ("BussinessDocType", "4", EdxmlField),
        ("Subject", "a" * 2001, EdxmlTooLong),
        ("DocumentId", "a" * 801, EdxmlTooLong),
    ],
)
def test_field_is_refused(reading, sample, element, value, error):
    """Missing required fields, wrong dates and numbers, and four times the length are refused."""
    with pytest.raises(error) as caught:
        reading(changed(sample("valid/new_java"), element, value))
    assert type(caught.value) is error
    assert str(caught.value.place).startswith("/edXML/edXMLEnvelope/edXMLHeader/")


@pytest.mark.parametrize(
    ("element", "value", "codes"),
    [
        ("Subject", "a" * 501, ["edxml.length"]),
        ("Subject", "a" * 2000, ["edxml.length"]),
        ("Telephone", "0" * 21, ["edxml.length"]),
        ("Email", "khong phai thu", ["edxml.email"]),
        ("SteeringType", "9", ["edxml.value"]),
        ("SteeringType", "0", []),
        ("PageAmount", "70000", ["edxml.number"]),
        ("TypeName", "Quyết định", ["edxml.type_name"]),
        ("Timestamp", "2026/02/30 08:15:00", ["edxml.date_elsewhere"]),
        ("DueDate", "", []),
        ("Priority", "4", []),
        ("BussinessDocType", None, []),
        ("DocumentId", "5b0c2f6e-0000-4000-8000-000000000001", []),
        ("DocumentId", "H12.15,2014/02/30,1/A", []),
        ("CodeNotation", "VPCP-TTĐT", []),
    ],
)
def test_field_is_tolerated(reading, sample, element, value, codes):
    """What working systems send is read; what is odd about it is noted with its path."""
    packet = reading(changed(sample("valid/new_java"), element, value))
    assert [notice.code for notice in packet.notices] == codes


def test_day_after_today_is_tolerated(sample):
    """A promulgation date may lie one day ahead, not two."""
    data = changed(sample("valid/new_java"), "PromulgationDate", "2026/03/21")
    assert read(data, ReadOptions(TODAY)).document.promulgation_date == date(2026, 3, 21)
    data = changed(data, "PromulgationDate", "2026/03/22")
    with pytest.raises(REGISTRY["edxml.future_date"]):
        read(data, ReadOptions(TODAY))


def test_priorities_that_start_at_one(sample):
    """A database that counts 1 to 5 is read by its option."""
    data = changed(sample("valid/new_java"), "Priority", "5")
    assert read(data, ReadOptions(TODAY, priority_from_one=True)).document.other.priority == 4


@pytest.mark.parametrize(
    ("kind", "detail", "expected"),
    [
        ("1", "0", (1, None)),
        ("1", "7", (1, 7)),
        ("2", "18", (2, 18)),
        ("18", "0", (2, 18)),
        ("0", "0", (None, None)),
    ],
)
def test_both_numberings_of_types(reading, sample, kind, detail, expected):
    """Class and row, or the row itself: both numberings give class and row."""
    data = changed(changed(sample("valid/new_java"), "Type", kind), "TypeDetail", detail)
    assert reading(changed(data, "TypeName", "Loại lạ")).document.type.row_of_class == expected


def test_unknown_elements_are_kept_and_told(reading, sample):
    """What QCVN 102 does not have is noted by its XPath and disturbs nothing."""
    data = sample("valid/new_java").replace(
        b"<edXML:Subject>", b"<edXML:Mat><edXML:Do>x</edXML:Do></edXML:Mat><edXML:Subject>", 1
    )
    packet = reading(data)
    assert packet.extras == ("/edXML/edXMLEnvelope/edXMLHeader/MessageHeader/Mat",)
    assert [notice.code for notice in packet.notices] == ["edxml.unknown_element"]


def test_foreign_namespaces(reading, sample):
    """Another namespace is refused anywhere but below a signature, where it is only reported."""
    data = sample("valid/new_java")
    inside = data.replace(b"<edXML:Subject>", b'<z:Subject xmlns:z="urn:z"/><edXML:Subject>', 1)
    with pytest.raises(EdxmlNamespace, match="urn:z"):
        reading(inside)
    with pytest.raises(EdxmlNamespace):
        reading(data.replace(NAMESPACE.encode(), b"http://www.go.vn/eDoc"))
    signed = data.replace(
        b"    </edXML:edXMLHeader>",
        f'<Signature xmlns="{XMLDSIG}"><Object><q xmlns="urn:q"/></Object></Signature>'
        "    </edXML:edXMLHeader>".encode(),
    )
    packet = reading(signed)
    assert packet.signature.namespace == XMLDSIG
    assert [notice.code for notice in packet.notices] == ["edxml.signature_untrusted"]


def test_twice_is_refused_where_it_matters(reading, sample):
    """Two DocumentId or two Bussiness are refused; two Subject too, two Content are noted."""
    data = sample("valid/new_java")
    for name in (b"DocumentId", b"Subject", b"Code", b"MessageHeader"):
        found = re.search(rb"<edXML:%s>.*?</edXML:%s>" % (name, name), data, re.DOTALL).group()
        with pytest.raises(EdxmlMalformed):
            reading(data.replace(found, found * 2, 1))
    found = re.search(rb"<edXML:Content>.*?</edXML:Content>", data).group()
    codes = [notice.code for notice in reading(data.replace(found, found * 2, 1)).notices]
    assert codes == ["edxml.repeated"]


def test_empty_response_for_is_nothing(reading, sample):
    """An empty ``ResponseFor`` in a document is passed over; a filled one is read."""
    data = sample("valid/new_java")
    empty = data.replace(b"<edXML:SteeringType>", b"<edXML:ResponseFor/><edXML:SteeringType>", 1)
    assert reading(empty).document.response_for == ()
    filled = data.replace(
        b"<edXML:SteeringType>",
        b"<edXML:ResponseFor><edXML:OrganId>H13.15</edXML:OrganId><edXML:Code><edXML:CodeNumber>"
        b"1</edXML:CodeNumber><edXML:CodeNotation>A</edXML:CodeNotation></edXML:Code>"
        b"</edXML:ResponseFor><edXML:SteeringType>",
        1,
    )
    (answered,) = reading(filled).document.response_for
    assert (answered.organ_id, str(answered.code)) == ("H13.15", "1/A")


@pytest.mark.parametrize(
    ("code", "expected"), [("3", "03"), ("03", "03"), ("99", "99"), ("x", None), ("123", None)]
)
def test_status_codes(reading, sample, code, expected):
    """One digit counts as two; an unknown code is noted; anything else is refused."""
    data = changed(sample("status/status_03"), "StatusCode", code)
    if expected is None:
        with pytest.raises(EdxmlField):
            reading(data)
    else:
        packet = reading(data)
        assert packet.status.code == expected
        assert [n.code for n in packet.notices] == (
            ["edxml.status_unknown"] if code == "99" else []
        )


@pytest.mark.parametrize("element", ["OrganId", "Code", "DocumentId"])
def test_status_must_say_what_it_answers(reading, sample, element):
    """ResponseFor/OrganId, Code and DocumentId are what a status is routed and kept by."""
    data = sample("status/status_03")
    at = data.index(b"<edXML:ResponseFor>")
    with pytest.raises(EdxmlField):
        reading(data[:at] + changed(data[at:], element, None))
    with pytest.raises(EdxmlRecipient):
        reading(re.sub(rb"<edXML:ResponseFor>.*</edXML:ResponseFor>", b"", data, flags=re.DOTALL))


def test_status_with_other_children_order(reading, sample):
    """The order of a status message's children varies, and its timestamp may be missing."""
    data = changed(sample("status/status_03"), "Timestamp", None)
    assert reading(data).status.timestamp is None


def test_test_codes_in_production(sample):
    """A test code is refused in production with its path."""
    data = changed(sample("valid/new_java"), "OrganId", "Z99")
    with pytest.raises(CodeTestOnly) as caught:
        read(data, ReadOptions(TODAY, environment=Environment.PRODUCTION))
    assert str(caught.value.place).endswith("/From/OrganId")


def test_replacement_targets_named_twice_are_merged(reading, sample):
    """A target that stands twice in the list is one target with all its receivers."""
    data = sample("valid/replace_java").replace(
        b"H12.15,2026/02/27,117/SKHCN", b"H12.15,2026/03/04,125/SKHCN"
    )
    packet = reading(data)
    (target,) = packet.document.business.replacements
    assert target.organ_ids == ("H13.15", "H17.15")
    assert [notice.code for notice in packet.notices] == ["edxml.target_duplicate"]


def test_every_notice_has_two_sentences():
    """Vietnamese and English of each notice name the same facts."""
    assert len(notices.CODES) == len(notices._SENTENCES)
    for code, (vi, en) in notices._SENTENCES.items():
        facts = {name.removesuffix("_vi") for name in re.findall(r"\{(\w+)\}", vi)}
        assert facts == set(re.findall(r"\{(\w+)\}", en)), code


def test_lengths_are_those_of_the_norm():
    """The table holds the limits that the sheet gives, in characters."""
    assert (LENGTHS["OrganId"], LENGTHS["Subject"], LENGTHS["DocumentId"]) == (35, 500, 200)
    assert (LENGTHS["Place"], LENGTHS["ToPlaces/Place"], LENGTHS["TyperNotation"]) == (50, 150, 10)


def test_file_object_is_read_like_bytes(options, sample):
    """A stream that gives one byte at a time reads the same."""

    class Slow(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 1))

    data = sample("valid/new_dotnet")
    assert read(Slow(data), options()) == read(data, options())
