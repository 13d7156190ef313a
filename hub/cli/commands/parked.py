"""``hub parked``: what waits for a person: deliveries, messages, and what connectors keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from hub.cli import edges
from hub.cli.context import Invocation, invocation
from hub.cli.parts import opened
from hub.errors import NotFound
from hub.store import deliveries, messages

app = typer.Typer(help="Thông điệp chờ người xử lý / parked messages.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add ``parked`` to the command line."""
    parent.add_typer(app, name="parked")


@app.callback()
def group() -> None:
    """Thông điệp chờ người xử lý / parked messages."""


@app.command("list")
def list_parked(context: typer.Context) -> None:
    """Theo đối tác và lý do, và ở các đầu nối / by partner and reason, and at the connectors."""
    call = invocation(context)
    with opened(call.settings) as store:
        groups = deliveries.parked_groups(store)
        whole, forged = messages.parked_by_reason(store), messages.quarantined_by_code(store)
    kept = edges.waiting(call)
    document = [
        {
            "receiver": group.receiver,
            "reason": group.reason,
            "count": group.count,
            "oldest": group.oldest.isoformat(),
        }
        for group in groups
    ]
    call.emit(
        {
            "groups": document,
            "count": sum(group.count for group in groups),
            "messages": whole,
            "quarantined": forged,
            "connectors": kept,
        }
    )
    if not (groups or whole or kept):
        call.say("Không có gì đang chờ.", "Nothing is parked.")
    if groups:
        call.table(
            call.text("Đang chờ xử lý", "Parked"),
            [call.text("nơi nhận", "receiver"), "reason", "n", call.text("lâu nhất từ", "oldest")],
            [(g["receiver"], g["reason"], g["count"], g["oldest"]) for g in document],
        )
    if whole:
        call.table(
            call.text("Thông điệp chờ xử lý", "Messages"), ["reason", "n"], list(whole.items())
        )
    if kept:
        _at_connectors(call, kept)
    if forged:
        call.say(
            f"Đã cách ly {sum(forged.values())} bản giả mạo hoặc hỏng.",
            f"{sum(forged.values())} forged or broken arrivals are quarantined.",
        )


def _at_connectors(call: Invocation, kept: Sequence[Mapping[str, Any]]) -> None:
    call.table(
        call.text("Chờ xử lý ở đầu nối", "At the connectors"),
        [
            call.text("đầu nối", "connector"),
            call.text("là gì", "what"),
            "code",
            call.text("lý do", "reason"),
            call.text("từ", "since"),
        ],
        [
            (one["connector"], one["label"] or one["key"], one["code"], one["reason"], one["since"])
            for one in kept
        ],
    )


@app.command("show")
def show(
    context: typer.Context,
    delivery: Annotated[str, typer.Argument(metavar="ID", help="delivery | message id | receiver")],
) -> None:
    """Chi tiết những gì đang chờ / what is parked: a delivery, message, receiver or record."""
    call = invocation(context)
    with opened(call.settings) as store:
        rows = deliveries.parked(store, delivery)
    kept = [] if rows else [one for one in edges.waiting(call) if one["key"] == delivery]
    if kept:
        call.emit({"parked": kept})
        _at_connectors(call, kept)
        return
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
