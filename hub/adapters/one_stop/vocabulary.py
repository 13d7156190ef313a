"""One source's vocabulary: its status table, events, values, encodings and date formats.

The pairing of statuses is made **per source** and never globally: one product's 6 is "payment asked
for", another's is "supplemented" (sheet on dossiers, §4). A mapping file is checked whole when it
is read: unknown keys, fields, statuses, event types, and times without a format are errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from hub.adapters.dates import SENTINELS, DateColumn
from hub.adapters.one_stop.payloads import TYPES
from hub.adapters.options import Options
from hub.adapters.text import Encoding
from hub.schemas.documents import PORTAL_CODES, DossierState

DOSSIER_TIMES = frozenset(
    {"submitted", "post_accepted", "handed_over", "received", "due", "resolved", "returned"}
    | {"withdrawn"}
)
"""The three times of a postal dossier (accepted, handed over, received) are never merged."""
DOSSIER_FIELDS = DOSSIER_TIMES | {
    "order_no", "procedure", "procedure_name", "applicant", "applicant_kind", "personal_number",
    "phone", "email", "summary", "channel", "delivery", "delivery_place", "result_files", "origin",
}  # fmt: skip
LINE_TIMES = frozenset({"at", "due", "finished"})
LINE_FIELDS = {
    "parts": frozenset({"name", "originals", "copies", "digitised"}),
    "fees": frozenset({"name", "amount", "state"}),
    "steps": LINE_TIMES | {"id", "name", "person", "section", "status"},
}
OTHER = "*"


class Text(Options):
    """How one text column is stored."""

    encoding: Encoding = Encoding.UTF8
    entities: bool = False
    fold_eth: bool = False


class Dates(Options):
    """How one column spells its dates, and which spellings mean *unknown*."""

    formats: tuple[str, ...]
    sentinels: tuple[str, ...] = SENTINELS


class Status(Options):
    """One status of this software: what it means to others (both are always carried)."""

    text: str
    canonical: DossierState
    portal: Annotated[str, Field(pattern="^([1-9][0-9]?)?$")] = ""
    """The national portal's code; empty: the usual one of ``canonical``."""

    @property
    def portal_code(self) -> str:
        """The portal's code that goes with this status; empty for ``unknown``."""
        return self.portal or PORTAL_CODES.get(self.canonical, "")


class Event(Options):
    """What a status gives rise to."""

    type: str
    to: str
    """``procedure`` (by ``[receivers]``), ``origin`` (the agency that sent it), or a code."""
    channel: tuple[str, ...] = ()
    """Only for dossiers that came by one of these channels; empty: any."""

    @field_validator("type")
    @classmethod
    def _made_here(cls, value: str) -> str:
        if value not in TYPES:
            msg = f"no rule makes {value}"
            raise ValueError(msg)
        return value


class Table(Options):
    """A table (or list, or object) of the software: our field → its column."""

    table: str
    columns: dict[str, str]


class Dossier(Table):
    """The dossier itself."""

    code: str
    deleted: str = ""
    """A column that is neither empty nor 0 when the row is deleted."""
    deleted_status: str = ""
    """The status that a deleted row counts as."""
    other_codes: tuple[str, ...] = ()
    """Columns with further codes of the same dossier; they become aliases."""


class Vocabulary(Options):
    """The part of a mapping file that does not depend on how the software is reached."""

    system: str
    """Name of the source system, as it stands in every status it sends."""
    dossier: Dossier
    status: dict[str, Status]
    events: dict[str, tuple[Event, ...]]
    """Status → events; ``*``: every status that is not listed (empty: they give none)."""
    receivers: dict[str, str] = Field(default_factory=dict)
    """Base code of a procedure → competent agency; ``*``: all others."""
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Field → (this software's value → ours); a value that is not listed is ``unknown``."""
    text: dict[str, Text] = Field(default_factory=dict)
    dates: dict[str, Dates] = Field(default_factory=dict)

    @field_validator("text", mode="before")
    @classmethod
    def _short_text(cls, value: object) -> object:
        return _shorten(value, "encoding")

    @field_validator("dates", mode="before")
    @classmethod
    def _short_dates(cls, value: object) -> object:
        return _shorten(value, "formats")

    @cached_property
    def date_columns(self) -> dict[str, DateColumn]:
        """The declared date columns by ``table.column``."""
        return {
            name: DateColumn(name, rule.formats, tuple(mark.lower() for mark in rule.sentinels))
            for name, rule in self.dates.items()
        }

    def lists(self) -> Mapping[str, Table]:
        """Return the lists of a dossier by our name; the owner of the tables says which."""
        return {}

    @model_validator(mode="after")
    def _whole(self) -> Vocabulary:
        self._check(self.dossier, DOSSIER_FIELDS, DOSSIER_TIMES)
        for name, table in self.lists().items():
            self._check(table, LINE_FIELDS[name], LINE_TIMES)
        unknown = [code for code in self.events if code != OTHER and code not in self.status]
        if unknown:
            msg = f"events of {unknown[0]}, which [status] does not have"
            raise ValueError(msg)
        _ = self.date_columns  # a wrong format shows when the file is read, not at the first row
        return self

    def _check(self, table: Table, known: frozenset[str], times: frozenset[str]) -> None:
        for name, column in table.columns.items():
            place = f"{table.table}.{column}"
            if name not in known:
                msg = f"{name} ({place}) is no field of a dossier"
                raise ValueError(msg)
            if name in times and place not in self.dates:
                msg = f"{name}: {place} has no declared date format"
                raise ValueError(msg)


def _shorten(value: object, key: str) -> object:
    if not isinstance(value, dict):
        return value
    return {k: v if isinstance(v, dict) else {key: v} for k, v in value.items()}
