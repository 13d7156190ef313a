"""The partners' own people: clerks at their databases and folders, and the post's counter."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2

from hub.testing.scenario import cast
from hub.testing.scenario.cast import Places


def simulator(name: str, *arguments: object) -> dict[str, Any]:
    """Run a partner's stand-in for one act and return what it printed last.

    Raises ``RuntimeError`` with the end of its error output when it fails.
    """
    command = [sys.executable, "-m", f"connectors.simulators.{name}", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr.strip()[-300:]}")
    said = json.loads((done.stdout.strip().splitlines() or ["{}"])[-1])
    return said if isinstance(said, dict) else {}


def row(database: Path, statement: str, *values: object) -> dict[str, Any] | None:
    """Return the first row of a query on a partner's database, by column."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as connection:
        connection.row_factory = sqlite3.Row
        found = connection.execute(statement, values).fetchone()
    return dict(found) if found else None


class Post:
    """The hands of people at the post, through the stand-in's side door."""

    def __init__(self, places: Places) -> None:
        port = json.loads(places.post.read_text(encoding="utf-8"))["port"]
        self._client = httpx2.Client(
            base_url=f"http://127.0.0.1:{port}/_sim/", trust_env=False, timeout=10
        )

    def act(self, action: str, order: str, **facts: object) -> None:
        """Do one thing to an order: ``accept``, ``handover``, ``track`` or ``deliver``."""
        body = {"CustomerCode": cast.CUSTOMER, "OrderNumber": order, **facts}
        self._client.post(action, json=body).raise_for_status()

    def see(self, what: str) -> list[dict[str, Any]]:
        """Return the post's ``orders``, ``documents`` or ``requests``."""
        found = self._client.get(what).raise_for_status().json()
        return found if isinstance(found, list) else []

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
