"""``hub queues``: every queue, from the broker and from the store side by side."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.broker import inspect
from hub.broker.address import broker_address
from hub.cli.context import Invocation, invocation, now
from hub.cli.parts import opened
from hub.store import deliveries

BUSY = ("ready", "unacked", "consumers", "store_open")
"""A queue with none of these is not shown to people."""


def register(app: typer.Typer) -> None:
    """Add ``queues`` to the command line."""
    app.command("queues")(queues)


def queues(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Cả hàng đợi trống / idle ones too")] = False,
) -> None:
    """Độ sâu, tuổi, tốc độ, người nhận / depth, oldest age, rates and consumers of every queue."""
    call = invocation(context)
    rows = snapshot(call)
    call.emit({"queues": rows})
    shown = [row for row in rows if every or any(row[name] for name in BUSY)]
    if shown:
        call.table(call.text("Hàng đợi", "Queues"), list(shown[0]), [row.values() for row in shown])
    idle = len(rows) - len(shown)
    if idle:
        call.say(f"{idle} hàng đợi trống (--all: xem hết).", f"{idle} idle queues (--all: show).")


def snapshot(call: Invocation) -> list[dict[str, Any]]:
    """Return one row for each queue, the fullest first; raises ``BrokerUnavailable``."""
    address = broker_address(call.settings)
    seen = inspect.queues(address.management_url)
    with opened(call.settings) as store:
        oldest = deliveries.oldest_by_queue(store)
        waiting = deliveries.open_by_queue(store)
    moment = now()
    rows = []
    for queue in seen:
        since = oldest.get(queue.name)
        rows.append(
            {
                "name": queue.name,
                "agency": _agency(queue.name),
                "ready": queue.ready,
                "unacked": queue.unacked,
                "consumers": queue.consumers,
                "oldest_age_s": round((moment - since).total_seconds(), 1) if since else None,
                "rate_in": queue.rate_in,
                "rate_out": queue.rate_out,
                "store_open": waiting.get(queue.name, 0),
            }
        )
    return sorted(rows, key=lambda row: (-row["ready"] - row["unacked"], row["name"]))


def _agency(name: str) -> str:
    """The code inside ``inbox.<CODE>[.urgent]`` or ``gateway.<CENTRE>[.urgent]``; else empty."""
    for prefix in ("inbox.", "gateway."):
        if name.startswith(prefix):
            return name.removeprefix(prefix).removesuffix(".urgent")
    return ""
