"""What every subcommand needs: home, language, and one way to print for people or programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from hub.errors import Lang, UsageError
from hub.settings import Settings, load

DEFAULT_HOME = "hub-home"


@dataclass
class Invocation:
    """The options that every command takes, wherever they stand on the command line."""

    home: Path = field(default_factory=lambda: Path(os.environ.get("HUB_HOME", DEFAULT_HOME)))
    json: bool = False
    lang: Lang = "vi"

    @cached_property
    def settings(self) -> Settings:
        """The settings of the home; raises ``ConfigMissing`` or ``ConfigInvalid``."""
        return load(self.home)

    @cached_property
    def console(self) -> Console:
        """Standard output for people; colours only on a terminal."""
        return Console(soft_wrap=True, highlight=False)

    def text(self, vi: str, en: str) -> str:
        """Return the sentence in the language of this call."""
        return vi if self.lang == "vi" else en

    def say(self, vi: str, en: str) -> None:
        """Print one sentence for people; nothing at all with ``--json``."""
        if not self.json:
            self.console.print(self.text(vi, en), markup=False)

    def emit(self, document: Mapping[str, Any]) -> None:
        """Print one JSON document on a line of its own (with ``--json`` only)."""
        if self.json:
            sys.stdout.write(json.dumps(document, ensure_ascii=False, default=str) + "\n")
            sys.stdout.flush()

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print a table for people; nothing at all with ``--json``."""
        if self.json:
            return
        table = Table(title=title, title_justify="left", header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*[_cell(value) for value in row])
        self.console.print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "[green]✓[/green]" if value else "[red]✗[/red]"
    return str(value).replace("[", r"\[")


def now() -> datetime:
    """The clock of the command line, in UTC; handed down, never read below."""
    return datetime.now(UTC)


def invocation(context: typer.Context) -> Invocation:
    """Return the invocation that ``main`` put into the context."""
    found = context.find_object(Invocation)
    return found if found is not None else Invocation()


def split_globals(argv: Sequence[str]) -> tuple[Invocation, list[str]]:
    """Take ``--home``, ``--json`` and ``--lang`` out of ``argv``, before or after the subcommand.

    Raises ``UsageError`` when a value is missing or unknown. Words behind ``--`` are left alone.
    """
    call = Invocation()
    lang: str = os.environ.get("HUB_LANG", "vi")
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--":
            rest += [word, *words]
            break
        name, has_value, value = word.partition("=")
        if name in ("--home", "--lang"):
            value = value if has_value else next(words, "")
            if not value:
                raise UsageError(reason=f"{name} …?")
            if name == "--home":
                call.home = Path(value)
            else:
                lang = value
        elif word == "--json":
            call.json = True
        else:
            rest.append(word)
    if lang not in ("vi", "en"):
        raise UsageError(reason=f"--lang vi|en, HUB_LANG: {lang[:20]!r}")
    call.lang = "en" if lang == "en" else "vi"
    return call, rest
