"""Rows → one dossier record: decoded as declared, every error naming table, row and column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from hub.adapters import dates, text
from hub.adapters.one_stop.record import Field, Line, Record, text_of
from hub.adapters.one_stop.vocabulary import Table, Text, Vocabulary
from hub.codes import DossierCode
from hub.errors import HubError, Place, RowUnmappable

Row = Mapping[str, object]
_PLAIN = Text()


def build(
    rules: Vocabulary, row: Row, lists: Mapping[str, Sequence[Row]], number: object
) -> Record:
    """Map a dossier's row and those of its lists; ``number`` names the row for people.

    Raises ``RowUnmappable``, ``TextDamaged``, ``DateUnreadable`` or ``CodeMalformed``, placed.
    """
    dossier = rules.dossier
    where = f"row {number}"
    try:
        code = plain_text(row.get(dossier.code))
        fields = _line(rules, dossier, row)
        lines = {
            name: tuple(
                _member(rules, table, one, n) for n, one in enumerate(lists.get(name, ()), 1)
            )
            for name, table in rules.lists().items()
        }
        return Record(
            code=_code(code, dossier.code).value,
            aliases=_aliases(rules, row, code, fields),
            fields=fields,
            parts=lines.get("parts", ()),
            fees=lines.get("fees", ()),
            steps=lines.get("steps", ()),
            deleted=is_deleted(row.get(dossier.deleted)),
        )
    except HubError as error:
        in_list = f"{error.place.path} of {dossier.table} {where}" if error.place.path else where
        error.place = Place(error.place.file, error.place.line, error.place.column, in_list)
        raise error.at(file=dossier.table) from error


def money(value: object, column: str) -> str:
    """Return whole đồng as digits; raises ``RowUnmappable`` for a fraction or a separator."""
    try:
        amount = Decimal(str(value or "0"))
        whole = int(amount)
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise RowUnmappable(place=Place(column=column), row="-", reason="amount") from error
    if amount != whole or amount < 0:
        raise RowUnmappable(place=Place(column=column), row="-", reason="fraction of a đồng")
    return str(whole)


def field(rules: Vocabulary, name: str, value: object) -> Field:
    """Decode the value of ``table.column`` as declared.

    Raises ``TextDamaged`` or ``DateUnreadable``.
    """
    if name in rules.date_columns:
        return dates.read(value, rules.date_columns[name])
    if value is None:
        return None
    if not isinstance(value, str | bytes):
        return str(value)
    rule = rules.text.get(name, _PLAIN)
    decoded = text.decode(
        value, rule.encoding, name, entities=rule.entities, fold_eth=rule.fold_eth
    )
    return decoded.strip() or None


def plain_text(value: object) -> str:
    """Return a code column as trimmed text; empty for NULL."""
    raw = value.decode("ascii", "replace") if isinstance(value, bytes) else value
    return "" if raw is None else str(raw).strip()


def is_deleted(value: object) -> bool:
    """Whether a soft-delete column says so: it is neither empty nor zero (nor a zero bit)."""
    return plain_text(value).strip("\0").lower() not in ("", "0", "false", "n")


def _line(rules: Vocabulary, table: Table, row: Row) -> dict[str, Field]:
    line: dict[str, Field] = {}
    for name, column in table.columns.items():
        place = f"{table.table}.{column}"
        if column not in row:
            raise RowUnmappable(place=Place(column=place), row="-", reason="column missing")
        value = field(rules, place, row[column])
        if name in rules.values and value is not None:
            value = rules.values[name].get(str(value), "unknown")
        line[name] = money(value, place) if name == "amount" else value
    return line


def _member(rules: Vocabulary, table: Table, row: Row, number: int) -> Line:
    """Map one row of a list; its errors name its own table and its place in the list."""
    try:
        return _line(rules, table, row)
    except HubError as error:
        raise error.at(file=table.table, path=f"line {number}") from error


def _code(value: str, column: str) -> DossierCode:
    try:
        return DossierCode.parse(value)
    except HubError as error:
        raise error.at(column=column) from error


def _aliases(rules: Vocabulary, row: Row, code: str, fields: Line) -> tuple[tuple[str, str], ...]:
    found = []
    for column in rules.dossier.other_codes:
        other = plain_text(row.get(column))
        if other and other != code:
            legal = _code(other, column).is_legal_form
            found.append(("legal" if legal else "local_no", other))
    order = text_of(fields, "order_no")
    if order and order != code:
        found.append(("postal_order", order))
    return tuple(found)
