"""Dates of legacy systems: read by the formats declared **for each column**, as Vietnam time.

No library guesses: ``04/03/2026`` is the 4th of March because the column says ``dd/MM/yyyy``.
Letters as in the vendors' manuals: ``yyyy MM dd HH mm ss`` have a fixed width, ``d`` and ``M`` one
or two digits; ``iso`` is ISO 8601 with or without an offset, ``epoch_ms`` milliseconds since 1970.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache

from hub.errors import ConfigInvalid, DateUnreadable, Place

VIETNAM = timezone(timedelta(hours=7))
"""Fixed: the zone data give +08:00 for dates before 1975-06-13, which no partner means."""

SENTINELS = (
    "0001-01-01",
    "01/01/0001",
    "1900-01-01",
    "01/01/1900",
    "1753-01-01",
    "0000-00-00",
    "00010101",
    "19000101",
    "00000000",
    "null",
)
"""Beginnings of spellings that mean *unknown* in the databases met so far."""
_NEVER = frozenset({date(1, 1, 1), date(1753, 1, 1), date(1900, 1, 1)})

_TOKENS = {
    "yyyy": r"(?P<year>[0-9]{4})",
    "MM": r"(?P<month>[0-9]{2})",
    "dd": r"(?P<day>[0-9]{2})",
    "HH": r"(?P<hour>[0-9]{2})",
    "mm": r"(?P<minute>[0-9]{2})",
    "ss": r"(?P<second>[0-9]{2})",
    "M": r"(?P<month>[0-9]{1,2})",
    "d": r"(?P<day>[0-9]{1,2})",
}
_TOKEN = re.compile("yyyy|MM|dd|HH|mm|ss|M|d")


@dataclass(frozen=True, slots=True)
class DateColumn:
    """How one column spells its dates."""

    column: str
    formats: tuple[str, ...]
    """Tried in this order; a column that three programs write has three."""
    sentinels: tuple[str, ...] = SENTINELS

    def __post_init__(self) -> None:
        day_first = any(re.match("d{1,2}[/-]M", name) for name in self.formats)
        if day_first and any(re.match("M{1,2}[/-]d", name) for name in self.formats):
            raise ConfigInvalid(
                file="mapping", key=self.column, reason="day/month and month/day in one column"
            )
        for name in self.formats:
            _pattern(name)


def read(value: object, rule: DateColumn) -> datetime | None:
    """Return the instant with offset +07:00, or ``None`` for empty, NULL and the sentinels.

    Takes text, bytes and the driver's ``datetime`` or ``date``. Raises ``DateUnreadable`` naming
    the column and its formats.
    """
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    if isinstance(value, datetime):
        return None if value.date() in _NEVER else _aware(value)
    if isinstance(value, date):
        return None if value in _NEVER else datetime.combine(value, time(), VIETNAM)
    text = "" if value is None else str(value).strip()
    if not text or any(text.lower().startswith(mark) for mark in rule.sentinels):
        return None
    for name in rule.formats:
        found = _read_as(text, name)
        if found is not None:
            return found
    raise DateUnreadable(
        place=Place(column=rule.column), column=rule.column, format=", ".join(rule.formats)
    )


def write(moment: datetime, name: str) -> str:
    """Return ``moment`` in Vietnam time, spelt in the format ``name``."""
    local = moment.astimezone(VIETNAM)
    if name == "iso":
        return local.isoformat()
    if name == "epoch_ms":
        return str(int(moment.timestamp() * 1000))
    parts = {
        "yyyy": f"{local.year:04d}",
        "MM": f"{local.month:02d}",
        "dd": f"{local.day:02d}",
        "HH": f"{local.hour:02d}",
        "mm": f"{local.minute:02d}",
        "ss": f"{local.second:02d}",
        "M": str(local.month),
        "d": str(local.day),
    }
    return _TOKEN.sub(lambda found: parts[found.group()], name)


def _aware(value: datetime) -> datetime:
    return value.replace(tzinfo=VIETNAM) if value.tzinfo is None else value.astimezone(VIETNAM)


def _read_as(text: str, name: str) -> datetime | None:
    try:
        if name == "iso":
            return _aware(datetime.fromisoformat(text))
        if name == "epoch_ms":
            return _epoch(text)
        found = _pattern(name).fullmatch(text)
        if found is None:
            return None
        return datetime(**{k: int(v) for k, v in found.groupdict().items()}, tzinfo=VIETNAM)
    except (ValueError, OverflowError):
        return None


def _epoch(text: str) -> datetime | None:
    if not re.fullmatch(r"[0-9]{1,14}", text):
        return None
    return datetime.fromtimestamp(int(text) / 1000, UTC).astimezone(VIETNAM)


@lru_cache(maxsize=256)
def _pattern(name: str) -> re.Pattern[str]:
    if name in ("iso", "epoch_ms"):
        return re.compile("")
    tokens = _TOKEN.findall(name)
    rest = _TOKEN.sub("", name)
    whole = {"yyyy", "MM", "dd"} <= {{"M": "MM", "d": "dd"}.get(token, token) for token in tokens}
    if not whole or re.search("[A-Za-z]", rest.replace("T", "")) or len(set(tokens)) < len(tokens):
        raise ConfigInvalid(file="mapping", key=name, reason="not a date format")
    pieces = re.split("(yyyy|MM|dd|HH|mm|ss|M|d)", name)
    return re.compile("".join(_TOKENS.get(piece, re.escape(piece)) for piece in pieces))
