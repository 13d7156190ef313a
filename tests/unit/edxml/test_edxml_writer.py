"""What the writer writes: the samples byte for byte, and what an independent parser sees in it."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import date, datetime, timezone
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.codes import AgencyCode
from hub.errors import EdxmlAttachment, EdxmlField, EdxmlRecipient, EdxmlTooLong
from hub.schemas.edxml import (
    Dialect,
    Document,
    DocumentType,
    Notation,
    Organ,
    PacketFile,
    ReadOptions,
    ResponseFor,
    StatusMessage,
    read,
    write_document,
    write_status,
)
from hub.schemas.edxml.vocabulary import NAMESPACE

N = f"{{{NAMESPACE}}}"
DOCUMENTS = ["new_java", "new_dotnet", "recall_java", "update_java", "replace_java"]
CODES = ["01", "02", "03", "04", "05", "06", "13", "15", "16"]
LETTERS = st.characters(codec="utf-8", exclude_categories=("C", "Zs", "Zl", "Zp"))
TEXT = st.text(LETTERS, min_size=1, max_size=50).filter(lambda text: text != "null")


def organ(code: str, name: str = "Cơ quan minh họa") -> Organ:
    return Organ(code, AgencyCode.parse(code), name=name)


def document(**given) -> Document:
    fields = {
        "sender": organ("H12.15"),
        "recipients": (organ("H13.15"),),
        "document_id": "H12.15,2026/03/04,1/SKHCN",
        "code": Notation("1", "SKHCN"),
        "promulgation_date": date(2026, 3, 4),
        "type": DocumentType(2, 18, "Công văn"),
        "subject": "V/v minh họa",
    }
    return Document(**{**fields, **given})


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_sample_is_written_byte_for_byte(reading, sample, name):
    """A sample that is read and written again is the same file, in both dialects."""
    data = sample(f"valid/{name}")
    packet = reading(data, keep_content=True)
    assert write_document(packet.document, packet.dialect) == data


@pytest.mark.parametrize("code", CODES)
def test_status_sample_is_written_byte_for_byte(reading, sample, code):
    """A status sample that is read and written again is the same file."""
    data = sample(f"status/status_{code}")
    assert write_status(reading(data).status) == data


@pytest.mark.parametrize("dialect", [Dialect.JAVA, Dialect.DOTNET])
def test_dialects_differ_where_the_vendors_do(dialect):
    """Order of the header, ContentId, the signature slot: as each library writes them."""
    file = PacketFile("5b0c2f6e", "a.pdf", "application/pdf", content=b"%PDF-1.4 \xff")
    written = write_document(document(files=(file,), to_places=("Nơi nhận",)), dialect)
    root = ET.fromstring(written)
    names = [child.tag.removeprefix(N) for child in root.find(f".//{N}MessageHeader")]
    attachment = root.find(f"{N}AttachmentEncoded/{N}Attachment")
    content = base64.b64decode(attachment.findtext(f"{N}ContentTransferEncoded"))
    assert content == b"%PDF-1.4 \xff"
    if dialect is Dialect.JAVA:
        assert names.index("DocumentId") < names.index("Code")
        assert names[-1] == "ToPlaces"
        assert attachment.findtext(f"{N}ContentId") == "cid:5b0c2f6e"
        assert root.find(f".//{N}DigitalSignature") is None
        assert b'<edXML:ContentTransferEncoded xmlns:edXML="' in written
    else:
        assert names[-1] == "DocumentId"
        assert names.index("ToPlaces") < names.index("OtherInfo")
        assert attachment.findtext(f"{N}ContentId") == "5b0c2f6e"
        assert b"<edXML:DigitalSignature />" in written
        assert b"      <ContentTransferEncoded>" in written
    assert b"\r" not in written
    assert written.startswith(b"<?xml ")
    assert b"xmldsig" not in written


@given(
    texts=st.lists(TEXT, min_size=5, max_size=5),
    dialect=st.sampled_from([Dialect.JAVA, Dialect.DOTNET]),
    content=st.binary(min_size=1, max_size=300),
)
def test_what_is_written_is_read_back(texts, dialect, content):
    """Any text survives writing and reading, and ElementTree sees the same text."""
    subject, place, name, person, reason = texts
    made = document(
        subject=subject,
        place=place,
        sender=organ("H12.15", name),
        files=(PacketFile("c1", "a.pdf", "application/octet-stream", content=content),),
    )
    made = replace(
        made,
        signer=replace(made.signer, full_name=person),
        business=replace(made.business, reason=reason),
    )
    written = write_document(made, dialect)
    packet = read(written, ReadOptions(date(2026, 3, 4), keep_content=True))
    seen = packet.document
    assert [seen.subject, seen.place, seen.sender.name, seen.signer.full_name] == [
        subject, place, name, person,
    ]  # fmt: skip
    assert seen.business.reason == reason
    assert seen.files[0].content == content
    assert packet.dialect is dialect
    assert ET.fromstring(written).findtext(f".//{N}Subject") == subject
    assert write_document(seen, dialect) == written


def test_time_is_written_in_vietnam():
    """A moment of any zone is written as Vietnam's wall clock, which is how it is read."""
    at = datetime(2026, 3, 4, 18, 30, 5, tzinfo=timezone.utc)
    answered = ResponseFor("H12.15", Notation("1", "A"), "x", date(2026, 3, 4))
    status = StatusMessage(organ("H13.15"), answered, AgencyCode.parse("H12.15"), "03", "", at)
    written = write_status(status)
    assert b"<edXML:Timestamp>2026/03/05 01:30:05</edXML:Timestamp>" in written
    assert read(written, ReadOptions(date(2026, 3, 5))).status.timestamp == at


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"recipients": ()}, EdxmlRecipient),
        ({"recipients": (organ("H13.15"), organ("h13.15 "))}, EdxmlRecipient),
        ({"subject": "a" * 501}, EdxmlTooLong),
        ({"subject": "a\x01"}, EdxmlField),
        ({"files": (PacketFile("c", "a.pdf", "application/pdf"),)}, EdxmlAttachment),
    ],
)
def test_writer_is_strict(change, error):
    """What the reader would only note or refuse is never written."""
    with pytest.raises(error):
        write_document(document(**change))
