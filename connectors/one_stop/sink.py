"""Writing: rows for the vendor's interface table, or a call of its procedure; nothing else, ever.

The idempotency key goes into the same transaction, under a unique constraint, so a repeat after a
crash is found by ``lookup`` or fails on the constraint and changes nothing.
"""

from __future__ import annotations

from sqlalchemy import Engine, select
from sqlalchemy import text as sql
from sqlalchemy.engine import Connection
from sqlalchemy.exc import CompileError, DBAPIError, IntegrityError

from connectors.one_stop.database import Tables, failure
from hub.adapters.contract import Applied, Inbound
from hub.adapters.one_stop.mapping import Mapping, Write
from hub.adapters.one_stop.writing import Facts, Written, facts_of, rows, rule_for, value
from hub.errors import ConfigInvalid

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
        """Write the message and its key in one transaction; a key that is there changes nothing.

        Raises ``SinkRefused`` when no rule takes it, the software refuses it, or a character does
        not fit the column's encoding; ``SinkUnavailable`` when the database cannot be reached;
        ``ConfigInvalid`` for a table or column that the database does not have.
        """
        rule = rule_for(self._rules, message)
        facts = facts_of(message, key, rule)
        try:
            with self._engine.begin() as connection:
                # Asked first: a vendor's procedure may commit on its own and isn't called twice.
                done = self._find(connection, key)
                return done or self._write(connection, message, rule, facts)
        except IntegrityError as error:
            found = self.lookup(key)
            if found is not None:
                return found
            raise failure(error) from error
        except DBAPIError as error:
            raise failure(error) from error
        except CompileError as error:
            raise ConfigInvalid(file="mapping", key="write", reason=str(error)[:120]) from error

    def lookup(self, key: str) -> Applied | None:
        """Return what was written under ``key``; raises ``SinkUnavailable``: to be asked again."""
        try:
            with self._engine.connect() as connection:
                return self._find(connection, key)
        except DBAPIError as error:
            raise failure(error) from error

    def _find(self, connection: Connection, key: str) -> Applied | None:
        for name, reference in self._inbox.tables.items():
            kept, own = self._tables.columns(name, reference, self._inbox.key)
            row = connection.execute(select(kept).where(own == key)).first()
            if row is not None:
                return Applied(str(row[0] or ""))
        return None

    def _write(
        self, connection: Connection, message: Inbound, rule: Write, facts: Facts
    ) -> Applied:
        reference = ""
        for form in rule.insert:
            table = self._tables.get(form.table)
            for row in rows(form, message, facts):
                new = connection.execute(table.insert().values(row)).inserted_primary_key
                reference = reference or (str(new[0]) if new else "")
        if rule.procedure:
            fields = message.payload.fields
            values = [value(column, facts, fields, whole=fields) for column in rule.arguments]
            _call(connection, rule.procedure, values)
        if self._inbox.own:
            column = self._inbox.tables[self._inbox.own]
            row = {self._inbox.key: facts["key"], column: reference}
            connection.execute(self._tables.get(self._inbox.own).insert().values(row))
        return Applied(reference)


def _call(connection: Connection, procedure: str, values: list[Written]) -> None:
    """Call the vendor's procedure, as its database spells a call; the name is a checked one."""
    names = [f"a{number}" for number in range(len(values))]
    form = _CALLS.get(connection.dialect.name, "CALL {name}({arguments})")
    marks = ", ".join(f":{name}" for name in names)
    statement = sql(form.format(name=procedure, arguments=marks))
    connection.execute(statement, dict(zip(names, values, strict=True)))
