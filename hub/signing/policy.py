"""Named, frozen signature policies. There is one for envelopes, and it is strict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hub.signing.algorithms import DigestAlgorithm, SignatureAlgorithm


@dataclass(frozen=True, slots=True)
class Policy:
    """What a signature must be like to be believed."""

    name: str
    """Stable name, recorded with the verdict."""
    signatures: frozenset[SignatureAlgorithm]
    """Signature algorithms that are accepted."""
    digests: frozenset[DigestAlgorithm]
    """Digest algorithms that are accepted for the reference."""
    min_rsa_bits: int
    """Smallest RSA modulus, in bits."""
    max_rsa_bits: int
    """Largest RSA modulus, in bits: verification time grows with it."""
    curves: frozenset[str]
    """Elliptic curves by their names in ``cryptography``."""
    revocation_unknown: Literal["refuse", "accept"]
    """What to do when no revocation list can tell whether a certificate is revoked."""
    max_chain: int = 5
    """Certificates from the signer's to the anchor, both included."""


STRICT_V1 = Policy(
    name="strict-v1",
    signatures=frozenset(SignatureAlgorithm),
    digests=frozenset(DigestAlgorithm),
    min_rsa_bits=2048,
    max_rsa_bits=8192,
    curves=frozenset({"secp256r1", "secp384r1"}),
    revocation_unknown="refuse",
)
"""The profile of envelopes, version 1 (architecture §4)."""
