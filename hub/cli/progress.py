"""A progress bar for what takes longer than a second: on a terminal only, and on its stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hub.cli.context import Invocation

PATIENCE_S = 1.0
"""What is done sooner shows no bar."""

Advance = Callable[[int, int | None], None]
"""Told how many of how many are done; ``None``: nobody knows how many there are."""


@contextmanager
def progress(call: Invocation, vi: str, en: str) -> Iterator[Advance]:
    """Yield the function that moves the bar; it does nothing where nobody looks."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    with _bar() as bar:
        task = bar.add_task(call.text(vi, en), total=None, visible=False)
        started = monotonic()

        def advance(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total, visible=_late(started))

        yield advance


@contextmanager
def waiting(call: Invocation, vi: str, en: str) -> Iterator[None]:
    """Show that something runs whose progress cannot be told."""
    if not sys.stderr.isatty():
        yield
        return
    with Console(stderr=True).status(call.text(vi, en)):
        yield


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True)


def _late(started: float) -> bool:
    return monotonic() - started > PATIENCE_S
