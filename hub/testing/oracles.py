"""Other people's signers, asked to sign in our profile: xmlsec1, signxml and the JDK.

For tests and for making test vectors. Each takes the bytes of an unsigned envelope whose
SignerCertificate is in place (see :func:`bound`) and returns what the other program signed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from lxml import etree

from hub import safexml
from hub.envelope import DSIG
from hub.signing.algorithms import ENVELOPED, EXCLUSIVE_C14N, DigestAlgorithm
from hub.signing.keys import SigningKey
from hub.testing.mutations.base import lt, one
from hub.testing.mutations.forge import transform

PASSWORD = "chi de thu"
"""Of throw-away PKCS#12 files; it goes to the JDK by ``HUB_TEST_PASSWORD``."""


def bound(draft: bytes, key: SigningKey) -> bytes:
    """Return a draft with the signer's certificate named in its header."""
    root = safexml.parse(draft)
    named = etree.SubElement(one(root, lt("Header")), lt("SignerCertificate"))
    named.text = key.certificate_sha256
    return etree.tostring(root)


def run(*command: str, environment: Mapping[str, str] | None = None) -> str:
    """Run a program and return its standard output; raises ``CalledProcessError``."""
    all_ = {**os.environ, **(environment or {})}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=all_)
    return done.stdout


def xmlsec1_sign(unsigned: bytes, key: SigningKey, folder: Path) -> bytes:
    """Fill in a template by xmlsec1; ``folder`` takes the files."""
    root = safexml.parse(unsigned)
    root.append(safexml.parse(_template(key.algorithm.value).encode()))
    template, out = folder / "template.xml", folder / "out.xml"
    template.write_bytes(etree.tostring(root))
    secret, certificate = folder / "key.pem", folder / "cert.pem"
    secret.write_bytes(_private_pem(key))
    certificate.write_bytes(key.certificate.public_bytes(Encoding.PEM))
    pair = f"{secret},{certificate}"
    run("xmlsec1", "--sign", "--privkey-pem", pair, "--output", str(out), str(template))
    return out.read_bytes()


def _template(method: str) -> str:
    return (
        f'<ds:Signature xmlns:ds="{DSIG}"><ds:SignedInfo>'
        f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE_C14N}"/>'
        f'<ds:SignatureMethod Algorithm="{method}"/><ds:Reference URI=""><ds:Transforms>'
        f"{transform(ENVELOPED)}{transform(EXCLUSIVE_C14N)}</ds:Transforms>"
        f'<ds:DigestMethod Algorithm="{DigestAlgorithm.SHA256.value}"/><ds:DigestValue/>'
        "</ds:Reference></ds:SignedInfo><ds:SignatureValue/>"
        "<ds:KeyInfo><ds:X509Data/></ds:KeyInfo></ds:Signature>"
    )


def signxml_sign(unsigned: bytes, key: SigningKey) -> bytes:
    """Sign by signxml, enveloped, with exclusive canonicalisation."""
    from signxml.algorithms import SignatureMethod  # noqa: PLC0415  a developers' package:
    from signxml.signer import XMLSigner  # noqa: PLC0415  other aids run without it

    signer = XMLSigner(
        signature_algorithm=SignatureMethod(key.algorithm.value),
        c14n_algorithm=EXCLUSIVE_C14N,
    )
    certificate = key.certificate.public_bytes(Encoding.PEM).decode()
    signed = signer.sign(safexml.parse(unsigned), key=_private_pem(key), cert=certificate)
    return etree.tostring(signed)


def jdk_sign(unsigned: bytes, key: SigningKey, folder: Path, java: str, program: Path) -> bytes:
    """Sign by the JDK, running ``program`` (tests/vectors/jdk) from its source."""
    store, draft, out = folder / "key.p12", folder / "draft.xml", folder / "out.xml"
    secret = BestAvailableEncryption(PASSWORD.encode())
    store.write_bytes(
        pkcs12.serialize_key_and_certificates(b"key", key.private, key.certificate, None, secret)
    )
    draft.write_bytes(unsigned)
    files = [str(file) for file in (store, draft, out)]
    command = [java, str(program), "sign", key.algorithm.value, *files]
    run(*command, environment={"HUB_TEST_PASSWORD": PASSWORD})
    return out.read_bytes()


def _private_pem(key: SigningKey) -> bytes:
    return key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
