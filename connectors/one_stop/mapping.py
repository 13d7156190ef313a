"""The mapping file: everything that differs from one one-stop software to the next, in one TOML.

Read once by :func:`load`; the packaged ones lie in ``mappings/``. An unknown key is an error.
"""

from __future__ import annotations

import tomllib
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from hub.adapters.dates import DateColumn
from hub.adapters.text import Encoding
from hub.errors import ConfigInvalid, ConfigMissing


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(_Table):
    """How one text column is stored."""

    encoding: Encoding = Encoding.UTF8
    entities: bool = False
    fold_eth: bool = False


class Feed(_Table):
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


class Dossier(_Table):
    """The dossier table: our field → its column."""

    table: str
    code: str
    columns: dict[str, str]
    deleted: str = ""
    """A column that is neither empty nor 0 when the row is deleted."""
    deleted_status: str = ""
    """The status that a deleted row counts as."""
    other_codes: tuple[str, ...] = ()
    """Columns with further codes of the same dossier; they become aliases."""


class Child(_Table):
    """A list that belongs to a dossier: parts, fees or steps; always read separately."""

    table: str
    dossier: str
    order: tuple[str, ...]
    columns: dict[str, str]


class Status(_Table):
    """One status of this software: what it means to others (both are always carried)."""

    text: str
    canonical: str
    portal: str = ""


class Event(_Table):
    """What a status gives rise to."""

    type: str
    to: str
    """``procedure`` (by ``[receivers]``), ``origin`` (the agency that sent it), or a code."""
    channel: tuple[str, ...] = ()
    """Only for dossiers that came by one of these channels; empty: any."""


class Column(_Table):
    """Where a written column's value comes from."""

    from_: Annotated[tuple[str, ...], Field(alias="from")]
    """The first that is there: ``=text``, a fact (``key``, ``type``, ``sender``, ``receiver``,
    ``dossier_code``, ``status``, ``occurred_at``), a path ``A/B`` in the payload, or in the member
    of ``each``, from which ``^A/B`` leads back to the payload."""
    encoding: Encoding = Encoding.UTF8
    date: str = ""
    """Write an instant in this format."""
    map: dict[str, str] = {}
    """Value → this software's value; one that is not listed is refused. ``*``: all others."""

    @field_validator("from_", mode="before")
    @classmethod
    def _one(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


class Insert(_Table):
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


class Write(_Table):
    """How messages of some types are written: rows, or a call of the vendor's procedure."""

    types: tuple[str, ...]
    insert: tuple[Insert, ...] = ()
    procedure: Annotated[str, Field(pattern=r"^([A-Za-z_]\w*(\.[A-Za-z_]\w*){0,2})?$")] = ""
    arguments: tuple[Column, ...] = ()
    status: dict[str, str] = {}
    """Our canonical status → this software's; gives the fact ``status``."""


class Inbox(_Table):
    """Where the idempotency key lies: a column of the interface table, or an own table."""

    tables: dict[str, str]
    """Table → its reference column, for every table that may hold a key."""
    key: str
    own: str = ""
    """The own table; it gets one row for each message, in the same transaction."""


class Confirm(_Table):
    """Where the vendor wants to see what became of a sent dossier."""

    table: str
    key: str
    outcome: str
    reason: str = ""


class Mapping(_Table):
    """A whole mapping file."""

    system: str
    """Name of the source system, as it stands in every status it sends."""
    feed: Feed
    dossier: Dossier
    parts: Child | None = None
    fees: Child | None = None
    steps: Child | None = None
    status: dict[str, Status]
    events: dict[str, tuple[Event, ...]]
    receivers: dict[str, str] = {}
    """Base code of a procedure → competent agency; ``*``: all others."""
    values: dict[str, dict[str, str]] = {}
    """Field → (this software's value → ours); a value that is not listed is ``unknown``."""
    text: dict[str, Text] = {}
    dates: dict[str, tuple[str, ...]] = {}
    write: tuple[Write, ...] = ()
    inbox: Inbox | None = None
    confirm: Confirm | None = None

    @field_validator("text", mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {k: v if isinstance(v, dict) else {"encoding": v} for k, v in value.items()}

    @cached_property
    def date_columns(self) -> dict[str, DateColumn]:
        """The declared date columns by ``table.column``."""
        return {name: DateColumn(name, formats) for name, formats in self.dates.items()}

    def kind(self, column: str) -> Literal["date", "text"]:
        """Whether ``table.column`` is declared a date."""
        return "date" if column in self.dates else "text"


def load(name: str, folder: Path) -> Mapping:
    """Read a mapping: a packaged one (``commune``, ``department``) or a file, relative to folder.

    Raises ``ConfigMissing``, or ``ConfigInvalid`` naming the file and the key.
    """
    packaged = resources.files(__package__).joinpath("mappings", f"{name}.toml")
    file = folder / name
    try:
        raw = packaged.read_text("utf-8") if packaged.is_file() else file.read_text("utf-8")
        mapping = Mapping.model_validate(tomllib.loads(raw))
        mapping.date_columns  # noqa: B018 - a wrong format shows at the start, not at the first row
    except FileNotFoundError as error:
        raise ConfigMissing(file=str(file), reason="mapping") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigInvalid(file=str(file), key="-", reason=str(error)) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigInvalid(file=str(file), key=key, reason=first["msg"]) from error
    return mapping
