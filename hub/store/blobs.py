"""The bytes that agencies signed: content-addressed by SHA-256, compressed off the hot path.

Nothing here ever changes what the bytes are: they are held to their digest when they are written,
when they are compressed and whenever they are read.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, literal_column, select, update

from hub import log
from hub.envelope import sha256_hex
from hub.errors import NotFound, StoreDamaged
from hub.store.engine import Store
from hub.store.tables import blobs

RAW, ZLIB, PLAIN, DAMAGED = "raw", "zlib", "plain", "damaged"
"""Not looked at yet, compressed, would not shrink, no longer what was stored."""
LEVEL = 6
BATCH_BYTES = 64 * 1024 * 1024
"""Bytes of evidence that one batch takes into memory; one message is always taken."""

_log = log.get("store")


def decoded(sha256: str, encoding: str, data: Any) -> bytes:
    """Return the bytes as they arrived; raises ``StoreDamaged`` if they are no longer those."""
    try:
        raw = zlib.decompress(data) if encoding == ZLIB else data
    except (zlib.error, TypeError) as error:
        raise StoreDamaged(value=sha256) from error
    if not isinstance(raw, bytes) or sha256_hex(raw) != sha256:
        raise StoreDamaged(value=sha256)
    return raw


def raw(store: Store, sha256: str) -> bytes:
    """Return the bytes with this digest; raises ``NotFound`` or ``StoreDamaged``."""
    with store.read() as connection:
        row = connection.execute(select(blobs).where(blobs.c.sha256 == sha256)).one_or_none()
    if row is None:
        raise NotFound(value=sha256)
    return decoded(sha256, row.encoding, row.data)


def compress(store: Store, limit: int = 500) -> int:
    """Deal with up to ``limit`` blobs that were not looked at yet, and return how many they were.

    Safe to run at any time, beside routers, and to kill: the work is done outside of any
    transaction, proved by decompressing, and written in a short one. What does not shrink or is
    damaged is marked and left as it is; damage is logged.
    """
    wanted = _wanted(store, limit)
    packed = [_packed(store, sha256) for sha256 in wanted]
    if packed:
        with store.write() as connection:
            connection.execute(
                update(blobs)
                .where(blobs.c.sha256 == bindparam("wanted"), blobs.c.encoding == RAW)
                .values(encoding=bindparam("new_encoding"), data=bindparam("new_data")),
                packed,
            )
    return len(packed)


def _wanted(store: Store, limit: int) -> list[str]:
    # A literal, not a parameter: the index holds only these rows, and is used only so.
    waiting = blobs.c.encoding == literal_column(f"'{RAW}'")
    query = select(blobs.c.sha256, blobs.c.size).where(waiting).limit(limit)
    with store.read() as connection:
        return within((row.sha256, row.size) for row in connection.execute(query))


def within(sized: Iterable[tuple[str, int]], limit: int = BATCH_BYTES) -> list[str]:
    """Return the first names whose sizes stay within ``limit`` together; always the first one."""
    names: list[str] = []
    total = 0
    for name, size in sized:
        total += size
        if names and total > limit:
            break
        names.append(name)
    return names


def _packed(store: Store, sha256: str) -> dict[str, object]:
    with store.read() as connection:
        data = connection.execute(select(blobs.c.data).where(blobs.c.sha256 == sha256)).scalar_one()
    if sha256_hex(data) != sha256:
        _log.error("blob_damaged", sha256=sha256)
        return {"wanted": sha256, "new_encoding": DAMAGED, "new_data": data}
    small = zlib.compress(data, LEVEL)
    if len(small) >= len(data) or zlib.decompress(small) != data:
        return {"wanted": sha256, "new_encoding": PLAIN, "new_data": data}
    return {"wanted": sha256, "new_encoding": ZLIB, "new_data": small}
