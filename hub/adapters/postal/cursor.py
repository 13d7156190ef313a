"""A cursor over ids that grow only roughly: every poll reads an overlap before it again.

A row that another server of the partner inserts late may sort before the cursor, so each poll
starts a while before it; the row's own id is the idempotency key, and the outbox drops what it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

_Row = TypeVar("_Row")


class OverlapCursor(Generic[_Row]):
    """Reads rows ``(id, row)`` in the order of their ids.

    Rows that are known to be in the outbox are not offered again, which spares look-ups for each of
    them. That is known only when a checkpoint that differs from the one before comes back (it was
    stored in one transaction with its rows), or when the runner said so (:meth:`settled`). After a
    restart nothing is known and the overlap is offered again.
    """

    def __init__(self, before: Callable[[str], str]) -> None:
        """``before`` returns the id at which the overlap of a cursor begins."""
        self._before = before
        self._known: set[str] = set()
        self._offered: tuple[str, str, frozenset[str]] = ("", "", frozenset())

    def read(
        self, cursor: str, limit: int, rows: Callable[[str], Iterable[tuple[str, _Row]]]
    ) -> tuple[list[tuple[str, _Row]], str]:
        """Return the overlap's rows and at most ``limit`` behind the cursor, and the new cursor.

        ``rows(start)`` gives the rows after the id ``start``; a row without an id has ``""``.
        """
        earlier, later, ids = self._offered
        if earlier != later == cursor:
            self._known |= ids
        start = self._before(cursor)
        self._known = {one for one in self._known if one > start}
        found: dict[str, tuple[str, _Row]] = {}
        nameless: list[tuple[str, _Row]] = []
        highest, fresh = cursor, 0
        for one, row in rows(start):
            fresh += one > cursor
            if fresh > limit:
                break
            highest = max(highest, one)
            if not one:
                nameless.append((one, row))
            elif one not in self._known:
                found[one] = (one, row)
        self._offered = (cursor, highest, frozenset(found))
        return [*nameless, *found.values()], highest

    def settled(self, key: str) -> None:
        """Note that the outbox has this id for certain."""
        self._known.add(key)
