"""Watermarks of legacy tables: a column that grows with every change, kept in a checkpoint.

Numbers, SQL Server's ``rowversion`` (bytes), times, and text that sorts as its time. A checkpoint
is the watermark **and the row's id**, so that rows which share one watermark are told apart.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from hub.adapters import dates
from hub.errors import ConfigInvalid, HubError

Mark = int | str | bytes | datetime

_TEXT_TIMES = (
    "yyyy-MM-dd HH:mm:ss",
    "yyyy-MM-ddTHH:mm:ss",
    "yyyy/MM/dd HH:mm:ss",
    "yyyyMMddHHmmss",
)
"""Spellings whose alphabetical order is their order in time."""
_SORTABLE = re.compile(
    r"([0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}|[0-9]{14})(\.[0-9]+)?"
)
_MAX_SEQUENCE = 10**18
"""``SourceSequence`` has at most 18 digits."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where reading stands: the watermark and the id of the last row that was read."""

    mark: Mark
    row: Mark

    def checkpoint(self) -> str:
        """Return the position as text that :meth:`parse` reads back exactly."""
        return json.dumps([_freeze(self.mark), _freeze(self.row)])

    @classmethod
    def parse(cls, checkpoint: str) -> Position:
        """Read a checkpoint; raises ``ConfigInvalid``, never starts again from zero."""
        try:
            mark, row = json.loads(checkpoint)
            return cls(_thaw(mark), _thaw(row))
        except (ValueError, TypeError, AttributeError) as error:
            raise ConfigInvalid(file="checkpoint", key="-", reason=checkpoint[:40]) from error


def usable(value: object, overlap: int) -> Mark | None:
    """Return a column's value as a watermark, or ``None`` when it cannot be one.

    Text must be a time that sorts; any text will do where no overlap is asked for.
    """
    if isinstance(value, Decimal | float):
        return int(value) if value == int(value) else None
    if isinstance(value, str):
        return value if not overlap or _SORTABLE.fullmatch(value) else None
    return value if isinstance(value, int | bytes | datetime) else None


def below(mark: Mark, overlap: int) -> Mark:
    """Return the mark ``overlap`` units (seconds for times) before ``mark``.

    Raises ``ConfigInvalid`` for text that is no time.
    """
    if isinstance(mark, int):
        return mark - overlap
    if isinstance(mark, bytes):
        return max(0, int.from_bytes(mark, "big") - overlap).to_bytes(len(mark), "big")
    if isinstance(mark, datetime):
        return mark - timedelta(seconds=overlap)
    return _text_below(mark, overlap) if overlap else mark


def sequence(mark: object) -> int:
    """Return a watermark as the running number that events carry (milliseconds for times)."""
    if isinstance(mark, bytes):
        return int.from_bytes(mark, "big") % _MAX_SEQUENCE
    if isinstance(mark, datetime):
        return int(mark.timestamp() * 1000)
    digits = "".join(char for char in str(mark) if char.isascii() and char.isdigit())
    return int(digits[:18] or "0")


def _text_below(mark: str, overlap: int) -> str:
    head = mark.partition(".")[0]
    for name in _TEXT_TIMES:
        try:
            moment = dates.read(head, dates.DateColumn("watermark", (name,)))
        except HubError:
            continue
        # A sentinel (0001-01-01 …) sorts below everything and has nothing below it.
        return mark if moment is None else dates.write(moment - timedelta(seconds=overlap), name)
    raise ConfigInvalid(file="mapping", key="feed.watermark", reason="text that does not sort")


def _freeze(value: Mark) -> str:
    if isinstance(value, datetime):
        return f"t:{value.isoformat()}"
    if isinstance(value, bytes):
        return f"b:{value.hex()}"
    return f"i:{value}" if isinstance(value, int) else f"s:{value}"


def _thaw(text: str) -> Mark:
    kind, _, value = text.partition(":")
    if kind == "i":
        return int(value)
    if kind == "t":
        return datetime.fromisoformat(value)
    if kind == "b":
        return bytes.fromhex(value)
    if kind != "s":
        raise ValueError(kind)
    return value
