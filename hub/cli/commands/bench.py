"""``hub bench``: the benchmarks, run as a process of the test aids."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli import processes
from hub.cli.context import invocation


def register(app: typer.Typer) -> None:
    """Add ``bench`` to the command line."""
    app.command(
        "bench", context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
    )(bench)


def bench(
    context: typer.Context,
    what: Annotated[str, typer.Argument(metavar="relay|verify|sign")],
) -> None:
    """Đo tốc độ / measure; one JSON line for each measurement with --json."""
    call = invocation(context)
    arguments = [what, *context.args, *(["--json"] if call.json else [])]
    module = processes.module_of(processes.AIDS, "bench")
    raise typer.Exit(processes.run(processes.module_command(module, arguments)))
