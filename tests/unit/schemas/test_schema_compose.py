"""Draft to XML: order, escaping, and what is refused with its path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.codes import DossierCode, MessageType
from hub.envelope import Attachment, Payload
from hub.errors import SchemaViolation, UnknownType, UnknownVersion
from hub.schemas.compose import compose, printable
from hub.schemas.model import Node, payload_model

ROUND_TRIP = [
    "dossier.submitted",
    "dossier.received",
    "document.update",
    "postal.handover",
    "citizen.lookup",
    "petition.submitted",
    "subrequest.opened",
]
FREE = {"Name", "Reason", "Summary", "Content", "Subject", "Note", "Place", "Text", "FullName"}
FREE |= {"Position", "Unit", "Line", "LegalBasis", "Comment", "ResultPlace", "Department"}
text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff").filter(
        lambda char: char in "\t\n\r\x85" or not (ord(char) < 32 or 127 <= ord(char) < 160)
    ),
    min_size=1,
    max_size=50,
)


def _with(draft, **changes):
    return replace(
        draft, payload=Payload(draft.payload.element, {**draft.payload.fields, **changes})
    )


def _varied(data, fields: Mapping, model: Node) -> dict:
    """Leave out some optional fields, shuffle the rest, and put any text where text is free."""
    kept = {}
    for name in data.draw(st.permutations(list(fields))):
        node = model.children[model.index[name]]
        if not node.required and name != "Packet" and data.draw(st.booleans()):
            continue
        kept[name] = _value(data, fields[name], node)
    return kept


def _value(data, value, node: Node):
    if isinstance(value, Mapping):
        return _varied(data, value, node)
    if isinstance(value, str):
        return data.draw(text) if node.name in FREE else value
    count = data.draw(st.integers(1, 3))
    return [_value(data, value[0], node) for _ in range(count)]


@pytest.mark.parametrize("name", ROUND_TRIP)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_payload_survives_compose_sign_verify_and_read(scene, name: str, data):
    """Whatever text an adapter gives, in any order, comes back unchanged from the signed bytes."""
    draft = scene.draft(name)
    fields = _varied(data, draft.payload.fields, payload_model(name))
    draft = replace(draft, payload=Payload(draft.payload.element, fields))
    valid = scene.valid(compose(draft))
    assert valid.payload() == draft.payload
    assert valid.attachments() == draft.attachments


def test_decomposed_text_is_not_normalised(scene):
    """Text stays as it is given: what is NFD stays NFD."""
    draft = _with(scene.draft("dossier.rejected"), Reason="Ho\u0302\u0300 s\u01a1")
    assert "Ho\u0302\u0300 s\u01a1".encode() in compose(draft)


@pytest.mark.parametrize(
    "char", ["\x00", "\x08", "\x0b", "\x1f", "\x7f", "\x9f", "\ud800", "\uffff"]
)
def test_control_characters_are_refused_with_their_path(scene, char: str):
    """What XML cannot carry, and what only damaged text holds, is named by its field."""
    with pytest.raises(SchemaViolation) as caught:
        compose(_with(scene.draft("dossier.rejected"), Reason=f"a{char}b"))
    assert caught.value.place.path == "/DossierRejected/Reason"
    assert "điều khiển" in caught.value.message("vi")
    assert "control" in caught.value.message("en")


def test_control_characters_in_an_attachment_name_are_refused(scene):
    """Attributes are held to the same."""
    bad = Attachment.of("a\x01.bin", "application/octet-stream", b"x")
    with pytest.raises(SchemaViolation):
        compose(replace(scene.draft("connectivity.ping"), attachments=(bad,)))


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"Reson": "x"}, "/DossierRejected/Reson"),
        ({"Reason": {"Text": "x"}}, "/DossierRejected/Reason"),
        ({"Reason": None}, "/DossierRejected/Reason"),
        ({"Reason": 5}, "/DossierRejected/Reason"),
        ({"Reason": ["x"]}, "/DossierRejected/Reason"),
        ({"Status": "received"}, "/DossierRejected/Status"),
        ({"Status": {"Canon": "x"}}, "/DossierRejected/Status/Canon"),
        ({"Aliases": {"Alias": {"Scheme": "legal"}}}, "/DossierRejected/Aliases/Alias"),
        ({"Aliases": {"Alias": "x"}}, "/DossierRejected/Aliases/Alias"),
        ({"Aliases": {"Alias": ["x"]}}, "/DossierRejected/Aliases/Alias[1]"),
        ({"Aliases": {"Alias": [{"X": "y"}]}}, "/DossierRejected/Aliases/Alias[1]/X"),
    ],
)
def test_field_of_the_wrong_name_or_shape_is_named(scene, changes: dict, path: str):
    """An unknown field, or text where a group must be, is refused by path in both languages."""
    with pytest.raises(SchemaViolation) as caught:
        compose(_with(scene.draft("dossier.rejected"), **changes))
    assert caught.value.code == "schema.violation"
    assert caught.value.place.path == path
    assert caught.value.message("vi") != caught.value.message("en")


def test_payload_of_another_type_is_refused(scene):
    """The header's type and the payload's element must belong together."""
    draft = scene.draft("dossier.rejected")
    with pytest.raises(SchemaViolation, match="carries DossierRejected, not DossierPaid"):
        compose(replace(draft, payload=Payload("DossierPaid", draft.payload.fields)))


def test_unknown_type_and_version_are_refused(scene):
    """A draft of a type or version outside the table is not composed."""
    draft = scene.draft("connectivity.ping")
    with pytest.raises(UnknownType):
        compose(replace(draft, header=replace(draft.header, type=MessageType("dossier.eaten"))))
    with pytest.raises(UnknownVersion):
        compose(replace(draft, header=replace(draft.header, schema="9")))


def test_naive_time_is_refused(scene):
    """A time without offset never reaches the wire."""
    draft = scene.draft("connectivity.ping")
    naive = replace(draft.header, created_at=datetime(2026, 1, 1))  # noqa: DTZ001  the point
    with pytest.raises(SchemaViolation, match="offset"):
        compose(replace(draft, header=replace(naive)))


def test_all_optional_header_fields_come_back(scene):
    """Every header field is written and read; the order is that of the schema."""
    draft = scene.draft("document.new")
    full = replace(
        draft.header,
        in_reply_to=draft.header.message_id,
        dossier_code=DossierCode("A & <B>"),
        document_id='000.00.15.H99,2026/03/02,21/"SMH"',
        expires_at=draft.header.created_at.replace(microsecond=120),
        priority=4,
        sequence=17,
        signer_certificate="ab" * 32,
    )
    xml = compose(replace(draft, header=full))
    assert scene.validator.check_draft(xml) == full


def test_printable_replaces_only_what_cannot_be_carried():
    """Texts that must never be refused lose only their control characters."""
    assert printable("a\x00b\nĐ\x9f") == "a\ufffdb\nĐ\ufffd"
