"""The append-only log of everything accepted, refused or changed, as a chain of hashes.

Entry ``n`` holds ``SHA-256(hash of n-1 || canonical JSON of entry n)``; the first one follows 64
zeros. Changing, removing, inserting or swapping entries breaks the chain from there on; cutting its
end off is found by the checkpoints, which the sweeper writes (and an operator may note elsewhere).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.engine import Connection, RowMapping

from hub.store.engine import Store
from hub.store.rows import AuditEntry
from hub.store.tables import audit, audit_checkpoints
from hub.store.times import to_us

START = "0" * 64
PAGE = 5_000


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What the check of the chain found."""

    ok: bool
    entries: int
    first_bad: int | None = None
    """Sequence number of the first entry that does not fit; one past the end for a cut tail."""


def link(previous: str, seq: int, at_us: int, fields: Sequence[str]) -> str:
    """Return the hash of one entry: ``fields`` are actor, action, subject and detail (JSON)."""
    body = json.dumps([seq, at_us, *fields], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(previous.encode("ascii") + body.encode("utf-8")).hexdigest()


def append_in(connection: Connection, entries: Sequence[AuditEntry]) -> None:
    """Append entries within the caller's write transaction."""
    if not entries:
        return
    last = connection.execute(
        select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
    ).one_or_none()
    seq, previous = (last.seq, last.hash) if last else (0, START)
    rows = []
    for entry in entries:
        seq += 1
        at_us = to_us(entry.at)
        detail = json.dumps(dict(entry.detail), ensure_ascii=False, sort_keys=True)
        fields = (entry.actor[:80], entry.action[:64], entry.subject[:200], detail)
        previous = link(previous, seq, at_us, fields)
        names = ("actor", "action", "subject", "detail")
        rows.append(
            {"seq": seq, "at_us": at_us, "hash": previous, **dict(zip(names, fields, strict=True))}
        )
    connection.execute(insert(audit), rows)


def append(store: Store, entries: Sequence[AuditEntry]) -> None:
    """Append entries in a transaction of their own; raises ``StoreUnavailable``."""
    with store.write() as connection:
        append_in(connection, entries)


def checkpoint(store: Store, at: datetime) -> int:
    """Note the end of the chain as it is now, and return its sequence number."""
    with store.write() as connection:
        last = connection.execute(
            select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
        ).one_or_none()
        newest = connection.scalar(select(func.max(audit_checkpoints.c.seq))) or 0
        if last is None or last.seq == newest:
            return newest
        connection.execute(
            insert(audit_checkpoints), {"seq": last.seq, "hash": last.hash, "at_us": to_us(at)}
        )
        return int(last.seq)


def verify(store: Store, progress: Callable[[int, int], object] | None = None) -> AuditReport:
    """Check the chain from the first entry to the last, page by page.

    ``progress`` is told how many of how many entries are checked.
    """
    with store.read() as connection:
        total = connection.scalar(select(func.count()).select_from(audit)) or 0
        rows = connection.execute(select(audit_checkpoints.c.seq, audit_checkpoints.c.hash))
        marks: dict[int, str] = {row.seq: row.hash for row in rows}
        seq, previous = 0, START
        while True:
            page = (
                connection.execute(
                    select(audit).where(audit.c.seq > seq).order_by(audit.c.seq).limit(PAGE)
                )
                .mappings()
                .all()
            )
            if not page:
                break
            for row in page:
                if (
                    not _fits(row, seq, previous)
                    or marks.get(row["seq"], row["hash"]) != row["hash"]
                ):
                    return AuditReport(ok=False, entries=total, first_bad=seq + 1)
                seq, previous = row["seq"], row["hash"]
            if progress is not None:
                progress(seq, total)
    if max(marks, default=0) > seq:
        return AuditReport(ok=False, entries=total, first_bad=seq + 1)
    return AuditReport(ok=True, entries=total)


def _fits(row: RowMapping, seq: int, previous: str) -> bool:
    fields = (row["actor"], row["action"], row["subject"], row["detail"])
    expected = link(previous, row["seq"], row["at_us"], fields)
    return bool(row["seq"] == seq + 1 and row["hash"] == expected)
