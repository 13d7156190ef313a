"""Watches, through Python's audit events, what is written outside the folder that is allowed.

Events are the interpreter's own (PEP 578), so no call of a connector gets round them; what a C
library or another process writes is not seen.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGING = {"os.mkdir", "os.remove", "os.rmdir", "os.rename", "os.link", "os.symlink"}
_CHANGING |= {"os.truncate", "os.chmod"}
_HARMLESS = ("/dev/", "/proc/")

_active: list[set[str]] = []
_installed = threading.Lock()
_once: list[bool] = []


@contextmanager
def outside(allowed: Path) -> Iterator[set[str]]:
    """Collect the paths outside ``allowed`` that are written while the context is open."""
    _install()
    roots = {str(allowed), str(allowed.resolve())}
    seen: set[str] = set()
    _active.append(seen)
    found: set[str] = set()
    try:
        yield found
    finally:
        _active.remove(seen)
        found |= {path for path in seen if not _is_allowed(path, roots)}


def _install() -> None:
    """Add the hook, once for the process: audit hooks cannot be removed again."""
    with _installed:
        if not _once:
            sys.addaudithook(_hook)
            _once.append(True)


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if not _active or threading.current_thread() is threading.main_thread():
        return
    for path in _written(event, args):
        for seen in _active:
            seen.add(path)


def _written(event: str, args: tuple[Any, ...]) -> list[str]:
    if event == "open":
        path, mode, flags = args
        text = mode if isinstance(mode, str) else ""
        writing = set(text) & set("wax+") or (not text and flags & _WRITING)
        return _paths([path]) if writing else []
    if event == "sqlite3.connect":
        return _database(args[0])
    return _paths(list(args)) if event in _CHANGING else []


def _paths(given: list[Any]) -> list[str]:
    found = [os.fsdecode(one) for one in given if isinstance(one, str | bytes | os.PathLike)]
    return [os.path.abspath(path) for path in found]  # noqa: PTH100  no I/O inside an audit hook


def _database(name: object) -> list[str]:
    path = os.fsdecode(name) if isinstance(name, str | bytes | os.PathLike) else ""
    if path.startswith("file:"):
        parts = urlsplit(path)
        if "mode=ro" in parts.query or "mode=memory" in parts.query:
            return []
        path = unquote(parts.path)
    return [] if path in ("", ":memory:") else _paths([path])


def _is_allowed(path: str, roots: set[str]) -> bool:
    inside = any(path == root or path.startswith(root + os.sep) for root in roots)
    return inside or path.startswith(_HARMLESS) or "__pycache__" in path
