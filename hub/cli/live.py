"""The live table in the terminal: what is stuck, at a glance, until the web console exists."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hub.cli.commands.queues import BUSY, snapshot
from hub.cli.context import Invocation, now
from hub.cli.parts import opened
from hub.errors import HubError
from hub.store import deliveries, messages

REFRESH_S = 2.0
SHOWN = 20
"""Queues shown: the fullest of those that are not idle."""


def show(
    call: Invocation,
    stop: threading.Event,
    check: Callable[[], None] = lambda: None,
    *,
    whole: bool = True,
) -> None:
    """Redraw every two seconds until ``stop`` is set; a broken part is shown, not fatal.

    ``check`` is called at every turn, and what it raises ends the picture. Unless the ``whole``
    screen is taken, what stood there before stays above. Without a terminal nothing is drawn.
    """
    if call.json or not call.console.is_terminal:
        while not stop.wait(REFRESH_S):
            check()
        return
    with Live(console=call.console, screen=whole, auto_refresh=False) as screen:
        while not stop.is_set():
            check()
            screen.update(_picture(call, now()), refresh=True)
            stop.wait(REFRESH_S)


def once(call: Invocation) -> None:
    """Print the picture as it is now; raises ``BrokerUnavailable`` or ``StoreUnavailable``."""
    with opened(call.settings) as store:
        counts = messages.counts(store)
        parked = deliveries.parked_groups(store)
    queues = snapshot(call)
    groups = [{"receiver": g.receiver, "reason": g.reason, "count": g.count} for g in parked]
    call.emit({"messages": counts, "queues": queues, "parked": groups})
    if not call.json:
        call.console.print(_picture(call, now()))


def _picture(call: Invocation, at: datetime) -> Group:
    try:
        return Group(_counts(call, at), _queues(call), _parked(call))
    except HubError as error:
        return Group(Text(f"{at:%H:%M:%S}  {error.message(call.lang)}", style="red"))


def _counts(call: Invocation, at: datetime) -> Text:
    with opened(call.settings) as store:
        counts = messages.counts(store)
    words = "   ".join(f"{name} {count}" for name, count in counts.items())
    return Text(f"{at:%H:%M:%S}  {call.home}   {words}", style="bold")


def _queues(call: Invocation) -> Table:
    table = Table(title=call.text("Hàng đợi", "Queues"), title_justify="left")
    columns = ("name", "ready", "unacked", "consumers", "oldest_age_s", "store_open")
    for column in columns:
        table.add_column(column, justify="left" if column == "name" else "right")
    busy = [row for row in snapshot(call) if any(row[name] for name in BUSY)]
    for row in busy[:SHOWN]:
        stuck = row["ready"] and not row["consumers"]
        cells = [row[column] for column in columns]
        table.add_row(
            *["" if c is None else str(c) for c in cells], style="yellow" if stuck else ""
        )
    return table


def _parked(call: Invocation) -> Table:
    table = Table(title=call.text("Đang chờ người xử lý", "Parked"), title_justify="left")
    for column in ("receiver", "reason", "n"):
        table.add_column(column)
    with opened(call.settings) as store:
        for group in deliveries.parked_groups(store):
            table.add_row(group.receiver, group.reason, str(group.count), style="red")
    return table
