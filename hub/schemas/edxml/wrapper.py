"""The zip that the Java library puts around a file: one entry, named by a UUID, one level."""

from __future__ import annotations

import hashlib
import io
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO

from hub.schemas.edxml.model import Inner
from hub.schemas.edxml.options import ReadOptions
from hub.schemas.edxml.payload import PayloadStream
from hub.schemas.edxml.sniff import HEAD, TAIL, damage, kind_of

_ENTRY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\.[0-9a-z]{1,10})?", re.IGNORECASE)
_END = b"PK\x05\x06"
_END_FORM = struct.Struct("<4s4H2LH")
_MAX_DIRECTORY = 4096
"""Bytes of the central directory of an archive with one entry."""
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1
_BLOCK = 64 * 1024
_FAILURES = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    OverflowError,
    OSError,
)
"""What ``zipfile`` raises on hostile archives."""
FIXED_TIME = (2026, 1, 1, 0, 0, 0)
"""Time of the entries we write, so that equal input gives equal bytes."""


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """The entry of a wrapper, or why a wrapper was left closed (both empty: not a wrapper)."""

    inner: Inner | None = None
    reason: str = ""
    reason_vi: str = ""


def unwrap(payload: PayloadStream, options: ReadOptions) -> Unwrapped:
    """Open ``payload`` if it is a wrapper: exactly one entry, named by a UUID. Never two levels."""
    if not _may_be_wrapper(payload):
        return Unwrapped()
    try:
        payload.file.seek(0)
        with zipfile.ZipFile(payload.file) as archive:
            entries = archive.infolist()
            if len(entries) != 1 or not _ENTRY.fullmatch(entries[0].filename):
                return Unwrapped()
            entry = entries[0]
            if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
                return Unwrapped(None, "it is encrypted or packed oddly", "bị mã hóa hoặc nén lạ")
            limit = min(options.max_unwrapped, options.max_ratio * max(entry.compress_size, 1024))
            if entry.file_size > limit:
                return _bomb(limit)
            with archive.open(entry) as source:
                return _read(source, entry.filename, limit, keep=options.keep_content)
    except _FAILURES:
        return Unwrapped(None, "the archive is damaged", "gói zip bị hỏng")


def wrap(name: str, content: bytes) -> bytes:
    """Wrap ``content`` as the Java library does; ``name`` is ``<uuid>.<ext>``."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name, FIXED_TIME), content, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _bomb(limit: int) -> Unwrapped:
    return Unwrapped(None, f"it unpacks to more than {limit} bytes", f"bung ra quá {limit} byte")


def _may_be_wrapper(payload: PayloadStream) -> bool:
    """Look at the end record first: ``zipfile`` would read a million names into memory."""
    if not payload.head(4).startswith(b"PK"):
        return False
    tail = payload.tail(TAIL)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_FORM.size:
        return False
    _, disk, start, here, total, size, _, _ = _END_FORM.unpack_from(tail, at)
    return (disk, start, here, total) == (0, 0, 1, 1) and int(size) <= _MAX_DIRECTORY


def _read(source: IO[bytes], name: str, limit: int, *, keep: bool) -> Unwrapped:
    digest, size, kept = hashlib.sha256(), 0, io.BytesIO()
    head = tail = b""
    while block := source.read(_BLOCK):
        size += len(block)
        if size > limit:
            return _bomb(limit)
        digest.update(block)
        head += block[: max(0, HEAD - len(head))]
        tail = (tail + block)[-TAIL:]
        if keep:
            kept.write(block)
    content = kept.getvalue() if keep else None
    return Unwrapped(
        Inner(name, size, digest.hexdigest(), kind_of(head, tail), damage(head), content)
    )
