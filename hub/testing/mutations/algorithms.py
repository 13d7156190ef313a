"""Signatures whose values are right, by references, transforms and algorithms that are not ours."""

from __future__ import annotations

from hub import safexml
from hub.envelope import DSIG
from hub.signing.algorithms import ENVELOPED, EXCLUSIVE_C14N, SignatureAlgorithm
from hub.testing.mutations.base import Mutation, key_of, mutation, written
from hub.testing.mutations.forge import (
    HMAC_SHA1,
    HMAC_SHA256,
    INCLUSIVE_C14N,
    MD5_DIGEST,
    RSA_MD5,
    RSA_SHA1,
    SHA1_DIGEST,
    Recipe,
    forge,
    forged,
    transform,
)
from hub.testing.pki import TestPki

REFERENCE = "profile.reference"
TRANSFORM = "profile.transform"
ALGORITHM = "profile.algorithm"
_EXC_NAMESPACE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
_XSLT = "http://www.w3.org/TR/1999/REC-xslt-19991116"
_OURS = transform(ENVELOPED) + transform(EXCLUSIVE_C14N)


def _by_id(raw: bytes, pki: TestPki) -> bytes:
    """The reference names the root by its Id: the general standard would accept it."""
    root = safexml.parse(raw)
    root.set("Id", "all")
    return forge(written(root), key_of(raw, pki), Recipe(reference='URI="#all"'))


def _wrong_kind(raw: bytes, pki: TestPki) -> bytes:
    """ECDSA is claimed for an RSA key, or RSA for an EC key."""
    key = key_of(raw, pki)
    ours = key.algorithm.name.startswith("RSA")
    other = SignatureAlgorithm.ECDSA_SHA256 if ours else SignatureAlgorithm.RSA_SHA256
    return forge(raw, key, Recipe(method=other.value))


def _reference(name: str, attributes: str) -> Mutation:
    return mutation(name, forged(Recipe(reference=attributes)), REFERENCE)


def _transforms(name: str, transforms: str) -> Mutation:
    return mutation(name, forged(Recipe(transforms=transforms)), TRANSFORM)


def _method(name: str, method: str, inside: str = "") -> Mutation:
    recipe = Recipe(method=method, method_inside=inside)
    return mutation(name, forged(recipe), ALGORITHM)


_PREFIXES = f'<e:InclusiveNamespaces xmlns:e="{_EXC_NAMESPACE}" PrefixList="ds"/>'
_FILTER = "<ds:XPath>not(ancestor-or-self::ds:Signature)</ds:XPath>"
_SHEET = '<x:stylesheet xmlns:x="http://www.w3.org/1999/XSL/Transform" version="1.0"/>'

MUTATIONS: tuple[Mutation, ...] = (
    mutation("reference by Id", _by_id, REFERENCE),
    _reference("reference without URI", ""),
    _reference("reference to the web", 'URI="http://198.51.100.1/x"'),
    _reference("reference to a file", 'URI="file:///etc/passwd"'),
    _reference("reference by XPointer", 'URI="#xpointer(/)"'),
    _reference("reference with Id", 'URI="" Id="x"'),
    _reference("reference with Type", f'URI="" Type="{DSIG}Manifest"'),
    _transforms("no transforms", ""),
    _transforms("transforms the other way round",
                transform(EXCLUSIVE_C14N) + transform(ENVELOPED)),
    _transforms("no enveloped-signature", transform(EXCLUSIVE_C14N)),
    _transforms("no canonicalisation transform", transform(ENVELOPED)),
    _transforms("inclusive canonicalisation", transform(ENVELOPED) + transform(INCLUSIVE_C14N)),
    _transforms("canonicalisation 1.1",
                transform(ENVELOPED) + transform("http://www.w3.org/2006/12/xml-c14n11")),
    _transforms("canonicalisation with comments",
                transform(ENVELOPED) + transform(EXCLUSIVE_C14N + "WithComments")),
    _transforms("InclusiveNamespaces",
                transform(ENVELOPED) + transform(EXCLUSIVE_C14N, _PREFIXES)),
    _transforms("XPath transform", transform(_XPATH, _FILTER) + transform(EXCLUSIVE_C14N)),
    _transforms("XSLT transform", _OURS + transform(_XSLT, _SHEET)),
    _transforms("base64 transform", _OURS + transform(DSIG + "base64")),
    _transforms("enveloped-signature twice", transform(ENVELOPED) + _OURS),
    mutation("SignedInfo by inclusive canonicalisation",
             forged(Recipe(c14n=INCLUSIVE_C14N)), ALGORITHM),
    mutation("SignedInfo canonicalised with comments",
             forged(Recipe(c14n=EXCLUSIVE_C14N + "WithComments")), ALGORITHM),
    mutation("SHA-1 digest", forged(Recipe(digest_method=SHA1_DIGEST)), ALGORITHM),
    mutation("MD5 digest", forged(Recipe(digest_method=MD5_DIGEST)), ALGORITHM),
    _method("RSA-SHA1", RSA_SHA1),
    _method("RSA-MD5", RSA_MD5),
    _method("HMAC with the public key's bytes", HMAC_SHA256),
    _method("HMAC cut to 8 bits", HMAC_SHA1, "<ds:HMACOutputLength>8</ds:HMACOutputLength>"),
    _method("DSA", DSIG + "dsa-sha1"),
    _method("unknown algorithm", "urn:none"),
    _method("parameters inside SignatureMethod", SignatureAlgorithm.RSA_SHA256.value,
            "<ds:HMACOutputLength>8</ds:HMACOutputLength>"),
    mutation("algorithm of another kind of key", _wrong_kind, ALGORITHM),
)  # fmt: skip
