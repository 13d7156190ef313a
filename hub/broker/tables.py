"""AMQP 0-9-1 field tables, as RabbitMQ writes them, to and from plain Python values.

Sources: AMQP 0-9-1 §4.2.5, and RabbitMQ's table of field types at
https://www.rabbitmq.com/amqp-0-9-1-errata (section 3), which differs from the standard's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from struct import Struct, error
from typing import Any

MAX_DEPTH = 16
"""Tables within tables; RabbitMQ's own ``x-death`` needs two."""

_LONG, _WHOLE = Struct(">I"), Struct(">q")
_FIXED = {
    ord("t"): Struct(">?"),
    ord("b"): Struct(">b"),
    ord("B"): Struct(">B"),
    ord("s"): Struct(">h"),
    ord("u"): Struct(">H"),
    ord("I"): Struct(">i"),
    ord("i"): Struct(">I"),
    ord("l"): Struct(">q"),
    ord("L"): Struct(">q"),
    ord("f"): Struct(">f"),
    ord("d"): Struct(">d"),
}
_TEXT, _BYTES, _TABLE, _ARRAY = ord("S"), ord("x"), ord("F"), ord("A")
_TIME, _VOID, _DECIMAL = ord("T"), ord("V"), ord("D")


def encode(values: Mapping[str, str | int]) -> bytes:
    """Return a field table, its length first. Names have at most 255 bytes, integers 64 bits."""
    body = b"".join(_field(name, value) for name, value in values.items())
    return _LONG.pack(len(body)) + body


def _field(name: str, value: str | int) -> bytes:
    if isinstance(value, int):
        return _name(name) + b"l" + _WHOLE.pack(value)
    text = value.encode()
    return _name(name) + b"S" + _LONG.pack(len(text)) + text


@lru_cache(maxsize=256)
def _name(name: str) -> bytes:
    key = name.encode()
    return bytes((len(key),)) + key


def decode(data: bytes, offset: int = 0) -> tuple[dict[str, Any], int]:
    """Return a field table and the offset behind it; raises ``ValueError`` when it is malformed."""
    try:
        return _table(data, offset, 0)
    except (error, IndexError, UnicodeDecodeError, OverflowError, OSError) as fault:
        raise ValueError(type(fault).__name__) from fault


def _table(data: bytes, offset: int, depth: int) -> tuple[dict[str, Any], int]:
    end = _end(data, offset)
    offset += 4
    values = {}
    while offset < end:
        start = offset + 1
        offset = start + data[offset]
        name = data[start:offset].decode()
        values[name], offset = _value(data, offset, depth)
    if offset != end:
        raise ValueError("table")
    return values, end


def _array(data: bytes, offset: int, depth: int) -> tuple[list[Any], int]:
    end = _end(data, offset)
    offset += 4
    values = []
    while offset < end:
        value, offset = _value(data, offset, depth)
        values.append(value)
    if offset != end:
        raise ValueError("array")
    return values, end


def _end(data: bytes, offset: int) -> int:
    """The end of something whose length stands in four bytes before it."""
    end: int = offset + 4 + int(_LONG.unpack_from(data, offset)[0])
    if end > len(data):
        raise ValueError("length")
    return end


def _value(data: bytes, offset: int, depth: int) -> tuple[Any, int]:
    kind = data[offset]
    offset += 1
    if kind in (_TEXT, _BYTES):
        end = _end(data, offset)
        raw = data[offset + 4 : end]
        return (raw.decode("utf-8", "replace") if kind == _TEXT else raw), end
    fixed = _FIXED.get(kind)
    if fixed is not None:
        return fixed.unpack_from(data, offset)[0], offset + fixed.size
    if depth >= MAX_DEPTH:
        raise ValueError("depth")
    return _rare(kind, data, offset, depth)


def _rare(kind: int, data: bytes, offset: int, depth: int) -> tuple[Any, int]:
    if kind == _TABLE:
        return _table(data, offset, depth + 1)
    if kind == _ARRAY:
        return _array(data, offset, depth + 1)
    if kind == _TIME:
        seconds = int.from_bytes(data[offset : offset + 8], "big")
        return datetime.fromtimestamp(seconds, UTC), offset + 8
    if kind == _VOID:
        return None, offset
    if kind == _DECIMAL:
        scale, number = data[offset], int.from_bytes(data[offset + 1 : offset + 5], "big")
        return number / 10**scale, offset + 5
    raise ValueError("type")
