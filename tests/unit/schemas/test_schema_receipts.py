"""Receipts: canonical as they are written, valid, and read back unchanged."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from hub import safexml
from hub.codes import AgencyCode, Environment, MessageId, MessageType
from hub.envelope import Header, Receipt, Recipient
from hub.errors import UnknownType
from hub.schemas.catalog import catalogue
from hub.schemas.explain import explaining_schema
from hub.schemas.receipts import MAX_DETAIL, compose_receipt, read_receipt
from hub.signing.signer import sign_canonical

TYPES = sorted(name for name in catalogue() if name.startswith("receipt."))
SUBJECT = MessageId.parse("0199a7f0-0000-7000-8000-000000000001")
OWN = MessageId.parse("0199a7f0-0000-7000-8000-000000000002")
words = st.sampled_from(["", "routing.unknown_receiver", "sink.unavailable"])
details = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=80
)
codes = st.sampled_from([AgencyCode.parse(code) for code in ("H12.15", "00.12.W00", "0100000000")])
recipients = st.builds(
    Recipient,
    codes,
    st.sampled_from(["queued", "redirected", "rejected"]),
    st.none() | codes,
    st.sampled_from(["", "exact", "alias", "successor", "centre"]),
    words,
    details,
    details,
)


def _header(name: str, scene) -> Header:
    return Header(
        message_id=OWN,
        environment=Environment.TRIAL,
        type=MessageType.parse(name),
        sender=AgencyCode.parse("H99.19"),
        recipients=(AgencyCode.parse("H12.15"),),
        conversation_id=SUBJECT,
        created_at=scene.pki.now,
        in_reply_to=SUBJECT,
        signer_certificate=scene.pki.agency("H99.19").certificate_sha256,
    )


def _receipt(name: str, scene, **more: object) -> Receipt:
    return Receipt(
        MessageType.parse(name),
        SUBJECT,
        AgencyCode.parse("H12.15"),
        "ab" * 32,
        scene.pki.now,
        **more,
    )


facts = st.fixed_dictionaries(
    {
        "recipients": st.lists(recipients, max_size=4).map(tuple),
        "reason": words,
        "detail_vi": details,
        "detail_en": details,
        "place": details,
        "retry_after_s": st.none() | st.integers(0, 99_999_999),
        "state": st.sampled_from(["", "in_progress", "queued"]),
    }
)


@pytest.mark.parametrize("name", TYPES)
@given(given_facts=facts)
@settings(max_examples=20, deadline=None)
def test_receipt_is_canonical_valid_and_read_back(scene, name: str, given_facts: dict):
    """The template's bytes are their own C14N, both validators accept them, nothing is lost."""
    receipt = _receipt(name, scene, **given_facts)
    xml = compose_receipt(receipt, header=_header(name, scene))
    root = safexml.parse(xml)
    assert etree.tostring(root, method="c14n", exclusive=True) == xml
    assert not list(explaining_schema().iter_errors(root))
    signed = sign_canonical(xml, scene.pki.agency("H99.19"))
    valid = scene.validator.validate(scene.verifier.verify(signed, at=scene.pki.now))
    assert valid.header == _header(name, scene)
    assert read_receipt(valid) == receipt


def test_receipt_is_always_possible(scene):
    """Overlong details are cut and control characters replaced, so that no receipt is refused."""
    receipt = _receipt(
        "receipt.rejected", scene, detail_vi="Đ" * 5000, detail_en="a\x00b\r\n&<>", place="x" * 900
    )
    xml = compose_receipt(receipt, header=_header("receipt.rejected", scene))
    assert etree.tostring(safexml.parse(xml), method="c14n", exclusive=True) == xml
    signed = sign_canonical(xml, scene.pki.agency("H99.19"))
    valid = scene.validator.validate(scene.verifier.verify(signed, at=scene.pki.now))
    back = read_receipt(valid)
    assert back.detail_vi == "Đ" * MAX_DETAIL
    assert back.detail_en == "a\ufffdb\r\n&<>"
    assert len(back.place) == 500


def test_receipt_for_two_hundred_receivers_fits(scene):
    """The largest fan-out has one outcome for each To."""
    many = tuple(Recipient(AgencyCode.parse(f"H12.{n}"), "queued") for n in range(100, 300))
    xml = compose_receipt(
        _receipt("receipt.accepted", scene, recipients=many),
        header=_header("receipt.accepted", scene),
    )
    scene.validator.check_draft(xml)


def test_unknown_receipt_type_is_refused(scene):
    """Only the receipts of the table can be written."""
    header = replace(_header("receipt.accepted", scene), type=MessageType("receipt.lost"))
    with pytest.raises(UnknownType):
        compose_receipt(_receipt("receipt.accepted", scene), header=header)
