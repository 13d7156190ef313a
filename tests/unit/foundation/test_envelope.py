"""The envelope's parts: frozen data, digests over the bytes, and what order is kept by."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import envelope
from hub.codes import (
    MAX_DOCUMENT_ID,
    MAX_DOSSIER_CODE,
    AgencyCode,
    DossierCode,
    Environment,
    MessageId,
    MessageType,
)
from hub.envelope import Arrival, Attachment, Header, Payload, SignedEnvelope, sha256_hex

ONE = MessageId.new(1_772_587_800_000, bytes(10))
HEADER = Header(
    message_id=ONE,
    environment=Environment.TRIAL,
    type=MessageType.parse("dossier.received"),
    sender=AgencyCode.parse("H12.15"),
    recipients=(AgencyCode.parse("H13.15"),),
    conversation_id=ONE,
    created_at=datetime(2026, 3, 4, 1, 30, tzinfo=UTC),
)
ORDER_KEY_WIDTH = 300
"""Of ``sequences.order_key`` and ``deliveries.order_key`` in the store."""


@given(st.binary(max_size=200))
def test_the_digest_is_the_sha_256_of_the_bytes(raw):
    """Receipts and dedupe go by the digest of exactly these bytes, in lower-case hex."""
    signed = SignedEnvelope(raw, ONE, HEADER.sender)
    assert signed.digest == sha256_hex(raw) == hashlib.sha256(raw).hexdigest()
    attached = Attachment.of("a.pdf", "application/pdf", raw)
    assert (attached.size, attached.sha256, attached.content) == (len(raw), sha256_hex(raw), raw)
    assert attached.href is None


def test_order_is_kept_by_dossier_else_document_else_conversation():
    """The narrowest thing that a message speaks of; keys of different kinds never collide."""
    dossier = dataclasses.replace(
        HEADER, dossier_code=DossierCode.parse("H12.15-260304-0007"), document_id="D"
    )
    document = dataclasses.replace(HEADER, document_id="D")
    assert dossier.order_key == "dossier:H12.15-260304-0007"
    assert document.order_key == "document:D"
    assert HEADER.order_key == f"conversation:{ONE}"


def test_the_longest_order_key_fits_the_store():
    """The columns of the store hold every key that a valid header can have."""
    longest = dataclasses.replace(HEADER, document_id="ệ" * MAX_DOCUMENT_ID)
    other = dataclasses.replace(HEADER, dossier_code=DossierCode("x" * MAX_DOSSIER_CODE))
    assert max(len(longest.order_key), len(other.order_key)) <= ORDER_KEY_WIDTH


@pytest.mark.parametrize(
    "kind",
    [one for one in vars(envelope).values() if isinstance(one, type)
     and dataclasses.is_dataclass(one) and one.__module__ == envelope.__name__],
)  # fmt: skip
def test_every_part_is_frozen(kind):
    """What was checked stays what it was; there is no place for anything more."""
    assert kind.__dataclass_params__.frozen
    assert hasattr(kind, "__slots__")


def test_bytes_stay_out_of_reprs():
    """Logs and traces that show an object show no document."""
    secret = b"Nguyen Van A, CCCD 001200012345"
    for one in (
        SignedEnvelope(secret, ONE, HEADER.sender),
        Arrival(secret, tag=1),
        Attachment.of("a", "text/plain", secret),
    ):
        assert "001200012345" not in repr(one)


def test_default_tables_cannot_be_shared_by_accident():
    """The empty defaults are read-only: no arrival and no payload writes into another's."""
    for table in (Arrival(b"", 1).headers, Payload("X").fields):
        with pytest.raises(TypeError):
            table["x"] = "y"
