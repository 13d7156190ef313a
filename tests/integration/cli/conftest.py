"""One running hub for all tests of the command line: ``hub up`` on a demo's home of its own."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.broker.node import Node
from hub.cli import main
from hub.testing.home import Home, Ran


class Near(Home):
    """A home whose short commands run in this process, which saves a second each.

    What stays running (``start``) is a process of its own all the same.
    """

    def hub(self, *words: object, timeout_s: float = 120) -> Ran:
        """Run ``hub --home … words`` within this process."""
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
        err = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main.run(["--home", str(self.folder), *map(str, words)])
            out.flush()
        return Ran(status, out.buffer.getvalue().decode(), err.getvalue())


@pytest.fixture(scope="session", autouse=True)
def _own_surroundings() -> None:
    """No setting of the developer's machine reaches a command."""
    for name in [name for name in os.environ if name.startswith("HUB_") and name != "HUB_COMMAND"]:
        del os.environ[name]


ATTACHED = (
    "H12.03", "H12.05", "H12.07", "H12.13", "H12.15", "H12.20", "H13.03", "H13.15", "H13.20",
    "H17.15", "H17.20", "H19.15", "H19.20", "H26.15", "H26.20", "H26.101", "H99.19",
)  # fmt: skip
"""The agencies that these tests send between: a node with few queues starts and stops sooner."""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo's home with few inboxes and a connector whose settings are garbage; only copied."""
    home = Near(tmp_path_factory.mktemp("made") / "home")
    done = home.hub("init", home.folder, "--demo", "--json")
    assert done.status == 0, done.err
    with sqlite3.connect(home.folder / "hub.sqlite") as connection:
        marks = ", ".join("?" * len(ATTACHED))
        connection.execute(f"update agencies set attached = code in ({marks})", ATTACHED)
    connection.close()
    (home.folder / "connectors" / "broken.toml").write_text("garbage[", encoding="utf-8")
    return home.folder


@contextlib.contextmanager
def running(template: Path, folder: Path) -> Iterator[Home]:
    """A copy of a home with everything running; its node and its roles end with the block."""
    home = Near(Path(shutil.copytree(template, folder)))
    try:
        home.start()
        yield home
    finally:
        home.stop()
        Node(home.folder / "broker").stop()  # should ``hub up`` have been killed too early


@pytest.fixture(scope="session")
def up(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The running hub that the tests share."""
    with running(made, tmp_path_factory.mktemp("up") / "home") as home:
        yield home


@pytest.fixture
def own(made: Path, tmp_path: Path) -> Iterator[Home]:
    """A running hub of the test's own."""
    with running(made, tmp_path / "own") as home:
        yield home


@pytest.fixture
def letter(up: Home, tmp_path: Path) -> Callable[[str, str], Path]:
    """Make a signed envelope: ``letter(sender, receiver)``."""
    made = 0

    def write(sender: str, receiver: str) -> Path:
        nonlocal made
        made += 1
        draft, file = tmp_path / f"{made}.draft.xml", tmp_path / f"{made}.xml"
        example = up.hub("example", "dossier.submitted", "--from", sender, "--to", receiver)
        assert example.status == 0, example.err
        draft.write_text(example.out, encoding="utf-8")
        signed = up.hub("sign", draft, "--as", sender, "-o", file)
        assert signed.status == 0, signed.err
        return file

    return write
