"""Verify envelopes: the only maker of a :class:`VerifiedEnvelope`.

The order is fixed: XML limits, profile, digest, signature value, trust, binding to the sender.
Whatever fails raises the leaf of ``hub.errors`` that says so; no URL is ever followed.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import InitVar, dataclass, field
from datetime import datetime

from lxml import etree

from hub import safexml
from hub.codes import AgencyCode, MessageId
from hub.envelope import NAMESPACE, sha256_hex
from hub.errors import (
    AlgorithmRefused,
    CertificateBinding,
    CodeMalformed,
    DigestMismatch,
    SchemaViolation,
)
from hub.signing import algorithms, as_signed, structure
from hub.signing.algorithms import PublicKey
from hub.signing.c14n import canonical
from hub.signing.certpath import load, public_key
from hub.signing.policy import STRICT_V1, Policy
from hub.signing.trust import TrustStore

ENVELOPE = f"{{{NAMESPACE}}}Envelope"
HEADER = f"{{{NAMESPACE}}}Header"
FROM = f"{{{NAMESPACE}}}From"
MESSAGE_ID = f"{{{NAMESPACE}}}MessageId"
SIGNER_CERTIFICATE = f"{{{NAMESPACE}}}SignerCertificate"
MAX_KEYS = 10_000
"""Public keys that are remembered by certificate; beyond it the memory starts anew."""

_MAKER = object()


@dataclass(frozen=True, slots=True)
class VerifiedEnvelope:
    """An envelope whose signature holds and whose signer may speak for its sender.

    ``root`` was parsed from the very bytes that the signature covers. Only :class:`Verifier` makes
    one: the last argument is a token that nobody else has, and that no envelope keeps, so that
    ``dataclasses.replace`` cannot change one either.
    """

    raw: bytes = field(repr=False)
    """The bytes as they arrived."""
    digest: str
    """SHA-256 of ``raw``, hex."""
    signed_bytes: bytes = field(repr=False)
    """The canonical form of everything but the signature."""
    root: etree._Element = field(repr=False)
    sender: AgencyCode
    message_id: MessageId | None
    """``None`` when the signed header holds no well-formed one; the schema will refuse it then."""
    signer_sha256: str
    by_gateway: AgencyCode | None
    """The gateway that signed for the sender, if one did."""
    verified_at: datetime
    maker: InitVar[object] = None

    def __post_init__(self, maker: object) -> None:
        if maker is not _MAKER:
            msg = "only hub.signing.verifier.Verifier makes a VerifiedEnvelope"
            raise TypeError(msg)


class Verifier:
    """Judges signed bytes against one trust store under one policy."""

    def __init__(self, trust: TrustStore, policy: Policy = STRICT_V1) -> None:
        self._trust = trust
        self._policy = policy
        self._keys: dict[bytes, PublicKey] = {}

    def verify(
        self, raw: bytes, *, at: datetime, parsed: Callable[[], object] | None = None
    ) -> VerifiedEnvelope:
        """Return what the signature covers, judged at the time ``at`` (aware).

        ``parsed`` is called once the XML is read, for whoever measures the two parts.

        Raises ``xml.*``, ``profile.*``, ``signature.*`` and ``trust.*`` errors, and
        ``SchemaViolation`` or ``CodeMalformed`` when the signed part names no one sender.
        """
        signature, signed, root = as_signed.read(raw) or _read(raw)
        if parsed is not None:
            parsed()
        self._check_algorithms(signature)
        if not hmac.compare_digest(signature.digest_algorithm.digest(signed), signature.digest):
            raise DigestMismatch
        key = self._key(signature.certificate_der)
        algorithms.verify(key, signature.algorithm, signature.signed_info, signature.value)
        standing = self._trust.judge(signature.certificate_der, at)
        covered = safexml.parse_canonical(signed) if root is None else root
        header = _header(covered)
        sender = _sender(header)
        by_gateway = self._trust.authorise(standing, sender, at)
        bound = list(header.iterchildren(SIGNER_CERTIFICATE))
        if len(bound) != 1 or (bound[0].text or "").strip() != standing.sha256:
            raise CertificateBinding
        return VerifiedEnvelope(
            raw=raw,
            digest=sha256_hex(raw),
            signed_bytes=signed,
            root=covered,
            sender=sender,
            message_id=_message_id(header),
            signer_sha256=standing.sha256,
            by_gateway=by_gateway,
            verified_at=at,
            maker=_MAKER,
        )

    def _check_algorithms(self, signature: structure.UnverifiedSignature) -> None:
        if signature.algorithm not in self._policy.signatures:
            raise AlgorithmRefused(value=signature.algorithm.value)
        if signature.digest_algorithm not in self._policy.digests:
            raise AlgorithmRefused(value=signature.digest_algorithm.value)

    def _key(self, certificate_der: bytes) -> PublicKey:
        """The public key of a certificate that nobody has judged yet."""
        key = self._keys.get(certificate_der)
        if key is None:
            key = public_key(load(certificate_der), self._policy)
            if len(self._keys) >= MAX_KEYS:
                self._keys.clear()
            self._keys[certificate_der] = key
        return key


def _read(raw: bytes) -> tuple[structure.UnverifiedSignature, bytes, None]:
    """Read any envelope: the claims of its signature, and the canonical form of the rest."""
    root = safexml.parse(raw)
    structure.check_document(root)
    signature = structure.find(root)
    if signature.element is not None:
        _take_out(root, signature.element)
    return signature, canonical(root), None


def _take_out(root: etree._Element, signature: etree._Element) -> None:
    """The enveloped-signature transform: the element goes, the text behind it stays."""
    tail, before = signature.tail, signature.getprevious()
    if tail:
        if before is None:
            root.text = (root.text or "") + tail
        else:
            before.tail = (before.tail or "") + tail
    root.remove(signature)


def _header(root: etree._Element) -> etree._Element:
    if root.tag != ENVELOPE:
        raise SchemaViolation(reason=f"root {etree.QName(root).localname[:60]}")
    headers = list(root.iterchildren(HEADER))
    if len(headers) != 1 or root[0] is not headers[0]:
        raise SchemaViolation(reason=f"{len(headers)} Header")
    return headers[0]


def _sender(header: etree._Element) -> AgencyCode:
    senders = list(header.iterchildren(FROM))
    if len(senders) != 1:
        raise SchemaViolation(reason=f"{len(senders)} From")
    return AgencyCode.parse(senders[0].get("code", ""))


def _message_id(header: etree._Element) -> MessageId | None:
    found = list(header.iterchildren(MESSAGE_ID))
    try:
        return MessageId.parse((found[0].text or "").strip()) if len(found) == 1 else None
    except CodeMalformed:
        return None
