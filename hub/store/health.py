"""Whether the store takes a write: asked by ``hub doctor``, and by nobody on the hot path."""

from __future__ import annotations

from datetime import datetime

from hub.store.dialect import upsert
from hub.store.engine import Store
from hub.store.tables import meta
from hub.store.times import to_us

KEY = "doctor_us"


def write(store: Store, at: datetime) -> None:
    """Write one row durably, always the same one; raises ``StoreUnavailable``."""
    with store.write() as connection:
        connection.execute(upsert(connection, meta, ("key",)), {"key": KEY, "value": to_us(at)})
