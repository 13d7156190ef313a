"""The only XML parser of the house: no DTD, no entities, no network, explicit limits.

Limits are checked before or by the parser, so that a hostile document costs no more than reading
its bytes once. Depth is bounded by libxml2 itself at 256 levels; our own bound is tighter.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, BinaryIO, NoReturn, Protocol, cast

from lxml import etree

from hub.errors import HubError, XmlDoctype, XmlEncoding, XmlMalformed, XmlTooDeep, XmlTooLarge
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
    """Elements of the whole document."""
    huge: bool = False
    """Lift libxml2's own limit of 10,000,000 characters for one text (attachments above 7 MiB)."""


ENVELOPE = Limits()
"""For envelopes: 8 MiB."""
DOCUMENT = Limits(max_bytes=50 * MIB, huge=True)
"""For partners' documents such as edXML packets: 50 MiB, as the national bus is configured."""

_UTF8_BOM = b"\xef\xbb\xbf"
_FOREIGN = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00", b"\x00<", b"<\x00", b"Lo\xa7\x94")
"""Byte-order marks and first bytes of UTF-16, UTF-32 and EBCDIC."""
_MAX_DECLARATION = 200
"""Bytes of an XML declaration, written out with all its parts about 60."""
_DECLARATION = re.compile(
    rb"""<\?xml\s+version\s*=\s*(?:"1\.0"|'1\.0')"""
    rb"""(?:\s+encoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["'])?"""
    rb"""(?:\s+standalone\s*=\s*["'](?:yes|no)["'])?\s*\?>"""
)
_DOCTYPE = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_PROLOG_DOCTYPE = re.compile(rb"(?:\s+|<\?.*?\?>|<!--.*?-->)*+<!(?!--)", re.DOTALL)
"""A declaration before the root element, where alone libxml2 would read a DTD."""
_OTHER_MARKUP = 10_000
"""``<`` of a large document that begin no element: CDATA sections and what stands in them."""
_SMALLEST_ELEMENT = len("<a/>")
_RESOURCE_LIMITS = frozenset(
    {etree.ErrorTypes.ERR_RESOURCE_LIMIT, etree.ErrorTypes.ERR_NAME_TOO_LONG}
)


def _parser(*, huge: bool) -> etree.XMLParser:
    # The encoding is forced: a declared one would let the same bytes read otherwise (UTF-7 hides
    # a DOCTYPE), and the declaration is not covered by any signature.
    return etree.XMLParser(
        encoding="utf-8",
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
    suspect = _DOCTYPE.search(data) if b"<!" in data else None
    if suspect and _PROLOG_DOCTYPE.match(data, _start(data)):
        raise _doctype(data, suspect)
    if len(data) > limits.max_elements * _SMALLEST_ELEMENT:
        _check_tags(data, limits)
    try:
        root = etree.fromstring(data, _HUGE if limits.huge else _PLAIN)
    except etree.XMLSyntaxError as error:
        # Anywhere else a DOCTYPE is malformed; only inside CDATA and comments it is mere text.
        raise (_doctype(data, suspect) if suspect else _translated(error, limits)) from error
    except ValueError as error:
        raise XmlMalformed(str(error)[:200]) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise XmlDoctype
    _check_shape(root, limits, small=len(data) <= limits.max_elements * _SMALLEST_ELEMENT)
    return root


def parse_canonical(data: bytes) -> etree._Element:
    """Parse bytes that libxml2 itself wrote as the canonical form of a document parsed before.

    They are UTF-8 without DOCTYPE and within the limits already. Raises ``XmlMalformed``.
    """
    try:
        return etree.fromstring(data, _PLAIN)
    except etree.XMLSyntaxError as error:
        raise _translated(error, ENVELOPE) from error


def _start(data: bytes) -> int:
    return len(_UTF8_BOM) if data.startswith(_UTF8_BOM) else 0


def _check_start(data: bytes) -> None:
    """Hold the XML declaration to version 1.0 (1.1 has other line ends and characters) and UTF-8.

    Neither is covered by a signature, so another reader must not be able to read them otherwise.
    """
    if data.startswith(_FOREIGN):
        raise XmlEncoding
    start = _start(data)
    if not data.startswith(b"<?xml", start) or not data[start + 5 : start + 6].isspace():
        return
    end = data.find(b"?>", start, start + _MAX_DECLARATION)
    declared = _DECLARATION.fullmatch(data, start, end + 2) if end > 0 else None
    if declared is None:
        raise XmlMalformed("XML declaration", place=Place(line=1))
    encoding = (declared.group(1) or b"UTF-8").upper()
    if encoding not in (b"UTF-8", b"UTF8"):
        raise XmlEncoding(f"declared {encoding.decode('ascii')}", place=Place(line=1))


def _doctype(data: bytes, found: re.Match[bytes]) -> XmlDoctype:
    return XmlDoctype(place=Place(line=data.count(b"\n", 0, found.start()) + 1))


def _check_tags(data: bytes, limits: Limits) -> None:
    """Refuse by counting, before a tree is built, what must have too many elements.

    An element has two ``<`` at the most; a tree costs some 30 times the bytes of ``<a/>``.
    """
    tags = data.count(b"<")
    if tags > 2 * limits.max_elements + _OTHER_MARKUP:
        raise _too_deep(limits, Place())


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
    if error.code in _RESOURCE_LIMITS:
        return XmlTooDeep(text, limit=limits.max_depth, place=place)
    return XmlMalformed(text, place=place)


def _too_deep(limits: Limits, place: Place) -> XmlTooDeep:
    most = f"{limits.max_depth} / {limits.max_attributes} / {limits.max_elements}"
    return XmlTooDeep(limit=most, place=place)


@lru_cache(maxsize=16)
def _shapes(limits: Limits) -> tuple[etree.XPath, etree.XPath, etree.XPath]:
    """Whether a small, and whether a large document is beyond the limits; and where."""
    deep = f"/{'/'.join(['*'] * (limits.max_depth + 1))}"
    wide = f"//@*[{limits.max_attributes + 1}]"
    return (
        etree.XPath(f"boolean({deep}) or boolean({wide})"),
        etree.XPath(f"boolean({deep}) or boolean({wide}) or count(//*) > {limits.max_elements}"),
        etree.XPath(f"({deep} | {wide}/.. | (//*)[{limits.max_elements + 1}])[1]"),
    )


def _check_shape(root: etree._Element, limits: Limits, *, small: bool) -> None:
    """Depth, attributes and elements, counted by libxml2 itself in a few microseconds."""
    if_small, if_large, where = _shapes(limits)
    beyond = if_small if small else if_large
    if beyond(root):
        first = cast("Any", where(root))[0]
        raise _too_deep(limits, Place(line=first.sourceline or 0))


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
        target=target,
        encoding="utf-8",
        huge_tree=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
    )
    bytes_read = _Utf8(limits.max_bytes)
    try:
        while block := _block(source):
            bytes_read.check(block)
            parser.feed(block)
            _check_prefixes(parser)
        bytes_read.finish()
        parser.close()
    except HubError:
        _check_prefixes(parser)  # what the handler tripped over may only be its consequence
        raise
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
            if _PROLOG_DOCTYPE.match(block, _start(block)):
                raise XmlDoctype
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
            raise _too_deep(limits, Place())
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
