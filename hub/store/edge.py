"""A connector's own store: outbox, inbox, checkpoint and notices in one SQLite file.

Every method is one transaction with full sync, so that a crash at any point leaves either all of a
step or nothing of it. The schema's version stands in ``PRAGMA user_version``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Connection

from hub.errors import StoreSchema
from hub.store.dialect import insert_new, new_engine, upsert
from hub.store.edge_rows import InboxRow, InboxState, Notice, OutboxRow, OutboxState, ParkedRow
from hub.store.engine import Store
from hub.store.times import from_us, to_us

VERSION = 1
_metadata = MetaData()
_outbox = Table(
    "outbox",
    _metadata,
    Column("n", Integer, primary_key=True, autoincrement=True),
    Column("key", String(300), nullable=False, unique=True),
    Column("message_id", String(36), nullable=False, unique=True),
    Column("type", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("published_us", BigInteger),
    Column("state", String(16), nullable=False, index=True),
    Column("source", Boolean, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("receipt", LargeBinary, nullable=False),
)
_parked = Table(
    "parked",
    _metadata,
    Column("key", String(300), primary_key=True),
    Column("label", Text, nullable=False),
    Column("code", String(64), nullable=False),
    Column("vi", Text, nullable=False),
    Column("en", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
)
_inbox = Table(
    "inbox",
    _metadata,
    Column("key", String(300), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("at_us", BigInteger, nullable=False),
    Column("receipt_id", String(36), nullable=False),
    Column("receipt", LargeBinary, nullable=False),
    Column("reference", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
_notices = Table(
    "notices",
    _metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(300), nullable=False),
    Column("confirmation", String(16), nullable=False),
    Column("receipt", LargeBinary, nullable=False),
)
_checkpoint = Table(
    "checkpoint",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("value", Text, nullable=False),
)


class EdgeStore:
    """The store of one connector. One process, one thread at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @classmethod
    def open(cls, path: Path) -> EdgeStore:
        """Open the file, making it if need be; raises ``StoreUnavailable`` or ``StoreSchema``."""
        path.parent.mkdir(parents=True, exist_ok=True)
        store = Store(new_engine(f"sqlite:///{path.resolve()}"))
        with store.write() as connection:
            found = connection.exec_driver_sql("PRAGMA user_version").scalar() or 0
            if found not in (0, VERSION):
                raise StoreSchema(value=found, expected=VERSION)
            _metadata.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA user_version={VERSION}")
        return cls(store)

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    # --- outbound -------------------------------------------------------------------------------

    def checkpoint(self) -> str | None:
        """Return where the source is to go on; ``None`` before the first batch."""
        with self._store.read() as connection:
            return connection.scalar(select(_checkpoint.c.value))

    def known(self, keys: Sequence[str]) -> set[str]:
        """Return those of ``keys`` that the outbox or the parked list holds already."""
        with self._store.read() as connection:
            found: set[str] = set()
            for table in (_outbox, _parked):
                found |= set(connection.scalars(select(table.c.key).where(table.c.key.in_(keys))))
        return found

    def take_batch(
        self, rows: Sequence[OutboxRow], parked: Sequence[ParkedRow], checkpoint: str
    ) -> None:
        """Record a batch: outbox rows, parked records and the checkpoint, together.

        Keys that are there already stay as they are.
        """
        with self._store.write() as connection:
            if rows:
                values = [_outbox_values(row) for row in rows]
                connection.execute(insert_new(connection, _outbox), values)
            if parked:
                values = [_parked_values(row) for row in parked]
                connection.execute(insert_new(connection, _parked), values)
                connection.execute(
                    insert(_notices),
                    [{"key": row.key, "confirmation": "parked", "receipt": b""} for row in parked],
                )
            connection.execute(
                upsert(connection, _checkpoint, ("id",)), {"id": 1, "value": checkpoint}
            )

    def unpublished(self, limit: int = 100) -> list[OutboxRow]:
        """Return rows that the broker has not confirmed, in the order in which they came."""
        return self._rows(_outbox.c.state == OutboxState.NEW.value, limit)

    def mark_published(self, keys: Sequence[str], at: datetime) -> None:
        """Note the broker's confirm, and that the source is to be told."""
        with self._store.write() as connection:
            for key in keys:
                done = connection.execute(
                    update(_outbox)
                    .where(_outbox.c.key == key, _outbox.c.state == OutboxState.NEW.value)
                    .values(state=OutboxState.PUBLISHED.value, published_us=to_us(at))
                )
                if done.rowcount:
                    _notify(connection, key, "published", b"")

    def find_by_message_id(self, message_id: str) -> OutboxRow | None:
        """Return the outgoing message with this id."""
        rows = self._rows(_outbox.c.message_id == message_id, 1)
        return rows[0] if rows else None

    def record_receipt(
        self, message_id: str, state: OutboxState, receipt: bytes, reason: str = ""
    ) -> bool:
        """Move an outgoing message forward and note that the source is to be told.

        Returns whether it moved: a receipt that comes late or twice changes nothing.
        """
        with self._store.write() as connection:
            row = connection.execute(
                select(_outbox.c.key, _outbox.c.state).where(_outbox.c.message_id == message_id)
            ).one_or_none()
            if row is None or OutboxState(row.state).rank >= state.rank:
                return False
            connection.execute(
                update(_outbox)
                .where(_outbox.c.key == row.key)
                .values(state=state.value, reason=reason, receipt=receipt)
            )
            _notify(connection, row.key, state.value, receipt)
            return True

    def notices(self, limit: int = 100) -> list[Notice]:
        """Return what the source has yet to be told, oldest first."""
        query = select(_notices).order_by(_notices.c.id).limit(limit)
        with self._store.read() as connection:
            return [
                Notice(row.id, row.key, row.confirmation, row.receipt)
                for row in connection.execute(query)
            ]

    def told(self, notice: Notice) -> None:
        """Forget a notice that the source has taken."""
        with self._store.write() as connection:
            connection.execute(delete(_notices).where(_notices.c.id == notice.id))

    # --- inbound --------------------------------------------------------------------------------

    def inbox(self, key: str) -> InboxRow | None:
        """Return how this edge has dealt with an incoming message so far."""
        with self._store.read() as connection:
            row = connection.execute(select(_inbox).where(_inbox.c.key == key)).one_or_none()
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

    def put_inbox(self, row: InboxRow, replies: Sequence[OutboxRow] = ()) -> None:
        """Write how an incoming message stands, with its receipt and the replies it causes."""
        with self._store.write() as connection:
            connection.execute(
                upsert(connection, _inbox, ("key",)),
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
            if replies:
                values = [_outbox_values(reply) for reply in replies]
                connection.execute(insert_new(connection, _outbox), values)

    # --- for people -----------------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """Return ``outbox.<state>``, ``inbox.<state>`` and ``parked`` with their numbers."""
        result: dict[str, int] = {}
        with self._store.read() as connection:
            for name, table in (("outbox", _outbox), ("inbox", _inbox)):
                query = select(table.c.state, func.count()).group_by(table.c.state)
                result |= {f"{name}.{state}": int(n) for state, n in connection.execute(query)}
            result["parked"] = connection.scalar(select(func.count()).select_from(_parked)) or 0
        return result

    def parked(self) -> list[ParkedRow]:
        """Return the records that wait for a person, oldest first."""
        query = select(_parked).order_by(_parked.c.at_us)
        with self._store.read() as connection:
            return [
                ParkedRow(row.key, row.label, row.code, row.vi, row.en, from_us(row.at_us))
                for row in connection.execute(query)
            ]

    def _rows(self, condition: Any, limit: int) -> list[OutboxRow]:
        query = select(_outbox).where(condition).order_by(_outbox.c.n).limit(limit)
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


def _notify(connection: Connection, key: str, confirmation: str, receipt: bytes) -> None:
    wanted = connection.scalar(select(_outbox.c.source).where(_outbox.c.key == key))
    if wanted:
        values = {"key": key, "confirmation": confirmation, "receipt": receipt}
        connection.execute(insert(_notices), values)


def _outbox_values(row: OutboxRow) -> dict[str, Any]:
    return {
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


def _parked_values(row: ParkedRow) -> dict[str, Any]:
    return {
        "key": row.key,
        "label": row.label,
        "code": row.code,
        "vi": row.vi,
        "en": row.en,
        "at_us": to_us(row.at),
    }
