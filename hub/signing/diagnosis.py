"""Say which rule of the profile a refused signature breaks (off the hot path, for people)."""

from __future__ import annotations

import re

from lxml import etree

from hub.envelope import DSIG
from hub.errors import (
    AlgorithmRefused,
    KeyInfoRefused,
    ReferenceRefused,
    SignatureCount,
    SignatureMissing,
    SignaturePlace,
    TransformRefused,
)
from hub.signing.algorithms import (
    ENVELOPED,
    EXCLUSIVE_C14N,
    DigestAlgorithm,
    SignatureAlgorithm,
)


def _ds(name: str) -> str:
    return f"{{{DSIG}}}{name}"


SIGNATURE = _ds("Signature")
_PARTS = [_ds("SignedInfo"), _ds("SignatureValue"), _ds("KeyInfo")]
_INFO_PARTS = [_ds("CanonicalizationMethod"), _ds("SignatureMethod"), _ds("Reference")]
MAX_CERTIFICATES = 5
"""Certificates in X509Data, the signer's and its chain."""
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
_REFERENCE_PARTS = [_ds("Transforms"), _ds("DigestMethod"), _ds("DigestValue")]


def explain_place(root: etree._Element) -> None:
    """Say what is wrong with the number or the place of signatures; always raises."""
    count = sum(1 for _ in root.iter(SIGNATURE))
    if count == 0:
        raise SignatureMissing
    if count > 1:
        raise SignatureCount(count=count)
    raise SignaturePlace


def explain(signature: etree._Element) -> None:
    """Raise the ``profile.*`` error that fits best; return only if no rule here is broken."""
    parts = list(signature)
    tags = [part.tag for part in parts]
    if tags.count(_PARTS[0]) != 1 or tags.count(_PARTS[1]) != 1:
        raise SignaturePlace(_names(parts))
    _explain_signed_info(parts[tags.index(_PARTS[0])])
    if tags.count(_PARTS[2]) != 1:
        raise KeyInfoRefused(_names(parts))
    _explain_key_info(parts[tags.index(_PARTS[2])])


def _explain_signed_info(signed_info: etree._Element) -> None:
    parts = list(signed_info)
    tags = [part.tag for part in parts]
    if tags.count(_INFO_PARTS[2]) != 1:
        raise ReferenceRefused(f"{tags.count(_INFO_PARTS[2])} references")
    if tags != _INFO_PARTS or signed_info.attrib:
        raise SignaturePlace(_names(parts))
    _explain_algorithm(parts[0], {EXCLUSIVE_C14N})
    _explain_algorithm(parts[1], {one.value for one in SignatureAlgorithm})
    _explain_reference(parts[2])


def _explain_reference(reference: etree._Element) -> None:
    if dict(reference.attrib) != {"URI": ""}:
        raise ReferenceRefused
    parts = list(reference)
    tags = [part.tag for part in parts]
    if not tags or tags[0] != _REFERENCE_PARTS[0]:
        raise TransformRefused(_names(parts))
    if tags != _REFERENCE_PARTS:
        raise ReferenceRefused(_names(parts))
    uris = [one.get("Algorithm", "") for one in parts[0]]
    if uris != [ENVELOPED, EXCLUSIVE_C14N] or any(len(one) for one in parts[0]):
        raise TransformRefused(" ".join(shown(uri) for uri in uris))
    _explain_algorithm(parts[1], {one.value for one in DigestAlgorithm})
    if not _is_plain(parts[2]):
        raise ReferenceRefused("DigestValue")


def _explain_algorithm(element: etree._Element, allowed: set[str]) -> None:
    uri = element.get("Algorithm", "")
    if uri not in allowed or len(element.attrib) != 1 or len(element):
        raise AlgorithmRefused(value=shown(uri))


def _explain_key_info(key_info: etree._Element) -> None:
    data = list(key_info)
    if len(data) != 1 or data[0].tag != _ds("X509Data") or key_info.attrib:
        raise KeyInfoRefused(_names(data))
    certificates = list(data[0])
    if not certificates or any(one.tag != _ds("X509Certificate") for one in certificates):
        raise KeyInfoRefused(_names(certificates))
    if len(certificates) > MAX_CERTIFICATES:
        raise KeyInfoRefused(f"{len(certificates)} certificates")
    if data[0].attrib or not all(_is_plain(one) for one in certificates):
        raise KeyInfoRefused("X509Certificate")


def _is_plain(element: etree._Element) -> bool:
    """Whether an element holds base64 characters and white space, and nothing else."""
    bare = not len(element) and not element.attrib
    return bare and _BASE64.fullmatch(element.text or "") is not None


def _names(elements: list[etree._Element]) -> str:
    return " ".join(etree.QName(one).localname for one in elements if isinstance(one.tag, str))[
        :200
    ]


def shown(uri: str) -> str:
    """Return an algorithm's name for a message: printable and short."""
    return "".join(char for char in uri[:100] if char.isprintable())
