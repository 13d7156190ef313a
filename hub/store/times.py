"""Aware datetimes outside, microseconds since 1970 UTC inside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import overload

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@overload
def to_us(moment: datetime) -> int: ...
@overload
def to_us(moment: None) -> None: ...
def to_us(moment: datetime | None) -> int | None:
    """Return microseconds since 1970 UTC; ``None`` stays ``None``."""
    return None if moment is None else (moment - _EPOCH) // _MICROSECOND


@overload
def from_us(value: int) -> datetime: ...
@overload
def from_us(value: None) -> None: ...
def from_us(value: int | None) -> datetime | None:
    """Return the aware UTC datetime of microseconds since 1970; ``None`` stays ``None``."""
    return None if value is None else _EPOCH + value * _MICROSECOND
