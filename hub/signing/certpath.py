"""Chains of certificates (RFC 5280) through pyhanko-certvalidator, from local material only.

The certificates judged here come from strangers: whatever the libraries make of a broken one ends
as a ``trust.*`` or ``profile.key_info`` error, never as an exception of theirs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pyhanko_certvalidator import CertificateValidator, ValidationContext, errors

from hub.errors import (
    HubError,
    KeyInfoRefused,
    KeyUsageRefused,
    NotInDate,
    RevocationUnknown,
    Revoked,
    UnknownIssuer,
    WeakKey,
)
from hub.signing.algorithms import PublicKey
from hub.signing.policy import Policy

FOREVER = datetime.max.replace(tzinfo=UTC)
_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)
"""What the ASN.1 reader raises, lazily and anywhere, on a certificate of broken parts."""
_NO_PATH = (errors.PathError, errors.ValidationError)


@dataclass(frozen=True, slots=True)
class Chain:
    """A certificate up to its anchor, and what the loaded revocation lists say of it."""

    certificates: tuple[asn1.Certificate, ...] = field(repr=False)
    checked: bool
    """Fresh lists told the state of every certificate below the anchor."""
    revocations: tuple[datetime, ...]
    """When certificates of the chain are listed as revoked; all lie after the time of judging."""

    @property
    def since(self) -> datetime:
        """When the youngest certificate began."""
        begins: list[datetime] = [one.not_valid_before for one in self.certificates]
        return max(begins)

    @property
    def until(self) -> datetime:
        """When the first certificate ends or the first listed revocation takes hold."""
        ends: list[datetime] = [one.not_valid_after for one in self.certificates]
        return min([*ends, *(date - datetime.resolution for date in self.revocations)])


class PathFinder:
    """Builds chains to the anchors it was given; it has no way to fetch anything."""

    def __init__(
        self, anchors: Sequence[bytes], between: Sequence[bytes], crls: Sequence[bytes]
    ) -> None:
        self._anchors = [asn1.Certificate.load(der) for der in anchors]
        self._between = [asn1.Certificate.load(der) for der in between]
        self._crls = list(crls)
        self._lists = [x509.load_der_x509_crl(der) for der in crls]

    def ends_of_lists(self) -> tuple[datetime, ...]:
        """Return when each revocation list runs out; a list without an end never does."""
        return tuple(one.next_update_utc or FOREVER for one in self._lists)

    def find(self, der: bytes, at: datetime, policy: Policy) -> Chain:
        """Return the chain of a certificate at a time.

        Raises ``UnknownIssuer``, ``NotInDate``, ``Revoked``, ``RevocationUnknown`` (under the
        policy ``refuse``), ``KeyUsageRefused`` or ``WeakKey``; ``ValueError`` for a naive time.
        """
        if at.tzinfo is None:
            raise ValueError("a naive time")
        try:
            return self._find(der, at, policy)
        except _NO_PATH as error:
            raise _translated(error) from error
        except _UNREADABLE as error:
            raise UnknownIssuer(f"unreadable: {type(error).__name__}") from error

    def _find(self, der: bytes, at: datetime, policy: Policy) -> Chain:
        checked = True
        try:
            path = self._path(der, at, require=True)
        except errors.InsufficientRevinfoError:
            checked, path = False, self._path(der, at, require=False)
        if len(path) > policy.max_chain:
            raise UnknownIssuer(f"chain of {len(path)}")
        if path[-1].not_valid_after < at or at < path[-1].not_valid_before:
            raise NotInDate("anchor")
        dates = self._revocations(path)
        if any(date <= at for date in dates):
            raise Revoked
        if not checked and policy.revocation_unknown == "refuse":
            raise RevocationUnknown
        return Chain(tuple(path), checked, tuple(dates))

    def _path(self, der: bytes, at: datetime, *, require: bool) -> list[asn1.Certificate]:
        """The chain, the certificate itself first. Retroactive: a list newer than ``at`` counts."""
        context = ValidationContext(
            trust_roots=self._anchors,
            other_certs=self._between,
            moment=at,
            allow_fetching=False,
            crls=self._crls,
            revocation_mode="require" if require else "soft-fail",
            retroactive_revinfo=True,
            time_tolerance=timedelta(0),
        )
        validator = CertificateValidator(asn1.Certificate.load(der), validation_context=context)
        usage = validator.async_validate_usage({"digital_signature"})  # type: ignore[no-untyped-call]  # untyped in the library
        return list(reversed(list(asyncio.run(usage).iter_certs(include_root=True))))

    def _revocations(self, path: Sequence[asn1.Certificate]) -> list[datetime]:
        """Dates at which lists signed by the chain's own authorities revoke its certificates.

        Stale lists count: what was revoked once stays so, whoever forgets to renew the list.
        """
        return [
            entry.revocation_date_utc
            for certificate, issuer in pairwise(path)
            for known in self._lists_of(x509.load_der_x509_certificate(issuer.dump()))
            if (entry := known.get_revoked_certificate_by_serial_number(certificate.serial_number))
        ]

    def _lists_of(self, issuer: x509.Certificate) -> list[x509.CertificateRevocationList]:
        key = issuer.public_key()
        return [
            one
            for one in self._lists
            if one.issuer == issuer.subject
            and isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
            and one.is_signature_valid(key)
        ]


def _translated(error: Exception) -> HubError:
    text = " ".join(str(error).split())[:200]
    if isinstance(error, errors.RevokedError):
        return Revoked(text)
    if isinstance(error, errors.ExpiredError | errors.NotYetValidError):
        return NotInDate(text)
    if isinstance(error, errors.DisallowedAlgorithmError):
        return WeakKey(text)
    if isinstance(error, errors.InvalidCertificateError):
        return KeyUsageRefused(text)
    return UnknownIssuer(text)


def load(der: bytes) -> x509.Certificate:
    """Return a stranger's certificate; raises ``KeyInfoRefused`` when it is none."""
    try:
        return x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion) as error:
        raise KeyInfoRefused("not an X.509 certificate") from error


def public_key(certificate: x509.Certificate, policy: Policy) -> PublicKey:
    """Return an RSA key that is not too large, or an EC key; raises ``WeakKey``.

    Enough to check a signature value with; :func:`strong_key` asks the rest of the policy.
    """
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise WeakKey("unknown kind of key") from error
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key
    if isinstance(key, rsa.RSAPublicKey) and key.key_size <= policy.max_rsa_bits:
        return key
    raise WeakKey(type(key).__name__)


def strong_key(certificate: x509.Certificate, policy: Policy) -> PublicKey:
    """Return the certificate's key if its size or curve is allowed; raises ``WeakKey``."""
    key = public_key(certificate, policy)
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < policy.min_rsa_bits:
            raise WeakKey(f"RSA {key.key_size}")
    elif key.curve.name not in policy.curves:
        raise WeakKey(key.curve.name)
    return key


def check_usage(certificate: x509.Certificate) -> None:
    """Ask for an end entity with digitalSignature; raises ``KeyUsageRefused``.

    A missing key usage is not a yes; missing basic constraints mean an end entity.
    """
    try:
        extensions = certificate.extensions
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension) as error:
        raise KeyUsageRefused("no readable key usage") from error
    except x509.UnsupportedGeneralNameType as error:
        raise KeyUsageRefused("unreadable name") from error
    if not usage.digital_signature:
        raise KeyUsageRefused
    try:
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return
    if constraints.ca:
        raise KeyUsageRefused("CA certificate")
