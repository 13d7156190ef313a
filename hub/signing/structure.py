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

_BLANK = r"(?:\s|&#xD;)*"


def _open(name: str, attributes: str = "") -> str:
    return f"<(?P=p){name}{attributes}>{_BLANK}"


def _close(name: str) -> str:
    return f"</(?P=p){name}>{_BLANK}"


def _empty(name: str, algorithm: str) -> str:
    return f'<(?P=p){name} Algorithm="{algorithm}"></(?P=p){name}>{_BLANK}'


def _leaf(name: str, group: str = "?:") -> str:
    return f"<(?P=p){name}>({group}[A-Za-z0-9+/=\\s&#;]+)</(?P=p){name}>{_BLANK}"


_PATTERN = re.compile(
    "".join(
        (
            r"<(?P<p>(?:[\w.-]+:)?)Signature",
            f'(?P<ns> xmlns(?::[\\w.-]+)?="{re.escape(DSIG)}")>{_BLANK}',
            r"(?P<info><(?P=p)SignedInfo>",
            _BLANK,
            _empty("CanonicalizationMethod", re.escape(EXCLUSIVE_C14N)),
            _empty("SignatureMethod", r'(?P<method>[^"]+)'),
            _open("Reference", ' URI=""'),
            _open("Transforms"),
            _empty("Transform", re.escape(ENVELOPED)),
            _empty("Transform", re.escape(EXCLUSIVE_C14N)),
            _close("Transforms"),
            _empty("DigestMethod", r'(?P<digest_method>[^"]+)'),
            _leaf("DigestValue", "?P<digest>"),
            _close("Reference"),
            f"</(?P=p)SignedInfo>){_BLANK}",
            _leaf("SignatureValue", "?P<value>"),
            _open("KeyInfo"),
            _open("X509Data"),
            _leaf("X509Certificate", "?P<certificate>"),
            f"(?:{_leaf('X509Certificate')}){{0,{MAX_CERTIFICATES - 1}}}",
            _close("X509Data"),
            _close("KeyInfo"),
            "</(?P=p)Signature>",
        )
    ).encode("ascii")
)
"""The strict profile, as the canonical form of a Signature."""

_ALONE = etree.XPath(
    "count(/*/ds:Signature) = 1"
    " and count(//ds:*) = count(/*/*[last()][self::ds:Signature]/descendant-or-self::ds:*)",
    namespaces={"ds": DSIG},
)


@dataclass(frozen=True, slots=True)
class UnverifiedSignature:
    """The claims of one signature."""

    element: etree._Element = field(repr=False)
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
    return UnverifiedSignature(
        element=signature,
        signed_info=_signed_info(found),
        algorithm=_algorithm(_SIGNATURES, found["method"]),
        digest_algorithm=_algorithm(_DIGESTS, found["digest_method"]),
        digest=_decoded(found["digest"], ReferenceRefused),
        value=_decoded(found["value"], SignaturePlace),
        certificate_der=_decoded(found["certificate"], KeyInfoRefused),
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


def _decoded(text: bytes, error: type[HubError]) -> bytes:
    """Base64 with white space (RFC 4648 §4) and nothing else; bits behind the end must be zero."""
    packed = b"".join(text.replace(b"&#xD;", b"").split())
    try:
        data = binascii.a2b_base64(packed, strict_mode=True)
    except binascii.Error as wrong:
        raise error("base64") from wrong
    if not data or binascii.b2a_base64(data, newline=False) != packed:
        raise error("base64")
    return data
