"""Make the golden vectors anew: ``python tests/vectors/make_vectors.py`` (see ORIGIN.md).

Needs xmlsec1, signxml and a JDK. New keys every time, so every file changes; the private keys are
thrown away. Run it when the profile changes on purpose, and look at the difference.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hub.codes import AgencyCode, Environment, MessageId
from hub.schemas.example import example
from hub.signing.algorithms import SignatureAlgorithm
from hub.signing.keys import SigningKey
from hub.signing.signer import sign
from hub.testing import oracles
from hub.testing.mutations import MUTATIONS
from hub.testing.pki import TestPki

HERE = Path(__file__).parent
NOW = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)
SENDER, OTHER = "H12.15", "H13.15"
TOO_LARGE = frozenset({"more than 8 MiB", "10,000 levels", "nothing"})
"""Attacks that are made when they are tried: their bytes are not worth keeping."""


def draft() -> bytes:
    """Return the same small envelope every time."""
    return example(
        "connectivity.ping",
        AgencyCode.parse(SENDER),
        [AgencyCode.parse(OTHER)],
        now=NOW,
        environment=Environment.TRIAL,
        message_id=MessageId.parse("019f1af9-b400-7000-8000-000000000001"),
    )


def accepted(pki: TestPki, folder: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield name, maker and bytes of what has to be accepted, for each signer and algorithm."""
    keys = {kind: pki.agency(f"{SENDER} {kind}", kind) for kind in ("rsa2048", "p256", "p384")}
    java = shutil.which("java")
    if java is None:
        sys.exit("a JDK is needed to make the vectors")
    program = HERE / "jdk" / "EnvelopeSignature.java"
    for algorithm in SignatureAlgorithm:
        key = replace(keys[_kind(algorithm)], algorithm=algorithm)
        unsigned = oracles.bound(draft(), key)
        name = algorithm.name.lower()
        yield f"hub-{name}", "hub.signing.signer", sign(draft(), key)
        if algorithm.name not in ("RSA_SHA256", "RSA_PSS_SHA256", "ECDSA_SHA256", "ECDSA_SHA384"):
            continue
        yield f"signxml-{name}", "signxml", oracles.signxml_sign(unsigned, key)
        yield f"jdk-{name}", "JDK", oracles.jdk_sign(unsigned, key, folder, java, program)
        if "PSS" not in name.upper():
            yield f"xmlsec1-{name}", "xmlsec1", oracles.xmlsec1_sign(unsigned, key, folder)


def _kind(algorithm: SignatureAlgorithm) -> str:
    if algorithm.name.startswith("RSA"):
        return "rsa2048"
    return "p384" if algorithm is SignatureAlgorithm.ECDSA_SHA384 else "p256"


def write_trust(pki: TestPki, registered: dict[str, list[SigningKey]]) -> None:
    """Write anchors, intermediates, lists and the agencies' certificates."""
    folder = HERE / "pki"
    shutil.rmtree(folder, ignore_errors=True)
    files = {
        "anchors/root.pem": _pem(pki.root.certificate),
        "intermediates/issuing.pem": _pem(pki.issuing.certificate),
        "crls/root.crl": pki.root.crl(NOW),
        "crls/issuing.crl": pki.issuing.crl(NOW),
    }
    for code, keys in registered.items():
        files[f"agencies/{code}.pem"] = b"".join(_pem(key.certificate) for key in keys)
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def main() -> None:
    """Write everything anew."""
    pki = TestPki.make(now=NOW)
    good, bad = HERE / "accepted", HERE / "refused"
    for folder in (good, bad):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    index: dict[str, dict[str, object]] = {"accepted": {}, "refused": {}}
    with tempfile.TemporaryDirectory() as scratch:
        for name, maker, raw in accepted(pki, Path(scratch)):
            (good / f"{name}.xml").write_bytes(raw)
            index["accepted"][f"{name}.xml"] = maker
    own = [key for name, key in pki.keys.items() if name.startswith(SENDER)]
    attacked = TestPki(NOW, pki.root, pki.issuing, pki.attacker, {SENDER: own[1]})
    attacked.agency(OTHER, "p256")
    raw = sign(draft(), own[1])
    for number, attack in enumerate(one for one in MUTATIONS if one.name not in TOO_LARGE):
        file = f"{number:03}.xml"
        (bad / file).write_bytes(attack.apply(raw, attacked))
        index["refused"][file] = {"attack": attack.name, "codes": sorted(attack.expected_codes)}
    write_trust(pki, {SENDER: own, OTHER: [attacked.agency(OTHER)]})
    text = json.dumps({"at": NOW.isoformat(), **index}, indent=1, ensure_ascii=False)
    (HERE / "index.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
