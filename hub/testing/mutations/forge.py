"""Sign outside the strict profile, with values that are right by the general standard.

A verifier that refuses these refuses them for the profile's sake, not because a sum is wrong.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import MD5, SHA1
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from hub import safexml
from hub.envelope import DSIG
from hub.signing import algorithms
from hub.signing.algorithms import ENVELOPED, EXCLUSIVE_C14N, SignatureAlgorithm
from hub.signing.keys import SigningKey
from hub.testing.mutations.base import Apply, ds, key_of, lt, one, written
from hub.testing.pki import TestPki

INCLUSIVE_C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
RSA_SHA1 = DSIG + "rsa-sha1"
RSA_MD5 = "http://www.w3.org/2001/04/xmldsig-more#rsa-md5"
HMAC_SHA1 = DSIG + "hmac-sha1"
HMAC_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
SHA1_DIGEST = DSIG + "sha1"
MD5_DIGEST = "http://www.w3.org/2001/04/xmldsig-more#md5"
SHA256_DIGEST = "http://www.w3.org/2001/04/xmlenc#sha256"
_DIGESTS = {SHA1_DIGEST: "sha1", MD5_DIGEST: "md5", SHA256_DIGEST: "sha256"}


def transform(algorithm: str, inside: str = "") -> str:
    """Return one Transform element as text."""
    return f'<ds:Transform Algorithm="{algorithm}">{inside}</ds:Transform>'


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a signature is made of; the defaults are the strict profile's."""

    reference: str = 'URI=""'
    """Attributes of the Reference."""
    transforms: str = transform(ENVELOPED) + transform(EXCLUSIVE_C14N)
    """Empty: no Transforms element at all."""
    c14n: str = EXCLUSIVE_C14N
    method: str = ""
    """Empty: what the key signs with."""
    method_inside: str = ""
    digest_method: str = SHA256_DIGEST
    key_info: str | None = None
    """Text inside KeyInfo; ``None``: the certificate of the key."""
    after_key_info: str = ""
    bound: str | None = ""
    """SignerCertificate; empty: the key's own; ``None``: no such element."""


STRICT = Recipe()


def x509_data(*certificates: bytes) -> str:
    """Return an X509Data element with these certificates (DER), as text."""
    inside = "".join(
        f"<ds:X509Certificate>{base64.b64encode(der).decode()}</ds:X509Certificate>"
        for der in certificates
    )
    return f"<ds:X509Data>{inside}</ds:X509Data>"


def forged(recipe: Recipe = STRICT, key: Callable[[bytes, TestPki], SigningKey] = key_of) -> Apply:
    """Sign anew by a recipe, with the sender's own key or another."""
    return lambda raw, pki: forge(raw, key(raw, pki), recipe)


def forge(raw: bytes, key: SigningKey, recipe: Recipe = STRICT) -> bytes:
    """Return the envelope signed anew by a recipe."""
    root = unsigned(raw, key.certificate_sha256 if recipe.bound == "" else recipe.bound)
    covered = _canonical(root, EXCLUSIVE_C14N if "exc-c14n" in recipe.transforms else "")
    digest = hashlib.new(_DIGESTS[recipe.digest_method], covered).digest()
    signature = etree.fromstring(_signature(key, recipe, base64.b64encode(digest).decode()))
    root.append(signature)
    method = recipe.method or key.algorithm.value
    signed_info = _canonical(one(signature, ds("SignedInfo")), recipe.c14n)
    value = base64.b64encode(value_of(key, method, signed_info)).decode()
    one(signature, ds("SignatureValue")).text = value
    return written(root)


def unsigned(raw: bytes, bound: str | None) -> etree._Element:
    """Return the envelope without its signature, naming ``bound`` as its SignerCertificate."""
    root = safexml.parse(raw)
    root.remove(one(root, ds("Signature")))
    named = one(root, lt("SignerCertificate"))
    if bound is None:
        one(root, lt("Header")).remove(named)
    else:
        named.text = bound
    return root


def value_of(key: SigningKey, method: str, data: bytes) -> bytes:
    """Return a signature value by any method that is known here, allowed or not."""
    private = key.private
    if method in (HMAC_SHA1, HMAC_SHA256):
        secret = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return hmac.digest(secret, data, "sha1" if method == HMAC_SHA1 else "sha256")
    if method in (RSA_SHA1, RSA_MD5) and isinstance(private, rsa.RSAPrivateKey):
        return private.sign(data, padding.PKCS1v15(), SHA1() if method == RSA_SHA1 else MD5())
    if method in {one.value for one in SignatureAlgorithm} and fits(key, method):
        return algorithms.sign(private, SignatureAlgorithm(method), data)
    return key.sign(data)


def fits(key: SigningKey, method: str) -> bool:
    """Whether a method of the allow-list is one for that kind of key."""
    return ("ecdsa" in method) != isinstance(key.private, rsa.RSAPrivateKey)


def _signature(key: SigningKey, recipe: Recipe, digest: str) -> str:
    transforms = f"<ds:Transforms>{recipe.transforms}</ds:Transforms>" if recipe.transforms else ""
    key_info = x509_data(key.certificate_der) if recipe.key_info is None else recipe.key_info
    method = recipe.method or key.algorithm.value
    return (
        f'<ds:Signature xmlns:ds="{DSIG}"><ds:SignedInfo>'
        f'<ds:CanonicalizationMethod Algorithm="{recipe.c14n}"/>'
        f'<ds:SignatureMethod Algorithm="{method}">{recipe.method_inside}</ds:SignatureMethod>'
        f"<ds:Reference {recipe.reference}>{transforms}"
        f'<ds:DigestMethod Algorithm="{recipe.digest_method}"/>'
        f"<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
        f"<ds:SignatureValue/>{f'<ds:KeyInfo>{key_info}</ds:KeyInfo>' if key_info else ''}"
        f"{recipe.after_key_info}</ds:Signature>"
    )


def _canonical(element: etree._Element, method: str) -> bytes:
    return etree.tostring(
        element,
        method="c14n",
        exclusive="exc-c14n" in method,
        with_comments=method.endswith("WithComments"),
    )
