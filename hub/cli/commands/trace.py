"""``hub trace``: the whole life of a message, a dossier or a document, as a timeline."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli.context import Invocation, invocation
from hub.cli.parts import opened
from hub.cli.timeline import picture
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
    messages = found(call, wanted)
    call.emit({"messages": messages})
    if not call.json:
        call.console.print(picture(call, wanted, messages))


def found(call: Invocation, wanted: str) -> list[dict[str, Any]]:
    """Return the messages with their events, oldest first; raises ``NotFound``."""
    with opened(call.settings) as store:
        result = [dict(message) for message in messages.trace(store, wanted)]
    if not result:
        raise NotFound(value=wanted[:200])
    return result


def show_timeline(call: Invocation, wanted: str) -> None:
    """Draw what became of a message, a dossier or a document (for people only)."""
    if not call.json:
        call.console.print(picture(call, wanted, found(call, wanted)))
