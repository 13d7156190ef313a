"""A connector's own store: outbox, inbox, checkpoint and notices in one SQLite file.

Every method is one transaction with full sync, so that a crash at any point leaves either all of a
step or nothing of it. The schema's version stands in ``PRAGMA user_version``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection, Row

from hub.errors import StoreSchema, StoreUnavailable
from hub.store import edge_tables as tables
from hub.store.dialect import make_private, new_engine, sqlite_url
from hub.store.edge_inbox import InboxSide
from hub.store.edge_outbox import OutboxSide
from hub.store.edge_rows import ParkedRow
from hub.store.engine import Store, translated
from hub.store.times import from_us


class EdgeStore(OutboxSide, InboxSide):
    """The store of one connector. One process, one thread at a time."""

    @classmethod
    def open(cls, path: Path) -> EdgeStore:
        """Open the file, making it if need be; raises ``StoreUnavailable`` or ``StoreSchema``."""
        with translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            make_private(path)
        store = Store(new_engine(sqlite_url(path)))
        try:
            with store.write() as connection:
                _prepare(connection)
        except BaseException:
            store.close()
            raise
        return cls(store)

    @classmethod
    def look(cls, path: Path) -> EdgeStore:
        """Open the file of a connector, which may be running, to look into it; nothing is written.

        Raises ``StoreUnavailable`` when there is none, or ``StoreSchema``.
        """
        if not path.is_file():
            raise StoreUnavailable(reason=f"{path}: no such file")
        store = Store(new_engine(sqlite_url(path)))
        try:
            with store.read() as connection:
                _check_version(connection)
        except BaseException:
            store.close()
            raise
        return cls(store)

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def counts(self) -> dict[str, int]:
        """Return ``outbox.<state>``, ``inbox.<state>``, ``parked`` and ``quarantined``."""
        result: dict[str, int] = {}
        with self._store.read() as connection:
            for name, table in (("outbox", tables.outbox), ("inbox", tables.inbox)):
                query = select(table.c.state, func.count()).group_by(table.c.state)
                result |= {f"{name}.{state}": int(n) for state, n in connection.execute(query)}
            count = select(func.count())
            result["parked"] = connection.scalar(count.select_from(tables.parked)) or 0
            strange = count.select_from(tables.kept).where(tables.kept.c.key == "")
            result["quarantined"] = connection.scalar(strange) or 0
        return result

    def parked(self) -> list[ParkedRow]:
        """Return the records that wait for a person, oldest first."""
        query = select(tables.parked).order_by(tables.parked.c.at_us)
        with self._store.read() as connection:
            return [_parked(row) for row in connection.execute(query)]

    def find_parked(self, key: str) -> ParkedRow | None:
        """Return the record that waits for a person under this key."""
        query = select(tables.parked).where(tables.parked.c.key == key)
        with self._store.read() as connection:
            row = connection.execute(query).one_or_none()
        return _parked(row) if row is not None else None


def _parked(row: Row[Any]) -> ParkedRow:
    return ParkedRow(row.key, row.label, row.code, row.vi, row.en, from_us(row.at_us))


def _check_version(connection: Connection, *others: int) -> None:
    found = connection.exec_driver_sql("PRAGMA user_version").scalar() or 0
    if found not in (tables.VERSION, *others):
        raise StoreSchema(value=found, expected=tables.VERSION)


def _prepare(connection: Connection) -> None:
    _check_version(connection, 0)
    tables.metadata.create_all(connection)
    connection.exec_driver_sql(f"PRAGMA user_version={tables.VERSION}")
