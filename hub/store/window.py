"""The hot path: everything that one window of the router reads and writes, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import bindparam, insert, or_, select, update
from sqlalchemy.engine import Connection

from hub.errors import SecondRouter
from hub.store import audit, blobs, mapping
from hub.store.dialect import insert_new, upsert
from hub.store.engine import Store
from hub.store.rows import (
    DeliveryRow,
    DeliveryState,
    MessageRow,
    MessageState,
    Prior,
    QuarantineRow,
    ReceiptRow,
    WindowRecord,
)
from hub.store.tables import blobs as blob_table
from hub.store.tables import (
    deliveries,
    events,
    leases,
    messages,
    quarantine,
    receipts,
    sequences,
)
from hub.store.text import storable
from hub.store.times import to_us

CHUNK = 500
"""Ids in one query, well below SQLite's limit of 32,766 parameters."""
NOT_FINAL = tuple(
    state.value for state in (DeliveryState.QUEUED, DeliveryState.DEFERRED, DeliveryState.PARKED)
)
"""States of a delivery that are not its last."""
_NOT_FINAL = or_(*[deliveries.c.state == state for state in NOT_FINAL])
"""Spelt out: a list of parameters cannot stand in a statement that is executed for many rows."""
Key = tuple[str, str]
OrderKey = tuple[str, str, str]


class WindowTx:
    """One window's transaction; it ends with the ``with`` block of :meth:`WindowStore.window`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def check_token(self, name: str, token: int) -> None:
        """Raise ``SecondRouter`` if the lease ``name`` has gone to another owner since."""
        found = self._connection.scalar(select(leases.c.token).where(leases.c.name == name))
        if found != token:
            raise SecondRouter

    def priors(self, keys: Sequence[Key]) -> dict[Key, Prior]:
        """Return what is known of each (sender, message id); unknown ones are absent."""
        if not keys:
            return {}
        wanted = set(keys)
        columns = (messages.c.id, messages.c.sender, messages.c.message_id, messages.c.digest)
        # By one column: SQLite reads the whole table for a list of pairs.
        found = self._connection.execute(
            select(*columns, messages.c.state).where(
                messages.c.message_id.in_(list({identity for _sender, identity in keys}))
            )
        ).all()
        rows = [row for row in found if (row.sender, row.message_id) in wanted]
        return {
            (row.sender, row.message_id): Prior(
                message=row.id,
                digest=row.digest,
                state=MessageState(row.state),
                deliveries=self._deliveries(row.id),
                receipts=self._receipts(row.id),
            )
            for row in rows
        }

    def _deliveries(self, message: str) -> tuple[DeliveryRow, ...]:
        rows = self._connection.execute(
            select(deliveries).where(deliveries.c.message == message).order_by(deliveries.c.id)
        ).mappings()
        return tuple(mapping.delivery_row(row) for row in rows)

    def _receipts(self, message: str) -> tuple[ReceiptRow, ...]:
        rows = self._connection.execute(
            select(receipts, blob_table.c.encoding, blob_table.c.data)
            .join(blob_table, blob_table.c.sha256 == receipts.c.digest)
            .where(receipts.c.message == message)
            .order_by(receipts.c.created_us, receipts.c.id)
        ).mappings()
        return tuple(
            mapping.receipt_row(row, blobs.decoded(row["digest"], row["encoding"], row["data"]))
            for row in rows
        )

    def next_seqs(self, keys: Sequence[OrderKey]) -> list[int]:
        """Return the next running number for each (sender, receiver, order key), from 1."""
        if not keys:
            return []
        wanted = list(dict.fromkeys(keys))
        columns = (sequences.c.sender, sequences.c.receiver, sequences.c.order_key)
        # By the first column of the primary key, as above; few agencies share an order key.
        rows = self._connection.execute(
            select(*columns, sequences.c.value).where(
                sequences.c.order_key.in_(list({order for _sender, _receiver, order in keys}))
            )
        ).all()
        values: dict[OrderKey, int] = {(row[0], row[1], row[2]): row[3] for row in rows}
        numbers = []
        for key in keys:
            values[key] = values.get(key, 0) + 1
            numbers.append(values[key])
        statement = upsert(self._connection, sequences, ("sender", "receiver", "order_key"))
        names = ("sender", "receiver", "order_key")
        self._connection.execute(
            statement,
            [{**dict(zip(names, key, strict=True)), "value": values[key]} for key in wanted],
        )
        return numbers

    def record(self, record: WindowRecord) -> None:
        """Write everything that the window decided; a message judged anew replaces its verdict."""
        connection = self._connection
        evidence: list[MessageRow | ReceiptRow | QuarantineRow] = [
            *record.messages,
            *record.receipts,
            *record.quarantined,
        ]
        stored = [mapping.blob_values(row.digest, row.raw) for row in evidence]
        if stored:
            connection.execute(insert_new(connection, blob_table, ("sha256",)), stored)
        if record.messages:
            rows = [mapping.message_values(row) for row in record.messages]
            connection.execute(upsert(connection, messages, ("id",)), rows)
        if record.deliveries:
            connection.execute(
                insert(deliveries), [mapping.delivery_values(row) for row in record.deliveries]
            )
        if record.receipts:
            connection.execute(
                insert(receipts), [mapping.receipt_values(row) for row in record.receipts]
            )
        if record.quarantined:
            rows = [mapping.quarantine_values(row) for row in record.quarantined]
            connection.execute(insert(quarantine), rows)
        self._change(record)
        if record.events:
            connection.execute(insert(events), [mapping.event_values(row) for row in record.events])
        audit.append_in(connection, record.audit)

    def still_open(self, delivery_ids: Sequence[str]) -> set[str]:
        """Return those of these deliveries that no final word was said about, as of now."""
        found: set[str] = set()
        for start in range(0, len(delivery_ids), CHUNK):
            some = delivery_ids[start : start + CHUNK]
            query = select(deliveries.c.id).where(
                deliveries.c.id.in_(some), deliveries.c.state.in_(NOT_FINAL)
            )
            found |= set(self._connection.scalars(query))
        return found

    def _change(self, record: WindowRecord) -> None:
        """A final state stays: whoever read it before another one wrote it changes nothing."""
        if not record.changes:
            return
        statement = (
            update(deliveries)
            .where(deliveries.c.id == bindparam("delivery"), _NOT_FINAL)
            .values(
                state=bindparam("new_state"),
                reason=bindparam("new_reason"),
                detail=bindparam("new_detail"),
                attempts=deliveries.c.attempts + bindparam("tried"),
            )
        )
        self._connection.execute(
            statement,
            [
                {
                    "delivery": change.delivery,
                    "new_state": change.state.value,
                    "new_reason": storable(change.reason, mapping.MAX_REASON),
                    "new_detail": storable(change.detail),
                    "tried": change.attempt,
                }
                for change in record.changes
            ],
        )

    def confirm(
        self, delivery_ids: Sequence[str], receipt_ids: Sequence[str], at: datetime
    ) -> None:
        """Note when the broker confirmed these deliveries and receipts; the first time counts."""
        for table, ids in ((deliveries, delivery_ids), (receipts, receipt_ids)):
            if ids:
                self._connection.execute(
                    update(table)
                    .where(table.c.id == bindparam("wanted"), table.c.confirmed_us.is_(None))
                    .values(confirmed_us=to_us(at)),
                    [{"wanted": one} for one in ids],
                )


class WindowStore:
    """Makes the transactions of a router's windows."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @contextmanager
    def window(self) -> Iterator[WindowTx]:
        """One transaction: committed at the end of the block, undone by an exception.

        Raises ``StoreUnavailable``.
        """
        with self._store.write() as connection:
            yield WindowTx(connection)
