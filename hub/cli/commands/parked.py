"""``hub parked``: what waits for a person, grouped by partner and reason."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli.context import invocation
from hub.cli.parts import opened
from hub.errors import NotFound
from hub.store import deliveries

app = typer.Typer(help="Thông điệp chờ người xử lý / parked messages.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add ``parked`` to the command line."""
    parent.add_typer(app, name="parked")


@app.callback()
def group() -> None:
    """Thông điệp chờ người xử lý / parked messages."""


@app.command("list")
def list_parked(context: typer.Context) -> None:
    """Theo đối tác và lý do / grouped by partner and reason."""
    call = invocation(context)
    with opened(call.settings) as store:
        groups = deliveries.parked_groups(store)
    document = [
        {
            "receiver": group.receiver,
            "reason": group.reason,
            "count": group.count,
            "oldest": group.oldest.isoformat(),
        }
        for group in groups
    ]
    call.emit({"groups": document, "count": sum(group.count for group in groups)})
    if not groups:
        call.say("Không có gì đang chờ.", "Nothing is parked.")
        return
    call.table(
        call.text("Đang chờ xử lý", "Parked"),
        [call.text("nơi nhận", "receiver"), "reason", "n", call.text("lâu nhất từ", "oldest")],
        [(g["receiver"], g["reason"], g["count"], g["oldest"]) for g in document],
    )


@app.command("show")
def show(
    context: typer.Context,
    delivery: Annotated[str, typer.Argument(metavar="ID", help="delivery | message id | receiver")],
) -> None:
    """Chi tiết những gì đang chờ / the parked deliveries of a receiver, message or delivery."""
    call = invocation(context)
    with opened(call.settings) as store:
        rows = deliveries.parked(store, delivery)
    if not rows:
        raise NotFound(value=delivery[:64])
    document: list[dict[str, Any]] = [
        {
            "delivery": row.delivery.id,
            "message_id": row.message_id,
            "type": row.type,
            "from": row.sender,
            "receiver": row.delivery.receiver,
            "reason": row.delivery.reason,
            "detail": row.delivery.detail,
            "since": row.delivery.created_at.isoformat(),
            "attempts": row.delivery.attempts,
        }
        for row in rows
    ]
    call.emit({"parked": document})
    call.table(
        call.text("Đang chờ xử lý", "Parked"),
        list(document[0]),
        [list(item.values()) for item in document],
    )
