"""The append-only log of everything accepted, refused or changed, as a chain of hashes.

Entry ``n`` holds ``SHA-256(hash of n-1 || canonical JSON of entry n)``; the first one follows 64
zeros. Changing, removing, inserting or swapping entries breaks the chain from there on; cutting its
end off is found by the checkpoints, which the sweeper writes (and an operator may note elsewhere).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.engine import Connection, RowMapping

from hub.errors import AuditBroken
from hub.store.dialect import lenient_text
from hub.store.engine import Store
from hub.store.rows import AuditEntry
from hub.store.tables import audit, audit_checkpoints
from hub.store.text import storable
from hub.store.times import to_us

START = "0" * 64
PAGE = 5_000
_line = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_detail = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What the check of the chain found."""

    ok: bool
    entries: int
    first_bad: int | None = None
    """Sequence number of the first entry that does not fit; one past the end for a cut tail."""


def link(previous: str, seq: int, at_us: int, fields: Sequence[str]) -> str:
    """Return the hash of one entry: ``fields`` are actor, action, subject and detail (JSON)."""
    body = _line([seq, at_us, *fields])
    return hashlib.sha256(previous.encode("ascii") + body.encode("utf-8")).hexdigest()


def append_in(connection: Connection, entries: Sequence[AuditEntry]) -> None:
    """Append entries within the caller's write transaction."""
    if not entries:
        return
    seq, previous = _last(connection)
    rows = []
    for entry in entries:
        seq += 1
        at_us = to_us(entry.at)
        detail = _detail(dict(entry.detail))
        fields = (
            storable(entry.actor, 80),
            storable(entry.action, 64),
            storable(entry.subject, 200),
            storable(detail),
        )
        previous = link(previous, seq, at_us, fields)
        names = ("actor", "action", "subject", "detail")
        rows.append(
            {"seq": seq, "at_us": at_us, "hash": previous, **dict(zip(names, fields, strict=True))}
        )
    connection.execute(insert(audit), rows)


def _last(connection: Connection) -> tuple[int, str]:
    query = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
    found = connection.execute(query).one_or_none()
    return (found.seq, found.hash) if found else (0, START)


def append(store: Store, entries: Sequence[AuditEntry]) -> None:
    """Append entries in a transaction of their own; raises ``StoreUnavailable``."""
    with store.write() as connection:
        append_in(connection, entries)


def checkpoint(store: Store, at: datetime) -> int:
    """Note the end of the chain as it is now, and return its sequence number.

    Raises ``AuditBroken`` when the end lies before, or is not, what was noted last: the chain was
    cut, and the note stays as it is.
    """
    with store.write() as connection:
        last = _last(connection)
        noted = connection.execute(
            select(audit_checkpoints).order_by(audit_checkpoints.c.seq.desc()).limit(1)
        ).one_or_none()
        if noted is not None:
            there = connection.scalar(select(audit.c.hash).where(audit.c.seq == noted.seq))
            if there != noted.hash:
                raise AuditBroken(value=min(last[0] + 1, noted.seq))
        seq, end = last
        if seq > (noted.seq if noted is not None else 0):
            values = {"seq": seq, "hash": end, "at_us": to_us(at)}
            connection.execute(insert(audit_checkpoints), values)
        return seq


def verify(
    store: Store,
    progress: Callable[[int, int], object] | None = None,
    noted: Mapping[int, str] | None = None,
) -> AuditReport:
    """Check the chain from the first entry to the last, page by page, each in a short transaction.

    ``progress`` is told how many of how many entries are checked. ``noted`` are hashes by sequence
    number that somebody kept elsewhere: they find a log rewritten together with its checkpoints.
    """
    with store.read() as connection:
        total = connection.scalar(select(func.count()).select_from(audit)) or 0
        rows = connection.execute(select(audit_checkpoints.c.seq, audit_checkpoints.c.hash)).all()
    marks: dict[int, set[str]] = {number: {hash_} for number, hash_ in rows}
    for number, hash_ in (noted or {}).items():
        marks.setdefault(number, set()).add(hash_)
    seq, previous = 0, START
    after: int | None = None  # entries before the first one would be skipped by 0
    while page := _page(store, after):
        for row in page:
            known = {row["hash"], *marks.get(row["seq"], ())}
            if not _fits(row, seq, previous) or len(known) > 1:
                return AuditReport(ok=False, entries=total, first_bad=seq + 1)
            seq, previous = row["seq"], row["hash"]
        after = seq
        if progress is not None:
            progress(seq, max(total, seq))
    if max(marks, default=0) > seq:
        return AuditReport(ok=False, entries=total, first_bad=seq + 1)
    return AuditReport(ok=True, entries=max(total, seq))


def _page(store: Store, after: int | None) -> Sequence[RowMapping]:
    query = select(audit).order_by(audit.c.seq).limit(PAGE)
    if after is not None:
        query = query.where(audit.c.seq > after)
    with store.read() as connection, lenient_text(connection):
        return connection.execute(query).mappings().all()


def _fits(row: RowMapping, seq: int, previous: str) -> bool:
    """Whether an entry follows from the one before; whatever its columns hold by now."""
    fields = (row["actor"], row["action"], row["subject"], row["detail"])
    if not all(isinstance(field, str) for field in fields) or not isinstance(row["at_us"], int):
        return False
    try:
        expected = link(previous, row["seq"], row["at_us"], fields)
    except UnicodeEncodeError:
        return False
    return bool(row["seq"] == seq + 1 and row["hash"] == expected)
