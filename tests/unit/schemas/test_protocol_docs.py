"""docs/protocol/v1 tells the truth: its examples, tables and signed sample are checked here."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from hub import safexml
from hub.codes import AgencyCode, Environment
from hub.errors import REGISTRY, Disposition
from hub.schemas.catalog import catalogue, schema_folder
from hub.schemas.example import example
from hub.signing.trust import Registration, TrustMaterial, TrustStore, material_from_folder
from hub.signing.verifier import Verifier

FOLDER = Path(__file__).parents[3] / "docs" / "protocol" / "v1"
GLOSSARY = FOLDER.parents[1] / "glossary.md"
TEXT = (FOLDER / "README.md").read_text("utf-8") + (FOLDER / "examples.md").read_text("utf-8")
NOW = datetime(2026, 3, 4, 8, 30, tzinfo=timezone(timedelta(hours=7)))
DOCUMENTED = {
    "connectivity.ping": ("H99.19", "H12.15"),
    "dossier.received": ("H99.19", "H12.101.01"),
    "postal.handover": ("0100000000", "H99.19"),
    "document.new": ("H12.15", "H13.15"),
    "receipt.delivered": ("H12.15", "H99.19"),
    "receipt.rejected": ("00.99.W00", "H99.19"),
}
BLOCKS = dict(re.findall(r"## `([a-z_.]+)`\n.*?```xml\n(.*?)```", TEXT, re.DOTALL))


def documented(name: str) -> str:
    """Return the example as the documentation shows it: indented, with fixed ids and times."""
    sender, receiver = DOCUMENTED[name]
    number = iter(range(1, 100))
    xml = example(
        name,
        AgencyCode.parse(sender),
        [AgencyCode.parse(receiver)],
        now=NOW,
        environment=Environment.TRIAL,
        entropy=lambda length: hashlib.sha256(bytes([next(number)])).digest()[:length],
    )
    root = safexml.parse(xml)
    etree.indent(root)
    return etree.tostring(root, encoding="unicode") + "\n"


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
def test_documented_example_is_what_the_hub_makes(scene, name: str):
    """Each printed envelope is valid and is the hub's own example of its type."""
    assert BLOCKS[name] == documented(name)
    assert scene.validator.check_draft(BLOCKS[name].encode()).type.value == name


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
def test_annotations_name_elements_of_their_example(name: str):
    """Every annotated element or attribute occurs in the example above it."""
    section = TEXT.split(f"## `{name}`")[1].split("\n## ")[0]
    notes = re.findall(r"^\| `([A-Za-z@]+)` \|", section, re.MULTILINE)
    assert len(notes) >= 3
    for note in notes:
        assert f"<{note}" in BLOCKS[name] or f"{note.lstrip('@')}=" in BLOCKS[name]


def test_table_of_types_is_the_catalogue():
    """The documentation lists every type with its element, senders and titles, and no other."""
    rows = re.findall(
        r"^\| `([a-z_.]+)` \| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \|$", TEXT, re.MULTILINE
    )
    assert {row[0]: row[1:] for row in rows} == {
        spec.name: (spec.element, ", ".join(spec.senders), spec.title_vi, spec.title_en)
        for spec in catalogue().values()
    }


def test_table_of_codes_is_what_a_sender_can_meet():
    """Every code that ends in a rejection or a quarantine of an envelope is listed, as such."""
    families = ("xml", "profile", "signature", "trust", "schema", "header", "routing", "duplicate")
    listed = dict(
        re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \| (reject|quarantine) \|", TEXT, re.MULTILINE)
    )
    met = {
        code: leaf.disposition.value
        for code, leaf in REGISTRY.items()
        if code.split(".")[0] in (*families, "attachment", "code")
        and leaf.disposition in (Disposition.REJECT, Disposition.QUARANTINE)
    }
    assert listed == met


def test_every_schema_file_is_named():
    """An implementer finds every XSD by name."""
    assert all(path.name in TEXT for path in schema_folder().glob("*.xsd"))


def test_signed_sample_verifies_and_shows_its_digest(scene):
    """The signed sample is accepted with the trust material beside it; the digests are told."""
    raw = (FOLDER / "signed" / "connectivity.ping.xml").read_bytes()
    anchors, between, crls = material_from_folder(FOLDER / "signed")
    certificate = x509.load_pem_x509_certificate((FOLDER / "signed" / "cert.pem").read_bytes())
    registration = Registration(
        AgencyCode.parse("H99.19"),
        certificate.public_bytes(Encoding.DER),
        certificate.not_valid_before_utc,
    )
    material = TrustMaterial(anchors, between, crls, (registration,))
    verified = Verifier(TrustStore(material)).verify(raw, at=NOW)
    assert scene.validator.validate(verified).spec.name == "connectivity.ping"
    digest = base64.b64encode(hashlib.sha256(verified.signed_bytes).digest()).decode()
    assert digest in TEXT
    assert f"<ds:DigestValue>{digest}</ds:DigestValue>".encode() in raw
    assert verified.digest in TEXT


def test_glossary_has_both_languages_in_every_row():
    """Each term has a Vietnamese and an English side, and no term stands twice."""
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.*?) \|$", GLOSSARY.read_text("utf-8"), re.MULTILINE)
    terms = [row for row in rows if row[0] not in {"---", "tiếng Việt"}]
    assert len(terms) > 80
    assert all(vi.strip() and en.strip() for vi, en, _ in terms)
    assert len({vi for vi, _, _ in terms}) == len(terms)
