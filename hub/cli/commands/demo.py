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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from hub.broker.node import Node
from hub.cli import live, processes
from hub.cli.children import Children, failed
from hub.cli.commands import home as home_command
from hub.cli.commands.services import stop_on_signals
from hub.cli.commands.trace import show_timeline
from hub.cli.context import Invocation, invocation, now
from hub.cli.progress import waiting
from hub.errors import HubError, ProcessFailed, UsageError, printable
from hub.settings import FILE

MARKER = ".demo"
"""In a home that a demo made, and that the next demo may therefore replace."""
ALIEN = ("HUB_STORE_URL", "HUB_HOME")
"""Settings of the surroundings that would lead the demo's processes to another home's store."""

Show = Callable[[list[dict[str, Any]], str, float], None]


def register(app: typer.Typer) -> None:
    """Add ``demo`` to the command line."""
    app.command("demo")(demo)


def demo(
    context: typer.Context,
    once: Annotated[
        bool, typer.Option("--once", help="Chạy kịch bản rồi dừng / run the scenario, then stop")
    ] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Cổng bảng điều khiển web / of the web console")
    ] = 0,
) -> None:
    """Cả hệ thống trên máy này / the whole system on this machine, on real parts."""
    given = invocation(context)
    if port:
        given.say(
            "Bảng điều khiển web chưa có; --port chưa dùng tới.",
            "No web console yet: --port has no use.",
        )
    for name in ALIEN:
        os.environ.pop(name, None)
    with _home(given, once=once) as folder:
        ok = _whole(Invocation(home=folder, json=given.json, lang=given.lang), once=once)
    raise typer.Exit(0 if ok else 1)


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
    home = call.home.resolve()
    if (home / FILE).exists():
        if not (home / MARKER).exists():
            raise UsageError(
                reason=f"{home} is a home that no demo made; choose another --home",
                reason_vi=f"{home} không phải do demo tạo ra; hãy chọn --home khác",
            )
        if Node.attach(home / "broker") is not None:
            raise UsageError(
                reason=f"{home}: a demo is running there",
                reason_vi=f"{home}: đang có một demo chạy ở đó",
            )
        shutil.rmtree(home)
    yield home


def _prepare(call: Invocation) -> None:
    """Make the home and the partners' systems, and say where."""
    call.say(f"Thư mục: {call.home}", f"Home: {call.home}")
    code = home_command.DEMO_HUB
    module = processes.module_of(processes.AIDS, "scenario")
    command = processes.module_command(module, ["prepare", "--home", str(call.home)])
    with waiting(call, "Đang chuẩn bị", "Preparing"):
        home_command.create(call.home, demo=True, code=code, environment="trial", at=now())
        (call.home / MARKER).touch()
        processes.capture("scenario", command)


def _whole(call: Invocation, *, once: bool) -> bool:
    """Prepare, start, play the scenario, and stay up unless ``once``; then stop everything."""
    stop = stop_on_signals()
    _prepare(call)
    with contextlib.ExitStack() as stack:
        # Last of all, should ``hub up`` have been killed: nothing of the demo stays behind.
        stack.callback(Node(call.home / "broker").stop)
        children = stack.enter_context(Children(call.home / "log", stop))
        children.start("simulator-vnpost", _simulator(call))
        children.start("hub-up", processes.hub_command(call.home, ["up", "--lang", call.lang]))
        result = _play(call, children)
        call.emit(result)
        _summary(call, result)
        if not once and not stop.is_set():
            call.say("Hệ thống vẫn chạy; Ctrl+C để dừng.", "The system stays up; Ctrl+C stops it.")
            live.show(call, stop, children.check, whole=False)
    return bool(result["ok"])


def _simulator(call: Invocation) -> list[str]:
    """The post's stand-in, on the port that the scenario's preparation chose."""
    chosen = json.loads((call.home / "partners" / "vnpost.json").read_text(encoding="utf-8"))
    module = processes.module_of(processes.SIMULATORS, "vnpost")
    data = str(call.home / "partners" / "vnpost.sqlite")
    return processes.module_command(module, ["--port", str(chosen["port"]), "--data", data])


def _play(call: Invocation, children: Children) -> dict[str, Any]:
    """Run the scenario and return its result; every step appears as it ends.

    Raises ``ProcessFailed`` when one of the demo's processes dies, or when the scenario ends
    without a result.
    """
    module = processes.module_of(processes.AIDS, "scenario")
    arguments = ["run", "--home", str(call.home), "--lang", call.lang]
    command = processes.module_command(module, arguments)
    log = children.logs / "scenario.log"
    steps: list[dict[str, Any]] = []
    with log.open("wb") as errors, _table(call) as show:
        process = processes.start(command, subprocess.PIPE, errors)
        guard = children.guard(process)
        result = _told(process, steps, show)
        status = process.wait()
        guard.join()
    if not children.stop.is_set():
        children.check()
        if result is None:
            raise failed("scenario", status, log)
    told = result or {"messages": {}}
    ok = bool(told.get("ok")) and status == 0 and all(step["ok"] for step in steps)
    return {**told, "ok": ok, "steps": steps}


def _told(
    process: subprocess.Popen[bytes], steps: list[dict[str, Any]], show: Show
) -> dict[str, Any] | None:
    """Read the scenario's lines into ``steps``; return its result, ``None`` if it gave none."""
    started = time.monotonic()
    result: dict[str, Any] | None = None
    for line in process.stdout or ():
        try:
            said = json.loads(line)
        except ValueError as error:
            process.terminate()
            reason = printable(line.decode("utf-8", errors="replace").strip()[:200])
            raise ProcessFailed(name="scenario", status="?", reason=reason) from error
        if "step" in said:
            steps.append(said["step"])
        result = said.get("result", result)
        show(steps, said.get("running", ""), time.monotonic() - started)
    return result


@contextlib.contextmanager
def _table(call: Invocation) -> Iterator[Show]:
    """A live table on a terminal; a line for each step elsewhere; nothing with ``--json``."""
    if call.json:
        yield lambda _steps, _running, _seconds: None
    elif call.console.is_terminal:
        with Live(console=call.console, refresh_per_second=4) as screen:
            yield lambda steps, running, seconds: screen.update(
                _render(call, steps, running, seconds)
            )
    else:
        yield _Lines(call)


class _Lines:
    """Prints each step once, as it ends."""

    def __init__(self, call: Invocation) -> None:
        self._call = call
        self._printed = 0

    def __call__(self, steps: list[dict[str, Any]], _running: str, _seconds: float) -> None:
        for step in steps[self._printed :]:
            mark = "✓" if step["ok"] else "✗"
            words = f"{mark} {step['name']} ({step['ms']} ms): {step['detail']}"
            self._call.say(*2 * (printable(words),))
        self._printed = len(steps)


def _render(call: Invocation, steps: list[dict[str, Any]], running: str, seconds: float) -> Table:
    table = Table(title=f"{seconds:.0f} s", title_justify="right", expand=True)
    table.add_column("")
    table.add_column(call.text("Bước", "Step"), ratio=2)
    table.add_column(call.text("Mong đợi", "Expected"), ratio=3)
    table.add_column(call.text("Đã thấy", "Seen"), ratio=4)
    table.add_column("ms", justify="right")
    for step in steps:
        mark = "[green]✓[/green]" if step["ok"] else "[red]✗[/red]"
        words = (step["name"], step.get("expected", ""), step["detail"])
        table.add_row(mark, *(escape(printable(word)) for word in words), str(step["ms"]))
    if running:
        table.add_row("…", escape(printable(running)))
    return table


def _summary(call: Invocation, result: dict[str, Any]) -> None:
    """What was expected and what was seen, the counts, and one dossier as a line of time."""
    if call.json:
        return
    if not call.console.is_terminal:
        seconds = sum(step["ms"] for step in result["steps"]) / 1000
        call.console.print(_render(call, result["steps"], "", seconds))
    counts = result.get("messages", {})
    if counts:
        call.table(call.text("Thông điệp", "Messages"), list(counts), [list(counts.values())])
    if result.get("dossier"):
        with contextlib.suppress(HubError):
            show_timeline(call, str(result["dossier"]))
