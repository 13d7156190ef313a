"""docs/limits.md tells the numbers that the code goes by."""

from __future__ import annotations

import importlib
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

TEXT = (Path(__file__).parents[3] / "docs" / "limits.md").read_text("utf-8")
ROWS = re.findall(r"^\| (.+?) \| ([\d,]+)(?: (\w+))? \| `(hub\.[\w.]+)` \|", TEXT, re.MULTILINE)
UNITS = {"": 1, "MiB": 1024**2, "GiB": 1024**3, "s": 1, "h": 3600, "days": 1}


def value_of(name: str) -> Any:
    """Resolve a dotted name: a module's constant, a field of it, or the default of a setting."""
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            model = isinstance(found, type) and issubclass(found, BaseModel)
            found = found.model_fields[part].default if model else getattr(found, part)
        return found
    raise AssertionError(name)


@pytest.mark.parametrize(("limit", "number", "unit", "name"), ROWS, ids=[row[3] for row in ROWS])
def test_number_is_the_codes(limit: str, number: str, unit: str, name: str):
    """The number of each row is the one that the named place enforces."""
    value = value_of(name)
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if name.endswith("_MS"):
        value /= 1000
    assert value == int(number.replace(",", "")) * UNITS[unit], limit


def test_rows_are_found():
    """The page is read as it is meant: most rows name a place in the code."""
    assert len(ROWS) > 40
