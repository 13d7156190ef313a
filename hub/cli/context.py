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
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hub.errors import HubError, Lang, UsageError, printable
from hub.settings import Settings, load

DEFAULT_HOME = "hub-home"
NAME_WIDTH = 32
"""Columns that the first cell of a row keeps on any terminal."""
PIPE_WIDTH = 160
"""Columns of tables where no terminal gives a width: rows stay on one line for ``grep``."""


@dataclass
class Invocation:
    """The options that every command takes, wherever they stand on the command line."""

    home: Path = field(default_factory=lambda: Path(os.environ.get("HUB_HOME") or DEFAULT_HOME))
    json: bool = False
    lang: Lang = "vi"
    rest: list[str] = field(default_factory=list)
    """The words behind the global options: the subcommand and its own arguments."""

    @cached_property
    def settings(self) -> Settings:
        """The settings of the home; raises ``ConfigMissing`` or ``ConfigInvalid``."""
        return load(self.home)

    @cached_property
    def console(self) -> Console:
        """Standard output for people; colours on a terminal only, and wide where it is none."""
        wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
        return Console(soft_wrap=True, highlight=False, width=wide)

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
            plain = sys.stdout.encoding.lower().replace("-", "") != "utf8"
            sys.stdout.write(json.dumps(document, ensure_ascii=plain, default=str) + "\n")
            sys.stdout.flush()

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
        """Print a table for people; nothing at all with ``--json``."""
        if self.json:
            return
        table = Table(title=title, title_justify="left", header_style="bold")
        cells = [[_cell(value) for value in row] for row in rows]
        first = max((cell_len(row[0]) for row in cells if row), default=0)
        for number, column in enumerate(columns):
            # What a row is called stays in one piece on a narrow terminal; figures may fold.
            least = min(first, NAME_WIDTH) if number == 0 else None
            table.add_column(column, overflow="fold", min_width=least)
        for row in cells:
            table.add_row(*row)
        self.console.print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "[green]✓[/green]" if value else "[red]✗[/red]"
    if isinstance(value, list | tuple):
        return " ".join(_cell(one) for one in value)
    return escape(printable(str(value)))


def now() -> datetime:
    """The clock of the command line, in UTC; handed down, never read below."""
    return datetime.now(UTC)


def invocation(context: typer.Context) -> Invocation:
    """Return the invocation that ``main`` put into the context."""
    found = context.find_object(Invocation)
    return found if found is not None else Invocation()


def split_globals(argv: Sequence[str], call: Invocation) -> None:
    """Take ``--home``, ``--json`` and ``--lang`` out of ``argv``, before or after the subcommand.

    Words behind ``--`` are left alone. Raises ``UsageError`` when a value is missing or unknown.
    The language is that of ``--lang``, else of ``HUB_LANG``, else of the home's ``hub.toml``.
    """
    lang = os.environ.get("HUB_LANG", "")
    call.json = "--json" in argv[: argv.index("--") if "--" in argv else None]
    words = iter(argv)
    for word in words:
        name, has_value, value = word.partition("=")
        if word == "--":
            call.rest += [word, *words]
        elif name in ("--home", "--lang"):
            given = value if has_value else next(words, "")
            if not given or given.startswith("--"):
                raise UsageError(
                    reason=f"{name} needs a value", reason_vi=f"{name} cần một giá trị"
                )
            if name == "--lang":
                lang = given
            else:
                call.home = Path(given)
        elif word != "--json":
            call.rest.append(word)
    call.lang = _language(lang) if lang else _home_language(call)


def _language(text: str) -> Lang:
    if text not in ("vi", "en"):
        raise UsageError(
            reason=f"--lang and HUB_LANG know vi and en, not {text[:20]!r}",
            reason_vi=f"--lang và HUB_LANG chỉ nhận vi hoặc en, không phải {text[:20]!r}",
        )
    return "en" if text == "en" else "vi"


def _home_language(call: Invocation) -> Lang:
    """What the home prefers; whatever is wrong with it is told by who needs more of it."""
    try:
        return call.settings.hub.lang
    except HubError:
        return "vi"
