"""Read a ds:Signature, and refuse whatever is not exactly the strict profile (architecture §4).

Nothing here computes: what comes out are the claims of the signature, all still unverified.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

from lxml import etree

from hub.envelope import DSIG
from hub.errors import (
    AlgorithmRefused,
    CommentOrPi,
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

XSI = "http://www.w3.org/2001/XMLSchema-instance"
XML = "http://www.w3.org/XML/1998/namespace"
_XSI_ATTRIBUTE = etree.XPath("boolean(//@xsi:* | //@xml:*)", namespaces={"xsi": XSI, "xml": XML})


def _ds(name: str) -> str:
    return f"{{{DSIG}}}{name}"


SIGNATURE = _ds("Signature")
_PARTS = [_ds("SignedInfo"), _ds("SignatureValue"), _ds("KeyInfo")]
_INFO_PARTS = [_ds("CanonicalizationMethod"), _ds("SignatureMethod"), _ds("Reference")]
_REFERENCE_PARTS = [_ds("Transforms"), _ds("DigestMethod"), _ds("DigestValue")]
_TRANSFORMS = [ENVELOPED, EXCLUSIVE_C14N]
_SIGNATURES = {algorithm.value: algorithm for algorithm in SignatureAlgorithm}
_DIGESTS = {algorithm.value: algorithm for algorithm in DigestAlgorithm}
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
MAX_CERTIFICATES = 5
"""Certificates in X509Data, the signer's and its chain."""


@dataclass(frozen=True, slots=True)
class UnverifiedSignature:
    """The claims of one signature."""

    element: etree._Element = field(repr=False)
    signed_info: etree._Element = field(repr=False)
    algorithm: SignatureAlgorithm
    digest_algorithm: DigestAlgorithm
    digest: bytes
    value: bytes = field(repr=False)
    certificate_der: bytes = field(repr=False)


def check_document(root: etree._Element, raw: bytes) -> None:
    """Refuse comments, processing instructions, ``xsi:`` and ``xml:`` attributes anywhere.

    The prolog and the epilog count too. Raises ``CommentOrPi``.
    """
    if b"<!--" in raw or raw.find(b"<?", 5) != -1:
        marks = next(root.iter(etree.Comment, etree.PI), None)
        if marks is not None or root.getprevious() is not None or root.getnext() is not None:
            raise CommentOrPi
    if (b"XMLSchema-instance" in raw or b"xml:" in raw) and _XSI_ATTRIBUTE(root):
        raise CommentOrPi


def find(root: etree._Element) -> UnverifiedSignature:
    """Return the one signature of an envelope; raises ``profile.*`` errors for anything else."""
    signatures = list(root.iter(SIGNATURE))
    if not signatures:
        raise SignatureMissing
    if len(signatures) > 1:
        raise SignatureCount(count=len(signatures))
    signature = signatures[0]
    if len(root) == 0 or root[-1] is not signature:
        raise SignaturePlace
    inside = sum(1 for _ in signature.iter(f"{{{DSIG}}}*"))
    if sum(1 for _ in root.iter(f"{{{DSIG}}}*")) != inside:
        raise SignaturePlace
    return _read(signature)


def _read(signature: etree._Element) -> UnverifiedSignature:
    parts = list(signature)
    if signature.attrib or [part.tag for part in parts] != _PARTS or _has_text(signature):
        raise SignaturePlace(_names(parts))
    signed_info, value, key_info = parts
    if value.attrib or len(value):
        raise SignaturePlace("SignatureValue")
    algorithm, reference = _signed_info(signed_info)
    digest_algorithm, digest = _reference(reference)
    return UnverifiedSignature(
        element=signature,
        signed_info=signed_info,
        algorithm=algorithm,
        digest_algorithm=digest_algorithm,
        digest=digest,
        value=_decoded(value, SignaturePlace("SignatureValue")),
        certificate_der=_certificate(key_info),
    )


def _signed_info(signed_info: etree._Element) -> tuple[SignatureAlgorithm, etree._Element]:
    parts = list(signed_info)
    tags = [part.tag for part in parts]
    if tags.count(_INFO_PARTS[2]) != 1:
        raise ReferenceRefused(f"{tags.count(_INFO_PARTS[2])} references")
    if signed_info.attrib or tags != _INFO_PARTS or _has_text(signed_info):
        raise SignaturePlace(_names(parts))
    if _algorithm_of(parts[0]) != EXCLUSIVE_C14N:
        raise AlgorithmRefused(value=_shown(_algorithm_of(parts[0])))
    method = _SIGNATURES.get(_algorithm_of(parts[1]))
    if method is None:
        raise AlgorithmRefused(value=_shown(_algorithm_of(parts[1])))
    return method, parts[2]


def _reference(reference: etree._Element) -> tuple[DigestAlgorithm, bytes]:
    if dict(reference.attrib) != {"URI": ""} or _has_text(reference):
        raise ReferenceRefused
    parts = list(reference)
    tags = [part.tag for part in parts]
    if not tags or tags[0] != _REFERENCE_PARTS[0]:
        raise TransformRefused
    if tags != _REFERENCE_PARTS or parts[2].attrib or len(parts[2]):
        raise ReferenceRefused(_names(parts))
    transforms = list(parts[0])
    shapes = [one.tag == _ds("Transform") and len(one.attrib) == 1 for one in transforms]
    if parts[0].attrib or _has_text(parts[0]) or not all(shapes):
        raise TransformRefused(_names(transforms))
    found = [one.get("Algorithm", "") for one in transforms]
    if found != _TRANSFORMS or any(len(one) or (one.text or "").strip() for one in transforms):
        raise TransformRefused(" ".join(_shown(uri) for uri in found))
    method = _DIGESTS.get(_algorithm_of(parts[1]))
    if method is None:
        raise AlgorithmRefused(value=_shown(_algorithm_of(parts[1])))
    return method, _decoded(parts[2], ReferenceRefused("DigestValue"))


def _algorithm_of(element: etree._Element) -> str:
    """The Algorithm attribute, which must be all that the element holds."""
    if len(element.attrib) != 1 or len(element) or (element.text or "").strip():
        raise AlgorithmRefused(value=etree.QName(element).localname)
    return element.get("Algorithm", "")


def _certificate(key_info: etree._Element) -> bytes:
    """The first certificate of the one X509Data, which may hold certificates only."""
    data = list(key_info)
    if key_info.attrib or len(data) != 1 or data[0].tag != _ds("X509Data") or _has_text(key_info):
        raise KeyInfoRefused(_names(data))
    certificates = list(data[0])
    wrong = [one for one in certificates if one.tag != _ds("X509Certificate") or one.attrib]
    if wrong or not 1 <= len(certificates) <= MAX_CERTIFICATES or data[0].attrib:
        raise KeyInfoRefused(_names(certificates))
    if any(len(one) for one in certificates) or _has_text(data[0]):
        raise KeyInfoRefused("X509Certificate")
    return _decoded(certificates[0], KeyInfoRefused("X509Certificate"))


def _decoded(element: etree._Element, error: Exception) -> bytes:
    """Base64 with white space (RFC 4648 §4) and nothing else; bits behind the end must be zero."""
    text = "".join((element.text or "").split())
    if not text or not _BASE64.fullmatch(text):
        raise error
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as wrong:
        raise error from wrong
    if base64.b64encode(data).decode("ascii") != text:
        raise error
    return data


def _has_text(element: etree._Element) -> bool:
    """Whether text other than white space stands between the children."""
    texts = [element.text, *(child.tail for child in element)]
    return any(text and text.strip() for text in texts)


def _names(elements: list[etree._Element]) -> str:
    return " ".join(etree.QName(one).localname for one in elements if isinstance(one.tag, str))[
        :200
    ]


def _shown(uri: str) -> str:
    """An algorithm's name for a message: printable and short."""
    return "".join(char for char in uri[:100] if char.isprintable())
