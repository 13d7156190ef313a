"""Words of the command line as the values that they stand for."""

from __future__ import annotations

import re
from datetime import datetime

from hub.codes import AgencyCode, Environment, MessageType
from hub.errors import HubError, Place, UnknownType, UsageError
from hub.schemas.catalog import catalogue

_KIND = re.compile(r"@[a-z][a-z0-9_]{0,31}")
EARLIEST, LATEST = 1900, 2999
"""Years that a time on the command line may have."""


def agency(text: str, environment: Environment, name: str) -> AgencyCode:
    """Parse an agency code; raises ``CodeMalformed`` or ``CodeTestOnly`` naming the option."""
    try:
        return AgencyCode.parse(text, environment)
    except HubError as error:
        raise error.at(column=name) from error


def message_type(text: str, name: str) -> MessageType:
    """Parse a message type; raises ``CodeMalformed`` naming the option."""
    try:
        return MessageType.parse(text)
    except HubError as error:
        raise error.at(column=name) from error


def party_pattern(text: str, environment: Environment, name: str) -> str:
    """Check who an access rule speaks of: a code, ``H12.*``, ``@kind`` or ``*``.

    A rule that could never fit anybody is refused: one that denies would deny nobody.
    """
    if text == "*" or _KIND.fullmatch(text):
        return text
    if text.endswith(".*"):
        return f"{agency(text[:-2], environment, name).value}.*"
    return agency(text, environment, name).value


def type_pattern(text: str, name: str) -> str:
    """Check a message type, ``family.*`` or ``*`` against the table; raises ``UnknownType``."""
    known = catalogue()
    fits = text == "*" or text in known
    fits = fits or (text.endswith(".*") and any(one.startswith(text[:-1]) for one in known))
    if not fits:
        raise UnknownType(value=repr(text[:64]), place=Place(column=name))
    return text


def parse_time(text: str, name: str) -> datetime:
    """Parse RFC 3339 with an offset; raises ``UsageError`` naming the option."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            reason=f"{name} {text[:40]!r} is no time of RFC 3339",
            reason_vi=f"{name} {text[:40]!r} không phải thời điểm theo RFC 3339",
        ) from error
    if moment.tzinfo is None:
        raise UsageError(
            reason=f"{name} {text[:40]!r}: the offset is missing (+07:00)",
            reason_vi=f"{name} {text[:40]!r}: thiếu múi giờ (+07:00)",
        )
    return in_range(moment, name)


def in_range(moment: datetime, name: str) -> datetime:
    """Return a time that can be converted between zones; raises ``UsageError`` for others."""
    if not EARLIEST <= moment.year <= LATEST:
        raise UsageError(
            reason=f"{name}: the year must lie within {EARLIEST} and {LATEST}",
            reason_vi=f"{name}: năm phải từ {EARLIEST} đến {LATEST}",
        )
    return moment
