"""File names from document ids and from clerks: safe on any file system, at most 255 bytes, NFC."""

from __future__ import annotations

import re
import unicodedata

EXTENSION = ".edxml"
MAX_BYTES = 255
_UNSAFE = re.compile(
    '[\x00-\x1f\x7f-\x9f/\\\\:*?"<>|\ud800-\udfff\ufffd-\uffff\u202a-\u202e\u2066-\u2069]'
)
"""Separators, what Windows refuses, controls, undecodable bytes, and marks that turn text round."""
_RESERVED = re.compile(r"(CON|PRN|AUX|NUL|COM[0-9]|LPT[0-9])(\.|$)", re.IGNORECASE)


def safe(text: str) -> str:
    """Return ``text`` as one part of a file name; never empty, never hidden."""
    name = _UNSAFE.sub("_", unicodedata.normalize("NFC", text)).strip(" .")
    name = name or "_"
    return f"_{name}" if _RESERVED.match(name) else name


def file_name(stem: str, *parts: str, extension: str = EXTENSION) -> str:
    """Return ``stem.part….extension``; a stem that is too long is cut between characters."""
    tail = "".join(f".{safe(part)}" for part in parts if part) + extension
    room = MAX_BYTES - len(tail.encode())
    name = safe(stem)
    while len(name.encode()) > room:
        name = name[:-1]
    return f"{name.rstrip(' .') or '_'}{tail}"


def stem_of(name: str) -> str:
    """Return a file's name without ``.edxml`` in any case."""
    return name[: -len(EXTENSION)] if name.lower().endswith(EXTENSION) else name
