"""What a partner holds, as digests: to see whether a call changed anything, and what arrived."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from hub.envelope import sha256_hex

_SQLITE = b"SQLite format 3\0"
_SIDE_FILES = ("-wal", "-shm", "-journal")


def of_folder(folder: Path) -> dict[str, str]:
    """Return name → SHA-256 of every file under ``folder``, and of every row of SQLite databases.

    A database is compared by its rows, because its bytes change without any change of them; a cell
    that holds bytes is listed by itself too, so that an attachment is found there.
    """
    found: dict[str, str] = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = str(file.relative_to(folder))
        data = file.read_bytes()
        if data.startswith(_SQLITE):
            found.update({f"{name}:{row}": digest for row, digest in _rows(file).items()})
        elif not name.endswith(_SIDE_FILES):
            found[name] = sha256_hex(data)
    return found


def _rows(file: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as database:
        database.text_factory = bytes
        tables = database.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
        for (name,) in tables:
            table = name.decode()
            rows = database.execute(f'SELECT * FROM "{table}"').fetchall()
            for number, row in enumerate(sorted(rows, key=repr)):
                found[f"{table}:{number}"] = sha256_hex(repr(row).encode())
                cells = [cell for cell in row if isinstance(cell, bytes)]
                found.update({f"{table}:{number}:{n}": sha256_hex(c) for n, c in enumerate(cells)})
    return found


def changed(before: dict[str, str], after: dict[str, str]) -> str:
    """Name the first thing that differs; empty when nothing does."""
    names = sorted({*before, *after})
    return next((name for name in names if before.get(name) != after.get(name)), "")
