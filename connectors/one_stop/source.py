"""Reading: new and changed dossiers by a watermark with overlap; every real change once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Engine, Select, and_, or_, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from connectors.one_stop.database import Tables, failure
from hub.adapters.contract import Batch, Confirmation, Health
from hub.adapters.one_stop.decoding import Row
from hub.adapters.one_stop.events import EventMaker
from hub.adapters.one_stop.mapping import Mapping
from hub.adapters.one_stop.reading import ChangeReader
from hub.adapters.watermark import Position, below
from hub.envelope import Receipt
from hub.errors import HubError, SinkUnavailable

_CHUNK = 500
"""Dossier codes in one IN list; Oracle takes 1000, SQL Server 2100 parameters."""


class SqlSource:
    """Source and Probe over one legacy database. It only reads, except ``confirm``."""

    def __init__(self, engine: Engine, mapping: Mapping, maker: EventMaker) -> None:
        self._tables = Tables(engine)
        self._engine = engine
        self._mapping = mapping
        self._reader = ChangeReader(mapping, maker)

    def poll(self, checkpoint: str | None, limit: int) -> Batch:
        """Return changes after the checkpoint, and those of the overlap below it again."""
        try:
            with self._engine.connect() as connection:
                rows = _SqlRows(connection, self._tables, self._mapping)
                return self._reader.poll(rows, checkpoint, limit)
        except DBAPIError as error:
            raise SinkUnavailable(str(failure(error))) from error

    def confirm(self, key: str, confirmation: Confirmation, receipt: Receipt | None) -> None:
        """Write the outcome where the mapping says; the same one twice is one row."""
        rule = self._mapping.confirm
        if rule is None:
            return
        at, outcome = self._tables.columns(rule.table, rule.key, rule.outcome)
        told = select(at).where(and_(at == key, outcome == confirmation.value))
        values = {rule.key: key, rule.outcome: confirmation.value}
        if rule.reason and receipt is not None and receipt.reason:
            values[rule.reason] = receipt.reason
        try:
            with self._engine.begin() as connection:
                if connection.execute(told).first() is None:
                    connection.execute(self._tables.get(rule.table).insert().values(values))
        except IntegrityError as error:
            with self._engine.connect() as connection:
                if connection.execute(told).first() is None:
                    raise failure(error) from error
        except DBAPIError as error:
            raise failure(error) from error

    def probe(self) -> Health:
        """Ask the feed table for nothing."""
        feed = self._mapping.feed
        try:
            columns = self._tables.columns(feed.table, feed.id, feed.watermark, feed.status)
            with self._engine.connect() as connection:
                connection.execute(select(*columns).limit(0))
        except (HubError, SQLAlchemyError) as error:
            return Health(False, type(error).__name__, "kiểm tra kết nối CSDL một cửa")
        return Health(True, self._mapping.system)


class _SqlRows:
    """The software's tables within one connection."""

    def __init__(self, connection: Connection, tables: Tables, mapping: Mapping) -> None:
        self._connection = connection
        self._tables = tables
        self._feed = mapping.feed

    def changes(self, position: Position | None, limit: int) -> tuple[Sequence[Row], Sequence[Row]]:
        feed = self._feed
        mark, row = self._tables.columns(feed.table, feed.watermark, feed.id)
        query = select(self._tables.get(feed.table)).order_by(mark, row)
        if position is None:
            return [], self._rows(query.where(mark.is_not(None)).limit(limit))
        last = position
        after = and_(mark >= last.mark, or_(mark > last.mark, row > last.row))
        upto = and_(mark <= last.mark, or_(mark < last.mark, row <= last.row))
        late = query.where(upto, mark > below(last.mark, feed.overlap))
        return self._rows(late), self._rows(query.where(after).limit(limit))

    def of(
        self, table: str, column: str, order: Sequence[str], codes: list[object]
    ) -> Iterator[Row]:
        (wanted,) = self._tables.columns(table, column)
        query = select(self._tables.get(table)).order_by(*self._tables.columns(table, *order))
        for start in range(0, len(codes), _CHUNK):
            yield from self._rows(query.where(wanted.in_(codes[start : start + _CHUNK])))

    def _rows(self, query: Select[Any]) -> list[Row]:
        return [dict(row) for row in self._connection.execute(query).mappings()]
