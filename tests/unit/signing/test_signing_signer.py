"""What the signer writes is the strict profile, and carries the draft unchanged."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

import pytest
from lxml import etree

from hub.errors import (
    CommentOrPi,
    HubError,
    SchemaViolation,
    SignatureCount,
    SignaturePlace,
    XmlMalformed,
)
from hub.signing.c14n import canonical
from hub.signing.signer import sign, sign_canonical

DS = "{http://www.w3.org/2000/09/xmldsig#}"
LT = "{urn:lienthong:envelope:1}"


def bound(draft: bytes, sha256: str) -> bytes:
    """The canonical form of a draft with its SignerCertificate in place."""
    root = etree.fromstring(draft)
    etree.SubElement(root[0], f"{LT}SignerCertificate").text = sha256
    return canonical(root)


def test_signed_envelope_has_the_profiles_shape(scene):
    """UTF-8 with a declaration; ds:Signature is the last child, SignerCertificate the header's."""
    raw = scene.raw
    assert raw.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    root = etree.fromstring(raw)
    signature = root[-1]
    assert (signature.tag, signature.prefix) == (f"{DS}Signature", "ds")
    assert [part.tag for part in signature] == [
        f"{DS}SignedInfo", f"{DS}SignatureValue", f"{DS}KeyInfo",
    ]  # fmt: skip
    last = root[0][-1]
    assert last.tag == f"{LT}SignerCertificate"
    assert last.text == hashlib.sha256(scene.key.certificate_der).hexdigest()
    shown = signature.findtext(f".//{DS}X509Certificate")
    assert base64.b64decode(shown or "") == scene.key.certificate_der


def test_content_is_carried_unchanged(scene):
    """Everything but SignerCertificate and Signature means what it meant in the draft."""
    assert scene.verify(scene.raw).signed_bytes == bound(scene.draft, scene.key.certificate_sha256)


def test_rsa_signatures_are_repeatable(rsa_scene):
    """RSA PKCS#1 adds no randomness: the same draft gives the same bytes."""
    assert sign(rsa_scene.draft, rsa_scene.key) == rsa_scene.raw


def test_fast_path_is_judged_alike(scene):
    """Signing canonical bytes gives an envelope that is judged like the ordinary one's."""
    fast = sign_canonical(bound(scene.draft, scene.key.certificate_sha256), scene.key)
    mine, ordinary = scene.verify(fast), scene.verify(scene.raw)
    facts = ("signed_bytes", "sender", "message_id", "signer_sha256", "by_gateway", "verified_at")
    assert [getattr(mine, name) for name in facts] == [getattr(ordinary, name) for name in facts]


def test_fast_path_refuses_nothing_but_hides_nothing(scene):
    """Bytes that are not canonical become an envelope that no verifier accepts."""
    with pytest.raises(HubError) as refused:
        scene.verify(sign_canonical(scene.draft.partition(b"?>\n")[2].strip(), scene.key))
    assert refused.value.code == "signature.digest_mismatch"


def test_other_signer_certificate_in_the_draft_is_replaced(scene):
    """A draft names no other certificate than the one that signs, however often it tries."""
    stale = b"<SignerCertificate>00</SignerCertificate>"
    raw = sign(scene.draft.replace(b"<Priority>", stale + b"<Priority>" + b""), scene.key)
    named = etree.fromstring(raw).findall(f".//{LT}SignerCertificate")
    assert [one.text for one in named] == [scene.key.certificate_sha256]
    assert scene.verify(raw).signer_sha256 == scene.key.certificate_sha256


def test_signed_envelope_is_not_signed_again(scene):
    """A signature inside the draft, wherever it stands, is refused."""
    with pytest.raises(SignatureCount):
        sign(scene.raw, scene.key)


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (b"<Body>", b"<Body><!-- x -->", CommentOrPi),
        (b"<Body>", b"<Body><?x y?>", CommentOrPi),
        (b"<Body>", b'<Body xml:lang="vi">', CommentOrPi),
        (b"<Body>", b'<Body><KeyInfo xmlns="%s"/>' % DS[1:-1].encode(), SignaturePlace),
        (b"<Header>", b"<Kopf>", XmlMalformed),
        (b"urn:lienthong:envelope:1", b"urn:x", SchemaViolation),
    ],
    ids=["comment", "instruction", "xml:lang", "stray KeyInfo", "not well-formed", "no header"],
)
def test_draft_that_nobody_would_accept_is_not_signed(scene, old: bytes, new: bytes, error):
    """The signer refuses at once what every verifier would refuse later."""
    assert old in scene.draft
    with pytest.raises(error):
        sign(scene.draft.replace(old, new, 1), scene.key)


def test_chain_is_sent_along_as_far_as_the_profile_allows(scene):
    """Intermediates stand behind the signer's certificate; a long chain is cut to five in all."""
    key = replace(scene.key, chain=(scene.pki.issuing.der,) * 7)
    raw = sign(scene.draft, key)
    shown = [
        base64.b64decode(one.text or "")
        for one in etree.fromstring(raw).iter(f"{DS}X509Certificate")
    ]
    assert shown == [key.certificate_der, *[scene.pki.issuing.der] * 4]
    assert scene.verify(raw).signer_sha256 == key.certificate_sha256
