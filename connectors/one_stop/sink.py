"""Writing: rows for the vendor's interface table, or a call of its procedure; nothing else, ever.

The idempotency key goes into the same transaction, under a unique constraint, so a repeat after a
crash is found by ``lookup`` or fails on the constraint and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy import text as sql
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError

from connectors.one_stop.mapping import Column, Insert, Mapping, Write
from connectors.one_stop.source import Tables
from hub.adapters import dates, text
from hub.adapters.contract import Applied, Inbound, types_match
from hub.envelope import Value
from hub.errors import ConfigInvalid, Place, SinkRefused, SinkUnavailable, SinkUnknown

Facts = dict[str, str]
_CALLS = {
    "oracle": "BEGIN {name}({arguments}); END;",
    "mssql": "EXEC {name} {arguments}",
    "sqlite": "SELECT {name}({arguments})",
}
"""How databases call a procedure, where it is not the standard's CALL."""


class SqlSink:
    """Sink over one legacy database, by the ``[[write]]`` rules of its mapping."""

    def __init__(self, engine: Engine, mapping: Mapping) -> None:
        if mapping.inbox is None:
            raise ConfigInvalid(file="mapping", key="inbox", reason="a sink needs one")
        self._engine = engine
        self._tables = Tables(engine)
        self._rules = mapping.write
        self._inbox = mapping.inbox

    def apply(self, message: Inbound, key: str) -> Applied:
        """Write the message and its key in one transaction.

        Raises ``SinkRefused`` when no rule takes it, the software refuses it, or a character does
        not fit the column's encoding; ``SinkUnavailable`` when the database cannot be reached.
        """
        rule = self._rule(message)
        facts = _facts(message, key, rule)
        try:
            with self._engine.begin() as connection:
                return self._write(connection, message, rule, facts)
        except (OperationalError, InterfaceError) as error:
            raise SinkUnavailable(type(error).__name__) from error
        except IntegrityError as error:
            found = self.lookup(key)
            if found is not None:
                return found
            raise SinkRefused(reason=_words(error)) from error
        except (DataError, DBAPIError) as error:
            raise SinkRefused(reason=_words(error)) from error

    def lookup(self, key: str) -> Applied | None:
        """Return what was written under ``key``; raises ``SinkUnknown`` when it cannot be asked."""
        try:
            with self._engine.connect() as connection:
                for name, reference in self._inbox.tables.items():
                    table = self._tables.get(name)
                    query = select(table.c[reference]).where(table.c[self._inbox.key] == key)
                    row = connection.execute(query).first()
                    if row is not None:
                        return Applied(str(row[0] or ""))
        except (DBAPIError, SinkUnavailable) as error:
            raise SinkUnknown(type(error).__name__) from error
        return None

    @property
    def accepts(self) -> tuple[str, ...]:
        """The message types that some rule writes."""
        return tuple(dict.fromkeys(name for rule in self._rules for name in rule.types))

    def _rule(self, message: Inbound) -> Write:
        for rule in self._rules:
            if types_match(rule.types, str(message.type)):
                return rule
        raise SinkRefused(reason=f"{message.type} is not taken here")

    def _write(
        self, connection: Connection, message: Inbound, rule: Write, facts: Facts
    ) -> Applied:
        reference = ""
        for insert in rule.insert:
            for row in _rows(insert, message, facts):
                made = connection.execute(self._tables.get(insert.table).insert().values(row))
                new = made.inserted_primary_key
                reference = reference or (str(new[0]) if new else "")
        if rule.procedure:
            values = [_value(column, facts, message.payload.fields) for column in rule.arguments]
            _call(connection, rule.procedure, values)
        if self._inbox.own:
            table = self._tables.get(self._inbox.own)
            column = self._inbox.tables[self._inbox.own]
            row = {self._inbox.key: facts["key"], column: reference}
            connection.execute(table.insert().values(row))
        return Applied(reference)


def _call(connection: Connection, procedure: str, values: list[bytes | str | None]) -> None:
    """Call the vendor's procedure, as its database spells a call; the name is a checked one."""
    names = [f"a{number}" for number in range(len(values))]
    form = _CALLS.get(connection.dialect.name, "CALL {name}({arguments})")
    marks = ", ".join(f":{name}" for name in names)
    statement = sql(form.format(name=procedure, arguments=marks))
    connection.execute(statement, dict(zip(names, values, strict=True)))


def _facts(message: Inbound, key: str, rule: Write) -> Facts:
    fields = message.payload.fields
    facts = {
        "key": key,
        "type": str(message.type),
        "sender": str(message.sender),
        "receiver": str(message.receiver),
        "dossier_code": str(message.dossier_code or _path(fields, "DossierCode") or ""),
        "occurred_at": _path(fields, "OccurredAt") or message.created_at.isoformat(),
    }
    if rule.status:
        canonical = _path(fields, "Status/Canonical") or "unknown"
        if canonical not in rule.status:
            reason = f"no status here for {canonical}"
            raise SinkRefused(place=Place(column="status"), reason=reason)
        facts["status"] = rule.status[canonical]
    return facts


def _rows(insert: Insert, message: Inbound, facts: Facts) -> Iterator[dict[str, Any]]:
    fields = message.payload.fields
    members: list[Value] = [fields]
    if insert.each:
        found = _node(fields, insert.each)
        members = list(found) if isinstance(found, list | tuple) else []
    for member in members:
        row = {}
        for name, column in insert.columns.items():
            place = f"{insert.table}.{name}"
            row[name] = _value(column, facts, member, whole=fields, place=place)
        yield row


def _value(
    column: Column, facts: Facts, fields: Value, *, whole: Value = "", place: str = "-"
) -> bytes | str | None:
    value = next(filter(None, (_origin(name, facts, fields, whole) for name in column.from_)), "")
    if not value:
        return None
    if column.date:
        return dates.write(datetime.fromisoformat(value), column.date)
    if column.map:
        value = column.map.get(value, column.map.get("*", ""))
        if not value:
            raise SinkRefused(place=Place(column=place), reason="value has no counterpart here")
    return text.encode(value, column.encoding, place)


def _origin(name: str, facts: Facts, fields: Value, whole: Value) -> str:
    if name.startswith("="):
        return name[1:]
    if name.startswith("^"):
        return _path(whole, name[1:])
    return facts.get(name) or _path(fields, name)


def _path(fields: Value, path: str) -> str:
    found = _node(fields, path)
    return found if isinstance(found, str) else ""


def _node(fields: Value, path: str) -> Value:
    here = fields
    for name in path.split("/"):
        if isinstance(here, str) or not hasattr(here, "get"):
            return ""
        here = here.get(name, "")
    return here


def _words(error: DBAPIError) -> str:
    """Return the database's own complaint, shortened; never its parameters (personal data)."""
    return str(error.orig).splitlines()[0][:120]
