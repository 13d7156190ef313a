"""Message ids and types: one spelling each, ours in the order of time."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.codes import MAX_TYPE, MessageId, MessageType
from hub.errors import CodeMalformed


@given(st.uuids())
def test_any_uuid_is_a_message_id_in_one_spelling(value):
    """Upper and lower case are one id; the text is RFC 9562's, so that databases can compare it."""
    identity = MessageId.parse(str(value).upper())
    assert str(identity) == str(value)
    assert identity == MessageId.parse(str(value))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0198c2a4-7b3d-7f00-8000-00000000000",
        "0198c2a4-7b3d-7f00-8000-0000000000000",
        "0198c2a47b3d7f00800000000000000a",
        "{0198c2a4-7b3d-7f00-8000-00000000000a}",
        "urn:uuid:0198c2a4-7b3d-7f00-8000-00000000000a",
        "0198c2a4-7b3d-7f00-8000-00000000000a\n",
        " 0198c2a4-7b3d-7f00-8000-00000000000a",
        "0198c2a4-7b3d-7f00-8000-00000000000g",
        "\uff10198c2a4-7b3d-7f00-8000-00000000000a",
    ],
)
def test_no_other_spelling_of_a_uuid(text):
    """Spellings that Python's own UUID class would accept are refused: one id, one key."""
    with pytest.raises(CodeMalformed):
        MessageId.parse(text)


@given(st.integers(0, (1 << 48) - 1), st.binary(min_size=10, max_size=16))
def test_our_ids_are_version_7(unix_ms, entropy):
    """An independent reader (the standard library) sees version 7, the variant and the time."""
    made = uuid.UUID(MessageId.new(unix_ms, entropy).value)
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == unix_ms
    kept = made.int & ~(0xF << 76) & ~(0x3 << 62) & ((1 << 80) - 1)
    given_bits = int.from_bytes(entropy[:10], "big") & ~(0xF << 76) & ~(0x3 << 62)
    assert kept == given_bits


@given(st.integers(0, (1 << 48) - 2), st.binary(min_size=10, max_size=10), st.data())
def test_later_ids_sort_later(unix_ms, entropy, data):
    """Ids made in different milliseconds sort as text in the order of time."""
    later = data.draw(st.integers(unix_ms + 1, (1 << 48) - 1))
    assert MessageId.new(unix_ms, entropy).value < MessageId.new(later, bytes(10)).value


@pytest.mark.parametrize(
    ("unix_ms", "entropy"), [(-1, bytes(10)), (1 << 48, bytes(10)), (0, bytes(9)), (0, b"")]
)
def test_an_id_is_never_made_of_too_little(unix_ms, entropy):
    """A clock before 1970 or a short source of randomness is a fault, not an id that collides."""
    with pytest.raises(ValueError, match="version 7"):
        MessageId.new(unix_ms, entropy)


@pytest.mark.parametrize("text", ["dossier.received", "a.b", "document.status.late", "x.y_z"])
def test_message_types(text):
    """Dotted lower case, at least a family and a name."""
    assert str(MessageType.parse(text)) == text
    assert MessageType.parse(text).family == text.split(".")[0]
    assert MessageType.parse(text).is_receipt is False


@pytest.mark.parametrize(
    "text",
    ["", "dossier", "Dossier.received", "dossier.", ".received", "dossier..x", "dossier.received\n",
     "dossier.ré", "a.b" + "c" * MAX_TYPE, "dossier received", "dossier.*", "dossier.received1"],
)  # fmt: skip
def test_no_other_message_type(text):
    """No wildcard, no line end, no capital: a type is compared as it stands."""
    with pytest.raises(CodeMalformed):
        MessageType.parse(text)


def test_receipts_are_known_by_their_family():
    """``receipt.*`` is what never causes an answer; a name that only begins so is none."""
    assert MessageType.parse("receipt.delivered").is_receipt
    assert not MessageType.parse("receipts.delivered").is_receipt
