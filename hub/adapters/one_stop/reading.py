"""Reading by a watermark with overlap: rows that changed → items, and the next checkpoint.

Rows come through a port, so that tables, views and exported files are read by the same rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from hub.adapters.contract import Batch, Item
from hub.adapters.one_stop.decoding import Row, build, plain_text
from hub.adapters.one_stop.events import Change, EventMaker
from hub.adapters.one_stop.mapping import Mapping
from hub.adapters.one_stop.record import Record
from hub.adapters.watermark import Mark, Position, usable
from hub.errors import HubError, Place, RowUnmappable

Grouped = dict[str, list[Row]]


class Rows(Protocol):
    """One look at the software's tables; errors of the way to it are the implementer's."""

    def changes(self, position: Position | None, limit: int) -> tuple[Sequence[Row], Sequence[Row]]:
        """Return the feed's rows of the overlap at or below the position, and ``limit`` after it.

        Both in the order of watermark and id; without a position there is no overlap.
        """

    def of(
        self, table: str, column: str, order: Sequence[str], codes: list[object]
    ) -> Iterable[Row]:
        """Return the rows of ``table`` whose ``column`` is one of ``codes``, in ``order``."""


class ChangeReader:
    """Polls one source. Holds no state between polls: the checkpoint is all there is."""

    def __init__(self, mapping: Mapping, maker: EventMaker) -> None:
        self._mapping = mapping
        self._maker = maker

    def poll(self, rows: Rows, checkpoint: str | None, limit: int) -> Batch:
        """Return at most ``limit`` changes after the checkpoint, and those of the overlap again.

        A row that gives two events gives two items. Raises ``ConfigInvalid`` for a checkpoint that
        cannot be read: reading never starts again from zero by itself.
        """
        feed = self._mapping.feed
        position = Position.parse(checkpoint) if checkpoint else None
        late, fresh = rows.changes(position, limit)
        items = tuple(self._items(rows, [*late, *fresh]))
        for row in reversed(fresh):
            mark = usable(row[feed.watermark], feed.overlap)
            if mark is not None:
                return Batch(items, Position(mark, _id(row[feed.id])).checkpoint())
        return Batch(items, checkpoint or "")

    def _items(self, rows: Rows, found: Sequence[Row]) -> Iterator[Item]:
        feed, dossier = self._mapping.feed, self._mapping.dossier
        changes = [(self._change(row), row) for row in found]
        told = [(change, row) for change, row in changes if self._tells(change)]
        codes = list(dict.fromkeys(row[feed.dossier] for _, row in told))
        dossiers: Grouped = {}
        if feed.table != dossier.table:
            dossiers = _grouped(rows.of(dossier.table, dossier.code, (), codes), dossier.code)
        lists = {
            name: _grouped(rows.of(child.table, child.dossier, child.order, codes), child.dossier)
            for name, child in self._mapping.lists().items()
        }
        for change, row in told:
            try:
                self._maker.events(change)
                record = self._record(change, row, dossiers, lists)
            except HubError as error:
                yield self._maker.broken(change, error)
            else:
                yield from self._maker.items(change, record)

    def _tells(self, change: Change) -> bool:
        """Whether the change gives items: events, or the error of an unknown status."""
        try:
            return bool(self._maker.events(change))
        except HubError:
            return True

    def _change(self, row: Row) -> Change:
        feed = self._mapping.feed
        mark = usable(row[feed.watermark], 0)
        gone = None if feed.once else row.get(self._mapping.dossier.deleted)
        return Change(
            table=feed.table,
            row=plain_text(row[feed.id]),
            mark="" if mark is None else mark,
            status=self._maker.status_of(row[feed.status], gone),
            status_column=feed.status,
            once=feed.once,
        )

    def _record(
        self, change: Change, row: Row, dossiers: Grouped, lists: dict[str, Grouped]
    ) -> Record:
        feed = self._mapping.feed
        if usable(row[feed.watermark], feed.overlap) is None:
            raise self._unmappable(feed.watermark, change, "watermark does not sort")
        code = plain_text(row[feed.dossier])
        own = feed.table == self._mapping.dossier.table
        whole = row if own else next(iter(dossiers.get(code, ())), None)
        if whole is None:
            raise self._unmappable(feed.dossier, change, "dossier is not there")
        children = {name: grouped.get(code, []) for name, grouped in lists.items()}
        return build(self._mapping, whole, children, change.row)

    def _unmappable(self, column: str, change: Change, reason: str) -> RowUnmappable:
        place = Place(file=change.table, column=f"{change.table}.{column}")
        return RowUnmappable(place=place, row=change.row, reason=reason)


def _grouped(rows: Iterable[Row], column: str) -> Grouped:
    """Group by dossier code; CHAR columns pad it with blanks."""
    found: Grouped = {}
    for row in rows:
        found.setdefault(plain_text(row[column]), []).append(row)
    return found


def _id(value: object) -> Mark:
    found = usable(value, 0)
    return plain_text(value) if found is None else found
