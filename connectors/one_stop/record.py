"""Rows → one dossier record: decoded by the mapping, every error naming table, row and column."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping as Rows
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from connectors.one_stop.mapping import Child, Mapping, Text
from hub.adapters import dates, text
from hub.codes import DossierCode
from hub.errors import HubError, Place, RowUnmappable

Field = str | datetime | None
Line = dict[str, Field]
_PLAIN = Text()


@dataclass(frozen=True, slots=True)
class Record:
    """A dossier as its software has it; text is NFC, instants carry +07:00."""

    code: str
    aliases: tuple[tuple[str, str], ...]
    """(scheme, value)."""
    fields: Line
    parts: tuple[Line, ...]
    fees: tuple[Line, ...]
    steps: tuple[Line, ...]
    deleted: bool

    def text(self, name: str) -> str:
        """Return a text field; empty when it is absent."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""

    def time(self, name: str) -> datetime | None:
        """Return a date field; ``None`` when it is unknown."""
        value = self.fields.get(name)
        return value if isinstance(value, datetime) else None

    @property
    def files(self) -> tuple[str, ...]:
        """Every result file of a ``##`` list, whole."""
        return tuple(part.strip() for part in self.text("result_files").split("##") if part.strip())

    @property
    def digest(self) -> str:
        """SHA-256 over all mapped content: equal when a row was touched but not changed."""
        lines = [self.fields, *self.parts, *self.fees, *self.steps]
        plain = [{k: str(v) for k, v in sorted(line.items())} for line in lines]
        whole = json.dumps([self.code, self.aliases, self.deleted, plain], ensure_ascii=False)
        return hashlib.sha256(whole.encode()).hexdigest()


def build(
    mapping: Mapping, row: Rows[str, object], children: Rows[str, Sequence[Rows[str, object]]]
) -> Record:
    """Map a dossier row and its children; raises ``SourceError`` leaves naming the place."""
    table = mapping.dossier.table
    number = str(row.get(mapping.feed.id, row.get(mapping.dossier.code, "?")))
    try:
        code = _string(row.get(mapping.dossier.code))
        fields = _line(mapping, table, mapping.dossier.columns, row)
        return Record(
            code=DossierCode.parse(code).value,
            aliases=_aliases(mapping, row, code, fields),
            fields=fields,
            parts=_children(mapping, mapping.parts, children.get("parts", ())),
            fees=_children(mapping, mapping.fees, children.get("fees", ())),
            steps=_children(mapping, mapping.steps, children.get("steps", ())),
            deleted=is_deleted(row.get(mapping.dossier.deleted)),
        )
    except HubError as error:
        raise error.at(file=table, path=f"row {number}") from error


def money(value: Field, column: str) -> str:
    """Return whole đồng as digits; raises ``RowUnmappable`` for a fraction or a separator."""
    try:
        amount = Decimal(str(value or "0"))
    except InvalidOperation as error:
        raise RowUnmappable(place=Place(column=column), row="-", reason="amount") from error
    if amount != amount.to_integral_value() or amount < 0:
        raise RowUnmappable(place=Place(column=column), row="-", reason="fraction of a đồng")
    return str(int(amount))


def field(mapping: Mapping, table: str, column: str, value: object) -> Field:
    """Decode one value as its column declares; raises ``TextDamaged`` or ``DateUnreadable``."""
    name = f"{table}.{column}"
    if name in mapping.dates:
        return dates.read(value, mapping.date_columns[name])
    if value is None:
        return None
    if not isinstance(value, str | bytes):
        return str(value)
    rule = mapping.text.get(name, _PLAIN)
    decoded = text.decode(
        value, rule.encoding, name, entities=rule.entities, fold_eth=rule.fold_eth
    )
    return decoded.strip() or None


def _line(mapping: Mapping, table: str, columns: Rows[str, str], row: Rows[str, object]) -> Line:
    line: Line = {}
    for name, column in columns.items():
        if column not in row:
            raise RowUnmappable(place=Place(column=column), row="-", reason="column missing")
        value = field(mapping, table, column, row[column])
        if name in mapping.values and value is not None:
            value = mapping.values[name].get(str(value), "unknown")
        line[name] = value
    return line


def _children(
    mapping: Mapping, child: Child | None, rows: Sequence[Rows[str, object]]
) -> tuple[Line, ...]:
    if child is None:
        return ()
    return tuple(_line(mapping, child.table, child.columns, row) for row in rows)


def _aliases(
    mapping: Mapping, row: Rows[str, object], code: str, fields: Line
) -> tuple[tuple[str, str], ...]:
    others = [_string(row.get(column)) for column in mapping.dossier.other_codes]
    found = [
        ("legal" if DossierCode.parse(other).is_legal_form else "local_no", other)
        for other in others
        if other and other != code
    ]
    order = fields.get("order_no")
    if isinstance(order, str) and order != code:
        found.append(("postal_order", order))
    return tuple(found)


def _string(value: object) -> str:
    raw = value.decode("ascii", "replace") if isinstance(value, bytes) else value
    return "" if raw is None else str(raw).strip()


def is_deleted(value: object) -> bool:
    """Whether a soft-delete column says so: it is neither empty nor zero."""
    return _string(value) not in ("", "0", "False", "false")
