"""The directory: which agency a code means on a date, and where its messages go.

A snapshot never changes; the router makes a new one when the store's revision moves. Resolving
costs the same in a directory of 60 rows and of 120,000. No code is ever guessed: only codes that
the directory itself lists are found (``AgencyCode.guessed_new_form`` is for people).
Sources: QCVN 102 and QĐ 20/2020/QĐ-TTg (codes), QĐ 09/2025 (mergers), identifiers sheet §4 and §5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Literal

from hub.codes import AgencyCode
from hub.errors import ClosedReceiver, UnknownReceiver
from hub.routing.agencies_csv import ImportResult, export_csv, import_csv
from hub.routing.succession import MAX_STEPS, Succession, alive, succession
from hub.store.rows import AgencyRow

__all__ = [
    "MAX_STEPS",
    "VIETNAM",
    "Directory",
    "ImportResult",
    "Resolution",
    "Via",
    "export_csv",
    "import_csv",
]

VIETNAM = timezone(timedelta(hours=7), "+07:00")
"""Validity dates are Vietnam's; the country has one zone and no summer time."""
CENTRE_KIND = "centre"

Via = Literal["exact", "alias", "successor", "centre"]


@dataclass(frozen=True, slots=True)
class Resolution:
    """Where a message to one code goes."""

    code: AgencyCode
    """As it was asked for."""
    resolved: AgencyCode
    """The canonical code of the agency that is meant."""
    via: Via
    """``successor`` also when the successor is reached through its centre."""
    queue: str
    receiver: AgencyCode
    """Whose queue it is: the agency itself, or a connection centre."""
    chain: tuple[str, ...] = ()
    """Every code on the way, from the canonical one asked for to the one resolved."""


class Directory:
    """The agencies of one moment, immutable; agencies by canonical code, aliases beside them."""

    def __init__(self, agencies: Mapping[str, AgencyRow], aliases: Mapping[str, str]) -> None:
        self._agencies = agencies
        self._aliases = aliases

    @classmethod
    def of(cls, rows: Iterable[AgencyRow]) -> Directory:
        """Make a snapshot; a canonical code always wins over the same text as an alias."""
        agencies = {row.code: row for row in rows}
        aliases = {alias: row.code for row in agencies.values() for alias in row.aliases}
        return cls(agencies, {old: new for old, new in aliases.items() if old not in agencies})

    def __len__(self) -> int:
        return len(self._agencies)

    def row(self, code: AgencyCode) -> AgencyRow | None:
        """Return the agency that has this code or alias, alive or not."""
        return self._agencies.get(self._aliases.get(code.value, code.value))

    def canonical(self, code: AgencyCode) -> AgencyCode:
        """Return the canonical code of an agency; a code nobody has stays as it is."""
        other = self._aliases.get(code.value)
        return AgencyCode.parse(other) if other else code

    def kinds(self) -> dict[str, str]:
        """Return the kind of every agency by canonical code, for access rules."""
        return {code: row.kind for code, row in self._agencies.items()}

    def aliases(self) -> Mapping[str, str]:
        """Return every alias with its canonical code."""
        return self._aliases

    def resolve(self, code: AgencyCode, at: datetime | date) -> Resolution:
        """Return where a message to ``code`` goes at that time.

        Order: exact, alias, the one living successor where ``redirect=auto`` all the way, the
        centre's gateway. Raises ``UnknownReceiver``, or ``ClosedReceiver`` naming the successors.
        """
        day = vietnam_day(at)
        row = self.row(code)
        if row is None:
            raise UnknownReceiver(value=code)
        if day < row.valid_from:
            raise UnknownReceiver(f"valid from {row.valid_from}", value=code)
        via: Via = "exact" if row.code == code.value else "alias"
        chain: tuple[str, ...] = (row.code,)
        if not alive(row, day):
            found = self._successor(row, code, day)
            chain = found.path
            row, via = self._agencies[found.path[-1]], "successor"
        return self._routed(code, row, via, chain, day)

    def _successor(self, row: AgencyRow, code: AgencyCode, day: date) -> Succession:
        found = succession(self._agencies, row.code, day)
        if not found.redirect:
            raise ClosedReceiver(value=code, successor=" ".join(found.living) or "-")
        return found

    def _routed(
        self, code: AgencyCode, row: AgencyRow, via: Via, chain: tuple[str, ...], day: date
    ) -> Resolution:
        resolved = AgencyCode.parse(row.code)
        if row.attached:
            return Resolution(code, resolved, via, f"inbox.{row.code}", resolved, chain)
        centre = self._centre(row, day)
        if centre is None:
            raise UnknownReceiver("neither an inbox on this hub nor a living centre", value=code)
        owner = AgencyCode.parse(centre)
        shown: Via = "successor" if via == "successor" else "centre"
        return Resolution(code, resolved, shown, f"gateway.{centre}", owner, chain)

    def _centre(self, row: AgencyRow, day: date) -> str | None:
        """The living centre of an agency, or of a centre its own code; centres always hand over."""
        own = row.code if row.kind == CENTRE_KIND else row.centre
        centre = self._agencies.get(own) if own else None
        if centre is None or day < centre.valid_from:
            return None
        if alive(centre, day):
            return centre.code
        living = succession(self._agencies, centre.code, day).living
        return living[0] if len(living) == 1 else None


def vietnam_day(at: datetime | date) -> date:
    """Return the calendar day in Vietnam of an aware time; a date stays what it is."""
    return at.astimezone(VIETNAM).date() if isinstance(at, datetime) else at
