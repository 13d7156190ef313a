"""Words of the command line as the values that they stand for."""

from __future__ import annotations

from datetime import datetime

from hub.codes import AgencyCode, Environment, MessageType
from hub.errors import HubError, UsageError


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


def parse_time(text: str, name: str) -> datetime:
    """Parse RFC 3339 with an offset; raises ``UsageError`` naming the option."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(reason=f"{name} {text[:40]!r}: RFC 3339") from error
    if moment.tzinfo is None:
        raise UsageError(
            reason=f"{name} {text[:40]!r}: the offset is missing (+07:00)",
            reason_vi=f"{name} {text[:40]!r}: thiếu múi giờ (+07:00)",
        )
    return moment
