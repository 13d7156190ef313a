"""Lines of a packet as the vendors' libraries lay them out: two blanks a level, LF, no BOM."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hub.errors import EdxmlField, EdxmlTooLong
from hub.schemas.edxml.vocabulary import LENGTHS

_REFUSED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot carry, and DEL."""
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_SPECIAL = re.compile("[&<>\r]")
_PREFIX = "edXML:"


class Lines:
    """Collects indented lines; element names get the ``edXML:`` prefix."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._depth = 0

    def raw(self, line: str) -> None:
        """Add a line as it is, at the present depth."""
        self._lines.append("  " * self._depth + line)

    @contextmanager
    def group(self, name: str, attributes: str = "", prefix: str = _PREFIX) -> Iterator[None]:
        """Write an element around the lines of the ``with`` block."""
        self.raw(f"<{prefix}{name}{attributes}>")
        self._depth += 1
        yield
        self._depth -= 1
        self.raw(f"</{prefix}{name}>")

    def field(self, name: str, value: object, *, limit: str = "", prefix: str = _PREFIX) -> None:
        """Write a field that is not empty; raises ``EdxmlTooLong`` or ``EdxmlField``."""
        text = "" if value is None else str(value)
        if text:
            self.raw(f"<{prefix}{name}>{escaped(text, name, limit)}</{prefix}{name}>")

    def fields(self, **values: object) -> None:
        """Write several fields in the order given."""
        for name, value in values.items():
            self.field(name, value)

    def block(self, name: str, **values: object) -> None:
        """Write a group of fields, unless all are empty."""
        if any(str(value) for value in values.values() if value is not None):
            with self.group(name):
                self.fields(**values)

    def each(self, name: str, inner: str, values: tuple[str, ...], limit: str = "") -> None:
        """Write a list element, unless there is nothing in it."""
        if values:
            with self.group(name):
                for value in values:
                    self.field(inner, value, limit=limit)

    def done(self) -> bytes:
        """Return the bytes, with a line feed at the end."""
        return ("\n".join(self._lines) + "\n").encode()


Part = Callable[[], None]
"""Writes one part of a packet; dialects differ in the order of the parts."""


def escaped(text: str, name: str, limit: str = "") -> str:
    """Return ``text`` for an element; raises ``EdxmlTooLong`` above the norm's length."""
    longest = LENGTHS.get(limit or name, 0)
    if longest and len(text) > longest:
        raise EdxmlTooLong(field=name, size=len(text), limit=longest)
    if _REFUSED.search(text):
        raise EdxmlField(field=name, reason="control characters", reason_vi="có ký tự điều khiển")
    return _SPECIAL.sub(lambda found: _ESCAPES[found.group()], text)
