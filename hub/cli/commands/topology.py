"""``hub topology``: what the broker has against what the directory asks for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import typer

from hub.broker import topology as broker
from hub.cli.context import Invocation, invocation
from hub.cli.progress import waiting
from hub.cli.wiring import administration, desired_topology
from hub.errors import TopologyDiffers, printable

app = typer.Typer(help="Hàng đợi và tài khoản / queues and accounts.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add ``topology`` to the command line."""
    parent.add_typer(app, name="topology")


def _busy(call: Invocation) -> AbstractContextManager[None]:
    return waiting(call, "Đang hỏi máy chủ hàng đợi", "Asking the broker")


def _show(call: Invocation, title: str, lines: Sequence[str], *, ok: bool) -> None:
    call.emit({"ok": ok, "changes": list(lines)})
    call.say(*2 * (f"{title}: {len(lines)}",))
    for line in lines:
        call.say(*2 * (f"  {printable(line)}",))


@app.command("plan")
def plan(context: typer.Context) -> None:
    """Cho xem sẽ thay đổi gì / show what would change."""
    call = invocation(context)
    with _busy(call), administration(call.settings) as admin:
        changes = broker.plan(desired_topology(call.settings), admin)
    _show(call, call.text("Sẽ thay đổi", "Would change"), [str(c) for c in changes], ok=True)


@app.command("apply")
def apply(context: typer.Context) -> None:
    """Đưa máy chủ hàng đợi về đúng danh mục / bring the broker to what the directory asks for."""
    call = invocation(context)
    with _busy(call), administration(call.settings) as admin:
        changes = broker.apply(desired_topology(call.settings), admin)
    _show(call, call.text("Đã thay đổi", "Changed"), [str(c) for c in changes], ok=True)


@app.command("verify")
def verify(context: typer.Context) -> None:
    """So sánh; khác thì thoát 1 / compare; exit 1 when they differ."""
    call = invocation(context)
    with _busy(call), administration(call.settings) as admin:
        differences = broker.verify(desired_topology(call.settings), admin)
    lines = [str(difference) for difference in differences]
    _show(call, call.text("Khác biệt", "Differences"), lines, ok=not lines)
    if lines and not call.json:
        raise TopologyDiffers(reason=lines[0])
    raise typer.Exit(1 if lines else 0)
