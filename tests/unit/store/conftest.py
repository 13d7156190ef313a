"""Real SQLite files; nothing here is a double."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from hub.store.engine import Store
from hub.store.window import WindowStore


@pytest.fixture(scope="session")
def fresh(tmp_path_factory) -> Path:
    """A store at the newest schema, made once: the others are copies of its bytes."""
    path = tmp_path_factory.mktemp("fresh") / "hub.sqlite"
    Store.open(f"sqlite:///{path}", create=True).close()
    return path


@pytest.fixture
def file(tmp_path, fresh) -> Path:
    """The file of a store of its own."""
    path = tmp_path / "hub.sqlite"
    path.write_bytes(fresh.read_bytes())
    return path


@pytest.fixture
def store(file):
    """An open store of its own."""
    found = Store.open(f"sqlite:///{file}")
    yield found
    found.close()


@pytest.fixture
def windows(store) -> WindowStore:
    """The windows of ``store``."""
    return WindowStore(store)


@pytest.fixture
def raw_sql(file):
    """What an intruder has: the file and another program, by autocommit, without our guards."""
    connection = sqlite3.connect(file, isolation_level=None)
    yield connection.execute
    connection.close()


@pytest.fixture
def child():
    """Start Python programs in processes of their own; none outlives its test."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
