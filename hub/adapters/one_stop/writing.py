"""A message → the values of a vendor's form: which column gets which fact, in which spelling.

A form may be a row of an interface table, the arguments of a procedure or the body of a request:
how it is handed over is the connector's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, TypeVar

from pydantic import Field, field_validator

from hub.adapters import dates, text
from hub.adapters.contract import Inbound, types_match
from hub.adapters.fields import members, text_at
from hub.adapters.options import Options
from hub.adapters.text import Encoding
from hub.envelope import Value
from hub.errors import Place, SinkRefused
from hub.schemas.documents import DossierState

Facts = Mapping[str, str]
Written = bytes | str | None


class Column(Options):
    """Where a written column's value comes from."""

    from_: Annotated[tuple[str, ...], Field(alias="from")]
    """The first that is there: ``=text``, a fact (``key``, ``type``, ``sender``, ``receiver``,
    ``dossier_code``, ``status``, ``occurred_at``), a path ``A/B`` in the payload, or in the member
    of ``each``, from which ``^A/B`` leads back to the payload."""
    encoding: Encoding = Encoding.UTF8
    date: str = ""
    """Write an instant in this format."""
    map: dict[str, str] = Field(default_factory=dict)
    """Value → this software's value; one that is not listed is refused. ``*``: all others."""

    @field_validator("from_", mode="before")
    @classmethod
    def _one(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


class Form(Options):
    """A row for the vendor's interface table, or one for each member of a list in the payload."""

    table: str
    columns: dict[str, Column]
    each: str = ""

    @field_validator("columns", mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {k: v if isinstance(v, dict) else {"from": v} for k, v in value.items()}


class Rule(Options):
    """How messages of some types are written."""

    types: tuple[str, ...]
    insert: tuple[Form, ...] = ()
    status: dict[DossierState, str] = Field(default_factory=dict)
    """Our canonical status → this software's; gives the fact ``status``."""


RuleKind = TypeVar("RuleKind", bound=Rule)


def rule_for(rules: Sequence[RuleKind], message: Inbound) -> RuleKind:
    """Return the first rule that takes the message; raises ``SinkRefused`` when none does."""
    for rule in rules:
        if types_match(rule.types, str(message.type)):
            return rule
    raise SinkRefused(reason=f"{message.type} is not taken here")


def facts_of(message: Inbound, key: str, rule: Rule) -> Facts:
    """Return the facts that columns may name; raises ``SinkRefused`` for a status it lacks."""
    fields = message.payload.fields
    facts = {
        "key": key,
        "type": str(message.type),
        "sender": str(message.sender),
        "receiver": str(message.receiver),
        "dossier_code": str(message.dossier_code or text_at(fields, "DossierCode")),
        "occurred_at": text_at(fields, "OccurredAt") or message.created_at.isoformat(),
    }
    if rule.status:
        canonical = text_at(fields, "Status/Canonical") or DossierState.UNKNOWN.value
        here = {state.value: code for state, code in rule.status.items()}
        if canonical not in here:
            reason = f"no status here for {canonical}"
            raise SinkRefused(place=Place(column="status"), reason=reason)
        facts["status"] = here[canonical]
    return facts


def rows(form: Form, message: Inbound, facts: Facts) -> Iterator[dict[str, Written]]:
    """Return the rows of a form: one, or one for each member of its list."""
    fields = message.payload.fields
    found: Sequence[Value] = members(fields, form.each) if form.each else (fields,)
    for member in found:
        yield {
            name: value(column, facts, member, whole=fields, place=f"{form.table}.{name}")
            for name, column in form.columns.items()
        }


def value(
    column: Column, facts: Facts, member: Value, *, whole: Value = "", place: str = "-"
) -> Written:
    """Return a column's value as it is stored there; ``None`` when there is none.

    Raises ``SinkRefused`` naming ``place`` for a value without a counterpart and for a character
    that the column's encoding lacks.
    """
    origins = (_origin(name, facts, member, whole) for name in column.from_)
    found = next(filter(None, origins), "")
    if not found:
        return None
    if column.date:
        return _date(found, column.date, place)
    if column.map:
        found = column.map.get(found, column.map.get("*", ""))
        if not found:
            raise SinkRefused(place=Place(column=place), reason="value has no counterpart here")
    return text.encode(found, column.encoding, place)


def _date(found: str, name: str, place: str) -> str:
    try:
        moment = datetime.fromisoformat(found)
    except ValueError as error:
        raise SinkRefused(place=Place(column=place), reason="not a time") from error
    # A day has no offset and is a day in Vietnam.
    return dates.write(moment if moment.tzinfo else moment.replace(tzinfo=dates.VIETNAM), name)


def _origin(name: str, facts: Facts, member: Value, whole: Value) -> str:
    if name.startswith("="):
        return name[1:]
    if name.startswith("^"):
        return text_at(whole, name[1:])
    return facts.get(name) or text_at(member, name)
