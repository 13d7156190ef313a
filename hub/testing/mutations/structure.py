"""Attacks on the Signature itself: its number, its place and its parts."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable
from hashlib import sha256

from lxml import etree

from hub import safexml
from hub.envelope import DSIG
from hub.signing.c14n import canonical
from hub.testing.mutations.base import (
    Apply,
    Mutation,
    ds,
    key_of,
    lt,
    mutation,
    one,
    text,
    tree,
    written,
)
from hub.testing.mutations.content import change_text
from hub.testing.mutations.forge import SHA256_DIGEST, forge, unsigned
from hub.testing.pki import TestPki

MISSING = "profile.signature_missing"
COUNT = "profile.signature_count"
PLACE = "profile.signature_place"
REFERENCE = "profile.reference"
VALUE = "signature.value_mismatch"


def _moved(put: Callable[[etree._Element, etree._Element], object]) -> Apply:
    def edit(root: etree._Element) -> None:
        signature = one(root, ds("Signature"))
        root.remove(signature)
        put(root, signature)

    return tree(edit)


def _repeated(name: str) -> Apply:
    """An element of the signature stands there twice."""

    def edit(root: etree._Element) -> None:
        part = one(root, ds(name))
        part.addnext(copy.deepcopy(part))

    return tree(edit)


def _removed(name: str) -> Apply:
    def edit(root: etree._Element) -> None:
        part = one(root, ds(name))
        parent = part.getparent()
        if parent is not None:
            parent.remove(part)

    return tree(edit)


def _with_attribute(name: str, attribute: str, value: str) -> Apply:
    return tree(lambda root: one(root, ds(name)).set(attribute, value))


def _attackers_second(raw: bytes, pki: TestPki) -> bytes:
    """An attacker's own signature over the same content stands beside the sender's."""
    attacker = pki.key("attacker", "p256", issuer=pki.attacker)
    root, other = safexml.parse(raw), safexml.parse(forge(raw, attacker))
    root.append(one(other, ds("Signature")))
    return written(root)


def _two_signed_infos(raw: bytes, _pki: TestPki) -> bytes:
    """A forged SignedInfo with the digest of changed content comes before the signed one."""
    root = safexml.parse(raw)
    info = one(root, ds("SignedInfo"))
    info.addprevious(_info_of_changed(raw, info))
    return written(root)


def _info_of_changed(raw: bytes, info: etree._Element) -> etree._Element:
    changed = unsigned(raw, "0" * 64)
    forged = copy.deepcopy(info)
    one(forged, ds("DigestValue")).text = _digest(changed)
    return forged


def _digest(root: etree._Element) -> str:
    return base64.b64encode(sha256(canonical(root)).digest()).decode()


def _digest_of_changed(raw: bytes, _pki: TestPki) -> bytes:
    """Changed content with its right digest; only the signature value is the old one."""
    root = safexml.parse(raw)
    change_text(root)
    signature = one(root, ds("Signature"))
    root.remove(signature)
    one(signature, ds("DigestValue")).text = _digest(root)
    root.append(signature)
    return written(root)


def _value_of_another(raw: bytes, pki: TestPki) -> bytes:
    """The signature value of another envelope of the same sender."""
    other = unsigned(raw, key_of(raw, pki).certificate_sha256)
    change_text(other)
    other.append(safexml.parse(raw)[-1])
    signed = safexml.parse(forge(written(other), key_of(raw, pki)))
    root = safexml.parse(raw)
    value = one(signed, ds("SignatureValue")).text
    one(root, ds("SignatureValue")).text = value
    return written(root)


def _flip_value(root: etree._Element) -> None:
    value = one(root, ds("SignatureValue"))
    data = bytearray(base64.b64decode(value.text or ""))
    data[len(data) // 2] ^= 1
    value.text = base64.b64encode(data).decode()


def _into_object(raw: bytes, _pki: TestPki) -> bytes:
    """The signed envelope goes into an Object of its own signature; a forged one is the root."""
    inner = safexml.parse(raw)
    outer = unsigned(raw, "0" * 64)
    signature = one(inner, ds("Signature"))
    inner.remove(signature)
    etree.SubElement(signature, ds("Object")).append(inner)
    outer.append(signature)
    return written(outer)


MUTATIONS: tuple[Mutation, ...] = (
    mutation("signature removed", text(r"<ds:Signature .*</ds:Signature>", ""), MISSING),
    mutation("signature in no namespace", text(DSIG, "urn:x"), MISSING),
    mutation("signature twice", _repeated("Signature"), COUNT),
    mutation("attacker's signature added", _attackers_second, COUNT),
    mutation("signature first", _moved(lambda root, sig: root.insert(0, sig)), PLACE),
    mutation("signature in the body", _moved(lambda root, sig: one(root, lt("Body")).append(sig)),
             PLACE),
    mutation("signature in the header",
             _moved(lambda root, sig: one(root, lt("Header")).append(sig)), PLACE),
    mutation("element behind the signature",
             text("(</ds:Signature>)", r'\1<Body xmlns="urn:lienthong:envelope:1"></Body>'), PLACE),
    mutation("stray KeyInfo in the body", tree(
        lambda root: etree.SubElement(one(root, lt("Body")), ds("KeyInfo"))), PLACE),
    mutation("envelope inside the signature", _into_object, PLACE),
    mutation("Object added", tree(
        lambda root: etree.SubElement(one(root, ds("Signature")), ds("Object"))), PLACE),
    mutation("Manifest added", tree(lambda root: etree.SubElement(
        etree.SubElement(one(root, ds("Signature")), ds("Object")), ds("Manifest"))), PLACE),
    mutation("text inside SignedInfo", text("(<ds:Reference)", r"forged\1"), PLACE),
    mutation("signature with Id", _with_attribute("Signature", "Id", "x"), PLACE),
    mutation("SignedInfo with Id", _with_attribute("SignedInfo", "Id", "x"), PLACE),
    mutation("SignatureValue with Id", _with_attribute("SignatureValue", "Id", "x"), PLACE),
    mutation("another prefix inside", text(
        "<ds:SignedInfo>(.*)</ds:SignedInfo>",
        f'<x:SignedInfo xmlns:x="{DSIG}">\\1</x:SignedInfo>'), PLACE),
    mutation("two SignedInfo", _two_signed_infos, PLACE),
    mutation("two SignatureValue", _repeated("SignatureValue"), PLACE),
    mutation("two DigestValue", _repeated("DigestValue"), REFERENCE),
    mutation("two DigestMethod", _repeated("DigestMethod"), REFERENCE),
    mutation("two references", _repeated("Reference"), REFERENCE),
    mutation("two SignatureMethod", _repeated("SignatureMethod"), PLACE),
    mutation("no SignedInfo", _removed("SignedInfo"), PLACE),
    mutation("no SignatureValue", _removed("SignatureValue"), PLACE),
    mutation("no Reference", _removed("Reference"), REFERENCE),
    mutation("no DigestValue", _removed("DigestValue"), REFERENCE),
    mutation("SignatureValue empty",
             text("<ds:SignatureValue>[^<]*", "<ds:SignatureValue>"), PLACE),
    mutation("garbage in SignatureValue",
             text("<ds:SignatureValue>", "<ds:SignatureValue>!"), PLACE),
    mutation("padding in the middle of SignatureValue",
             text("(<ds:SignatureValue>....)", r"\1===="), PLACE),
    mutation("garbage in DigestValue", text("<ds:DigestValue>", "<ds:DigestValue>-"), REFERENCE),
    mutation("element in DigestValue", tree(
        lambda root: etree.SubElement(one(root, ds("DigestValue")), "x")), REFERENCE),
    mutation("signature value changed", tree(_flip_value), VALUE),
    mutation("signature value of another envelope", _value_of_another, VALUE),
    mutation("digest of changed content", _digest_of_changed, VALUE),
    mutation("digest method changed", text(SHA256_DIGEST, SHA256_DIGEST[:-3] + "512"),
             "signature.digest_mismatch"),
)  # fmt: skip
