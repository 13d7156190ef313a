"""A verified envelope holds what the signature covers, and only the verifier makes one."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

import pytest
from lxml import etree

from hub.errors import CodeMalformed, HubError, SchemaViolation
from hub.signing.algorithms import DigestAlgorithm, SignatureAlgorithm
from hub.signing.c14n import canonical
from hub.signing.policy import STRICT_V1
from hub.signing.signer import sign, sign_canonical
from hub.signing.verifier import VerifiedEnvelope
from hub.testing.mutations.forge import forge

DSIG = "http://www.w3.org/2000/09/xmldsig#"
SENDER_NAME = "another certificate of the sender"
KINDS = {"RSA": ["rsa2048", "rsa3072"], "ECDSA": ["p256", "p384"]}


def test_verified_envelope_says_who_sent_what(scene):
    """Sender, message id, signer, digest and time come back with the bytes."""
    raw = scene.raw
    verified = scene.verify(raw)
    assert (verified.raw, verified.verified_at) == (raw, scene.now)
    assert verified.digest == hashlib.sha256(raw).hexdigest()
    assert verified.sender.value == scene.sender
    assert verified.message_id is not None
    assert verified.message_id.value == scene.message_id
    assert verified.signer_sha256 == scene.key.certificate_sha256
    assert verified.by_gateway is None


def test_tree_is_read_from_the_signed_bytes_alone(scene):
    """The tree is the canonical signed bytes parsed again, and the signature is not in it."""
    verified = scene.verify(scene.raw)
    assert canonical(verified.root) == verified.signed_bytes
    assert DSIG.encode() not in verified.signed_bytes
    names = [etree.QName(child).localname for child in verified.root]
    assert names == ["Header", "Body"]
    assert "Hài lòng & đúng hẹn <5>" in "".join(verified.root.itertext())


@pytest.mark.parametrize("maker", [None, object(), "token"])
def test_nobody_else_makes_a_verified_envelope(scene, maker: object):
    """Neither the constructor nor ``dataclasses.replace`` yields one outside the verifier."""
    real = scene.verify(scene.raw)
    with pytest.raises(TypeError, match="only"):
        replace(real, signer_sha256="0" * 64)
    facts = {name: getattr(real, name) for name in VerifiedEnvelope.__slots__}
    with pytest.raises(TypeError, match="only"):
        VerifiedEnvelope(**facts, maker=maker)


def test_the_token_is_not_to_be_had_from_an_envelope(scene):
    """A verified envelope does not carry what it was made with."""
    assert "maker" not in VerifiedEnvelope.__slots__
    assert getattr(scene.verify(scene.raw), "maker", None) is None


@pytest.mark.parametrize("algorithm", list(SignatureAlgorithm), ids=lambda one: one.name)
@pytest.mark.parametrize("size", [0, 1])
def test_every_allowed_algorithm_is_accepted(ec_scene, algorithm: SignatureAlgorithm, size: int):
    """RSA PKCS#1 and PSS, ECDSA on P-256 and P-384, each with each digest, sign and verify."""
    kind = KINDS[algorithm.name.split("_")[0]][size]
    key = replace(ec_scene.pki.key(SENDER_NAME, kind), algorithm=algorithm)
    verifier = ec_scene.trusting(key)
    verified = verifier.verify(sign(ec_scene.draft, key), at=ec_scene.now)
    assert verified.signer_sha256 == key.certificate_sha256


def test_policy_narrows_the_algorithms(rsa_scene):
    """What a policy does not list is refused although the library knows it."""
    for narrow in (
        replace(STRICT_V1, signatures=frozenset({SignatureAlgorithm.ECDSA_SHA256})),
        replace(STRICT_V1, digests=frozenset({DigestAlgorithm.SHA512})),
    ):
        with pytest.raises(HubError) as refused:
            rsa_scene.trusting(policy=narrow).verify(rsa_scene.raw, at=rsa_scene.now)
        assert refused.value.code == "profile.algorithm"


def _default_namespace(raw: bytes) -> bytes:
    return raw.replace(b"ds:", b"").replace(b"xmlns:ds=", b"xmlns=")


def test_any_one_prefix_will_do_where_the_signer_chose_it(scene):
    """The prefix is the signer's choice; changing it afterwards breaks the signature value."""
    with pytest.raises(HubError) as refused:
        scene.verify(_default_namespace(scene.raw))
    assert refused.value.code == "signature.value_mismatch"


def test_white_space_outside_what_is_signed_does_not_matter(scene):
    """Line breaks in base64 and behind KeyInfo's tags, and a BOM, are no change of what is said."""
    raw = scene.raw
    kept = scene.verify(raw).signed_bytes

    def wrapped(found: re.Match[bytes]) -> bytes:
        return b"\n" + b"\r\n".join(re.findall(b".{1,64}", found[0])) + b"\t\n"

    loose = re.sub(rb"(?<=<ds:X509Certificate>)[^<]+", wrapped, raw)
    loose = re.sub(rb"(?<=<ds:SignatureValue>)[^<]+", wrapped, loose)
    loose = loose.replace(b"<ds:KeyInfo>", b"\n  <ds:KeyInfo>\n ")
    assert loose != raw
    assert scene.verify(loose).signed_bytes == kept
    assert scene.verify(b"\xef\xbb\xbf" + raw).signed_bytes == kept
    assert scene.verify(raw + b"\n \n").signed_bytes == kept


def test_text_behind_the_signature_is_covered_when_it_was_signed(scene):
    """A signer that ends the envelope with a line break is understood as the standard says."""
    spaced = forge(scene.raw.replace(b"</ds:Signature>", b"</ds:Signature>\n"), scene.key)
    assert scene.verify(spaced).root[-1].tail is not None


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (b"urn:lienthong:envelope:1", b"urn:lienthong:envelope:2", SchemaViolation),
        (b"<Header>", b"<Body/><Header>", SchemaViolation),
        (b"<Header>", b"<Header/><Header>", SchemaViolation),
        (b'<From code="H12.15"/>', b"", SchemaViolation),
        (b'<From code="H12.15"/>', b'<From code="H12.15"/><From code="H13.15"/>', SchemaViolation),
        (b'<From code="H12.15"/>', b"<From/>", CodeMalformed),
        (b'<From code="H12.15"/>', b'<From code="H12.15 or H13.15"/>', CodeMalformed),
        (b'<From code="H12.15"/>', b'<x><From code="H12.15"/></x>', SchemaViolation),
    ],
    ids=["root", "body first", "two headers", "none", "two", "no code", "bad code", "too deep"],
)
def test_signed_envelope_that_names_no_one_sender_is_refused(scene, old, new, error):
    """A right signature over an unclear sender binds nobody."""
    draft = scene.draft.replace(
        b"</Header>",
        b"<SignerCertificate>%s</SignerCertificate></Header>"
        % scene.key.certificate_sha256.encode(),
    )
    assert old in draft
    bytes_ = canonical(etree.fromstring(draft.replace(old, new, 1)))
    with pytest.raises(error):
        scene.verify(sign_canonical(bytes_, scene.key))


@pytest.mark.parametrize("identity", [b"<MessageId>x</MessageId>", b"", b"<MessageId/>"])
def test_message_id_that_is_none_is_the_schemas_to_refuse(scene, identity: bytes):
    """A signed envelope without a readable message id is verified, with none."""
    draft = re.sub(rb"<MessageId>.*?</MessageId>", identity, scene.draft)
    assert scene.verify(sign(draft, scene.key)).message_id is None


def test_signer_that_is_named_twice_is_named_not_at_all(scene):
    """Two SignerCertificate elements bind nothing, even if one is right."""
    right = scene.key.certificate_sha256.encode()
    twice = b"<SignerCertificate>%s</SignerCertificate>" % right
    draft = scene.draft.replace(b"</Header>", twice + twice + b"</Header>")
    with pytest.raises(HubError) as refused:
        scene.verify(sign_canonical(canonical(etree.fromstring(draft)), scene.key))
    assert refused.value.code == "trust.certificate_binding"
