"""The test PKI that the demo is built on: files, rights, kinds of keys, and their use."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from datetime import timedelta
from importlib.metadata import entry_points

import pytest

from hub.codes import AgencyCode
from hub.signing.algorithms import SignatureAlgorithm
from hub.signing.keys import load_pem
from hub.signing.signer import sign
from hub.signing.trust import TrustMaterial, TrustStore, material_from_folder
from hub.signing.verifier import Verifier
from hub.testing import pki
from hub.testing.pki import TestPki

CODES = ["H12.15", "H13.15", "00.99.W00"]
HUB = "00.99.W00"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, rsa_scene):
    folder = tmp_path_factory.mktemp("home")
    codes = [AgencyCode.parse(code) for code in CODES]
    pki.build(folder, codes, now=rsa_scene.now, hub_code=AgencyCode.parse(HUB))
    return folder


def test_built_home_signs_and_verifies(home, rsa_scene):
    """A draft signed with the files of an agency is accepted by the folder's trust material."""
    own = home / "pki" / "agencies" / "H12.15"
    key = load_pem(own / "key.pem", own / "cert.pem")
    registration = rsa_scene.pki.registration("H12.15", key)
    material = TrustMaterial(*material_from_folder(home / "pki"), registrations=(registration,))
    for at in (rsa_scene.now, rsa_scene.now + timedelta(days=300)):
        verified = Verifier(TrustStore(material)).verify(sign(rsa_scene.draft, key), at=at)
        assert verified.signer_sha256 == key.certificate_sha256


def test_agencies_have_rsa_and_the_hub_has_p256(home):
    """The hub signs a receipt for every message, so its key is the quick one."""
    for code in CODES:
        own = home / "pki" / "agencies" / code
        expected = "ECDSA_SHA256" if code == HUB else "RSA_SHA256"
        key = load_pem(own / "key.pem", own / "cert.pem")
        assert key.algorithm is SignatureAlgorithm[expected]
        assert code in key.certificate.subject.rfc4514_string()


def test_private_keys_are_their_owners_alone(home):
    """Key files are readable by their owner only; nothing else in the folder holds a key."""
    for file in (home / "pki").rglob("*.*"):
        if file.name == "key.pem":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        elif file.is_file():
            assert b"PRIVATE" not in file.read_bytes()


def test_program_reads_codes_and_prints_one_line(tmp_path):
    """``python -m hub.testing.pki`` takes codes from standard input and says what it did."""
    done = subprocess.run(
        [sys.executable, "-m", "hub.testing.pki", "--home", str(tmp_path), "--hub-code", HUB,
         "--agencies", "-"],
        input="H12.15\n00.99.W00\n", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == {"ok": True, "agencies": 2}
    assert (tmp_path / "pki" / "agencies" / "H12.15" / "key.pem").is_file()


def test_program_is_found_by_its_entry_point():
    """The command line starts it by name and never imports it."""
    (found,) = entry_points(group="lienthong.aids", name="pki")
    assert found.value == "hub.testing.pki:main"


def test_attacker_is_trusted_by_nobody(rsa_scene):
    """The attacker's root is no anchor of the material, whoever it names as its subject."""
    made = TestPki.make(["H12.15"], now=rsa_scene.now)
    assert made.attacker.der not in made.material().anchors
    assert made.key("H12.15", "p256", issuer=made.attacker).certificate.issuer == (
        made.attacker.certificate.subject
    )
