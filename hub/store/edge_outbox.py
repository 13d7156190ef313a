"""The outgoing side of a connector's store: outbox, checkpoint, notices, answers, parked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import Connection

from hub.store.dialect import insert_new, upsert
from hub.store.edge_rows import AnswerRow, Notice, OutboxRow, OutboxState, ParkedRow
from hub.store.edge_tables import answers, checkpoint, notices, outbox, parked
from hub.store.engine import Store
from hub.store.times import from_us, to_us

WINDOW_BYTES = 16 * 1024 * 1024
"""Bytes of all rows that ``unpublished`` reads into memory at once; one row is always read."""


class OutboxSide:
    """What a connector sends, and what became of it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def checkpoint(self) -> str | None:
        """Return where the source is to go on; ``None`` before the first batch."""
        with self._store.read() as connection:
            return connection.scalar(select(checkpoint.c.value))

    def known(self, keys: Sequence[str]) -> set[str]:
        """Return those of ``keys`` that the outbox or the parked list holds already."""
        with self._store.read() as connection:
            found: set[str] = set()
            for table in (outbox, parked):
                found |= set(connection.scalars(select(table.c.key).where(table.c.key.in_(keys))))
        return found

    def take_batch(
        self, rows: Sequence[OutboxRow], records: Sequence[ParkedRow], mark: str
    ) -> None:
        """Record a batch: outbox rows, parked records and the checkpoint ``mark``, together.

        Keys that are there already stay as they are, and the source is not told of them again.
        """
        with self._store.write() as connection:
            add_outbox(connection, rows)
            told = [_notice(key, "parked", "") for key in add_parked(connection, records)]
            if told:
                connection.execute(insert(notices), told)
            connection.execute(upsert(connection, checkpoint, ("id",)), {"id": 1, "value": mark})

    def unpublished(self, limit: int = 100, max_bytes: int = WINDOW_BYTES) -> list[OutboxRow]:
        """Return rows that the broker has not confirmed, in the order in which they came."""
        waiting = outbox.c.state == OutboxState.NEW.value
        query = select(outbox.c.n, func.length(outbox.c.raw)).where(waiting).order_by(outbox.c.n)
        last, total = -1, 0
        with self._store.read() as connection:
            for n, size in connection.execute(query.limit(limit)):
                total += size
                if last >= 0 and total > max_bytes:
                    break
                last = n
        return [] if last < 0 else self._rows(waiting & (outbox.c.n <= last))

    def mark_published(self, keys: Sequence[str], at: datetime) -> None:
        """Note the broker's confirm, and that the source is to be told."""
        with self._store.write() as connection:
            for key in keys:
                done = connection.execute(
                    update(outbox)
                    .where(outbox.c.key == key, outbox.c.state == OutboxState.NEW.value)
                    .values(state=OutboxState.PUBLISHED.value, published_us=to_us(at))
                )
                if done.rowcount:
                    _notify(connection, key, "published", "")

    def find_by_message_id(self, message_id: str) -> OutboxRow | None:
        """Return the outgoing message with this id."""
        rows = self._rows(outbox.c.message_id == message_id)
        return rows[0] if rows else None

    def answers(self, message_id: str) -> list[AnswerRow]:
        """Return the receipts that were believed about an outgoing message, oldest first."""
        query = select(answers).where(answers.c.subject == message_id)
        with self._store.read() as connection:
            return [
                AnswerRow(row.subject, row.receipt_id, row.type, row.sender, from_us(row.at_us),
                          row.told, row.raw)
                for row in connection.execute(query.order_by(answers.c.at_us))
            ]  # fmt: skip

    def record_answer(
        self, answer: AnswerRow, state: OutboxState | None = None, reason: str = ""
    ) -> bool:
        """Keep a receipt; with ``state`` move its message forward and note who is to be told.

        Returns whether the message moved: a receipt that comes late or twice changes nothing.
        """
        with self._store.write() as connection:
            connection.execute(
                insert_new(connection, answers, ("subject", "receipt_id")), [_answer_values(answer)]
            )
            row = connection.execute(
                select(outbox.c.key, outbox.c.state).where(outbox.c.message_id == answer.subject)
            ).one_or_none()
            if row is None or state is None or OutboxState(row.state).rank >= state.rank:
                return False
            connection.execute(
                update(outbox)
                .where(outbox.c.key == row.key)
                .values(state=state.value, reason=reason, receipt=answer.raw)
            )
            _notify(connection, row.key, state.value, answer.told)
            return True

    def notices(self, limit: int = 100) -> list[Notice]:
        """Return what the source has yet to be told, oldest first."""
        query = select(notices).order_by(notices.c.id).limit(limit)
        with self._store.read() as connection:
            return [
                Notice(row.id, row.key, row.confirmation, row.told)
                for row in connection.execute(query)
            ]

    def told(self, notice: Notice, failed: ParkedRow | None = None) -> None:
        """Forget a notice that the source has taken, or that ``failed`` for good and is parked."""
        with self._store.write() as connection:
            connection.execute(delete(notices).where(notices.c.id == notice.id))
            add_parked(connection, [failed] if failed else [])

    def _rows(self, condition: Any) -> list[OutboxRow]:
        query = select(outbox).where(condition).order_by(outbox.c.n)
        with self._store.read() as connection:
            return [
                OutboxRow(
                    key=row.key,
                    message_id=row.message_id,
                    type=row.type,
                    digest=row.digest,
                    raw=row.raw,
                    created_at=from_us(row.created_us),
                    state=OutboxState(row.state),
                    source=row.source,
                    priority=row.priority,
                    reason=row.reason,
                    receipt=row.receipt,
                )
                for row in connection.execute(query)
            ]


def add_outbox(connection: Connection, rows: Sequence[OutboxRow]) -> None:
    """Insert outbox rows within a caller's transaction; keys that are there stay as they are."""
    values = [
        {
            "key": row.key,
            "message_id": row.message_id,
            "type": row.type,
            "digest": row.digest,
            "raw": row.raw,
            "created_us": to_us(row.created_at),
            "state": row.state.value,
            "source": row.source,
            "priority": row.priority,
            "reason": row.reason,
            "receipt": row.receipt,
        }
        for row in rows
    ]
    if values:
        connection.execute(insert_new(connection, outbox, ("key",)), values)


def add_parked(connection: Connection, rows: Sequence[ParkedRow]) -> list[str]:
    """Insert parked records within a caller's transaction, and return the keys that were new."""
    new = []
    for row in rows:
        values = {
            "key": row.key,
            "label": row.label,
            "code": row.code,
            "vi": row.vi,
            "en": row.en,
            "at_us": to_us(row.at),
        }
        if connection.execute(insert_new(connection, parked, ("key",)), values).rowcount:
            new.append(row.key)
    return new


def _answer_values(row: AnswerRow) -> dict[str, Any]:
    return {
        "subject": row.subject,
        "receipt_id": row.receipt_id,
        "type": row.type,
        "sender": row.sender,
        "at_us": to_us(row.at),
        "told": row.told,
        "raw": row.raw,
    }


def _notify(connection: Connection, key: str, confirmation: str, told: str) -> None:
    wanted = connection.scalar(select(outbox.c.source).where(outbox.c.key == key))
    if wanted:
        connection.execute(insert(notices), _notice(key, confirmation, told))


def _notice(key: str, confirmation: str, told: str) -> dict[str, Any]:
    return {"key": key, "confirmation": confirmation, "told": told}
