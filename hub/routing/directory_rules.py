"""What must hold between the rows of a directory: no code twice, no dangling name, no circle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hub.errors import (
    DirectoryCycle,
    DirectoryDuplicate,
    DirectoryReference,
    DirectoryValue,
    HubError,
    Place,
)
from hub.routing.succession import MAX_STEPS
from hub.store.rows import AgencyRow


@dataclass(frozen=True, slots=True)
class Placed:
    """A row that is well-formed by itself, and the line of the file on which it stands."""

    row: AgencyRow
    line: int


def check_whole(
    placed: Sequence[Placed], known: Sequence[AgencyRow], *, file: str
) -> list[HubError]:
    """Return every fault between these rows, and between them and what is known already."""
    problems = list(_taken(placed, known, file))
    merged = {row.code: row for row in known} | {one.row.code: one.row for one in placed}
    for one in placed:
        problems += _dangling(one, merged, file)
        if _runs_on(one.row, merged):
            place = Place(file, one.line, "superseded_by")
            problems.append(DirectoryCycle(value=one.row.code, limit=MAX_STEPS, place=place))
    return problems


def _taken(placed: Sequence[Placed], known: Sequence[AgencyRow], file: str) -> Iterator[HubError]:
    """A code belongs to one agency: the same code with another ``valid_from`` is another one."""
    again = {one.row.code for one in placed}
    owners = {row.code: f"{row.code} ({row.valid_from})" for row in known}
    begins = {row.code: row.valid_from for row in known}
    for row in known:
        if row.code not in again:
            owners.update(dict.fromkeys(row.aliases, row.code))
    seen: dict[str, str] = {}
    for one in placed:
        row = one.row
        place = Place(file, one.line, "code_new")
        if row.code in seen:
            yield DirectoryDuplicate(value=row.code, other=seen[row.code], place=place)
        elif row.code in owners and begins.get(row.code) != row.valid_from:
            yield DirectoryDuplicate(value=row.code, other=owners[row.code], place=place)
        seen.setdefault(row.code, f"{row.code}, line {one.line}")
    for one in placed:
        place = Place(file, one.line, "code_old")
        for alias in one.row.aliases:
            other = seen.get(alias) or owners.get(alias)
            if other:
                yield DirectoryDuplicate(value=alias, other=other, place=place)
            seen.setdefault(alias, f"{one.row.code}, line {one.line}")


def _dangling(one: Placed, merged: Mapping[str, AgencyRow], file: str) -> Iterator[HubError]:
    named = [("parent", one.row.parent), ("centre", one.row.centre)]
    named += [("superseded_by", code) for code in one.row.superseded_by]
    for column, code in named:
        if code is not None and code not in merged:
            yield DirectoryReference(value=code, place=Place(file, one.line, column))
    centre = merged.get(one.row.centre or "")
    if centre is not None and centre.kind != "centre":
        yield DirectoryValue(
            "not a centre", value=centre.code, place=Place(file, one.line, "centre")
        )


def _runs_on(row: AgencyRow, merged: Mapping[str, AgencyRow]) -> bool:
    """Whether a line of successors comes back to the row, or is longer than the limit."""
    level = set(row.superseded_by)
    for _step in range(MAX_STEPS):
        if row.code in level:
            return True
        level = {code for name in level if name in merged for code in merged[name].superseded_by}
        if not level:
            return False
    return True
