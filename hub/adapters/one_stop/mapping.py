"""A mapping file of a one-stop software with tables: vocabulary, and where its rows lie.

How tables are reached is the connector's business; what they mean stands here. An unknown key is
an error, and so is a rule that would write where the vendor's own rows lie.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from hub.adapters.one_stop.vocabulary import Table, Vocabulary
from hub.adapters.one_stop.writing import Column, Rule
from hub.adapters.options import Options


class Feed(Options):
    """Where changes are seen: the dossier table itself, its trace, or the vendor's outbox table."""

    table: str
    id: str
    watermark: str
    """A column that grows with every change: row version, identity or time of change."""
    overlap: Annotated[int, Field(ge=0)]
    """How far below the watermark is read again: for rows whose transaction ends late. Units of
    the column; seconds where it is a time."""
    dossier: str
    """The column that names the dossier."""
    status: str
    once: bool = False
    """Each row is one event (trace, outbox). Otherwise a row is an event each time it changes."""


class Child(Table):
    """A list that belongs to a dossier: parts, fees or steps; always read separately."""

    dossier: str
    order: tuple[str, ...]


class Write(Rule):
    """How messages of some types are written: rows, or a call of the vendor's procedure."""

    procedure: Annotated[str, Field(pattern=r"^([A-Za-z_]\w*(\.[A-Za-z_]\w*){0,2})?$")] = ""
    arguments: tuple[Column, ...] = ()


class Inbox(Options):
    """Where the idempotency key lies: a column of the interface table, or an own table."""

    tables: dict[str, str]
    """Table → its reference column, for every table that may hold a key."""
    key: str
    own: str = ""
    """The own table; it gets one row for each message, in the same transaction."""

    @model_validator(mode="after")
    def _own_is_asked(self) -> Inbox:
        if self.own and self.own not in self.tables:
            msg = f"own: {self.own} is not one of [inbox.tables]"
            raise ValueError(msg)
        return self


class Confirm(Options):
    """Where the vendor wants to see what became of a sent dossier."""

    table: str
    key: str
    outcome: str
    reason: str = ""


class Mapping(Vocabulary):
    """A whole mapping file."""

    feed: Feed
    parts: Child | None = None
    fees: Child | None = None
    steps: Child | None = None
    write: tuple[Write, ...] = ()
    inbox: Inbox | None = None
    confirm: Confirm | None = None

    def lists(self) -> dict[str, Child]:
        """Return the lists that the software has."""
        named = {"parts": self.parts, "fees": self.fees, "steps": self.steps}
        return {name: child for name, child in named.items() if child is not None}

    def accepts(self) -> tuple[str, ...]:
        """Return the message types that some rule writes."""
        return tuple(dict.fromkeys(name for rule in self.write for name in rule.types))

    @model_validator(mode="after")
    def _never_written(self) -> Mapping:
        """Refuse to write where the vendor's own rows lie."""
        vendors = {self.feed.table, self.dossier.table, *(c.table for c in self.lists().values())}
        written = {form.table for rule in self.write for form in rule.insert}
        written |= {self.inbox.own} if self.inbox else set()
        written |= {self.confirm.table} if self.confirm else set()
        if vendors & written:
            msg = f"{min(vendors & written)} is the vendor's: write into an interface table"
            raise ValueError(msg)
        return self
