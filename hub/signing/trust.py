"""Trust: which certificate may sign for which agency, at which time.

Path building and revocation follow RFC 5280 through pyhanko-certvalidator, from what is loaded here
only: nothing is ever fetched. Judging a certificate costs milliseconds once; after that it is a
dictionary look-up and a few comparisons until the chain or a revocation list runs out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hub.codes import AgencyCode
from hub.envelope import sha256_hex
from hub.errors import KeyUnreadable, NotInDate, SignerMismatch, Unregistered
from hub.signing.algorithms import PublicKey
from hub.signing.certpath import PathFinder, check_usage, load, strong_key
from hub.signing.policy import STRICT_V1, Policy

MAX_JUDGED = 10_000
"""Certificates whose judgement is remembered; beyond it the memory starts anew."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A certificate that an agency may sign with during a time; several may overlap."""

    agency: AgencyCode
    certificate_der: bytes = field(repr=False)
    valid_from: datetime
    valid_to: datetime | None = None
    retired_at: datetime | None = None

    def covers(self, at: datetime) -> bool:
        """Whether the registration holds at that time."""
        ends = [end for end in (self.valid_to, self.retired_at) if end is not None]
        return self.valid_from <= at and all(at < end for end in ends)


@dataclass(frozen=True, slots=True)
class Represents:
    """A gateway may sign for an agency during a time."""

    gateway: AgencyCode
    agency: AgencyCode
    valid_from: datetime
    valid_to: datetime | None = None

    def covers(self, at: datetime) -> bool:
        """Whether the row holds at that time."""
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)


@dataclass(frozen=True, slots=True)
class TrustMaterial:
    """Everything that certificates are judged by, as plain data (DER)."""

    anchors: tuple[bytes, ...] = field(repr=False)
    intermediates: tuple[bytes, ...] = field(default=(), repr=False)
    crls: tuple[bytes, ...] = field(default=(), repr=False)
    registrations: tuple[Registration, ...] = ()
    represents: tuple[Represents, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Other codes of an agency → the canonical code that its certificates are registered for."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A certificate that chains to an anchor, with the time for which that was found."""

    sha256: str
    key: PublicKey = field(repr=False)
    since: datetime
    until: datetime
    """Within ``since`` … ``until``, both included, the chain is in date, no list runs out and no
    listed revocation takes hold: the judgement stays the same."""
    revocation: Literal["good", "unknown"]


class TrustStore:
    """Judges certificates against one :class:`TrustMaterial` under one policy; immutable."""

    def __init__(self, material: TrustMaterial, policy: Policy = STRICT_V1) -> None:
        self._material = material
        self._policy = policy
        self._judged: dict[bytes, Standing] = {}
        self._registered: dict[str, list[Registration]] = {}
        for row in material.registrations:
            self._registered.setdefault(sha256_hex(row.certificate_der), []).append(row)
        self._gateways: dict[AgencyCode, list[Represents]] = {}
        for represents in material.represents:
            self._gateways.setdefault(represents.agency, []).append(represents)
        self._finder = PathFinder(material.anchors, material.intermediates, material.crls)
        self._ends = self._finder.ends_of_lists()

    def judge(self, certificate_der: bytes, at: datetime) -> Standing:
        """Return the standing of a certificate at a time.

        Raises ``UnknownIssuer``, ``NotInDate``, ``Revoked``, ``RevocationUnknown`` (under the
        policy ``refuse``), ``KeyUsageRefused``, ``WeakKey``, ``KeyInfoRefused`` (no certificate).
        """
        known = self._judged.get(certificate_der)
        if known is not None and known.since <= at <= known.until:
            return known
        standing = self._judge(certificate_der, at)
        if len(self._judged) >= MAX_JUDGED:
            self._judged.clear()
        self._judged[certificate_der] = standing
        return standing

    def authorise(self, standing: Standing, sender: AgencyCode, at: datetime) -> AgencyCode | None:
        """Check that the certificate may sign for ``sender``; return the gateway, if one signed.

        Raises ``Unregistered``, ``NotInDate`` (registration has ended) or ``SignerMismatch``.
        """
        rows = self._registered.get(standing.sha256)
        if not rows:
            raise Unregistered
        canonical = self._canonical(sender)
        own = [row for row in rows if row.agency == canonical]
        if any(row.covers(at) for row in own):
            return None
        if own:
            raise NotInDate("registration")
        signers = {row.agency for row in rows if row.covers(at)}
        for represents in self._gateways.get(canonical, ()):
            if represents.gateway in signers and represents.covers(at):
                return represents.gateway
        raise SignerMismatch(sender=sender)

    def certificates_of(self, agency: AgencyCode, at: datetime) -> frozenset[str]:
        """Return the SHA-256 of every certificate that may sign for ``agency`` at that time."""
        canonical = self._canonical(agency)
        return frozenset(
            sha256
            for sha256, rows in self._registered.items()
            if any(row.agency == canonical and row.covers(at) for row in rows)
        )

    def _canonical(self, code: AgencyCode) -> AgencyCode:
        other = self._material.aliases.get(code.value)
        return AgencyCode.parse(other) if other else code

    def _judge(self, der: bytes, at: datetime) -> Standing:
        certificate = load(der)
        key = strong_key(certificate, self._policy)
        check_usage(certificate)
        chain = self._finder.find(der, at, self._policy)
        stale = [end + datetime.resolution for end in self._ends if end < at]
        fresh = [end for end in self._ends if end >= at]
        return Standing(
            sha256=sha256_hex(der),
            key=key,
            since=max([chain.since, *stale]),
            until=min([chain.until, *fresh]),
            revocation="good" if chain.checked else "unknown",
        )


def material_from_folder(
    pki: Path,
) -> tuple[tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]]:
    """Read ``anchors``, ``intermediates`` (``*.pem``) and ``crls`` (``*.pem``, ``*.crl``) as DER.

    A file may hold several certificates. Raises ``KeyUnreadable`` naming the file.
    """
    anchors = [der for file in sorted(pki.glob("anchors/*.pem")) for der in _certificates(file)]
    between = [der for f in sorted(pki.glob("intermediates/*.pem")) for der in _certificates(f)]
    crls = [_crl(file) for file in sorted(pki.glob("crls/*")) if file.suffix in (".pem", ".crl")]
    return tuple(anchors), tuple(between), tuple(crls)


def _certificates(file: Path) -> list[bytes]:
    try:
        found = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as error:
        raise KeyUnreadable(file=str(file), reason=str(error)[:160]) from error
    return [certificate.public_bytes(Encoding.DER) for certificate in found]


def _crl(file: Path) -> bytes:
    try:
        data = file.read_bytes()
        pem = data.lstrip().startswith(b"-----BEGIN")
        crl = x509.load_pem_x509_crl(data) if pem else x509.load_der_x509_crl(data)
    except (OSError, ValueError) as error:
        raise KeyUnreadable(file=str(file), reason=str(error)[:160]) from error
    return crl.public_bytes(Encoding.DER)
