"""The ``hub`` command within this process, on a demo's home that is made once and copied."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub.cli import main


@dataclass(frozen=True, slots=True)
class Ran:
    """What one command left behind."""

    status: int
    raw: bytes
    err: str

    @property
    def out(self) -> str:
        """Standard output as text."""
        return self.raw.decode("utf-8")

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON document on standard output; anything else there fails the test."""
        (line,) = self.out.splitlines()
        return json.loads(line)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """One JSON document for each line."""
        return [json.loads(line) for line in self.out.splitlines()]


def run(*words: object) -> Ran:
    """Run one command and return its status and what it printed."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
    err = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main.run([str(word) for word in words])
        out.flush()
    return Ran(status, out.buffer.getvalue(), err.getvalue())  # type: ignore[attr-defined]  # BytesIO


Hub = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the developer's machine reaches a command; relative paths are the test's."""
    for name in ("HOME", "LANG", "LOG", "OPERATOR", "BROKER_URL", "STORE_URL"):
        monkeypatch.delenv(f"HUB_{name}", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo's home with keys for every agency (seconds of work): only ever copied or read."""
    folder = tmp_path_factory.mktemp("cli") / "home"
    made = run("init", folder, "--demo", "--json")
    assert made.status == 0, made.err
    return folder


@pytest.fixture
def home(demo_home: Path, tmp_path: Path) -> Path:
    """A demo's home of the test's own."""
    return Path(shutil.copytree(demo_home, tmp_path / "home"))


@pytest.fixture
def hub(home: Path) -> Hub:
    """Run ``hub --home … words``."""
    return lambda *words: run("--home", home, *words)


@pytest.fixture
def bare() -> Hub:
    """Run ``hub words`` as they are."""
    return run


@pytest.fixture
def draft(hub: Hub, tmp_path: Path) -> Path:
    """An unsigned example from H12.15 to H12.03."""
    file = tmp_path / "draft.xml"
    file.write_bytes(hub("example", "dossier.submitted", "--from", "H12.15", "--to", "H12.03").raw)
    return file


@pytest.fixture
def signed(hub: Hub, draft: Path, tmp_path: Path) -> Path:
    """The same, signed by H12.15."""
    file = tmp_path / "signed.xml"
    assert hub("sign", draft, "--as", "H12.15", "-o", file).status == 0
    return file
