"""Text of legacy systems: decoded by the encoding that is declared **for each column**.

Nothing is guessed: a column's encoding stands in the mapping file, and text that does not fit it,
or that carries the marks of an earlier accident, is refused with the column's and the encoding's
name. Only extracted fields come here, never a payload that carries a signature.

A further encoding is one more member of :class:`Encoding` and one more entry in ``_CODECS``.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from hub.adapters import text_tcvn3
from hub.errors import Place, SinkRefused, TextDamaged

QUESTION_RATIO = 0.05
"""Share of words with a ``?`` inside above which letters must have been lost in a conversion."""

_SOFT_HYPHEN = re.compile(r"(?<=[^\W\d_])\u00ad|\u00ad(?=[^\W\d_])")
"""Beside a letter it is what TCVN3's ư (byte AD) looks like through cp1252."""
_ETH = re.compile(r"(?<=[^\W\d_])\u00d0|\u00d0(?=[^\W\d_])")
"""U+00D0 beside a letter stands where U+0110 Đ belongs."""
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd\ufffe\uffff\ud800-\udfff]")
"""C0 controls (XML forbids them too), C1 controls, U+FFFD, non-characters and lone surrogates."""
_QUESTION = re.compile(r"\?+[^\W\d_]")
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")


class Encoding(StrEnum):
    """The encodings that a mapping file may declare for a text column."""

    UTF8 = "utf-8"
    """UTF-8 bytes, or text that the driver has decoded rightly; any normal form, a BOM allowed."""
    TCVN3 = "tcvn3"
    """TCVN3 bytes (BLOB or VARBINARY column, or a driver read in latin-1)."""
    TCVN3_GLYPHS = "tcvn3-glyphs"
    """TCVN3 bytes that an NVARCHAR column holds as cp1252 characters: ``§Æng ThÞ H\u00adêng``."""


class _Undecodable(Exception):
    """A byte or a character that the encoding does not have."""


@dataclass(frozen=True, slots=True)
class _Codec:
    decode: Callable[[bytes | str], str]
    encode: Callable[[str], bytes | str]


def decode(
    raw: bytes | str,
    encoding: Encoding,
    column: str,
    *,
    entities: bool = False,
    fold_eth: bool = False,
) -> str:
    """Return the column's text in NFC.

    ``entities``: the column is declared to hold HTML entities; they are resolved once.
    ``fold_eth``: it is declared to hold U+00D0 where U+0110 belongs; it is replaced.
    Raises ``TextDamaged`` naming the column and its encoding, never the text.
    """
    try:
        text = _CODECS[encoding].decode(raw)
    except (_Undecodable, UnicodeError) as error:
        raise _damaged(column, encoding, "undecodable") from error
    if entities:
        text = html.unescape(text)
    text = unicodedata.normalize("NFC", text)
    if fold_eth:
        text = text.replace("\u00d0", "\u0110")
    reason = damage(text)
    if reason:
        raise _damaged(column, encoding, reason)
    return text


def text_or_bytes(raw: bytes) -> str | bytes:
    """Return a driver's text that is not UTF-8 as its bytes, so that one bad row is one bad row."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw


def tolerated(value: object) -> str:
    """Return a remark in NFC, or nothing when it is damaged: for text beside a code that tells."""
    try:
        return decode(str(value or ""), Encoding.UTF8, "-").strip()
    except TextDamaged:
        return ""


def damage(text: str) -> str:
    """Name the sign of an earlier accident that ``text`` carries; empty when it has none."""
    if _FORBIDDEN.search(text):
        return "control or replacement character"
    if _SOFT_HYPHEN.search(text):
        return "soft hyphen inside a word"
    if _ETH.search(text):
        return "U+00D0 beside letters"
    words = [word for word in re.split(r"[\s;,]+", text) if word and "://" not in word]
    asked = sum(1 for word in words if _QUESTION.search(word) and "=" not in word)
    if asked > QUESTION_RATIO * len(words):
        return "question marks inside words"
    return ""


def encode(text: str, encoding: Encoding, column: str) -> bytes | str:
    """Return ``text`` as the column stores it: bytes for TCVN3, text for the others.

    Raises ``SinkRefused`` for a character that the encoding lacks (a capital with a tone in
    TCVN3); nothing is ever replaced by ``?``.
    """
    try:
        return _CODECS[encoding].encode(unicodedata.normalize("NFC", text))
    except _Undecodable as error:
        reason = f"{encoding} has no {error}"
        raise SinkRefused(place=Place(column=column), reason=reason) from error


def comparison_key(text: str) -> str:
    """Return what two spellings of one text share; for comparing only, never to be stored as text.

    NFC, Ð folded to Đ, tone placement folded (``Hoạ`` and ``Họa``: the tone moves behind the
    word), case folded, blanks and NBSP collapsed.
    """
    folded = unicodedata.normalize("NFC", text).replace("\u00d0", "\u0110").casefold()
    folded = folded.replace("\u00f0", "\u0111")
    return " ".join(_tone_last(word) for word in folded.split())


def _tone_last(word: str) -> str:
    marks = unicodedata.normalize("NFD", word)
    bare = "".join(char for char in marks if char not in _TONES)
    tones = "".join(char for char in marks if char in _TONES)
    return unicodedata.normalize("NFC", bare) + tones


def _damaged(column: str, encoding: Encoding, reason: str) -> TextDamaged:
    place = Place(column=column)
    return TextDamaged(reason, place=place, column=column, encoding=encoding.value)


def _utf8(raw: bytes | str) -> str:
    text = raw.decode("utf-8") if isinstance(raw, bytes) else raw
    return text.removeprefix("\ufeff")


def _from_tcvn3(raw: bytes | str) -> str:
    data = raw.encode("latin-1") if isinstance(raw, str) else raw
    try:
        return "".join(text_tcvn3.DECODE[byte] for byte in data)
    except KeyError as error:
        raise _Undecodable from error


def _from_glyphs(raw: bytes | str) -> str:
    return _from_tcvn3(_utf8(raw).encode("cp1252"))


def _to_tcvn3(text: str) -> bytes:
    try:
        return bytes(text_tcvn3.ENCODE[char] for char in text)
    except KeyError as error:
        char = str(error.args[0])
        raise _Undecodable(f"U+{ord(char):04X} {unicodedata.name(char, '')}".strip()) from error


def _to_glyphs(text: str) -> str:
    return _to_tcvn3(text).decode("cp1252")


_CODECS = {
    Encoding.UTF8: _Codec(_utf8, str),
    Encoding.TCVN3: _Codec(_from_tcvn3, _to_tcvn3),
    Encoding.TCVN3_GLYPHS: _Codec(_from_glyphs, _to_glyphs),
}
