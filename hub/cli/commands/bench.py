"""``hub bench``: the benchmarks, run as a process of the test aids."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli import processes
from hub.cli.context import invocation
from hub.errors import UsageError

KINDS = ("relay", "verify", "sign")


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
    if what not in KINDS:
        raise UsageError(
            reason=f"{what[:40]!r} is no benchmark: {', '.join(KINDS)}",
            reason_vi=f"{what[:40]!r} không phải phép đo: {', '.join(KINDS)}",
        )
    arguments = [what, *context.args, *(["--json"] if call.json else [])]
    module = processes.module_of(processes.AIDS, "bench")
    processes.become(processes.module_command(module, arguments))
