"""The bytes that agencies signed: content-addressed by SHA-256, compressed off the hot path."""

from __future__ import annotations

import zlib

from sqlalchemy import bindparam, select, update

from hub.errors import NotFound
from hub.store.engine import Store
from hub.store.tables import blobs

RAW, ZLIB = "raw", "zlib"
LEVEL = 6


def decoded(encoding: str, data: bytes) -> bytes:
    """Return the bytes as they arrived."""
    return zlib.decompress(data) if encoding == ZLIB else data


def raw(store: Store, sha256: str) -> bytes:
    """Return the bytes with this digest; raises ``NotFound``."""
    with store.read() as connection:
        row = connection.execute(select(blobs).where(blobs.c.sha256 == sha256)).one_or_none()
    if row is None:
        raise NotFound(value=sha256)
    return decoded(row.encoding, row.data)


def compress(store: Store, limit: int = 500) -> int:
    """Compress up to ``limit`` blobs that are not yet, and return how many were.

    Safe to run at any time and as often as one likes; what does not shrink is marked all the same.
    """
    with store.write() as connection:
        rows = connection.execute(
            select(blobs.c.sha256, blobs.c.data).where(blobs.c.encoding == RAW).limit(limit)
        ).all()
        if rows:
            connection.execute(
                update(blobs)
                .where(blobs.c.sha256 == bindparam("wanted"))
                .values(encoding=ZLIB, data=bindparam("packed")),
                [{"wanted": row.sha256, "packed": zlib.compress(row.data, LEVEL)} for row in rows],
            )
    return len(rows)
