"""Allow-lists of the profile: signature, digest and canonicalisation algorithms by their URIs.

Sources: XML Signature 1.1 §6, RFC 4051, RFC 9231 (algorithm URIs). What is not listed is refused;
SHA-1, MD5, HMAC and DSA are not listed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from hub.errors import AlgorithmRefused, ValueMismatch

ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
EXCLUSIVE_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"

_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_MORE_2007 = "http://www.w3.org/2007/05/xmldsig-more#"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


class DigestAlgorithm(Enum):
    """Digests of a reference, by URI."""

    SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
    SHA384 = "http://www.w3.org/2001/04/xmldsig-more#sha384"
    SHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"

    def digest(self, data: bytes) -> bytes:
        """Return the raw digest of ``data``."""
        return _DIGESTS[self](data).digest()


_DIGESTS: dict[DigestAlgorithm, Callable[[bytes], hashlib._Hash]] = {
    DigestAlgorithm.SHA256: hashlib.sha256,
    DigestAlgorithm.SHA384: hashlib.sha384,
    DigestAlgorithm.SHA512: hashlib.sha512,
}


class SignatureAlgorithm(Enum):
    """Signatures over SignedInfo, by URI."""

    RSA_SHA256 = _MORE + "rsa-sha256"
    RSA_SHA384 = _MORE + "rsa-sha384"
    RSA_SHA512 = _MORE + "rsa-sha512"
    RSA_PSS_SHA256 = _MORE_2007 + "sha256-rsa-MGF1"
    RSA_PSS_SHA384 = _MORE_2007 + "sha384-rsa-MGF1"
    RSA_PSS_SHA512 = _MORE_2007 + "sha512-rsa-MGF1"
    ECDSA_SHA256 = _MORE + "ecdsa-sha256"
    ECDSA_SHA384 = _MORE + "ecdsa-sha384"
    ECDSA_SHA512 = _MORE + "ecdsa-sha512"


@dataclass(frozen=True, slots=True)
class _Scheme:
    """How one signature algorithm is computed."""

    hash: HashAlgorithm
    padding: padding.PSS | padding.PKCS1v15 | None = None
    """RSA padding; ``None`` for ECDSA."""


def _pss(digest: HashAlgorithm) -> _Scheme:
    """RSA-PSS with a salt as long as the digest (RFC 9231 §2.3.9)."""
    return _Scheme(digest, padding.PSS(padding.MGF1(digest), digest.digest_size))


def _pkcs1(digest: HashAlgorithm) -> _Scheme:
    return _Scheme(digest, padding.PKCS1v15())


_SCHEMES = {
    SignatureAlgorithm.RSA_SHA256: _pkcs1(SHA256()),
    SignatureAlgorithm.RSA_SHA384: _pkcs1(SHA384()),
    SignatureAlgorithm.RSA_SHA512: _pkcs1(SHA512()),
    SignatureAlgorithm.RSA_PSS_SHA256: _pss(SHA256()),
    SignatureAlgorithm.RSA_PSS_SHA384: _pss(SHA384()),
    SignatureAlgorithm.RSA_PSS_SHA512: _pss(SHA512()),
    SignatureAlgorithm.ECDSA_SHA256: _Scheme(SHA256()),
    SignatureAlgorithm.ECDSA_SHA384: _Scheme(SHA384()),
    SignatureAlgorithm.ECDSA_SHA512: _Scheme(SHA512()),
}


def default_for(key: PrivateKey) -> SignatureAlgorithm:
    """Return the algorithm we sign with: RSA-SHA256, or ECDSA with the curve's usual digest."""
    if isinstance(key, rsa.RSAPrivateKey):
        return SignatureAlgorithm.RSA_SHA256
    large = key.curve.key_size > 256  # noqa: PLR2004  P-256 signs SHA-256, larger curves SHA-384
    return SignatureAlgorithm.ECDSA_SHA384 if large else SignatureAlgorithm.ECDSA_SHA256


def _octets(key: ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey) -> int:
    return (key.curve.key_size + 7) // 8


def sign(key: PrivateKey, algorithm: SignatureAlgorithm, data: bytes) -> bytes:
    """Return the signature value as XMLDSig carries it: for ECDSA ``r || s`` (RFC 4050 §3.3)."""
    scheme = _SCHEMES[algorithm]
    if isinstance(key, rsa.RSAPrivateKey) and scheme.padding is not None:
        return key.sign(data, scheme.padding, scheme.hash)
    if isinstance(key, ec.EllipticCurvePrivateKey) and scheme.padding is None:
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(scheme.hash)))
        width = _octets(key)
        return r.to_bytes(width, "big") + s.to_bytes(width, "big")
    raise AlgorithmRefused("does not fit the key", value=algorithm.value)


def verify(key: PublicKey, algorithm: SignatureAlgorithm, data: bytes, value: bytes) -> None:
    """Check a signature value; raises ``AlgorithmRefused`` (wrong key) or ``ValueMismatch``."""
    scheme = _SCHEMES[algorithm]
    try:
        if isinstance(key, rsa.RSAPublicKey) and scheme.padding is not None:
            key.verify(value, data, scheme.padding, scheme.hash)
        elif isinstance(key, ec.EllipticCurvePublicKey) and scheme.padding is None:
            key.verify(_der(key, value), data, ec.ECDSA(scheme.hash))
        else:
            raise AlgorithmRefused("does not fit the key", value=algorithm.value)
    except InvalidSignature as error:
        raise ValueMismatch from error


def _der(key: ec.EllipticCurvePublicKey, value: bytes) -> bytes:
    width = _octets(key)
    if len(value) != 2 * width:
        raise ValueMismatch("ECDSA value has the wrong length")
    return encode_dss_signature(
        int.from_bytes(value[:width], "big"), int.from_bytes(value[width:], "big")
    )
