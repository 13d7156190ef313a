"""``hub demo``: the whole system on this machine, on real parts, through the scenario.

It makes a home with a test PKI and the partners' systems, runs ``hub up`` on it, then lets the
scenario (a test aid, run as a process) act as citizens, clerks, attackers and the post, and
compares what was expected with what was seen.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.table import Table

from hub.cli import live, processes
from hub.cli.commands import home as home_command
from hub.cli.commands.services import stop_on_signals
from hub.cli.commands.trace import show_timeline
from hub.cli.context import Invocation, invocation, now
from hub.errors import UsageError
from hub.settings import FILE

STOP_TIMEOUT_S = 30.0


def register(app: typer.Typer) -> None:
    """Add ``demo`` to the command line."""
    app.command("demo")(demo)


def demo(
    context: typer.Context,
    once: Annotated[
        bool, typer.Option("--once", help="Chạy kịch bản rồi dừng / run the scenario, then stop")
    ] = False,
    port: Annotated[
        int, typer.Option(help="Cổng của bảng điều khiển web / of the web console")
    ] = 0,
) -> None:
    """Cả hệ thống trên máy này / the whole system on this machine, on real parts."""
    call = invocation(context)
    if port:
        call.say(
            "Bảng điều khiển web chưa có; --port chưa dùng tới.",
            "No web console yet: --port has no use.",
        )
    with _home(call, once=once) as folder:
        call.home = folder
        result = _whole(call, once=once)
    call.emit(result)
    raise typer.Exit(0 if result["ok"] else 1)


@contextlib.contextmanager
def _home(call: Invocation, *, once: bool) -> Iterator[Path]:
    """A fresh home: a temporary one with ``--once``, else the one of ``--home``, made anew."""
    if once:
        folder = Path(tempfile.mkdtemp(prefix="hub-demo-"))
        try:
            yield folder / "home"
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    if (call.home / FILE).exists():
        marker = call.home / ".demo"
        if not marker.exists():
            raise UsageError(reason=f"{call.home}: không phải thư mục demo / not a demo's home")
        shutil.rmtree(call.home)
    yield call.home.resolve()


def _prepare(call: Invocation, at: datetime) -> None:
    """Make the home and the partners' systems, and say where."""
    call.say(f"Thư mục: {call.home}", f"Home: {call.home}")
    home_command.create(
        call.home, demo=True, code=home_command.DEMO_HUB, environment="trial", at=at
    )
    (call.home / ".demo").touch()
    module = processes.module_of(processes.AIDS, "scenario")
    processes.capture(processes.module_command(module, ["prepare", "--home", str(call.home)]))


def _whole(call: Invocation, *, once: bool) -> dict[str, Any]:
    """Prepare, start, play the scenario, and stay up unless ``once``; then stop everything."""
    _prepare(call, now())
    stop = stop_on_signals()
    with contextlib.ExitStack() as stack:
        _started(stack, call, "simulator-vnpost", _simulator(call))
        _started(stack, call, "hub-up", processes.hub_command(call.home, ["up"]))
        result = _play(call)
        _summary(call, result)
        if not once:
            call.say("Hệ thống vẫn chạy; Ctrl+C để dừng.", "The system stays up; Ctrl+C stops it.")
            live.show(call, stop)
    return result


def _simulator(call: Invocation) -> list[str]:
    """The post's stand-in, on the port that the scenario's preparation chose."""
    chosen = json.loads((call.home / "partners" / "vnpost.json").read_text(encoding="utf-8"))
    module = processes.module_of(processes.SIMULATORS, "vnpost")
    data = str(call.home / "partners" / "vnpost.sqlite")
    return processes.module_command(module, ["--port", str(chosen["port"]), "--data", data])


def _started(stack: contextlib.ExitStack, call: Invocation, name: str, command: list[str]) -> None:
    """Start a process with its output in ``log/NAME.log``; the stack stops it again."""
    folder = call.home / "log"
    folder.mkdir(exist_ok=True)
    output = stack.enter_context((folder / f"{name}.log").open("wb"))
    process = subprocess.Popen(command, stdout=output, stderr=output)  # noqa: S603  our own command
    stack.callback(_stopped, process)


def _stopped(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _play(call: Invocation) -> dict[str, Any]:
    """Run the scenario and return its result; every step appears in the table as it ends."""
    module = processes.module_of(processes.AIDS, "scenario")
    command = processes.module_command(module, ["run", "--home", str(call.home)])
    steps: list[dict[str, Any]] = []
    result: dict[str, Any] = {"ok": False, "steps": steps, "messages": {}}
    started = time.monotonic()
    log_file = (call.home / "log" / "scenario.log").open("wb")
    with log_file, _table(call) as shown:
        surroundings = os.environ | {"HUB_LANG": call.lang}
        process = subprocess.Popen(  # noqa: S603  our own command
            command, stdout=subprocess.PIPE, stderr=log_file, text=True, env=surroundings
        )
        for line in process.stdout or ():
            said = json.loads(line)
            if "step" in said:
                steps.append(said["step"])
            elif "running" in said:
                shown(steps, said["running"], time.monotonic() - started)
            else:
                result = {**said["result"], "steps": steps}
            shown(steps, said.get("running", ""), time.monotonic() - started)
        if process.wait() != 0:
            result["ok"] = False
    return result


@contextlib.contextmanager
def _table(call: Invocation) -> Iterator[Any]:
    """A live table on a terminal; plain lines elsewhere; nothing with ``--json``."""
    if call.json:
        yield lambda _steps, _running, _seconds: None
        return
    with Live(console=call.console, refresh_per_second=4, transient=False) as screen:
        yield lambda steps, running, seconds: screen.update(_render(call, steps, running, seconds))


def _render(call: Invocation, steps: list[dict[str, Any]], running: str, seconds: float) -> Table:
    table = Table(title=f"{seconds:.0f} s", title_justify="right", expand=True)
    table.add_column("")
    table.add_column(call.text("Bước", "Step"), ratio=2)
    table.add_column(call.text("Mong đợi", "Expected"), ratio=3)
    table.add_column(call.text("Đã thấy", "Seen"), ratio=4)
    table.add_column("ms", justify="right")
    for step in steps:
        mark = "[green]✓[/green]" if step["ok"] else "[red]✗[/red]"
        table.add_row(
            mark, step["name"], step.get("expected", ""), step["detail"].replace("[", r"\["),
            str(step["ms"]),
        )  # fmt: skip
    if running:
        table.add_row("…", running)
    return table


def _summary(call: Invocation, result: dict[str, Any]) -> None:
    """The counts, and the trace of one dossier as a timeline."""
    counts = result.get("messages", {})
    call.table(call.text("Thông điệp", "Messages"), list(counts), [list(counts.values())])
    dossier = result.get("dossier")
    if dossier and not call.json:
        show_timeline(call, str(dossier))
