"""The engine for a legacy database, so set that odd data and a busy system stop nothing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from hub.errors import ConfigInvalid

TIMEOUT_S = 10
"""Seconds to wait for a lock of a file database."""


def connect(url: str) -> Engine:
    """Return an engine for a SQLAlchemy URL; opens nothing yet. Raises ``ConfigInvalid``."""
    sqlite = url.startswith("sqlite")
    arguments: dict[str, Any] = {"timeout": TIMEOUT_S} if sqlite else {}
    try:
        # Parameters hold personal data and must not reach a log or an error's text.
        engine = create_engine(
            url, connect_args=arguments, pool_pre_ping=True, hide_parameters=True
        )
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigInvalid(
            file="connector", key="database", reason=type(error).__name__
        ) from error
    if sqlite:
        event.listen(engine, "connect", _tolerant)
    return engine


def _tolerant(connection: Any, _record: object) -> None:
    connection.text_factory = _text_or_bytes


def _text_or_bytes(raw: bytes) -> str | bytes:
    """Return a TEXT value that is not UTF-8 as its bytes, so that one bad row is one bad row."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw
