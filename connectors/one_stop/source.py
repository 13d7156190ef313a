"""Reading: new and changed dossiers by a watermark with overlap; every real change once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import Engine, MetaData, Table, and_, select
from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.exc import DBAPIError, IntegrityError, NoSuchTableError, SQLAlchemyError

from connectors.one_stop import payloads, record
from connectors.one_stop.mapping import Child, Event, Mapping, Status
from hub.adapters import dates
from hub.adapters.contract import Batch, Confirmation, Draft, Health, Item
from hub.codes import AgencyCode, DossierCode, Environment, MessageType, ProcedureCode
from hub.envelope import Receipt
from hub.errors import ConfigInvalid, HubError, Place, RowUnmappable, SinkUnavailable

EVENTS = uuid.UUID("5d0f4b0e-6f0a-5b57-9a53-0f6a4d1a7c11")
"""Namespace of event ids (UUID version 5 of system and item key): the same event, the same id."""

_WHEN = {
    "dossier.submitted": ("submitted",),
    "dossier.received": ("received",),
    "dossier.resolved": ("resolved",),
    "dossier.withdrawn": ("withdrawn",),
    "result.delivered": ("returned",),
}
"""The date column that tells when an event happened, where no trace row drives it."""


class Tables:
    """The legacy tables, reflected when first used; a dead system is ``SinkUnavailable``."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._meta = MetaData()

    def get(self, name: str) -> Table:
        """Return a table by name; raises ``ConfigInvalid`` when the database has none such."""
        found = self._meta.tables.get(name)
        if found is not None:
            return found
        try:
            return Table(name, self._meta, autoload_with=self.engine)
        except NoSuchTableError as error:
            raise ConfigInvalid(file="mapping", key=name, reason="no such table") from error
        except DBAPIError as error:
            raise SinkUnavailable(type(error).__name__) from error


class SqlSource:
    """Source and Probe over one legacy database. It only reads, except ``confirm``."""

    def __init__(
        self,
        engine: Engine,
        mapping: Mapping,
        sender: AgencyCode,
        environment: Environment,
        clock: Callable[[], datetime],
    ) -> None:
        self._tables = Tables(engine)
        self._engine = engine
        self._mapping = mapping
        self._sender = sender
        self._environment = environment
        self._clock = clock

    def poll(self, checkpoint: str | None, limit: int) -> Batch:
        """Return changes after the checkpoint, and those of the overlap below it again."""
        try:
            with self._engine.connect() as connection:
                rows = self._changes(connection, checkpoint, limit)
                items = tuple(item for row in rows for item in self._items(connection, row))
        except DBAPIError as error:
            raise SinkUnavailable(type(error).__name__) from error
        marks = [row[self._mapping.feed.watermark] for row in rows]
        known = [] if checkpoint is None else [_unmark(checkpoint)]
        highest = max([*known, *marks], default=None)
        return Batch(items, "" if highest is None else _mark(highest))

    def confirm(self, key: str, confirmation: Confirmation, receipt: Receipt | None) -> None:
        """Write the outcome where the mapping says; the same one twice is one row."""
        rule = self._mapping.confirm
        if rule is None:
            return
        table = self._tables.get(rule.table)
        values = {rule.key: key, rule.outcome: confirmation.value}
        if rule.reason and receipt is not None and receipt.reason:
            values[rule.reason] = receipt.reason
        same = and_(table.c[rule.key] == key, table.c[rule.outcome] == confirmation.value)
        try:
            with self._engine.begin() as connection:
                if connection.execute(select(table.c[rule.key]).where(same)).first() is None:
                    connection.execute(table.insert().values(values))
        except IntegrityError:
            return
        except DBAPIError as error:
            raise SinkUnavailable(type(error).__name__) from error

    def probe(self) -> Health:
        """Ask the feed table for nothing."""
        try:
            table = self._tables.get(self._mapping.feed.table)
            with self._engine.connect() as connection:
                connection.execute(select(table).limit(0))
        except (HubError, SQLAlchemyError) as error:
            return Health(False, type(error).__name__, "kiểm tra kết nối CSDL một cửa")
        return Health(True, self._mapping.system)

    def _changes(
        self, connection: Connection, checkpoint: str | None, limit: int
    ) -> list[RowMapping]:
        feed = self._mapping.feed
        table = self._tables.get(feed.table)
        mark = table.c[feed.watermark]
        query = select(table).order_by(mark, table.c[feed.id])
        if not checkpoint:
            fresh = query.where(mark.is_not(None)).limit(limit)
            return list(connection.execute(fresh).mappings())
        last = _unmark(checkpoint)
        late = query.where(mark <= last, mark > _below(last, feed.overlap))
        rows = [*connection.execute(late).mappings()]
        return [*rows, *connection.execute(query.where(mark > last).limit(limit)).mappings()]

    def _items(self, connection: Connection, row: RowMapping) -> Iterator[Item]:
        mapping, feed = self._mapping, self._mapping.feed
        name = f"{feed.table}:{row[feed.id]}"
        deleted = not feed.once and record.is_deleted(row.get(mapping.dossier.deleted))
        status = mapping.dossier.deleted_status if deleted else str(row[feed.status])
        events = mapping.events.get(status, ())
        if not events:
            return
        try:
            found = self._record(connection, row)
        except SinkUnavailable:
            raise
        except HubError as error:
            yield Item(f"{name}:{_mark(row[feed.watermark])}:error", error=error, label=name)
            return
        for event in events:
            if event.channel and found.text("channel") not in event.channel:
                continue
            key = f"{name}:{event.type}"
            if not feed.once:
                key = f"{key}:{found.digest[:16]}"
            yield from self._item(key, event, status, row, found)

    def _item(
        self, key: str, event: Event, status: str, row: RowMapping, found: record.Record
    ) -> Iterator[Item]:
        try:
            receiver = self._receiver(event, found)
            if receiver is None:
                return
            draft = self._draft(key, event, status, row, found, receiver)
        except HubError as error:
            placed = error.at(file=self._mapping.feed.table, path=key)
            yield Item(key, error=placed, label=found.code)
            return
        yield Item(key, draft=draft, label=found.code)

    def _draft(
        self,
        key: str,
        event: Event,
        status: str,
        row: RowMapping,
        found: record.Record,
        receiver: AgencyCode,
    ) -> Draft:
        mapping, feed = self._mapping, self._mapping.feed
        step = next(
            (s for s in found.steps if feed.once and s.get("id") == str(row[feed.id])), None
        )
        now = self._clock()
        times = [step.get("at") if step else None, *map(found.time, _WHEN.get(event.type, ()))]
        happened = next((time for time in times if isinstance(time, datetime)), now)
        known = mapping.status.get(status) or Status(text=status, canonical="unknown")
        event_id = str(uuid.uuid5(EVENTS, f"{self._sender}/{mapping.system}/{key}"))
        happening = payloads.Happening(
            event.type, event_id, found, status, known, mapping.system,
            _sequence(row[feed.watermark]), self._sender, receiver, happened, now, step,
        )  # fmt: skip
        return Draft(
            MessageType.parse(event.type),
            (receiver,),
            payloads.payload(happening),
            dossier_code=DossierCode.parse(found.code),
        )

    def _receiver(self, event: Event, found: record.Record) -> AgencyCode | None:
        if event.to == "origin":
            code = found.text("origin")
            return AgencyCode.parse(code, self._environment) if code else None
        if event.to != "procedure":
            return AgencyCode.parse(event.to, self._environment)
        base = ProcedureCode.parse(found.text("procedure")).base
        code = self._mapping.receivers.get(base) or self._mapping.receivers.get("*", "")
        if not code:
            place = Place(column="procedure")
            raise RowUnmappable(place=place, row=found.code, reason=f"no receiver for {base}")
        return AgencyCode.parse(code, self._environment)

    def _record(self, connection: Connection, row: RowMapping) -> record.Record:
        mapping, feed = self._mapping, self._mapping.feed
        code = row[feed.dossier]
        whole: RowMapping | None = row
        if feed.table != mapping.dossier.table:
            table = self._tables.get(mapping.dossier.table)
            query = select(table).where(table.c[mapping.dossier.code] == code)
            whole = connection.execute(query).mappings().first()
        if whole is None:
            place = Place(file=feed.table, column=feed.dossier)
            raise RowUnmappable(place=place, row=str(row[feed.id]), reason="dossier is not there")
        lists = {"parts": mapping.parts, "fees": mapping.fees, "steps": mapping.steps}
        children = {name: self._children(connection, child, code) for name, child in lists.items()}
        return record.build(mapping, dict(whole), children)

    def _children(
        self, connection: Connection, child: Child | None, code: object
    ) -> list[dict[str, object]]:
        if child is None:
            return []
        table = self._tables.get(child.table)
        query = select(table).where(table.c[child.dossier] == code)
        query = query.order_by(*(table.c[name] for name in child.order))
        return [dict(row) for row in connection.execute(query).mappings()]


def _mark(value: object) -> str:
    return (
        f"t:{value.isoformat()}"
        if isinstance(value, datetime)
        else (f"i:{value}" if isinstance(value, int) else f"s:{value}")
    )


def _unmark(text: str) -> int | str | datetime:
    kind, _, value = text.partition(":")
    if kind == "i":
        return int(value)
    return datetime.fromisoformat(value) if kind == "t" else value


def _below(mark: int | str | datetime, overlap: int) -> int | str | datetime:
    """Return the mark ``overlap`` units (seconds for times) before ``mark``."""
    if isinstance(mark, int):
        return mark - overlap
    if isinstance(mark, datetime):
        return mark - timedelta(seconds=overlap)
    for name in ("yyyy-MM-dd HH:mm:ss", "yyyyMMddHHmmss", "yyyy/MM/dd HH:mm:ss"):
        try:
            moment = dates.read(mark, dates.DateColumn("watermark", (name,)))
        except HubError:
            continue
        if moment is not None:
            return dates.write(moment - timedelta(seconds=overlap), name)
    raise ConfigInvalid(file="mapping", key="feed.watermark", reason="text that does not sort")


def _sequence(value: object) -> int:
    if isinstance(value, int):
        return value
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    digits = "".join(char for char in str(value) if char.isdigit())
    return int(digits[:18] or "0")
