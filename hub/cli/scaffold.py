"""``hub connector new``: a small connector that already passes the conformance suite.

It moves one JSON file a message between two folders, so that its author starts from something that
works and replaces the folder by the real system, one method after the other.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from hub.errors import UsageError

TEMPLATES = ("app.py", "README.md", "example.toml")


def write(folder: Path, name: str) -> list[Path]:
    """Write ``folder/NAME/`` and return its files; raises ``UsageError`` if it is there already."""
    package = name.replace("-", "_")
    if not package.isidentifier():
        raise UsageError(reason=f"NAME: {name[:40]!r}")
    target = folder / package
    if target.exists():
        raise UsageError(reason=f"{target}: đã có / already there")
    target.mkdir(parents=True)
    written = [target / "__init__.py"]
    written[0].write_text(f'"""The connector {package}."""\n', encoding="utf-8")
    for template in TEMPLATES:
        text = (files("hub.cli") / "data" / "scaffold" / f"{template}.txt").read_text("utf-8")
        written.append(target / template)
        written[-1].write_text(text.replace("@NAME@", package), encoding="utf-8")
    return written
