"""The state of the simulated post: orders, dossier notices, tracking rows and faults, in SQLite.

A restart keeps everything. Ids of tracking rows are ObjectIds: seconds since 1970, then a counter,
so a row that another server of the post inserts late may sort before rows already read.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

CREATED, REPEATED, CANCELLED, UNKNOWN_ORDER = 100, 101, 110, 120
"""Reply ``Status``; 100, 101 and 110 are the post's own, 120 stands for the unpublished rest."""

ACCEPTED, HANDED_OVER, ON_THE_WAY, DELIVERED = 1, 2, 3, 4
"""Tracking codes; only 4 is evidenced, the others are illustrative (sheet on the post, §4)."""

FIRST_ID = "0" * 24
MAX_PAGE = 1000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (customer TEXT, number TEXT, item TEXT, body TEXT,
  cancelled INTEGER DEFAULT 0, PRIMARY KEY (customer, number));
CREATE TABLE IF NOT EXISTS documents (customer TEXT, number TEXT, body TEXT,
  PRIMARY KEY (customer, number));
CREATE TABLE IF NOT EXISTS tracking (id TEXT PRIMARY KEY, customer TEXT, number TEXT, at_ms INTEGER,
  pos TEXT, item TEXT, code INTEGER, message TEXT, notes TEXT);
CREATE TABLE IF NOT EXISTS faults (seq INTEGER PRIMARY KEY, path TEXT, kind TEXT, value TEXT);
CREATE TABLE IF NOT EXISTS requests (seq INTEGER PRIMARY KEY, method TEXT, path TEXT, query TEXT,
  body TEXT);
CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY);
"""


class PostOffice:
    """The post's books. Times are milliseconds since 1970 and come from ``clock_ms``."""

    def __init__(self, file: Path | str, clock_ms: Callable[[], int]) -> None:
        self._clock = clock_ms
        self._lock = threading.Lock()
        self._db = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def order(self, body: Mapping[str, Any]) -> int:
        """Book an order; a repeat of its number is the same order."""
        key = (str(body["CustomerCode"]), str(body["OrderNumber"]))
        found = self._rows("SELECT cancelled FROM orders WHERE customer=? AND number=?", *key)
        if found:
            return CANCELLED if found[0][0] else REPEATED
        item = str(body.get("ItemCode") or self._waybill())
        text = json.dumps(body, ensure_ascii=False)
        self._run("INSERT INTO orders VALUES (?,?,?,?,0)", *key, item, text)
        return CREATED

    def cancel(self, customer: str, number: str) -> int:
        """Cancel an order; a repeat is a success too."""
        done = self._run(
            "UPDATE orders SET cancelled=1 WHERE customer=? AND number=?", customer, number
        )
        return CANCELLED if done else UNKNOWN_ORDER

    def notice(self, body: Mapping[str, Any]) -> int:
        """Keep a dossier notice (``document/post``); later fields of one order number win."""
        key = (str(body["CustomerCode"]), str(body["OrderNumber"]))
        found = self._rows("SELECT body FROM documents WHERE customer=? AND number=?", *key)
        merged = {**(json.loads(found[0][0]) if found else {}), **body}
        text = json.dumps(merged, ensure_ascii=False)
        self._run("INSERT OR REPLACE INTO documents VALUES (?,?,?)", *key, text)
        return REPEATED if found else CREATED

    def track(  # one argument for each column of a tracking row
        self,
        customer: str,
        number: str,
        code: int,
        *,
        at_ms: int | None = None,
        id_ms: int | None = None,
        message: str = "",
        notes: str = "",
        pos: str = "100000",
    ) -> str:
        """Insert a tracking row and return its id; ``id_ms`` in the past makes it a late row."""
        now = self._clock()
        found = self._rows(
            "SELECT item FROM orders WHERE customer=? AND number=?", customer, number
        )
        count = self._rows("SELECT count(*) FROM tracking")[0][0]
        seconds = (now if id_ms is None else id_ms) // 1000
        oid = f"{seconds:08x}{'00' * 5}{count + 1:06x}"
        item = found[0][0] if found else ""
        moment = now if at_ms is None else at_ms
        self._run(
            "INSERT INTO tracking VALUES (?,?,?,?,?,?,?,?,?)",
            oid, customer, number, moment, pos, item, code, message, notes,
        )  # fmt: skip
        return oid

    def page(self, last_id: str, size: int) -> dict[str, Any]:
        """Return the tracking rows after ``last_id``, at most 1000, in the post's own shape."""
        size = max(1, min(size, MAX_PAGE))
        total = self._rows("SELECT count(*) FROM tracking")[0][0]
        rows = self._rows("SELECT * FROM tracking WHERE id>? ORDER BY id LIMIT ?", last_id, size)
        names = "CustomerCode OrderNumber EventTime POSID ItemCode StatusCode StatusMessage Notes"
        docs = [
            {"_id": {"$oid": row[0]}, **dict(zip(names.split(), row[1:], strict=True))}
            for row in rows
        ]
        pages = -(-total // size)
        return {
            "_size": total,
            "_total_pages": pages,
            "_returned": len(docs),
            "_embedded": {"rh:doc": docs},
        }

    def orders(self) -> list[dict[str, Any]]:
        """Return every order with its waybill, as booked."""
        rows = self._rows("SELECT body, item, cancelled FROM orders ORDER BY rowid")
        return [
            {**json.loads(body), "ItemCode": item, "cancelled": bool(gone)}
            for body, item, gone in rows
        ]

    def documents(self) -> list[dict[str, Any]]:
        """Return every dossier notice."""
        rows = self._rows("SELECT body FROM documents ORDER BY rowid")
        return [json.loads(body) for (body,) in rows]

    def info(self, customer: str, number: str) -> dict[str, Any]:
        """Return what the post has on one order number: its order and its notice, merged."""
        found: dict[str, Any] = {}
        for table in ("documents", "orders"):
            sql = f"SELECT body FROM {table} WHERE customer=? AND number=?"  # noqa: S608 - two names
            for (body,) in self._rows(sql, customer, number):
                found |= json.loads(body)
        return found

    def inject(self, path: str, kind: str, value: str, times: int) -> None:
        """Make the next ``times`` requests whose path ends in ``path`` fail in a way."""
        for _ in range(times):
            self._run("INSERT INTO faults (path, kind, value) VALUES (?,?,?)", path, kind, value)

    def next_fault(self, path: str) -> tuple[str, str]:
        """Take the fault that is due for ``path``: its kind and value; empty when there is none."""
        for seq, suffix, kind, value in self._rows("SELECT * FROM faults ORDER BY seq"):
            if path.endswith(suffix):
                self._run("DELETE FROM faults WHERE seq=?", seq)
                return str(kind), str(value)
        return "", ""

    def note(self, method: str, path: str, query: str, body: str) -> None:
        """Remember a request, for whoever inspects the post's view of its partner."""
        self._run(
            "INSERT INTO requests (method, path, query, body) VALUES (?,?,?,?)",
            method, path, query, body,
        )  # fmt: skip

    def requests(self) -> list[dict[str, str]]:
        """Return the requests so far, oldest first."""
        rows = self._rows("SELECT method, path, query, body FROM requests ORDER BY seq")
        return [dict(zip(("method", "path", "query", "body"), row, strict=True)) for row in rows]

    def grant(self, token: str) -> None:
        """Let ``token`` in; the ones before it are void."""
        self._run("DELETE FROM tokens")
        self._run("INSERT INTO tokens VALUES (?)", token)

    def knows(self, token: str) -> bool:
        """Whether ``token`` is the one that counts now."""
        return bool(self._rows("SELECT 1 FROM tokens WHERE token=?", token))

    def revoke(self) -> None:
        """Void every token, as an expiry does."""
        self._run("DELETE FROM tokens")

    def _waybill(self) -> str:
        count = self._rows("SELECT count(*) FROM orders")[0][0]
        return f"RX{count + 1:09d}VN"

    def _rows(self, sql: str, *args: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(sql, args).fetchall()

    def _run(self, sql: str, *args: object) -> int:
        with self._lock:
            return self._db.execute(sql, args).rowcount
