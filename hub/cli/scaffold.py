"""``hub connector new``: a small connector that already passes the conformance suite.

It moves one JSON file a record between folders, so that its author starts from something that
works and replaces the folders by the real system, one method after the other.
"""

from __future__ import annotations

import json
import keyword
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from hub.errors import UsageError
from hub.settings import Settings

TEMPLATES = ("app.py", "README.md")
SETTINGS = "example.toml"
FOLDERS = ("out", "in", "told")
NOBODY = "Z99"
"""The agency of a settings file that no home was there for: a trial code, to be replaced."""


def write(folder: Path, name: str) -> list[Path]:
    """Write ``folder/PACKAGE/`` and return its files; raises ``UsageError`` if it is there already.

    PACKAGE is ``name`` with underscores for hyphens.
    """
    package = _package(name)
    target = folder / package
    if target.exists():
        raise there(target)
    target.mkdir(parents=True)
    marks = {"NAME": name, "PACKAGE": package}
    written = [target / "__init__.py"]
    written[0].write_text(f'"""The connector {name}."""\n', encoding="utf-8")
    for template in TEMPLATES:
        written.append(target / template)
        written[-1].write_text(_filled(template, marks), encoding="utf-8")
    return written


def configure(settings: Settings, folder: Path, name: str, agency: str = "") -> Path:
    """Write ``connectors/NAME.toml`` of a home, and the folders that it names; returns the file.

    Without ``agency`` it is the first of the home that no other connector works for. Raises
    ``UsageError`` if the file is there already.
    """
    file = settings.connectors / f"{name}.toml"
    if file.exists():
        raise there(file)
    for one in FOLDERS:
        (settings.connectors / name / one).mkdir(parents=True, exist_ok=True)
    marks = {"NAME": name, "PACKAGE": _package(name), "AGENCY": agency or _free(settings)}
    marks["PATH"] = json.dumps(str(folder.resolve()), ensure_ascii=False)
    file.write_text(_filled(SETTINGS, marks), encoding="utf-8")
    return file


def _package(name: str) -> str:
    package = name.replace("-", "_")
    if not package.isidentifier() or keyword.iskeyword(package):
        raise UsageError(
            reason=f"{package[:40]!r} cannot be the name of a Python package",
            reason_vi=f"{package[:40]!r} không thể là tên một gói Python",
        )
    return package


def there(path: Path) -> UsageError:
    """Return the error of a file or folder that nothing may be written over."""
    return UsageError(
        reason=f"{path} is already there; nothing was changed",
        reason_vi=f"{path} đã có sẵn; không có gì bị thay đổi",
    )


def _filled(template: str, marks: Mapping[str, str]) -> str:
    text = (files("hub.cli") / "data" / "scaffold" / f"{template}.txt").read_text("utf-8")
    for mark, value in marks.items():
        text = text.replace(f"@{mark}@", value)
    return text


def _free(settings: Settings) -> str:
    """Return an agency with a key in this home and without a connector."""
    taken = {settings.hub.code, *map(_agency, settings.connectors.glob("*.toml"))}
    own = sorted(path.name for path in (settings.pki / "agencies").glob("*") if path.is_dir())
    return next((code for code in own if code not in taken), NOBODY)


def _agency(file: Path) -> str:
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8")).get("connector", {})
        return str(found.get("agency", "")).strip().upper()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError, AttributeError):
        return ""
