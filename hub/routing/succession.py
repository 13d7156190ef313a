"""Follow successors of closed agencies: safe against circles, at most eight steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from hub.store.rows import AgencyRow

MAX_STEPS = 8
"""Steps of succession that are followed (identifiers sheet §4, rule 2)."""


@dataclass(frozen=True, slots=True)
class Succession:
    """What became of a closed agency."""

    living: tuple[str, ...]
    """The living successors at the ends of all lines, in the order of the rows."""
    redirect: bool
    """Exactly one is living, and every closed row on the way to it says ``redirect=auto``."""
    path: tuple[str, ...]
    """The codes on the way to the first living one; only the start when there is none."""


def alive(row: AgencyRow, day: date) -> bool:
    """Whether the agency exists on that day; both dates are inclusive."""
    return row.valid_from <= day and (row.valid_to is None or day <= row.valid_to)


def succession(agencies: Mapping[str, AgencyRow], start: str, day: date) -> Succession:
    """Return the living successors of the closed agency ``start`` on that day."""
    living: dict[str, tuple[tuple[str, ...], bool]] = {}
    seen = {start}
    level: list[tuple[tuple[str, ...], bool]] = [((start,), agencies[start].redirect == "auto")]
    for _step in range(MAX_STEPS):
        following: list[tuple[tuple[str, ...], bool]] = []
        for path, automatic in level:
            for code in agencies[path[-1]].superseded_by:
                row = agencies.get(code)
                if row is None or (code in seen and not (automatic and code in living)):
                    continue
                seen.add(code)
                if alive(row, day):
                    _keep(living, (*path, code), automatic=automatic)
                else:
                    following.append(((*path, code), automatic and row.redirect == "auto"))
        level = following
    if not living:
        return Succession((), redirect=False, path=(start,))
    path, automatic = next(iter(living.values()))
    return Succession(tuple(living), redirect=len(living) == 1 and automatic, path=path)


def _keep(
    living: dict[str, tuple[tuple[str, ...], bool]], path: tuple[str, ...], *, automatic: bool
) -> None:
    """Two lines may lead to one living agency: the automatic one is the one that counts."""
    known = living.get(path[-1])
    if known is None or (automatic and not known[1]):
        living[path[-1]] = (path, automatic)
