"""A throw-away test PKI: root, issuing CA, agencies' certificates, revocation lists, an attacker.

Keys made here protect nothing. ``build`` writes a home's ``pki/`` folder; ``TestPki`` keeps
everything in memory for tests.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from hub.codes import AgencyCode
from hub.signing import algorithms
from hub.signing.algorithms import PrivateKey
from hub.signing.keys import SigningKey
from hub.signing.trust import Registration, TrustMaterial

YEAR = timedelta(days=365)


def new_key(kind: str = "rsa2048") -> PrivateKey:
    """Make a key: ``rsa<bits>``, ``p256``, ``p384`` or ``p521``."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:]))
    curves = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}
    return ec.generate_private_key(curves[kind])


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "PKI thử nghiệm - không có giá trị"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


@dataclass
class Authority:
    """A certification authority of the test PKI."""

    key: PrivateKey = field(repr=False)
    certificate: x509.Certificate = field(repr=False)
    revoked: list[x509.Certificate] = field(default_factory=list, repr=False)

    @property
    def der(self) -> bytes:
        """The authority's certificate in DER."""
        return self.certificate.public_bytes(Encoding.DER)

    @classmethod
    def root(cls, common: str, now: datetime) -> Authority:
        """Make a self-signed root that began a year ago and lasts ten."""
        key = new_key("p256")
        return cls(key, _certificate(common, key, None, now - YEAR, now + 10 * YEAR, ca=1))

    def subordinate(self, common: str, now: datetime) -> Authority:
        """Make an issuing CA below this one."""
        key = new_key("p256")
        return Authority(key, _certificate(common, key, self, now - YEAR, now + 5 * YEAR, ca=0))

    def issue(
        self,
        common: str,
        key: PrivateKey,
        begins: datetime,
        ends: datetime,
        *,
        signing: bool = True,
    ) -> x509.Certificate:
        """Issue an end entity's certificate; without ``signing`` it lacks digitalSignature."""
        return _certificate(common, key, self, begins, ends, signing=signing)

    def crl(self, now: datetime, lifetime: timedelta = YEAR) -> bytes:
        """Return the authority's revocation list in DER."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now - timedelta(hours=1))
            .next_update(now + lifetime)
            .add_extension(x509.CRLNumber(1), critical=False)
            .add_extension(_authority_key_id(self.certificate), critical=False)
        )
        for certificate in self.revoked:
            entry = (
                x509.RevokedCertificateBuilder()
                .serial_number(certificate.serial_number)
                .revocation_date(now - timedelta(days=1))
                .build()
            )
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.DER)


def _authority_key_id(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    subject_key = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject_key)


def _usage(*, ca: bool, signing: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signing and not ca,
        content_commitment=not ca,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _certificate(
    common: str,
    key: PrivateKey,
    issuer: Authority | None,
    begins: datetime,
    ends: datetime,
    *,
    ca: int | None = None,
    signing: bool = True,
) -> x509.Certificate:
    """``ca``: the path length of an authority; ``None`` for an end entity."""
    public = key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(common))
        .issuer_name(issuer.certificate.subject if issuer else _name(common))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=ca is not None, path_length=ca), critical=True)
        .add_extension(_usage(ca=ca is not None, signing=signing), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    if issuer is not None:
        builder = builder.add_extension(_authority_key_id(issuer.certificate), critical=False)
    return builder.sign(issuer.key if issuer else key, SHA256())


@dataclass
class TestPki:
    """Root, issuing CA and agencies in memory; ``attacker`` is a root that nobody trusts."""

    now: datetime
    root: Authority
    issuing: Authority
    attacker: Authority
    keys: dict[str, SigningKey] = field(default_factory=dict)

    __test__ = False

    @classmethod
    def make(cls, codes: Iterable[str] = (), now: datetime | None = None) -> TestPki:
        """Make a PKI with an RSA-2048 key for each agency code."""
        moment = (now or datetime.now(UTC)).replace(microsecond=0)
        root = Authority.root("Gốc thử nghiệm", moment)
        issuing = root.subordinate("CA thử nghiệm", moment)
        pki = cls(moment, root, issuing, Authority.root("Gốc của kẻ tấn công", moment))
        for code in codes:
            pki.agency(code)
        return pki

    def agency(self, code: str, kind: str = "rsa2048") -> SigningKey:
        """Return the key of an agency, making it on first use."""
        if code not in self.keys:
            self.keys[code] = self.key(code, kind)
        return self.keys[code]

    def key(
        self,
        common: str,
        kind: str = "rsa2048",
        *,
        issuer: Authority | None = None,
        begins: timedelta = -YEAR / 2,
        ends: timedelta = YEAR,
        signing: bool = True,
        revoked: bool = False,
    ) -> SigningKey:
        """Make a key and certificate with chosen faults; times are relative to ``now``."""
        private = new_key(kind)
        authority = issuer or self.issuing
        certificate = authority.issue(
            common, private, self.now + begins, self.now + ends, signing=signing
        )
        if revoked:
            authority.revoked.append(certificate)
        return SigningKey(private, certificate, algorithms.default_for(private))

    def registration(self, code: str, key: SigningKey | None = None) -> Registration:
        """Return the registration of an agency's key, as long as its certificate lasts."""
        certificate = (key or self.agency(code)).certificate
        return Registration(
            agency=AgencyCode.parse(code),
            certificate_der=certificate.public_bytes(Encoding.DER),
            valid_from=certificate.not_valid_before_utc,
            valid_to=certificate.not_valid_after_utc,
        )

    def material(self, *more: Registration, crls: Sequence[bytes] | None = None) -> TrustMaterial:
        """Return trust material with every agency registered, and ``more`` registrations."""
        own = tuple(self.registration(code, key) for code, key in self.keys.items())
        lists = (self.root.crl(self.now), self.issuing.crl(self.now)) if crls is None else crls
        return TrustMaterial(
            anchors=(self.root.der,),
            intermediates=(self.issuing.der,),
            crls=tuple(lists),
            registrations=own + more,
        )


def build(
    home: Path, agencies: Sequence[AgencyCode], *, now: datetime, hub_code: AgencyCode
) -> None:
    """Write ``pki/`` into a home: anchors, intermediates, revocation lists, agencies' keys (0600).

    Agencies get RSA-2048, the hub ECDSA P-256 (it signs a receipt for every message).
    """
    pki = TestPki.make(now=now)
    folder = home / "pki"
    _write(folder / "anchors" / "root.pem", _pem(pki.root.certificate))
    _write(folder / "intermediates" / "issuing.pem", _pem(pki.issuing.certificate))
    _write(folder / "crls" / "root.crl", pki.root.crl(pki.now))
    with ThreadPoolExecutor() as pool:
        kinds = ["p256" if code == hub_code else "rsa2048" for code in agencies]
        keys = list(
            pool.map(
                lambda pair: pki.key(pair[0].value, pair[1]), zip(agencies, kinds, strict=True)
            )
        )
    for code, key in zip(agencies, keys, strict=True):
        own = folder / "agencies" / code.value
        _write(own / "cert.pem", _pem(key.certificate))
        _write(own / "key.pem", _private_pem(key), mode=0o600)
    _write(folder / "crls" / "issuing.crl", pki.issuing.crl(pki.now))


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def _private_pem(key: SigningKey) -> bytes:
    return key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(file: Path, data: bytes, mode: int = 0o644) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=mode)
    file.write_bytes(data)


def main(argv: Sequence[str] | None = None) -> int:
    """Build the PKI of a demo's home; prints one JSON line."""
    parser = argparse.ArgumentParser(prog="hub.testing.pki", description=main.__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--hub-code", required=True)
    parser.add_argument("--agencies", required=True, help="file with one code a line, or -")
    options = parser.parse_args(argv)
    named = options.agencies
    text = sys.stdin.read() if named == "-" else Path(named).read_text(encoding="utf-8")
    codes = [AgencyCode.parse(line) for line in text.split()]
    hub_code = AgencyCode.parse(options.hub_code)
    build(options.home, codes, now=datetime.now(UTC), hub_code=hub_code)
    sys.stdout.write(json.dumps({"ok": True, "agencies": len(codes)}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
