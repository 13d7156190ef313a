"""What a file is by its first bytes, and whether that is what it was declared to be."""

from __future__ import annotations

import re

HEAD = 8 * 1024
"""Bytes at the beginning that are looked at; damage by a text conversion shows there too."""
TAIL = 64 * 1024
"""Bytes at the end: an archive's list of names, and the comment that may follow it."""
REPLACEMENT = b"\xef\xbf\xbd"
"""U+FFFD in UTF-8: what a text round trip leaves of a byte that was not UTF-8."""

_MAGIC = (
    (b"%PDF-", "pdf"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"{\\rtf", "rtf"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF8", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"Rar!\x1a\x07", "rar"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x1f\x8b", "gzip"),
    (b"<?xml", "xml"),
    (b"MZ", "exe"),
)
_OFFICE = (
    (b"word/document.xml", "docx"),
    (b"xl/workbook.xml", "xlsx"),
    (b"xl/workbook.bin", "xlsx"),
    (b"ppt/presentation.xml", "pptx"),
    (b"opendocument.text", "odt"),
    (b"opendocument.spreadsheet", "ods"),
)

_DECLARED = {
    "pdf": "pdf",
    "doc": "ole",
    "msword": "ole",
    "xls": "ole",
    "xsl": "ole",
    "vnd.ms-excel": "ole",
    "ppt": "ole",
    "docx": "docx",
    "vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "xlsx": "xlsx",
    "xslx": "xlsx",
    "vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "pptx": "pptx",
    "zip": "zip",
    "x-zip-compressed": "zip",
    "rar": "rar",
    "vnd.rar": "rar",
    "x-rar-compressed": "rar",
    "7z": "7z",
    "rtf": "rtf",
    "odt": "odt",
    "ods": "ods",
    "png": "png",
    "jpg": "jpeg",
    "jpeg": "jpeg",
    "gif": "gif",
    "tif": "tiff",
    "tiff": "tiff",
}
"""Subtypes as they occur, the Java library's ``xsl`` and ``xslx`` included."""
_ZIPPED = frozenset({"zip", "docx", "xlsx", "pptx", "odt", "ods"})
_TEXTUAL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def kind_of(head: bytes, tail: bytes = b"") -> str:
    """Return the kind of file (``pdf``, ``docx``, …), ``text``, or empty when it is not known."""
    kind = next((name for magic, name in _MAGIC if head.startswith(magic)), "")
    if kind == "zip":
        return next((name for mark, name in _OFFICE if mark in head or mark in tail), kind)
    if not kind and head and not _TEXTUAL.search(head):
        return "text"
    return kind


def fits(declared: str, kind: str) -> bool:
    """Whether ``kind`` can be what ``declared`` says; yes when either is not known."""
    wanted = _DECLARED.get(declared.partition(";")[0].strip().lower().rpartition("/")[2], "")
    if not wanted or not kind:
        return True
    return kind == wanted or (wanted == "zip" and kind in _ZIPPED)


def damage(head: bytes) -> int:
    """Count U+FFFD in the beginning of a PDF: any is the mark of a text conversion."""
    return head.count(REPLACEMENT) if head.startswith(b"%PDF") else 0
