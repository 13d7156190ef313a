"""Private keys come from PEM and PKCS#12, fit their certificate, and are never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from hub.errors import AlgorithmRefused, KeyMismatch, KeyUnreadable
from hub.signing import algorithms
from hub.signing.algorithms import SignatureAlgorithm
from hub.signing.keys import SigningKey, load_pem, load_pkcs12
from hub.signing.signer import sign

PASSWORD = b"mat khau thu"


def write_pem(folder: Path, key: SigningKey, *, password: bytes | None = None) -> tuple[Path, Path]:
    """Write a key and its certificate as an agency would have them."""
    secret = BestAvailableEncryption(password) if password else NoEncryption()
    key_path, cert_path = folder / "key.pem", folder / "cert.pem"
    key_path.write_bytes(key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret))
    cert_path.write_bytes(key.certificate.public_bytes(Encoding.PEM))
    return key_path, cert_path


def write_pkcs12(folder: Path, key: SigningKey, chain=()) -> Path:
    path = folder / "key.p12"
    secret = BestAvailableEncryption(PASSWORD)
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(b"x", key.private, key.certificate, chain, secret)
    )
    return path


@pytest.mark.parametrize("password", [None, PASSWORD])
def test_pem_key_signs_what_is_accepted(scene, tmp_path: Path, password: bytes | None):
    """A PEM pair, encrypted or not, signs like the key in memory."""
    key = load_pem(*write_pem(tmp_path, scene.key, password=password), password)
    assert key.certificate_sha256 == scene.key.certificate_sha256
    assert scene.verify(sign(scene.draft, key)).sender.value == scene.sender


def test_pkcs12_key_signs_what_is_accepted(scene, tmp_path: Path):
    """A PKCS#12 file gives key, certificate and chain."""
    path = write_pkcs12(tmp_path, scene.key, [scene.pki.issuing.certificate])
    key = load_pkcs12(path, PASSWORD)
    assert key.chain == (scene.pki.issuing.der,)
    assert scene.verify(sign(scene.draft, key)).signer_sha256 == key.certificate_sha256


def test_certificates_behind_the_first_are_the_chain(ec_scene, tmp_path: Path):
    """A PEM file may hold the issuers behind the signer's certificate."""
    key_path, cert_path = write_pem(tmp_path, ec_scene.key)
    issuing = ec_scene.pki.issuing.certificate.public_bytes(Encoding.PEM)
    cert_path.write_bytes(cert_path.read_bytes() + issuing)
    assert load_pem(key_path, cert_path).chain == (ec_scene.pki.issuing.der,)


@pytest.mark.parametrize("password", [None, b"khong dung"])
def test_wrong_password_is_unreadable_and_not_told(ec_scene, tmp_path: Path, password):
    """A wrong or missing password names the file and nothing secret."""
    key_path, cert_path = write_pem(tmp_path, ec_scene.key, password=PASSWORD)
    p12 = write_pkcs12(tmp_path, ec_scene.key)
    with pytest.raises(KeyUnreadable, match=r"key\.pem") as pem:
        load_pem(key_path, cert_path, password)
    with pytest.raises(KeyUnreadable, match=r"key\.p12") as container:
        load_pkcs12(p12, password)
    for told in (str(pem.value), str(container.value)):
        assert "mat khau" not in told
        assert "khong dung" not in told


@pytest.mark.parametrize("broken", ["key.pem", "cert.pem"])
@pytest.mark.parametrize("content", [None, b"", b"\x00\xff", b"-----BEGIN PRIVATE KEY-----\nAAAA"])
def test_broken_or_missing_file_is_named(ec_scene, tmp_path: Path, broken: str, content):
    """What cannot be read is told by its file name."""
    paths = write_pem(tmp_path, ec_scene.key)
    if content is None:
        (tmp_path / broken).unlink()
    else:
        (tmp_path / broken).write_bytes(content)
    with pytest.raises(KeyUnreadable, match=broken.replace(".", r"\.")):
        load_pem(*paths)


def test_broken_pkcs12_is_named(tmp_path: Path):
    """A PKCS#12 file that is none, or is not there, is unreadable."""
    for name in ("none.p12", "garbage.p12"):
        (tmp_path / "garbage.p12").write_bytes(b"\x30\x03\x02\x01\x03")
        with pytest.raises(KeyUnreadable, match=name):
            load_pkcs12(tmp_path / name, PASSWORD)


def test_pkcs12_without_a_key_is_unreadable(ec_scene, tmp_path: Path):
    """A container of certificates alone cannot sign."""
    path = tmp_path / "only.p12"
    certificates = [ec_scene.pki.issuing.certificate]
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(b"x", None, None, certificates, NoEncryption())
    )
    with pytest.raises(KeyUnreadable, match="no key"):
        load_pkcs12(path, None)


def test_key_and_certificate_of_two_pairs_do_not_match(scene, tmp_path: Path):
    """A certificate of another key is refused when the key is loaded, not when it is used."""
    key_path, _cert = write_pem(tmp_path, scene.key)
    (tmp_path / "b").mkdir()
    _key, cert_path = write_pem(tmp_path / "b", scene.pki.agency(scene.other))
    with pytest.raises(KeyMismatch):
        load_pem(key_path, cert_path)


def test_kind_of_key_that_the_profile_has_not_is_refused(ec_scene, tmp_path: Path):
    """An Ed25519 key is told to be neither RSA nor EC."""
    _key, cert_path = write_pem(tmp_path, ec_scene.key)
    other = ed25519.Ed25519PrivateKey.generate()
    key_path = tmp_path / "ed.pem"
    key_path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(KeyUnreadable, match="neither"):
        load_pem(key_path, cert_path)


def test_private_key_is_never_shown(scene):
    """Neither ``repr`` nor ``str`` of a signing key tells more than its algorithm."""
    assert repr(scene.key) == str(scene.key) == f"SigningKey(algorithm={scene.key.algorithm!r})"


@pytest.mark.parametrize(
    ("private", "expected"),
    [
        (rsa.generate_private_key(65537, 2048), SignatureAlgorithm.RSA_SHA256),
        (ec.generate_private_key(ec.SECP256R1()), SignatureAlgorithm.ECDSA_SHA256),
        (ec.generate_private_key(ec.SECP384R1()), SignatureAlgorithm.ECDSA_SHA384),
    ],
    ids=["RSA", "P-256", "P-384"],
)
def test_each_kind_of_key_has_its_usual_algorithm(private, expected: SignatureAlgorithm):
    """RSA signs with SHA-256; a curve with the digest of its size."""
    assert algorithms.default_for(private) is expected


def test_ecdsa_values_are_raw_pairs_of_fixed_length(ec_scene):
    """XMLDSig's form of an ECDSA value is r and s side by side, 32 octets each for P-256."""
    assert {len(ec_scene.key.sign(bytes([n]))) for n in range(40)} == {64}


@pytest.mark.parametrize("wrong", [SignatureAlgorithm.RSA_SHA256, SignatureAlgorithm.ECDSA_SHA256])
def test_algorithm_of_another_kind_of_key_signs_nothing(rsa_scene, ec_scene, wrong):
    """An RSA algorithm with an EC key, and the other way round, is refused."""
    key = (ec_scene if wrong.name.startswith("RSA") else rsa_scene).key
    with pytest.raises(AlgorithmRefused):
        algorithms.sign(key.private, wrong, b"x")
    with pytest.raises(AlgorithmRefused):
        algorithms.verify(key.private.public_key(), wrong, b"x", b"y")
