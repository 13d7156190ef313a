"""What waits for a person at the connectors of a home, read from their own stores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hub.cli.context import Invocation
from hub.errors import HubError
from hub.store.edge import EdgeStore


def waiting(call: Invocation) -> list[dict[str, Any]]:
    """Return every record that a connector parked and every arrival that it kept, oldest first.

    Each is ``{"connector", "kind", "key", "label", "code", "reason", "since"}``; ``kind`` is
    ``record`` (could not be sent), ``message`` (arrived, and waits) or ``quarantined`` (arrived,
    and claims no key: ``key`` is its digest). A store that cannot be read is an entry too.
    """
    found = []
    for file in sorted(call.settings.connectors.glob("*.sqlite")):
        try:
            found += _of(call, file.stem)
        except HubError as error:
            found.append(
                _entry(file.stem, "store", str(file), error.code, error.message(call.lang))
            )
    return sorted(found, key=lambda entry: str(entry["since"]))


@contextmanager
def looked_into(call: Invocation, name: str) -> Iterator[EdgeStore]:
    """Open a connector's store beside it; raises ``StoreUnavailable`` or ``StoreSchema``."""
    store = EdgeStore.look(call.settings.connectors / f"{name}.sqlite")
    try:
        yield store
    finally:
        store.close()


def _of(call: Invocation, name: str) -> list[dict[str, Any]]:
    with looked_into(call, name) as store:
        records, kept = store.parked(), store.kept()
    entries = [
        _entry(name, "record", row.key, row.code, row.vi if call.lang == "vi" else row.en,
               label=row.label, since=row.at.isoformat())
        for row in records
    ]  # fmt: skip
    entries += [
        _entry(name, "message" if row.key else "quarantined", row.key or row.digest, row.code, "",
               since=row.at.isoformat())
        for row in kept
    ]  # fmt: skip
    return entries


def _entry(
    connector: str, kind: str, key: str, code: str, reason: str, *, label: str = "", since: str = ""
) -> dict[str, Any]:
    return {
        "connector": connector,
        "kind": kind,
        "key": key,
        "label": label,
        "code": code,
        "reason": reason,
        "since": since,
    }
