"""``hub up``, ``router``, ``sweeper``, ``console``, ``simulate``: the roles that stay running."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from hub.cli import judgement, processes, supervisor
from hub.cli.context import Invocation, invocation
from hub.routing import service


def register(app: typer.Typer) -> None:
    """Add the roles to the command line."""
    app.command("up")(up)
    app.command("router")(router)
    app.command("sweeper")(sweep)
    app.command("console")(console)
    app.command(
        "simulate", context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
    )(simulate)


def stop_on_signals() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set, for a graceful stop."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop


def up(context: typer.Context) -> None:
    """Chạy mọi vai trò của một trục nhỏ / run every role of a small installation."""
    call = invocation(context)
    supervisor.Supervisor(call.settings).run(stop_on_signals())


def router(context: typer.Context) -> None:
    """Chạy bộ định tuyến / run the router."""
    call = invocation(context)
    service.run_router(call.settings, hub_key(call), stop_on_signals())


def sweep(context: typer.Context) -> None:
    """Chạy bộ quét / run the sweeper."""
    call = invocation(context)
    service.run_sweeper(call.settings, hub_key(call), stop_on_signals())


def hub_key(call: Invocation) -> judgement.SigningKey:
    """The hub's own key; raises ``NoIdentity`` or ``KeyUnreadable``."""
    return judgement.identity(call.settings, call.settings.hub.code)


def console(context: typer.Context) -> None:
    """Bảng trực tiếp trong cửa sổ lệnh / live table in the terminal, until the web console."""
    from hub.cli import live  # noqa: PLC0415  the only user of rich.live

    call = invocation(context)
    if call.json or not call.console.is_terminal:
        live.once(call)
    else:
        live.show(call, stop_on_signals())


def simulate(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
) -> None:
    """Chạy hệ thống giả lập của đối tác / run a partner's stand-in."""
    module = processes.module_of(processes.SIMULATORS, name)
    processes.become(processes.module_command(module, context.args))
