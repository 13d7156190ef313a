"""Read a ds:Signature in the strict profile (architecture §4), and refuse everything else.

The profile is one pattern over the canonical form of the Signature element: what does not match it
is refused, and ``hub.signing.diagnosis`` then says what is wrong. Nothing is verified here: what
comes out are claims.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

from lxml import etree

from hub.envelope import DSIG
from hub.errors import (
    AlgorithmRefused,
    CommentOrPi,
    HubError,
    KeyInfoRefused,
    ReferenceRefused,
    SignaturePlace,
)
from hub.signing import diagnosis
from hub.signing.algorithms import (
    ENVELOPED,
    EXCLUSIVE_C14N,
    DigestAlgorithm,
    SignatureAlgorithm,
)
from hub.signing.c14n import canonical
from hub.signing.diagnosis import MAX_CERTIFICATES

XSI = "http://www.w3.org/2001/XMLSchema-instance"
XML = "http://www.w3.org/XML/1998/namespace"
_UNSEEN = etree.XPath(
    "boolean(//comment() | //processing-instruction() | //@xsi:* | //@xml:*)",
    namespaces={"xsi": XSI, "xml": XML},
)
"""What a signature does not cover, or what changes the meaning of what it covers."""
_SIGNATURES = {algorithm.value.encode(): algorithm for algorithm in SignatureAlgorithm}
_DIGESTS = {algorithm.value.encode(): algorithm for algorithm in DigestAlgorithm}


def pattern(blank: str, base64: str, uri: str) -> re.Pattern[bytes]:
    """Return the strict profile as a pattern over a Signature's text.

    ``blank`` is what may stand between elements, ``base64`` what a value may consist of, ``uri``
    what names an algorithm.
    """

    def opened(name: str, attributes: str = "") -> str:
        return f"<(?P=p){name}{attributes}>{blank}"

    def closed(name: str) -> str:
        return f"</(?P=p){name}>{blank}"

    def empty(name: str, algorithm: str) -> str:
        return f'<(?P=p){name} Algorithm="{algorithm}"></(?P=p){name}>{blank}'

    def leaf(name: str, group: str = "?:") -> str:
        return f"<(?P=p){name}>({group}{base64})</(?P=p){name}>{blank}"

    parts = (
        r"<(?P<p>(?:[\w.-]+:)?)Signature",
        f'(?P<ns> xmlns(?::[\\w.-]+)?="{re.escape(DSIG)}")>{blank}',
        r"(?P<info><(?P=p)SignedInfo>",
        blank,
        empty("CanonicalizationMethod", re.escape(EXCLUSIVE_C14N)),
        empty("SignatureMethod", f"(?P<method>{uri})"),
        opened("Reference", ' URI=""'),
        opened("Transforms"),
        empty("Transform", re.escape(ENVELOPED)),
        empty("Transform", re.escape(EXCLUSIVE_C14N)),
        closed("Transforms"),
        empty("DigestMethod", f"(?P<digest_method>{uri})"),
        leaf("DigestValue", "?P<digest>"),
        closed("Reference"),
        f"</(?P=p)SignedInfo>){blank}",
        leaf("SignatureValue", "?P<value>"),
        opened("KeyInfo"),
        opened("X509Data"),
        leaf("X509Certificate", "?P<certificate>"),
        f"(?:{leaf('X509Certificate')}){{0,{MAX_CERTIFICATES - 1}}}",
        closed("X509Data"),
        closed("KeyInfo"),
        "</(?P=p)Signature>",
    )
    return re.compile("".join(parts).encode("ascii"))


_PATTERN = pattern(blank=r"(?:\s|&#xD;)*", base64=r"[A-Za-z0-9+/=\s&#;]+", uri='[^"]+')
"""The strict profile, as the canonical form of a Signature."""

_ALONE = etree.XPath(
    "count(/*/ds:Signature) = 1"
    " and count(//ds:*) = count(/*/*[last()][self::ds:Signature]/descendant-or-self::ds:*)",
    namespaces={"ds": DSIG},
)


@dataclass(frozen=True, slots=True)
class UnverifiedSignature:
    """The claims of one signature."""

    element: etree._Element | None = field(repr=False)
    """Where it stands in the document; ``None`` when it was cut out of the bytes."""
    signed_info: bytes = field(repr=False)
    """The exclusive canonical form of SignedInfo: what the signature value is over."""
    algorithm: SignatureAlgorithm
    digest_algorithm: DigestAlgorithm
    digest: bytes
    value: bytes = field(repr=False)
    certificate_der: bytes = field(repr=False)


def check_document(root: etree._Element) -> None:
    """Refuse comments, processing instructions, ``xsi:`` and ``xml:`` attributes anywhere.

    The prolog and the epilog count too. Raises ``CommentOrPi``.
    """
    if _UNSEEN(root):
        raise CommentOrPi


def find(root: etree._Element) -> UnverifiedSignature:
    """Return the one signature of an envelope; raises ``profile.*`` errors for anything else."""
    if not _ALONE(root):
        diagnosis.explain_place(root)
    signature = root[-1]
    found = _PATTERN.fullmatch(canonical(signature))
    if found is None:
        diagnosis.explain(signature)
        raise SignaturePlace
    return claims(found, signature)


def claims(found: re.Match[bytes], element: etree._Element | None = None) -> UnverifiedSignature:
    """Return what a Signature claims, from its match with :func:`pattern`.

    Raises ``AlgorithmRefused``, ``ReferenceRefused``, ``SignaturePlace`` or ``KeyInfoRefused``.
    """
    return UnverifiedSignature(
        element=element,
        signed_info=_signed_info(found),
        algorithm=_algorithm(_SIGNATURES, found["method"]),
        digest_algorithm=_algorithm(_DIGESTS, found["digest_method"]),
        digest=_decoded(found["digest"], ReferenceRefused),
        value=_decoded(found["value"], SignaturePlace),
        certificate_der=_certificate(found["certificate"]),
    )


def _signed_info(found: re.Match[bytes]) -> bytes:
    """As an apex of its own, SignedInfo carries the namespace declaration of its parent."""
    info, start = found["info"], len(found["p"]) + len("<SignedInfo")
    return info[:start] + found["ns"] + info[start:]


A = TypeVar("A")


def _algorithm(known: Mapping[bytes, A], uri: bytes) -> A:
    algorithm = known.get(uri)
    if algorithm is None:
        raise AlgorithmRefused(value=diagnosis.shown(uri.decode("utf-8")))
    return algorithm


@lru_cache(maxsize=4096)
def _certificate(text: bytes) -> bytes:
    """Senders sign with few certificates: each spelling of one is decoded once."""
    return _decoded(text, KeyInfoRefused)


def _decoded(text: bytes, error: type[HubError]) -> bytes:
    """Base64 with white space (RFC 4648 §4) and nothing else; bits behind the end must be zero."""
    packed = b"".join(text.replace(b"&#xD;", b"").split())
    try:
        data = binascii.a2b_base64(packed, strict_mode=True)
    except binascii.Error as wrong:
        raise error("base64") from wrong
    last = data[(len(data) - 1) // 3 * 3 :]
    if not data or not packed.endswith(binascii.b2a_base64(last, newline=False)):
        raise error("base64")
    return data
