"""The parts of a home as the commands use them, without a broker: store and directory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hub.routing.directory import Directory
from hub.settings import Settings
from hub.store import directory as directory_store
from hub.store.engine import Store


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """Open the home's store for one command; raises ``StoreUnavailable`` or ``StoreSchema``."""
    store = Store.open(settings.store_url)
    try:
        yield store
    finally:
        store.close()


def directory_of(store: Store) -> Directory:
    """Return the directory as it is now."""
    return Directory.of(directory_store.agencies(store))
