"""A dossier as its software has it, decoded: text in NFC, instants with +07:00."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

Field = str | datetime | None
Line = Mapping[str, Field]
FILE_SEPARATOR = "##"
"""How one-stop software joins several file paths in one column."""


@dataclass(frozen=True, slots=True)
class Record:
    """A dossier as its software has it; text is NFC, instants carry +07:00."""

    code: str
    aliases: tuple[tuple[str, str], ...]
    """(scheme, value)."""
    fields: Line
    parts: tuple[Line, ...]
    fees: tuple[Line, ...]
    steps: tuple[Line, ...]
    deleted: bool

    def text(self, name: str) -> str:
        """Return a text field; empty when it is absent."""
        return text_of(self.fields, name)

    def time(self, name: str) -> datetime | None:
        """Return a date field; ``None`` when it is unknown."""
        value = self.fields.get(name)
        return value if isinstance(value, datetime) else None

    @property
    def files(self) -> tuple[str, ...]:
        """Every result file of a ``##`` list, whole."""
        joined = self.text("result_files").split(FILE_SEPARATOR)
        return tuple(part.strip() for part in joined if part.strip())

    @property
    def digest(self) -> str:
        """SHA-256 over all mapped content: equal when a row was touched but not changed.

        A dossier whose trace is mapped never has an old digest again, because a trace only grows.
        """
        lists = [self.parts, self.fees, self.steps]
        plain = [[_plain(line) for line in lines] for lines in ([self.fields], *lists)]
        whole = json.dumps([self.code, self.aliases, self.deleted, plain], ensure_ascii=False)
        return hashlib.sha256(whole.encode()).hexdigest()


def text_of(line: Line | None, name: str) -> str:
    """Return a text field of a line; empty when it is absent."""
    value = (line or {}).get(name)
    return value if isinstance(value, str) else ""


def _plain(line: Line) -> dict[str, str]:
    return {name: str(value) for name, value in sorted(line.items())}
