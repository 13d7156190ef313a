"""The only XML parser of the house: no DTD, no entities, no network, explicit limits.

Limits are checked before or by the parser, so that a hostile document costs no more than reading
its bytes once. Depth is bounded by libxml2 itself at 256 levels; our own bound is tighter.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, NoReturn, Protocol, cast

from lxml import etree

from hub.errors import XmlDoctype, XmlEncoding, XmlMalformed, XmlTooDeep, XmlTooLarge
from hub.errors.base import Place

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may be at the most; each number is documented in ``docs/limits.md``."""

    max_bytes: int = 8 * MIB
    max_depth: int = 64
    """Levels of elements, the root being level 1; never above libxml2's own 256."""
    max_attributes: int = 32
    """Attributes (without namespace declarations) of one element."""
    max_elements: int = 100_000
    huge: bool = False
    """Lift libxml2's own limit of 10,000,000 characters for one text (attachments above 7 MiB)."""


ENVELOPE = Limits()
"""For envelopes: 8 MiB."""
DOCUMENT = Limits(max_bytes=50 * MIB, huge=True)
"""For partners' documents such as edXML packets: 50 MiB, as the national bus is configured."""

_UTF8_BOM = b"\xef\xbb\xbf"
_FOREIGN = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff", b"\x00<", b"<\x00", b"Lo\xa7\x94")
"""Byte-order marks and first bytes of UTF-16, UTF-32 and EBCDIC."""
_DECLARATION = re.compile(rb"<\?xml\s[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]*)[\"']")
_DOCTYPE = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_DEEP = re.compile("depth|huge|Excessive", re.IGNORECASE)


def _parser(*, huge: bool) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=huge,
        remove_comments=False,
        remove_pis=False,
        strip_cdata=True,
        collect_ids=False,
    )


_PLAIN = _parser(huge=False)
_HUGE = _parser(huge=True)


def parse(data: bytes, limits: Limits = ENVELOPE) -> etree._Element:
    """Parse UTF-8 XML (a BOM is allowed) and return its root element.

    Raises ``XmlTooLarge``, ``XmlEncoding``, ``XmlDoctype``, ``XmlTooDeep`` or ``XmlMalformed``, the
    last with line and column. Nothing outside ``data`` is ever read.
    """
    if len(data) > limits.max_bytes:
        raise XmlTooLarge(size=len(data), limit=limits.max_bytes)
    _check_encoding(data)
    if b"<!" in data and _DOCTYPE.search(data):
        raise XmlDoctype
    try:
        root = etree.fromstring(data, _HUGE if limits.huge else _PLAIN)
    except etree.XMLSyntaxError as error:
        raise _translated(error, limits) from error
    except ValueError as error:
        raise XmlMalformed(str(error)[:200]) from error
    _check_shape(root, limits)
    return root


def parse_canonical(data: bytes) -> etree._Element:
    """Parse bytes that libxml2 itself wrote as the canonical form of a document parsed before.

    They are UTF-8 without DOCTYPE and within the limits already. Raises ``XmlMalformed``.
    """
    try:
        return etree.fromstring(data, _PLAIN)
    except etree.XMLSyntaxError as error:
        raise _translated(error, ENVELOPE) from error


def _check_start(data: bytes) -> None:
    if data.startswith(_FOREIGN):
        raise XmlEncoding
    declared = _DECLARATION.match(data[3:203] if data.startswith(_UTF8_BOM) else data[:200])
    if declared and declared.group(1).upper() not in (b"UTF-8", b"UTF8", b"US-ASCII"):
        raise XmlEncoding(f"declared {declared.group(1).decode('ascii')}")


def _check_encoding(data: bytes) -> None:
    _check_start(data)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise XmlEncoding(f"byte {error.start}", place=Place(line=line)) from error


def _translated(error: etree.XMLSyntaxError, limits: Limits) -> XmlMalformed | XmlTooDeep:
    line, column = error.position
    place = Place(line=line or 0, column=str(column) if column else "")
    text = (error.msg or "").split("\n")[0][:200]
    if _DEEP.search(text):
        return XmlTooDeep(limit=limits.max_depth, place=place)
    return XmlMalformed(text, place=place)


_SHAPES: dict[tuple[int, int, int], etree.XPath] = {}


def _check_shape(root: etree._Element, limits: Limits) -> None:
    """Depth, attributes and elements in one XPath, evaluated by libxml2 (a few microseconds)."""
    key = (limits.max_depth, limits.max_attributes, limits.max_elements)
    shape = _SHAPES.get(key)
    if shape is None:
        deep = "/".join(["*"] * (limits.max_depth + 1))
        shape = _SHAPES[key] = etree.XPath(
            f"boolean(/{deep}) or boolean(//*[@*[{limits.max_attributes + 1}]])"
            f" or count(//*) > {limits.max_elements}"
        )
    if shape(root):
        raise XmlTooDeep(limit=f"{key[0]} levels, {key[1]} attributes, {key[2]} elements")


BLOCK = 64 * 1024
"""Bytes that :func:`stream` reads at a time."""


Prefixes = Mapping[str | None, str]


class Handler(Protocol):
    """What :func:`stream` calls, in document order; names are ``{namespace}local``."""

    def start(self, tag: str, attributes: Mapping[str, str], prefixes: Prefixes) -> None:
        """An element begins; ``prefixes`` are the namespaces declared on it."""

    def data(self, text: str) -> None:
        """Text, in pieces of any length."""

    def end(self, tag: str) -> None:
        """The element ends."""


def stream(source: BinaryIO, handler: Handler, limits: Limits = DOCUMENT) -> None:
    """Read UTF-8 XML block by block and tell ``handler``; no tree and no long text is ever built.

    For partners' documents whose one text may be tens of megabytes. Comments are passed over,
    processing instructions refused. Raises what :func:`parse` raises, and whatever the handler
    raises.
    """
    target = _Target(handler, limits)
    # The stubs know neither namespaces in ``start`` nor the feed interface of such a parser.
    parser = cast("Any", etree.XMLParser)(
        target=target, huge_tree=True, resolve_entities=False, no_network=True, load_dtd=False
    )
    bytes_read = _Utf8(limits.max_bytes)
    try:
        while block := _block(source):
            bytes_read.check(block)
            parser.feed(block)
            _check_prefixes(parser)
        bytes_read.finish()
        parser.close()
    except etree.XMLSyntaxError as error:
        raise _translated(error, limits) from error
    except ValueError as error:
        raise XmlMalformed(str(error)[:200]) from error


def _check_prefixes(parser: Any) -> None:
    """Raise what libxml2 only writes down for an event reader: an undeclared prefix."""
    for entry in parser.feed_error_log:
        if entry.level >= etree.ErrorLevels.ERROR:
            place = Place(line=entry.line, column=str(entry.column))
            raise XmlMalformed((entry.message or "")[:200], place=place)


def _block(source: BinaryIO) -> bytes:
    """Read a whole block: what stands in the first bytes is looked for there."""
    block = bytearray()
    while len(block) < BLOCK:
        piece = source.read(BLOCK - len(block))
        if not piece:
            break
        block += piece
    return bytes(block)


class _Utf8:
    """Counts the bytes of a stream and holds them to UTF-8, as :func:`parse` does for a whole."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._read = 0
        self._lines = 1
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def check(self, block: bytes) -> None:
        if self._read == 0:
            _check_start(block)
        if self._read + len(block) > self._limit:
            raise XmlTooLarge(size=f"{self._limit}+", limit=self._limit)
        try:
            self._decoder.decode(block)
        except UnicodeDecodeError as error:
            line = self._lines + error.object.count(b"\n", 0, error.start)
            raise XmlEncoding(place=Place(line=line)) from error
        self._read += len(block)
        self._lines += block.count(b"\n")

    def finish(self) -> None:
        try:
            self._decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            raise XmlEncoding(f"byte {self._read}", place=Place(line=self._lines)) from error


class _Target:
    """Between libxml2 and a handler: refuses what the house never reads, and counts."""

    def __init__(self, handler: Handler, limits: Limits) -> None:
        self._handler = handler
        self._limits = limits
        self._depth = 0
        self._elements = 0
        self.data = handler.data

    def start(
        self, tag: str, attributes: Mapping[str, str], prefixes: Prefixes | None = None
    ) -> None:
        self._depth += 1
        self._elements += 1
        limits = self._limits
        if (
            self._depth > limits.max_depth
            or self._elements > limits.max_elements
            or len(attributes) > limits.max_attributes
        ):
            raise XmlTooDeep(
                limit=f"{limits.max_depth} levels, {limits.max_attributes} attributes, "
                f"{limits.max_elements} elements"
            )
        self._handler.start(tag, attributes, prefixes or {})

    def end(self, tag: str) -> None:
        self._depth -= 1
        self._handler.end(tag)

    def pi(self, _target: str, _data: str | None = None) -> NoReturn:
        raise XmlMalformed("processing instructions are not accepted")

    def doctype(self, *_names: str | None) -> NoReturn:
        raise XmlDoctype

    def close(self) -> None:
        pass
