"""``hub trace``: the whole life of a message, a dossier or a document, as a timeline."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.tree import Tree

from hub.cli.context import Invocation, invocation
from hub.cli.parts import opened
from hub.errors import NotFound
from hub.store import messages


def register(app: typer.Typer) -> None:
    """Add ``trace`` to the command line."""
    app.command("trace")(trace)


def trace(
    context: typer.Context,
    wanted: Annotated[str, typer.Argument(metavar="ID", help="Mã thông điệp, hồ sơ hoặc văn bản")],
) -> None:
    """Toàn bộ hành trình / the whole life: arrival, verdict, route, attempts, receipts."""
    call = invocation(context)
    call.emit({"messages": found(call, wanted)})
    show_timeline(call, wanted)


def found(call: Invocation, wanted: str) -> list[dict[str, Any]]:
    """Return the messages with their events, oldest first; raises ``NotFound``."""
    with opened(call.settings) as store:
        result = [dict(message) for message in messages.trace(store, wanted)]
    if not result:
        raise NotFound(value=wanted[:200])
    return result


def show_timeline(call: Invocation, wanted: str) -> None:
    """Draw the events of each message as a tree in time order (for people only)."""
    if call.json:
        return
    tree = Tree(f"[bold]{wanted}[/bold]")
    for message in found(call, wanted):
        label = f"[cyan]{message.get('type', '')}[/cyan] {message['message_id']}"
        label += f"  {message.get('from', '')} → {' '.join(message.get('to', []))}"
        branch = tree.add(label)
        for event in message["events"]:
            facts = "  ".join(f"{key}={value}" for key, value in event["detail"].items())
            branch.add(f"{event['at']}  [bold]{event['kind']}[/bold]  {facts}")
    call.console.print(tree)
