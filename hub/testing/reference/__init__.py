"""Write ``docs/reference`` from the code: errors, settings, types, headers, command line.

The pages are a function of the code alone, so that a test can hold the committed ones to it:
``python -m hub.testing.reference docs/reference`` writes them, with ``--check`` it only compares.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hub.testing.reference import cli, connectors, errors, headers, settings, types

PAGES: Mapping[str, Callable[[], str]] = {
    "errors.md": errors.page,
    "settings.md": settings.page,
    "connectors.md": connectors.page,
    "types.md": types.page,
    "headers.md": headers.page,
    "cli.md": cli.page,
}
"""File name → what writes its text."""


def pages() -> dict[str, str]:
    """Return the text of every page by its file name."""
    return {name: write() for name, write in PAGES.items()}


def stale(folder: Path) -> list[str]:
    """Return the names of pages that are missing, differ from the code or have no source in it."""
    wanted = pages()
    there = {path.name: path.read_text("utf-8") for path in folder.glob("*.md")}
    return sorted(name for name in {*wanted, *there} if wanted.get(name) != there.get(name))


def main(argv: Sequence[str] | None = None) -> int:
    """Write the pages into a folder, or with ``--check`` say which are stale (exit status 1)."""
    parser = argparse.ArgumentParser(prog="hub.testing.reference", description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    options = parser.parse_args(argv)
    found = stale(options.folder)
    if options.check:
        for name in found:
            sys.stdout.write(f"{options.folder / name}: stale, run `make docs`\n")
        return 1 if found else 0
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (options.folder / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{options.folder}: {len(PAGES)} pages, {len(found)} changed\n")
    return 0
