"""The source tree as data: parsed once, for tests that hold it to the house's rules."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]


def _tracked():
    """What git knows, or would take up: committed files and new ones that are not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    paths = [ROOT / name for name in found.decode().split("\0") if name]
    return sorted(path for path in paths if path.is_file())


@pytest.fixture(scope="session")
def house():
    """``root``, ``files`` (all that git holds), ``modules`` (path → tree), ``config``."""
    files = _tracked()
    parts = ("hub", "connectors", "tests")
    modules = {
        path.relative_to(ROOT): ast.parse(path.read_text("utf-8"), str(path))
        for path in files
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in parts
    }
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return SimpleNamespace(root=ROOT, files=files, modules=modules, config=config)
