"""Hostile and damaged packets: every one ends in an error of the house or a packet, never else."""

from __future__ import annotations

import base64
import hashlib
import io
import random
import re
import tracemalloc
import zipfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import (
    EdxmlAttachment,
    EdxmlMalformed,
    EdxmlNamespace,
    EdxmlRecipient,
    EdxmlTooLong,
    HubError,
    XmlDoctype,
    XmlEncoding,
    XmlTooDeep,
    XmlTooLarge,
)
from hub.safexml import MIB
from hub.schemas.edxml import ReadOptions, read, wrap
from hub.schemas.edxml.tree import MAX_FILES, MAX_TEXT

SAMPLES = Path(__file__).parent / "samples"
TODAY = date(2026, 3, 20)
UUID = "7d1f0c52-0000-4000-8000-000000000001"
PIECES = [
    b"", b"<", b"</edXML:To>", b"\x00", b"\xff", b"&#0;", b"&lt;", b"null", b"<edXML:From>",
    b"<![CDATA[", b"]]>", b"<!--", b"<?x", b"=", b"\xef\xbf\xbd",
]  # fmt: skip
NAMES = ["valid/new_java", "valid/new_dotnet", "status/status_03", "valid/replace_java"]


def judged(data: bytes) -> list[str]:
    """Return the error's code, or the kind of packet and the codes of its notices."""
    try:
        packet = read(data, ReadOptions(TODAY, keep_content=True))
    except HubError as error:
        return [error.code] * bool(error.message("vi") and error.message("en"))
    told = [notice.code for notice in packet.notices if notice.message("vi")]
    return [f"document.{packet.kind}", *told]


@settings(deadline=None, max_examples=400)
@given(data=st.data(), name=st.sampled_from(NAMES))
def test_mutated_bytes_give_a_packet_or_an_error_of_ours(data, name):
    """Bytes changed, cut, doubled or inserted anywhere never raise anything but ``HubError``."""
    raw = bytearray((SAMPLES / f"{name}.edxml").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        piece = data.draw(st.sampled_from(PIECES) | st.binary(max_size=8))
        raw[at : at + data.draw(st.integers(0, 40))] = piece
    found = judged(bytes(raw))
    assert found
    assert all(re.fullmatch("[a-z]+(\\.[a-z_0-9]+)+", code) for code in found)


@settings(deadline=None, max_examples=150)
@given(content=st.binary(max_size=4000), cut=st.integers(0, 4000))
def test_any_attachment_is_read_or_refused(content, cut):
    """Attachments of any bytes, and wrappers cut anywhere, never raise anything else."""
    base = (SAMPLES / "defective/d11_corrupted_pdf_ufffd.edxml").read_bytes()
    for made in (content, wrap(f"{UUID}.bin", content)[:cut]):
        packet = read(_around(base, made), ReadOptions(TODAY, keep_content=True))
        assert packet.document.files[0].content in (made, None)
        assert packet.document.files[0].size == len(made)


def _around(base: bytes, content: bytes) -> bytes:
    start = base.index(b">", base.index(b"<edXML:ContentTransferEncoded")) + 1
    end = base.index(b"</edXML:ContentTransferEncoded>")
    return base[:start] + base64.b64encode(content) + base[end:]


ENTITIES = b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
LAUGHS = b'<!DOCTYPE edXML [<!ENTITY a "ha">%s]><edXML>&j;</edXML>' % ENTITIES
ROOT = b'<edXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016">'


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (LAUGHS, XmlDoctype),
        (b'<!DOCTYPE edXML SYSTEM "file:///etc/passwd"><edXML/>', XmlDoctype),
        (ROOT + b"<a>" * 10_000, XmlTooDeep),
        (b"<edXML " + b" ".join(b'a%d=""' % n for n in range(40)) + b"/>", XmlTooDeep),
        (b"", EdxmlMalformed),
        (b"\x00" * 100, XmlEncoding),
        (b"PK\x03\x04", EdxmlMalformed),
        (b"<?xml-stylesheet href='x'?><edXML/>", EdxmlMalformed),
        (b"<html/>", EdxmlNamespace),
    ],
)
def test_hostile_document(reading, data, error):
    """Entities, depth, attributes, instructions, other documents: each has its error."""
    with pytest.raises(error) as caught:
        reading(data)
    assert type(caught.value) is error


def test_depth_below_an_accepted_root(reading, sample):
    """Ten thousand levels inside a good packet are refused at the limit."""
    deep = b"<edXML:X>" * 10_000 + b"</edXML:X>" * 10_000
    data = sample("valid/new_java").replace(b"<edXML:Subject>", deep + b"<edXML:Subject>", 1)
    with pytest.raises(XmlTooDeep):
        reading(data)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings(reading, sample, encoding):
    """UTF-16 and UTF-32, with or without a mark, are refused as such."""
    text = sample("valid/new_java").decode().replace('encoding="UTF-8"', "")
    with pytest.raises(XmlEncoding):
        reading(text.encode(encoding))


def test_utf8_with_bom_is_read_and_latin_is_not(reading, sample):
    """A BOM is allowed; bytes that are not UTF-8 are refused with their line."""
    data = sample("valid/new_java")
    assert reading(b"\xef\xbb\xbf" + data).document is not None
    with pytest.raises(XmlEncoding) as caught:
        reading(data.replace("Công văn".encode(), "Công văn".encode("cp1258"), 1))
    assert caught.value.place.line == 48
    with pytest.raises(XmlEncoding):
        reading(data.replace(b'encoding="UTF-8"', b'encoding="ISO-8859-1"'))


@pytest.mark.parametrize("cut", range(0, 7000, 250))
def test_truncated_packet_is_malformed(reading, sample, cut):
    """A packet that ends anywhere before its end is never taken for a whole one."""
    with pytest.raises((EdxmlMalformed, XmlEncoding)):
        reading(sample("valid/new_java")[:cut])


@pytest.mark.parametrize(
    "text", ["!!!!", "QUJ", "QUJD=", "QQ==QUJD", "QUJDR", "QU\u00e9D", "====", "QU=D", "<x/>"]
)
def test_base64_that_does_not_decode(reading, sample, text):
    """Content that is not base64 from end to end is refused with its path."""
    base = sample("defective/d11_corrupted_pdf_ufffd")
    start = base.index(b">", base.index(b"<edXML:ContentTransferEncoded")) + 1
    end = base.index(b"</edXML:ContentTransferEncoded>")
    with pytest.raises((EdxmlAttachment, EdxmlMalformed)) as caught:
        reading(base[:start] + text.encode() + base[end:])
    assert "ContentTransferEncoded" in str(caught.value.place)


def test_base64_with_blanks_and_lines(reading, packet):
    """Line breaks and blanks inside base64 are no fault."""
    content = bytes(range(256)) * 40
    data = packet(content)
    encoded = base64.b64encode(content)
    lines = b"\r\n\t ".join(encoded[n : n + 76] for n in range(0, len(encoded), 76))
    (file,) = reading(data.replace(encoded, lines), keep_content=True).document.files
    assert file.content == content


def bomb(name: str, size: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b"\0" * size)
    return made.getvalue()


def test_zip_bomb_is_left_closed(reading, packet):
    """A wrapper that unpacks to a thousand times its size is reported, not unpacked."""
    result = reading(packet(bomb(f"{UUID}.pdf", 64 * MIB), "application/zip"))
    assert result.document.files[0].inner is None
    assert [notice.code for notice in result.notices] == ["edxml.attachment_not_unwrapped"]


def test_bomb_that_lies_about_its_size(reading, packet):
    """A stated size that is smaller than the real one does not get round the guard."""
    data = bytearray(bomb(f"{UUID}.pdf", 8 * MIB))
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (1000).to_bytes(4, "little")
    result = reading(packet(bytes(data), "application/zip"))
    assert result.document.files[0].inner is None


@pytest.mark.parametrize(
    ("name", "count"),
    [("tai-lieu.pdf", 1), (f"thu-muc/{UUID}.pdf", 1), (f"../{UUID}.pdf", 1), (f"{UUID}.pdf", 2)],
)
def test_ordinary_archives_are_not_unwrapped(reading, packet, name, count):
    """Only exactly one entry that is named by a UUID makes a wrapper."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number in range(count):
            archive.writestr(name if not number else f"{number}{name[1:]}", b"%PDF-1.4 x")
    (file,) = reading(packet(made.getvalue(), "application/zip")).document.files
    assert (file.kind, file.inner) == ("zip", None)


def test_wrapper_is_opened_one_level_only(reading, packet):
    """A wrapper in a wrapper stays closed."""
    once = wrap(f"{UUID}.zip", b"%PDF-1.4 x")
    twice = wrap(f"{UUID}.zip", once)
    (file,) = reading(packet(twice, "application/zip"), keep_content=True).document.files
    assert (file.inner.kind, file.inner.content) == ("zip", once)


def test_damage_inside_a_wrapper_is_seen(reading, packet):
    """A PDF that was damaged before it was wrapped is reported all the same."""
    damaged = wrap(f"{UUID}.pdf", b"%PDF-1.4\n%" + "\ufffd\ufffd".encode() * 100)
    codes = [notice.code for notice in reading(packet(damaged)).notices]
    assert codes == ["edxml.rewrapped", "edxml.attachment_damaged"]


@pytest.mark.parametrize(
    ("declared", "content", "fits"),
    [
        ("application/pdf", b"%PDF-1.7 \xff", True),
        ("application/pdf", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", False),
        ("application/xsl", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", True),
        ("application/doc", b"{\\rtf1", False),
        ("application/pdf", b"MZ\x90\x00", False),
        ("application/la", b"MZ\x90\x00", True),
        ("image/png", b"\x89PNG\r\n\x1a\n", True),
        ("application/pdf; name=x", b"<?xml version='1.0'?>", False),
        ("text/plain", b"\x00\x01", True),
    ],
)
def test_declared_type_against_the_bytes(reading, packet, declared, content, fits):
    """A declared type that the first bytes contradict is told; unknown ones are left alone."""
    codes = [notice.code for notice in reading(packet(content, declared)).notices]
    assert codes == ([] if fits else ["edxml.attachment_mismatch"])


def test_office_files_are_told_from_zips(reading, packet):
    """A docx under the Java library's ``xslx`` is a mismatch; as ``docx`` it is none."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("[Content_Types].xml", b"<Types/>")
        archive.writestr("word/document.xml", b"<w/>")
    data = made.getvalue()
    assert reading(packet(data, "application/docx")).notices == ()
    assert reading(packet(data, "application/zip")).notices == ()
    (notice,) = reading(packet(data, "application/xslx")).notices
    assert "docx" in notice.message("vi")


def test_texts_and_attachments_are_bounded(reading, sample):
    """One text, the number of attachments and of receivers have limits of their own."""
    data = sample("valid/new_java")
    long = b"<edXML:Extra>" + b"a" * (MAX_TEXT + 1) + b"</edXML:Extra><edXML:Subject>"
    with pytest.raises(EdxmlTooLong):
        reading(data.replace(b"<edXML:Subject>", long, 1))
    start, end = data.index(b"    <Attachment>"), data.index(b"  </AttachmentEncoded>")
    many = data[start:end] * (MAX_FILES // 2 + 1)
    with pytest.raises(EdxmlMalformed, match="more than 200"):
        reading(data[:start] + many + data[end:])
    to = b"<edXML:To><edXML:OrganId>H%02d.%d</edXML:OrganId></edXML:To>"
    receivers = b"".join(to % (n // 50 + 10, n + 100) for n in range(1001))
    with pytest.raises(EdxmlRecipient, match="1 to 1000"):
        reading(data.replace(b"<edXML:DocumentId>", receivers + b"<edXML:DocumentId>", 1))


def test_large_attachment_is_streamed(options, sample, tmp_path):
    """10.5 MiB in one text, more than libxml2 takes by default, in a small part of the memory."""
    content = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n" + random.Random(1).randbytes(int(10.5 * MIB))
    path = tmp_path / "lon.edxml"
    path.write_bytes(_around(sample("defective/d11_corrupted_pdf_ufffd"), content))
    tracemalloc.start()
    try:
        with path.open("rb") as file:
            packet = read(file, options())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    found = packet.document.files[0]
    assert (found.size, found.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert (found.kind, found.damaged) == ("pdf", 0)
    assert peak < 8 * MIB


def test_more_than_the_limit_is_refused_while_reading(options):
    """A stream beyond 50 MiB is given up at the limit, wherever it would end."""

    class Endless(io.RawIOBase):
        begun = False

        def read(self, size=-1):
            head = b"" if self.begun else ROOT
            self.begun = True
            return head + b" " * (size - len(head))

    with pytest.raises((XmlTooLarge, EdxmlTooLong)):
        read(Endless(), options())
