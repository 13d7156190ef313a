"""Private keys with their certificates, from PEM files and PKCS#12 containers (RFC 7292)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)

from hub.envelope import sha256_hex
from hub.errors import KeyMismatch, KeyUnreadable
from hub.signing import algorithms
from hub.signing.algorithms import PrivateKey, SignatureAlgorithm


@dataclass(frozen=True)
class SigningKey:
    """A private key, its certificate and the algorithm that it signs with."""

    private: PrivateKey = field(repr=False)
    certificate: x509.Certificate = field(repr=False)
    algorithm: SignatureAlgorithm
    chain: tuple[bytes, ...] = field(default=(), repr=False)
    """Further certificates (DER) to send along, the issuer's first; may be empty."""

    @cached_property
    def certificate_der(self) -> bytes:
        """The certificate in DER."""
        return self.certificate.public_bytes(Encoding.DER)

    @cached_property
    def certificate_sha256(self) -> str:
        """SHA-256 of the certificate's DER, lower-case hex: the header's SignerCertificate."""
        return sha256_hex(self.certificate_der)

    def sign(self, data: bytes) -> bytes:
        """Return the signature value of ``data`` as XMLDSig carries it."""
        return algorithms.sign(self.private, self.algorithm, data)


def load_pem(key_path: Path, cert_path: Path, password: bytes | None = None) -> SigningKey:
    """Read a PEM key and a PEM certificate (with its chain behind it, if any).

    Raises ``KeyUnreadable`` naming the file, or ``KeyMismatch``.
    """
    try:
        private = load_pem_private_key(key_path.read_bytes(), password)
    except (OSError, ValueError, TypeError) as error:
        raise KeyUnreadable(file=str(key_path), reason=_reason(error)) from error
    try:
        certificates = x509.load_pem_x509_certificates(cert_path.read_bytes())
    except (OSError, ValueError) as error:
        raise KeyUnreadable(file=str(cert_path), reason=_reason(error)) from error
    return _paired(private, certificates, key_path)


def load_pkcs12(path: Path, password: bytes | None) -> SigningKey:
    """Read a PKCS#12 file; raises ``KeyUnreadable`` (wrong password too) or ``KeyMismatch``."""
    try:
        private, certificate, more = pkcs12.load_key_and_certificates(path.read_bytes(), password)
    except (OSError, ValueError, TypeError) as error:
        raise KeyUnreadable(file=str(path), reason=_reason(error)) from error
    if private is None or certificate is None:
        raise KeyUnreadable(file=str(path), reason="no key with a certificate inside")
    return _paired(private, [certificate, *more], path)


def _reason(error: Exception) -> str:
    """The library's words on one line; they never hold key material."""
    return " ".join(str(error).split())[:160] or type(error).__name__


def _paired(private: object, certificates: list[x509.Certificate], file: Path) -> SigningKey:
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise KeyUnreadable(file=str(file), reason="neither an RSA nor an EC key")
    certificate = certificates[0]
    if _public_bytes(certificate.public_key()) != _public_bytes(private.public_key()):
        raise KeyMismatch(file=str(file))
    chain = tuple(other.public_bytes(Encoding.DER) for other in certificates[1:])
    return SigningKey(private, certificate, algorithms.default_for(private), chain)


def _public_bytes(key: object) -> bytes:
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return b""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
