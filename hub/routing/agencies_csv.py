"""The directory as CSV: read whole or not at all, and written back.

Two layouts are read: agencies (``code_new, code_old, name, kind, parent, centre, valid_from,
valid_to, superseded_by, redirect`` and optionally ``attached``) and connection centres (``code,
name, valid_from, valid_to, superseded_by``). UTF-8, with or without BOM; dates ISO, both inclusive.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from hub.codes import AgencyCode, Environment
from hub.errors import DirectoryColumns, DirectoryRefused, DirectoryValue, HubError, Place
from hub.routing.directory_rules import Placed, check_whole
from hub.store.rows import AgencyRow

AGENCIES = (
    "code_new", "code_old", "name", "kind", "parent", "centre", "valid_from", "valid_to",
    "superseded_by", "redirect",
)  # fmt: skip
CENTRES = ("code", "name", "valid_from", "valid_to", "superseded_by")
ATTACHED = "attached"
MAX_FIELD = 2000
"""Characters of one field."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,31}")
_FLAGS = {"": False, "0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}
_SEPARATORS = re.compile(r"[\s;|]+")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The rows of a file in which nothing is wrong, in its order."""

    rows: tuple[AgencyRow, ...]


def import_csv(
    data: bytes,
    *,
    file: str,
    known: Sequence[AgencyRow] = (),
    environment: Environment = Environment.TRIAL,
) -> ImportResult:
    """Read a directory file that is to be added to what is ``known``.

    A row with the code and the ``valid_from`` of a known agency is a new state of that agency; with
    another ``valid_from`` it is another agency under a code that is taken. Raises
    ``DirectoryRefused`` with every fault of the file, each with line and column.
    """
    problems: list[HubError] = []
    records = _records(data, file, problems)
    placed = []
    for line, fields in records:
        before = len(problems)
        row = _Reader(file, line, fields, environment, problems).row()
        if len(problems) == before:
            placed.append(Placed(row, line))
    problems += check_whole(placed, known, file=file)
    if problems:
        raise DirectoryRefused(sorted(problems, key=lambda one: one.place.line), file=file)
    return ImportResult(tuple(one.row for one in placed))


def _records(
    data: bytes, file: str, problems: list[HubError]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each record with the line on which it begins; damaged ones become problems."""
    text = _text(data, file, problems)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns: Sequence[str] = ()
    line = 1
    while True:
        try:
            values = next(reader, None)
        except csv.Error as error:
            problems.append(DirectoryValue(str(error), value="…", place=Place(file, line)))
            return
        if values is None:
            break
        if not columns:
            columns = [value.strip() for value in values]
            if not _known_layout(columns, file, problems):
                return
        elif len(values) != len(columns):
            found = f"{len(values)} ≠ {len(columns)}"
            problems.append(DirectoryColumns(column=found, place=Place(file, line)))
        else:
            yield line, dict(zip(columns, values, strict=True))
        line = reader.line_num + 1
    if not columns:
        problems.append(DirectoryColumns(column=AGENCIES[0], place=Place(file, 1)))


def _text(data: bytes, file: str, problems: list[HubError]) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problems.append(DirectoryValue("not UTF-8", value="…", place=Place(file, line)))
        text = data.decode("utf-8-sig", errors="replace")
    for found in re.finditer("\0", text):
        line = text.count("\n", 0, found.start()) + 1
        problems.append(DirectoryValue("NUL", value="\\0", place=Place(file, line)))
    return text.replace("\0", "")


def _known_layout(columns: Sequence[str], file: str, problems: list[HubError]) -> bool:
    wanted = AGENCIES if AGENCIES[0] in columns else CENTRES
    if "code" not in columns:
        wanted = AGENCIES
    missing = [name for name in wanted if name not in columns]
    more = [name for name in columns if name not in (*wanted, ATTACHED)]
    twice = [name for name in dict.fromkeys(columns) if columns.count(name) > 1]
    problems += [
        DirectoryColumns(column=name[:40], place=Place(file, 1, name[:40]))
        for name in (*missing, *more, *twice)
    ]
    return not (missing or more or twice)


class _Reader:
    """Reads one record; every bad field becomes a problem with its place."""

    def __init__(
        self,
        file: str,
        line: int,
        fields: Mapping[str, str],
        environment: Environment,
        problems: list[HubError],
    ) -> None:
        self._file = file
        self._line = line
        self._fields = {name: value.strip() for name, value in fields.items()}
        self._environment = environment
        self._problems = problems

    def row(self) -> AgencyRow:
        """Return the record as a row, to be used only when no problem was added."""
        centre = "code" in self._fields
        new = "code" if centre else "code_new"
        canonical, old = self._code(new), self._codes("code_old")
        if not self._fields[new] and not self._fields.get("code_old"):
            self._fault(new, "")
        begins, ends = self._day("valid_from"), self._day("valid_to")
        if begins is None and not self._fields["valid_from"]:
            self._fault("valid_from", "")
        if begins and ends and ends < begins:
            self._fault("valid_to", str(ends))
        code = canonical or (old[0] if old else "")
        successors = self._codes("superseded_by")
        return AgencyRow(
            code=code,
            name=self._name(),
            kind="centre" if centre else self._kind(),
            parent=self._code("parent") or None,
            centre=self._code("centre") or None,
            valid_from=begins or date.min,
            valid_to=ends,
            superseded_by=successors,
            redirect=self._redirect(successors),
            aliases=tuple(one for one in old if one != code),
            attached=self._read(ATTACHED, lambda text: _FLAGS[text.lower()], otherwise=False),
        )

    def _fault(self, column: str, value: str) -> None:
        place = Place(self._file, self._line, column)
        self._problems.append(DirectoryValue(value=repr(value[:60]), place=place))

    def _read(self, column: str, read: Callable[[str], _T], otherwise: _T) -> _T:
        text = self._fields.get(column, "")
        try:
            return read(text)
        except HubError as error:
            self._problems.append(error.at(file=self._file, line=self._line, column=column))
        except (ValueError, KeyError):
            self._fault(column, text)
        return otherwise

    def _code(self, column: str) -> str:
        return self._read(column, lambda text: self._parsed(text) if text else "", "")

    def _codes(self, column: str) -> tuple[str, ...]:
        def read(text: str) -> tuple[str, ...]:
            return tuple(dict.fromkeys(self._parsed(one) for one in _SEPARATORS.split(text) if one))

        return self._read(column, read, ())

    def _parsed(self, text: str) -> str:
        return AgencyCode.parse(text, self._environment).value

    def _day(self, column: str) -> date | None:
        def read(text: str) -> date | None:
            if text and not _DAY.fullmatch(text):
                raise ValueError(text)
            return date.fromisoformat(text) if text else None

        return self._read(column, read, None)

    def _name(self) -> str:
        name = self._fields["name"]
        if not name or len(name) > MAX_FIELD or not name.isprintable():
            self._fault("name", name)
        return name

    def _kind(self) -> str:
        kind = self._fields["kind"]
        if not _WORD.fullmatch(kind):
            self._fault("kind", kind)
        return kind

    def _redirect(self, successors: tuple[str, ...]) -> str:
        redirect = self._fields.get("redirect", "").lower() or "no"
        if redirect not in ("auto", "no") or (redirect == "auto" and not successors):
            self._fault("redirect", redirect)
        return redirect


def export_csv(rows: Iterable[AgencyRow]) -> bytes:
    """Return rows in the layout of agencies with ``attached``, as UTF-8 with LF line ends.

    ``import_csv`` reads it back into equal rows; centres stand in it with the kind ``centre``.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*AGENCIES, ATTACHED))
    for row in rows:
        writer.writerow(
            (
                row.code,
                " ".join(row.aliases),
                row.name,
                row.kind,
                row.parent or "",
                row.centre or "",
                row.valid_from.isoformat(),
                row.valid_to.isoformat() if row.valid_to else "",
                " ".join(row.superseded_by),
                row.redirect if row.redirect != "no" or row.superseded_by else "",
                "1" if row.attached else "0",
            )
        )
    return out.getvalue().encode("utf-8")
