"""The incoming side of a connector's store: inbox, kept bytes, order of streams, recalls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.engine import Connection

from hub.store.dialect import upsert
from hub.store.edge_outbox import add_outbox, add_parked
from hub.store.edge_rows import (
    InboxRow,
    InboxState,
    KeptRow,
    OutboxRow,
    ParkedRow,
    RecallRow,
    StreamRow,
)
from hub.store.edge_tables import inbox, kept, recalls, streams
from hub.store.engine import Store
from hub.store.times import from_us, to_us


@dataclass(frozen=True, slots=True)
class Consequences:
    """What is written together with an inbox row: all of it or nothing."""

    replies: Sequence[OutboxRow] = ()
    parked: Sequence[ParkedRow] = ()
    """Replies that could not be composed."""
    stream: StreamRow | None = None
    kept: KeptRow | None = None
    recall: RecallRow | None = None


NOTHING = Consequences()


class InboxSide:
    """What a connector has received, and how it has dealt with it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def inbox(self, key: str) -> InboxRow | None:
        """Return how this edge has dealt with an incoming message so far."""
        with self._store.read() as connection:
            row = connection.execute(select(inbox).where(inbox.c.key == key)).one_or_none()
        if row is None:
            return None
        return InboxRow(
            key=row.key,
            digest=row.digest,
            state=InboxState(row.state),
            at=from_us(row.at_us),
            receipt_id=row.receipt_id,
            receipt=row.receipt,
            reference=row.reference,
            reason=row.reason,
        )

    def put_inbox(self, row: InboxRow, more: Consequences = NOTHING) -> bool:
        """Write how an incoming message stands, with its receipt and everything it causes.

        What is done stays done, with its receipt: then nothing is written, and ``False`` returned.
        Bytes kept for a parked message are forgotten when it is parked no longer.
        """
        done = inbox.c.state == InboxState.DONE.value
        with self._store.write() as connection:
            written = connection.execute(
                upsert(connection, inbox, ("key",), unless=done),
                {
                    "key": row.key,
                    "digest": row.digest,
                    "state": row.state.value,
                    "at_us": to_us(row.at),
                    "receipt_id": row.receipt_id,
                    "receipt": row.receipt,
                    "reference": row.reference,
                    "reason": row.reason,
                },
            )
            if not written.rowcount:
                return False
            connection.execute(delete(kept).where(kept.c.key == row.key))
            _write(connection, more)
            return True

    def keep(self, row: KeptRow) -> None:
        """Keep the bytes of a quarantined arrival; the same bytes again are kept once."""
        with self._store.write() as connection:
            _keep(connection, row)

    def kept(self, limit: int = 100) -> list[KeptRow]:
        """Return what is quarantined or parked, oldest first."""
        query = select(kept).order_by(kept.c.at_us).limit(limit)
        with self._store.read() as connection:
            return [
                KeptRow(row.digest, row.code, from_us(row.at_us), row.raw, row.key)
                for row in connection.execute(query)
            ]

    def stream(self, name: str) -> str | None:
        """Return the state of a stream; ``None`` when nothing of it was dealt with yet."""
        with self._store.read() as connection:
            return connection.scalar(select(streams.c.state).where(streams.c.name == name))

    def put_stream(self, row: StreamRow) -> None:
        """Write the state of a stream."""
        with self._store.write() as connection:
            _write(connection, Consequences(stream=row))

    def recalled_at(self, sender: str, document_id: str) -> datetime | None:
        """Return when ``sender`` made its latest recall of a document, if it did."""
        query = select(recalls.c.created_us).where(
            recalls.c.sender == sender, recalls.c.document_id == document_id
        )
        with self._store.read() as connection:
            return from_us(connection.scalar(query))


def _write(connection: Connection, more: Consequences) -> None:
    add_outbox(connection, more.replies)
    add_parked(connection, more.parked)
    if more.stream is not None:
        values = {"name": more.stream.name, "state": more.stream.state}
        connection.execute(upsert(connection, streams, ("name",)), values)
    if more.kept is not None:
        _keep(connection, more.kept)
    if more.recall is not None:
        _recall(connection, more.recall)


def _keep(connection: Connection, row: KeptRow) -> None:
    values = {
        "digest": row.digest,
        "key": row.key,
        "code": row.code,
        "at_us": to_us(row.at),
        "raw": row.raw,
    }
    connection.execute(upsert(connection, kept, ("digest",)), values)


def _recall(connection: Connection, row: RecallRow) -> None:
    before = connection.scalar(
        select(func.max(recalls.c.created_us)).where(
            recalls.c.sender == row.sender, recalls.c.document_id == row.document_id
        )
    )
    values = {
        "sender": row.sender,
        "document_id": row.document_id,
        "created_us": max(to_us(row.created_at), before or 0),
    }
    connection.execute(upsert(connection, recalls, ("sender", "document_id")), values)
