"""Sign envelopes in the strict profile (architecture §4; XML Signature 1.1, Exclusive C14N 1.0)."""

from __future__ import annotations

import base64

from lxml import etree

from hub import safexml
from hub.envelope import DSIG, NAMESPACE
from hub.errors import SchemaViolation, SignatureCount, SignaturePlace
from hub.signing.algorithms import ENVELOPED, EXCLUSIVE_C14N, DigestAlgorithm
from hub.signing.c14n import canonical
from hub.signing.diagnosis import MAX_CERTIFICATES
from hub.signing.keys import SigningKey
from hub.signing.structure import check_document

HEADER = f"{{{NAMESPACE}}}Header"
SIGNER_CERTIFICATE = f"{{{NAMESPACE}}}SignerCertificate"
SIGNATURE = f"{{{DSIG}}}Signature"
DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
DIGEST = DigestAlgorithm.SHA256

_SIGNED_INFO = (
    '<ds:SignedInfo xmlns:ds="{dsig}">'
    '<ds:CanonicalizationMethod Algorithm="{c14n}"></ds:CanonicalizationMethod>'
    '<ds:SignatureMethod Algorithm="{method}"></ds:SignatureMethod>'
    '<ds:Reference URI=""><ds:Transforms>'
    '<ds:Transform Algorithm="{enveloped}"></ds:Transform>'
    '<ds:Transform Algorithm="{c14n}"></ds:Transform>'
    '</ds:Transforms><ds:DigestMethod Algorithm="{digest_method}"></ds:DigestMethod>'
    "<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
)
"""SignedInfo in its exclusive-canonical form: these very bytes are signed."""


def sign(draft: bytes, key: SigningKey) -> bytes:
    """Return the signed envelope of an unsigned one, with SignerCertificate filled in.

    Raises what every verifier would raise later: ``xml.*`` errors, ``CommentOrPi``,
    ``SignaturePlace`` for stray elements of XML Signature; ``SignatureCount`` for a draft that is
    signed already, ``SchemaViolation`` when it has no Header.
    """
    root = safexml.parse(draft)
    check_document(root)
    if next(root.iter(SIGNATURE), None) is not None:
        raise SignatureCount(count=2)
    if next(root.iter(f"{{{DSIG}}}*"), None) is not None:
        raise SignaturePlace
    header = root.find(HEADER)
    if header is None:
        raise SchemaViolation(reason="no Header")
    for old in header.findall(SIGNER_CERTIFICATE):
        header.remove(old)
    bound = etree.SubElement(header, SIGNER_CERTIFICATE)
    bound.text = key.certificate_sha256
    return sign_canonical(canonical(root), key)


def sign_canonical(unsigned: bytes, key: SigningKey) -> bytes:
    """Sign bytes that are the exclusive canonical form of a whole unsigned envelope already.

    SignerCertificate must stand in them. The caller vouches for the form: what is not canonical
    yields an envelope that no verifier accepts.
    """
    close = unsigned.rindex(b"</")
    digest = base64.b64encode(DIGEST.digest(unsigned)).decode("ascii")
    signed_info = _SIGNED_INFO.format(
        dsig=DSIG,
        c14n=EXCLUSIVE_C14N,
        method=key.algorithm.value,
        enveloped=ENVELOPED,
        digest_method=DIGEST.value,
        digest=digest,
    ).encode("ascii")
    value = base64.b64encode(key.sign(signed_info))
    return b"".join(
        (
            DECLARATION,
            unsigned[:close],
            b'<ds:Signature xmlns:ds="' + DSIG.encode("ascii") + b'">',
            signed_info.replace(b' xmlns:ds="' + DSIG.encode("ascii") + b'"', b"", 1),
            b"<ds:SignatureValue>" + value + b"</ds:SignatureValue>",
            _key_info(key),
            b"</ds:Signature>",
            unsigned[close:],
        )
    )


def _key_info(key: SigningKey) -> bytes:
    certificates = b"".join(
        b"<ds:X509Certificate>" + base64.b64encode(der) + b"</ds:X509Certificate>"
        for der in (key.certificate_der, *key.chain)[:MAX_CERTIFICATES]
    )
    return b"<ds:KeyInfo><ds:X509Data>" + certificates + b"</ds:X509Data></ds:KeyInfo>"
