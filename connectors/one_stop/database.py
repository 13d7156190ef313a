"""A legacy database through SQLAlchemy: engine, reflected tables, and what its errors mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Column, Engine, MetaData, Table, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    NoSuchTableError,
    OperationalError,
)

from hub.adapters.options import secret
from hub.adapters.redaction import complaint
from hub.adapters.text import text_or_bytes
from hub.errors import ConfigInvalid, HubError, SinkRefused, SinkUnavailable

_FILE, _KEY = "one_stop", "database"
_TIMEOUTS: dict[str, dict[str, int]] = {
    "sqlite": {"timeout": 10},
    "postgresql": {"connect_timeout": 10},
    "mysql": {"connect_timeout": 10, "read_timeout": 60, "write_timeout": 60},
    "mssql": {"login_timeout": 10, "timeout": 60},
    "oracle": {"tcp_connect_timeout": 10},
}
"""Seconds: for a lock of a file database, for a connection, for an answer."""
_NO_RIGHT_OR_NAME = "42"
"""Class of SQLSTATE: no such table, column or right. No message is at fault for that."""
_RAISED_BY_VENDOR = {1644, 50000}
"""MySQL's SIGNAL and SQL Server's RAISERROR come as operational errors, but are refusals."""


def connect(reference: str, folder: Path = Path()) -> Engine:
    """Return an engine for a SQLAlchemy URL; opens nothing yet.

    ``env:NAME`` and ``file:NAME`` (0600) name where the URL is. Raises ``ConfigInvalid`` and
    ``ConfigMissing``; a password in a settings file is not accepted.
    """
    hidden = reference.startswith(("env:", "file:"))
    try:
        url = make_url(secret(reference.removeprefix("file:"), folder) if hidden else reference)
        if url.password and not hidden:
            raise ConfigInvalid(file=_FILE, key=_KEY, reason="password: use env:NAME or file:NAME")
        kind = url.get_backend_name()
        if kind == "sqlite":  # A missing file is an error, never a new and empty database.
            file = (folder / (url.database or "")).resolve()
            url = url.set(database=file.as_uri(), query={"mode": "rw", "uri": "true"})
        # Parameters hold personal data and must not reach a log or an error's text.
        engine = create_engine(
            url, connect_args=_TIMEOUTS.get(kind, {}), pool_pre_ping=True, hide_parameters=True
        )
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigInvalid(file=_FILE, key=_KEY, reason=type(error).__name__) from error
    if kind == "sqlite":
        event.listen(engine, "connect", _tolerant)
    return engine


def failure(error: DBAPIError) -> HubError:
    """Return what a database's error means: not there now, no such right, or a refusal."""
    words = complaint(error.orig)
    if str(getattr(error.orig, "sqlstate", "")).startswith(_NO_RIGHT_OR_NAME):
        return ConfigInvalid(file=_FILE, key=_KEY, reason=words)
    number = error.orig.args[0] if error.orig and error.orig.args else 0
    transient = isinstance(error, OperationalError | InterfaceError)
    if error.connection_invalidated or (transient and number not in _RAISED_BY_VENDOR):
        return SinkUnavailable(f"{type(error).__name__}: {words}")
    return SinkRefused(reason=words)


class Tables:
    """The legacy tables, reflected when first used; a dead system is ``SinkUnavailable``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._meta = MetaData()

    def get(self, name: str) -> Table:
        """Return a table by name; raises ``ConfigInvalid`` when the database has none such."""
        found = self._meta.tables.get(name)
        if found is not None:
            return found
        try:
            return Table(name, self._meta, autoload_with=self._engine)
        except NoSuchTableError as error:
            raise ConfigInvalid(file="mapping", key=name, reason="no such table") from error
        except DBAPIError as error:
            raise SinkUnavailable(type(error).__name__) from error

    def columns(self, name: str, *columns: str) -> list[Column[Any]]:
        """Return columns of a table; raises ``ConfigInvalid`` for one that it does not have."""
        table = self.get(name)
        for column in columns:
            if column not in table.c:
                raise ConfigInvalid(file="mapping", key=f"{name}.{column}", reason="no such column")
        return [table.c[column] for column in columns]


def _tolerant(connection: Any, _record: object) -> None:
    connection.text_factory = text_or_bytes
