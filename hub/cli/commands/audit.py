"""``hub audit verify``: the hash chain of the log, from end to end."""

from __future__ import annotations

import typer

from hub.cli.context import invocation
from hub.cli.parts import opened
from hub.cli.progress import progress
from hub.store import audit as store

app = typer.Typer(help="Nhật ký nối băm / the hash-chained log.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add ``audit`` to the command line."""
    parent.add_typer(app, name="audit")


@app.callback()
def group() -> None:
    """Nhật ký nối băm / the hash-chained log."""


@app.command("verify")
def verify(context: typer.Context) -> None:
    """Kiểm tra chuỗi băm / check the hash chain; exit 1 at the first bad entry."""
    call = invocation(context)
    with (
        opened(call.settings) as opened_store,
        progress(call, "Kiểm tra nhật ký", "Checking the log") as advance,
    ):
        report = store.verify(opened_store, progress=advance)
    call.emit({"ok": report.ok, "entries": report.entries, "first_bad": report.first_bad})
    call.say(
        f"{report.entries} mục, " + ("không đứt." if report.ok else f"đứt tại {report.first_bad}."),
        f"{report.entries} entries, "
        + ("intact." if report.ok else f"broken at {report.first_bad}."),
    )
    raise typer.Exit(0 if report.ok else 1)
