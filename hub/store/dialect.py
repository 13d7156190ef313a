"""What differs between SQLite and PostgreSQL: connections, transactions, upserts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Engine, Table, create_engine, event, not_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, make_url

from hub.errors import StoreUnavailable

BUSY_TIMEOUT_MS = 30_000
"""How long a writer waits for another one on SQLite before it gives up."""
PRIVATE = 0o600
"""A store holds what citizens wrote: nobody but its account reads the file."""
_PRAGMAS = (
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
)


def new_engine(url: str | URL) -> Engine:
    """Return an engine whose write transactions begin with the write lock (``BEGIN IMMEDIATE``).

    Read transactions cannot write. Errors never quote parameters: those are citizens' documents.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
    engine = create_engine(
        parsed,
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def sqlite_url(path: Path) -> URL:
    """Return the URL of a SQLite file, whatever characters its path has."""
    return URL.create("sqlite", database=str(path.resolve()))


def make_private(path: Path) -> None:
    """Make an empty file that only its owner may read, unless it exists; raises ``OSError``.

    SQLite gives the write-ahead log and the index beside it the same rights.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Take transactions out of the driver's hands and set the durability of evidence.

    Raises ``StoreUnavailable`` where no write-ahead log can be had, as on a network drive.
    """
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    if mode != "wal":
        raise StoreUnavailable(reason=f"journal_mode={mode}, WAL is needed")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("hub_writes", False)
    connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN DEFERRED")


@contextmanager
def lenient_text(connection: Connection) -> Iterator[None]:
    """Read text that is no UTF-8 (somebody else wrote it) as lone surrogates instead of failing."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name != "sqlite":
        yield
        return
    driver.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        driver.text_factory = str


def is_sqlite(engine: Engine) -> bool:
    """Whether the store is the embedded one, which serves one router."""
    return engine.dialect.name == "sqlite"


def upsert(
    connection: Connection,
    table: Table,
    keys: Iterable[str],
    unless: ColumnElement[bool] | None = None,
) -> Any:
    """Return an insert that replaces the row with the same ``keys``, but not one ``unless`` tells.

    Rows that stay as they are do not count in ``rowcount``.
    """
    insert = _insert(connection, table)
    names = list(keys)
    rest = {c.name: insert.excluded[c.name] for c in table.columns if c.name not in names}
    where = None if unless is None else not_(unless)
    return insert.on_conflict_do_update(index_elements=names, set_=rest, where=where)


def insert_new(connection: Connection, table: Table, keys: Iterable[str]) -> Any:
    """Return an insert that leaves the row with the same ``keys`` as it is.

    Any other constraint that is violated is still an error: a row is never dropped for it.
    """
    return _insert(connection, table).on_conflict_do_nothing(index_elements=list(keys))


def _insert(connection: Connection, table: Table) -> Any:
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)
