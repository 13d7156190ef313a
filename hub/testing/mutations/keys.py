"""Attacks by KeyInfo and by certificates: whose key, which chain, what is bound."""

from __future__ import annotations

import base64
from datetime import timedelta

from cryptography.hazmat.primitives.serialization import Encoding

from hub.envelope import DSIG
from hub.signing import algorithms
from hub.signing.keys import SigningKey
from hub.testing.mutations.base import Apply, Mutation, key_of, mutation, sender_of
from hub.testing.mutations.forge import Recipe, forge, forged, x509_data
from hub.testing.pki import TestPki

KEY_INFO = "profile.key_info"
_DAY = timedelta(days=1)


def _key_info(name: str, inside: str) -> Mutation:
    """``{own}`` stands for the sender's X509Data, ``{der}`` for its certificate."""

    def apply(raw: bytes, pki: TestPki) -> bytes:
        der = key_of(raw, pki).certificate_der
        shown = inside.format(own=x509_data(der), der=base64.b64encode(der).decode())
        return forge(raw, key_of(raw, pki), Recipe(key_info=shown))

    return mutation(name, apply, KEY_INFO)


def other_agency(raw: bytes, pki: TestPki) -> SigningKey:
    """Return the key of an agency that is not the sender."""
    mine = sender_of(raw)
    others = sorted(code for code in pki.keys if code != mine)
    if not others:
        raise LookupError("a second agency")
    return pki.agency(others[0])


def _attacker(raw: bytes, pki: TestPki) -> SigningKey:
    return pki.key(sender_of(raw), "p256", issuer=pki.attacker)


def _authority(_raw: bytes, pki: TestPki) -> SigningKey:
    ca = pki.issuing
    return SigningKey(ca.key, ca.certificate, algorithms.default_for(ca.key))


def _made(kind: str = "p256", **faults: object) -> Apply:
    """Sign with a certificate of the right CA, in the sender's name, with a fault."""

    def key(raw: bytes, pki: TestPki) -> SigningKey:
        return pki.key(sender_of(raw), kind, **faults)  # type: ignore[arg-type]  # handed through

    return forged(key=key)


def _with_attackers_chain(raw: bytes, pki: TestPki) -> bytes:
    """The attacker sends the CA along: nothing in KeyInfo is an anchor."""
    key = _attacker(raw, pki)
    chain = x509_data(key.certificate_der, pki.attacker.der)
    return forge(raw, key, Recipe(key_info=chain))


def _two_certificates(raw: bytes, pki: TestPki) -> bytes:
    """The other agency's certificate stands first, the signer's second."""
    chain = x509_data(other_agency(raw, pki).certificate_der, key_of(raw, pki).certificate_der)
    return forge(raw, key_of(raw, pki), Recipe(key_info=chain))


def _certificate_swapped(raw: bytes, pki: TestPki) -> bytes:
    shown = x509_data(other_agency(raw, pki).certificate_der)
    return forge(raw, key_of(raw, pki), Recipe(key_info=shown))


def _bound_to_other(raw: bytes, pki: TestPki) -> bytes:
    other = other_agency(raw, pki).certificate_sha256
    return forge(raw, key_of(raw, pki), Recipe(bound=other))


def _pem_inside(raw: bytes, pki: TestPki) -> bytes:
    pem = key_of(raw, pki).certificate.public_bytes(Encoding.PEM).decode()
    data = f"<ds:X509Data><ds:X509Certificate>{pem}</ds:X509Certificate></ds:X509Data>"
    return forge(raw, key_of(raw, pki), Recipe(key_info=data))


_VALUE = (
    "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus>"
    "<ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
)
_SERIAL = (
    "<ds:X509IssuerSerial><ds:X509IssuerName>CN=x</ds:X509IssuerName>"
    "<ds:X509SerialNumber>1</ds:X509SerialNumber></ds:X509IssuerSerial>"
)
_CERTIFICATE = "<ds:X509Certificate>{der}</ds:X509Certificate>"
_GARBAGE = "<ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data>"
_RETRIEVAL = f'<ds:RetrievalMethod URI="http://198.51.100.1/key" Type="{DSIG}X509Data"/>'

MUTATIONS: tuple[Mutation, ...] = (
    mutation("no KeyInfo", forged(Recipe(key_info="")), KEY_INFO),
    _key_info("KeyValue only", _VALUE),
    _key_info("KeyValue beside the certificate", "{own}" + _VALUE),
    _key_info("KeyName", "<ds:KeyName>H12.15</ds:KeyName>"),
    _key_info("RetrievalMethod", _RETRIEVAL),
    _key_info("two X509Data", "{own}{own}"),
    _key_info("X509Data empty", "<ds:X509Data/>"),
    _key_info("X509IssuerSerial in front", f"<ds:X509Data>{_SERIAL}{_CERTIFICATE}</ds:X509Data>"),
    _key_info("certificate with Id",
              '<ds:X509Data><ds:X509Certificate Id="x">{der}</ds:X509Certificate></ds:X509Data>'),
    _key_info("six certificates", f"<ds:X509Data>{_CERTIFICATE * 6}</ds:X509Data>"),
    _key_info("certificate is not base64", _GARBAGE.format("%%%%")),
    _key_info("certificate is not one", _GARBAGE.format("AAAA")),
    mutation("certificate as PEM", _pem_inside, KEY_INFO),
    mutation("two KeyInfo", forged(Recipe(after_key_info="<ds:KeyInfo/>")), KEY_INFO),
    mutation("certificate of another agency shown", _certificate_swapped,
             "signature.value_mismatch", "profile.algorithm"),
    mutation("certificate of another agency first", _two_certificates,
             "signature.value_mismatch", "profile.algorithm"),
    mutation("attacker's certificate", forged(key=_attacker), "trust.unknown_issuer"),
    mutation("attacker's certificate and CA", _with_attackers_chain, "trust.unknown_issuer"),
    mutation("other agency's key", forged(key=other_agency), "trust.signer_mismatch"),
    mutation("certificate that nobody registered", _made(), "trust.unregistered"),
    mutation("expired certificate", _made(begins=-20 * _DAY, ends=-_DAY), "trust.not_in_date"),
    mutation("certificate of tomorrow", _made(begins=_DAY), "trust.not_in_date"),
    mutation("certificate without digitalSignature", _made(signing=False), "trust.key_usage"),
    mutation("CA's own certificate", forged(key=_authority), "trust.key_usage"),
    mutation("RSA-1024", _made("rsa1024"), "trust.weak_key"),
    mutation("curve P-521", _made("p521"), "trust.weak_key"),
    mutation("bound to another certificate", _bound_to_other, "trust.certificate_binding"),
    mutation("bound to none", forged(Recipe(bound=None)), "trust.certificate_binding"),
    mutation("bound in capitals", lambda raw, pki: forge(
        raw, key_of(raw, pki), Recipe(bound=key_of(raw, pki).certificate_sha256.upper())),
        "trust.certificate_binding"),
)  # fmt: skip
