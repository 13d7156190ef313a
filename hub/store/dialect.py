"""What differs between SQLite and PostgreSQL: connections, transactions, upserts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, make_url

BUSY_TIMEOUT_MS = 30_000
"""How long a writer waits for another one on SQLite before it gives up."""
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
)


def new_engine(url: str) -> Engine:
    """Return an engine whose write transactions begin with the write lock (``BEGIN IMMEDIATE``)."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": 30})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Take transactions out of the driver's hands and set the durability of evidence."""
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("hub_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN DEFERRED")


def is_sqlite(engine: Engine) -> bool:
    """Whether the store is the embedded one, which serves one router."""
    return engine.dialect.name == "sqlite"


def upsert(connection: Connection, table: Table, keys: Iterable[str]) -> Any:
    """Return an insert that replaces the row with the same ``keys``."""
    insert = _insert(connection, table)
    names = list(keys)
    rest = {c.name: insert.excluded[c.name] for c in table.columns if c.name not in names}
    return insert.on_conflict_do_update(index_elements=names, set_=rest)


def insert_new(connection: Connection, table: Table) -> Any:
    """Return an insert that leaves a row with the same key as it is."""
    return _insert(connection, table).on_conflict_do_nothing()


def _insert(connection: Connection, table: Table) -> Any:
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)
