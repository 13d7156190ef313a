"""Other people's programs judge what we sign, and we judge what they sign in our profile.

xmlsec1 and signxml have to be there (the developers' set-up installs them); the JDK is asked where
there is one, and reported as not run where there is none.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import signxml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from hub.signing.algorithms import SignatureAlgorithm
from hub.signing.keys import SigningKey
from hub.signing.signer import sign
from hub.testing import oracles
from hub.testing.mutations import content

JAVA = shutil.which("java")
PROGRAM = Path(__file__).parents[2] / "vectors" / "jdk" / "EnvelopeSignature.java"
ALGORITHMS = [one for one in SignatureAlgorithm if one is not SignatureAlgorithm.ECDSA_SHA512]
XMLSEC1 = [one for one in ALGORITHMS if "PSS" not in one.name]
"""xmlsec1 before 1.3 knows no RSA-PSS; signxml and the JDK judge that one."""


def kind_of(algorithm: SignatureAlgorithm) -> str:
    """The key that each algorithm is tried with."""
    if algorithm is SignatureAlgorithm.ECDSA_SHA384:
        return "p384"
    return "p256" if algorithm.name.startswith("ECDSA") else "rsa2048"


@pytest.fixture(scope="module")
def keys(rsa_scene) -> dict[str, SigningKey]:
    """One more key of the sender for each kind."""
    return {kind: rsa_scene.pki.key("one more", kind) for kind in ("rsa2048", "p256", "p384")}


@pytest.fixture
def signer(keys, request: pytest.FixtureRequest) -> SigningKey:
    """The key for the parameter's algorithm."""
    return replace(keys[kind_of(request.param)], algorithm=request.param)


def each(algorithms: list[SignatureAlgorithm]):
    """Run a test once for each algorithm, with a key for it."""
    return pytest.mark.parametrize("signer", algorithms, indirect=True, ids=lambda one: one.name)


def judged(scene, raw: bytes, key: SigningKey) -> None:
    """Our verifier accepts what they signed, and reads the sender from it."""
    verified = scene.trusting(key).verify(raw, at=scene.now)
    assert verified.sender.value == scene.sender
    assert verified.signer_sha256 == key.certificate_sha256


def pem(folder: Path, name: str, *certificates: x509.Certificate) -> str:
    """Write certificates to a file and return its name."""
    (folder / name).write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in certificates))
    return str(folder / name)


# xmlsec1 -------------------------------------------------------------------------------------


def xmlsec1_verify(scene, folder: Path, raw: bytes) -> str:
    """Verify signature and chain; raises for anything that does not hold."""
    (folder / "signed.xml").write_bytes(raw)
    return oracles.run(
        "xmlsec1", "--verify", "--enabled-reference-uris", "empty", "--enabled-key-data", "x509",
        "--trusted-pem", pem(folder, "root.pem", scene.pki.root.certificate),
        "--untrusted-pem", pem(folder, "issuing.pem", scene.pki.issuing.certificate),
        "--verification-gmt-time", f"{scene.now:%Y-%m-%d %H:%M:%S}",
        str(folder / "signed.xml"),
    )  # fmt: skip


@each(XMLSEC1)
def test_xmlsec1_accepts_what_we_sign(rsa_scene, tmp_path: Path, signer: SigningKey):
    """Signature and chain hold for xmlsec1, by the certificate in KeyInfo."""
    xmlsec1_verify(rsa_scene, tmp_path, sign(rsa_scene.draft, signer))


def test_xmlsec1_refuses_what_was_changed(rsa_scene, tmp_path: Path):
    """The oracle is awake: changed content does not pass it."""
    changed = rsa_scene.raw.replace(b">trial<", b">trail<")
    with pytest.raises(subprocess.CalledProcessError):
        xmlsec1_verify(rsa_scene, tmp_path, changed)


@each(XMLSEC1)
def test_we_accept_what_xmlsec1_signs(rsa_scene, tmp_path: Path, signer: SigningKey):
    """A template in our profile, filled in by xmlsec1, is accepted."""
    raw = oracles.xmlsec1_sign(oracles.bound(rsa_scene.draft, signer), signer, tmp_path)
    judged(rsa_scene, raw, signer)


# signxml -------------------------------------------------------------------------------------


def signxml_verify(raw: bytes, key: SigningKey) -> bytes:
    """Return what signxml says is signed; it raises for anything that does not hold."""
    certificate = key.certificate.public_bytes(Encoding.PEM).decode()
    expected = signxml.SignatureConfiguration(location="./")
    result = signxml.XMLVerifier().verify(raw, x509_cert=certificate, expect_config=expected)
    return result.signed_data


@each(ALGORITHMS)
def test_signxml_accepts_what_we_sign(rsa_scene, signer: SigningKey):
    """The signature holds for signxml, and it says the very bytes are signed that we say."""
    raw = sign(rsa_scene.draft, signer)
    ours = rsa_scene.trusting(signer).verify(raw, at=rsa_scene.now)
    assert signxml_verify(raw, signer) == ours.signed_bytes


@each(ALGORITHMS)
def test_we_accept_what_signxml_signs(rsa_scene, signer: SigningKey):
    """Signxml's enveloped signature with exclusive canonicalisation is in our profile."""
    raw = oracles.signxml_sign(oracles.bound(rsa_scene.draft, signer), signer)
    judged(rsa_scene, raw, signer)


@pytest.mark.parametrize(
    "attack",
    [one for one in content.MUTATIONS if one.expected_codes == {content.DIGEST}],
    ids=lambda attack: attack.name,
)
def test_signxml_refuses_changed_content_as_we_do(scene, attack):
    """What we call a changed digest, an independent verifier refuses as well."""
    with pytest.raises((signxml.InvalidSignature, etree.XMLSyntaxError)):
        signxml_verify(attack.apply(scene.raw, scene.pki), scene.key)


# The JDK -------------------------------------------------------------------------------------

with_java = pytest.mark.skipif(JAVA is None, reason="not run: no JDK on this machine")


@with_java
def test_jdk_accepts_what_we_sign(rsa_scene, keys, tmp_path: Path):
    """Every algorithm that we sign with is valid to the JDK's secure validation."""
    files = []
    for algorithm in ALGORITHMS:
        file = tmp_path / f"{algorithm.name}.xml"
        key = replace(keys[kind_of(algorithm)], algorithm=algorithm)
        file.write_bytes(sign(rsa_scene.draft, key))
        files.append(str(file))
    changed = tmp_path / "changed.xml"
    changed.write_bytes(rsa_scene.raw.replace(b">trial<", b">trail<"))
    told = oracles.run(str(JAVA), str(PROGRAM), "verify", *files, str(changed))
    assert told.splitlines() == [f"valid {one}" for one in files] + [f"invalid {changed}"]


@with_java
@each([
    SignatureAlgorithm.RSA_SHA256,
    SignatureAlgorithm.RSA_PSS_SHA256,
    SignatureAlgorithm.ECDSA_SHA256,
])  # fmt: skip
def test_we_accept_what_the_jdk_signs(rsa_scene, tmp_path: Path, signer: SigningKey):
    """The JDK's signature, with its carriage returns inside base64, is accepted."""
    unsigned = oracles.bound(rsa_scene.draft, signer)
    judged(rsa_scene, oracles.jdk_sign(unsigned, signer, tmp_path, str(JAVA), PROGRAM), signer)
