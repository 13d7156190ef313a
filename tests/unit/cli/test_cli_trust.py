"""``hub trust``: certificates that overlap, retire and are told apart; every change is logged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.codes import AgencyCode
from hub.testing.pki import build


@pytest.fixture
def other(tmp_path):
    """The PKI of somebody else: good certificates under an anchor that is not ours."""
    codes = [AgencyCode.parse("H12.15"), AgencyCode.parse("00.99.W00")]
    build(tmp_path / "other", codes, now=datetime.now(UTC), hub_code=codes[1])
    return tmp_path / "other" / "pki"


def self_signed(folder, *, days: int = 10):
    """A certificate that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = folder / "self.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return file


def digest_of(hub, agency: str) -> str:
    """The SHA-256 of the one certificate of an agency."""
    (row,) = hub("trust", "list", "--agency", agency, "--json").json["certificates"]
    return row["sha256"]


def test_list_shows_anchors_and_certificates(hub):
    """All of them, or one agency's."""
    everything = hub("trust", "list", "--json").json
    assert everything.keys() == {"anchors", "certificates"}
    assert len(everything["anchors"]) == 1
    assert len(everything["certificates"]) > 30
    (row,) = hub("trust", "list", "--agency", "h12.15", "--json").json["certificates"]
    assert row["agency"] == "H12.15"
    assert row.keys() >= {"sha256", "valid_from", "valid_to", "retired_at"}
    assert "H12.15" in hub("trust", "list", "--agency", "H12.15").out


def test_certificates_overlap_and_retire_one_by_one(hub, home, draft, tmp_path):
    """A second certificate signs beside the first; retiring one leaves the other."""
    second = home / "pki" / "agencies" / "H12.05"
    added = hub("trust", "add", "H12.15", second / "cert.pem", "--note", "dự phòng", "--json")
    assert added.json.keys() >= {"ok", "agency", "sha256"}
    assert len(hub("trust", "list", "--agency", "H12.15", "--json").json["certificates"]) == 2
    file = tmp_path / "second.xml"
    hub("sign", draft, "--key", second / "key.pem", "--cert", second / "cert.pem", "-o", file)
    assert hub("verify", file).status == 0
    digest = added.json["sha256"]
    assert hub("trust", "retire", digest, "--agency", "H12.15").status == 0
    assert hub("verify", file, "--json").json["code"] == "trust.not_in_date"
    first = tmp_path / "first.xml"
    hub("sign", draft, "--as", "H12.15", "-o", first)
    assert hub("verify", first).status == 0


def test_a_certificate_retires_at_the_time_given(hub, signed):
    """Before that time it signs, from then on it does not."""
    digest = digest_of(hub, "H12.15")
    soon = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    late = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    assert hub("trust", "retire", digest[:12], "--at", soon).status == 0
    assert hub("verify", signed).status == 0
    assert hub("verify", signed, "--at", late, "--json").json["code"] == "trust.not_in_date"


def test_every_change_is_in_the_log(hub, home):
    """Adding and retiring are entries of the chain."""
    before = hub("audit", "verify", "--json").json["entries"]
    certificate = home / "pki" / "agencies" / "H12.05" / "cert.pem"
    digest = hub("trust", "add", "H12.15", certificate, "--json").json["sha256"]
    hub("trust", "retire", digest, "--agency", "H12.15")
    after = hub("audit", "verify", "--json").json
    assert (after["ok"], after["entries"]) == (True, before + 2)


def test_a_digest_shared_by_two_agencies_must_be_told_apart(hub, home):
    """One certificate for two agencies: retiring it needs the agency's name."""
    certificate = home / "pki" / "agencies" / "H12.05" / "cert.pem"
    digest = hub("trust", "add", "H12.15", certificate, "--json").json["sha256"]
    done = hub("trust", "retire", digest)
    assert done.status == 2
    assert "H12.05" in done.err
    assert "--agency" in done.err


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("add", "H12.15", "absent.pem"), 2),
        (("add", "H12.15", "."), 2),
        (("add", "H12.15", "binary.pem"), 2),
        (("add", "nonsense", "self.pem"), 2),
        (("add", "H12.777", "self.pem"), 1),
        (("add", "H12.15", "self.pem"), 1),
        (("retire", "1234"), 2),
        (("retire", "0" * 64), 1),
        (("retire", "0" * 64, "--at", "tomorrow"), 2),
        (("retire", "0" * 64, "--agency", "x"), 2),
        (("list", "--agency", "x"), 2),
    ],
)
def test_what_cannot_be_trusted_is_told(hub, tmp_path, words, status):
    """Wrong files and words exit 2; what the router would not believe exits 1 with its code."""
    self_signed(tmp_path)
    (tmp_path / "binary.pem").write_bytes(b"\x00\xff" * 100)
    done = hub("trust", *words)
    assert done.status == status
    assert done.err.count("\n") == 1
    assert bool(done.out) == (status == 1)


def test_a_strangers_certificate_is_refused_with_its_reason(hub, other):
    """Good in itself, but under an anchor that this home does not have."""
    file = other / "agencies" / "H12.15" / "cert.pem"
    done = hub("trust", "add", "H12.15", file)
    assert (done.status, done.out) == (1, "trust.unknown_issuer\n")


def test_a_broken_anchor_is_named(hub, home):
    """What is wrong in the home's own material is told by its file."""
    (home / "pki" / "anchors" / "broken.pem").write_text("no certificate")
    for words in (("trust", "list"), ("verify", "x.xml")):
        done = hub(*words)
        assert done.status == 2
        assert "broken.pem" in done.err
