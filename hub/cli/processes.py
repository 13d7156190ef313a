"""Start roles, connectors, simulators and test aids as processes, found by entry point.

None of them is imported: the command line stands beside them, not above them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path

from hub.errors import UsageError

CONNECTORS = "lienthong.connectors"
SIMULATORS = "lienthong.simulators"
AIDS = "lienthong.aids"


def names(group: str) -> list[str]:
    """Return the names registered under an entry-point group, sorted."""
    return sorted(point.name for point in entry_points(group=group))


def module_of(group: str, name: str) -> str:
    """Return the module to run for ``name``; raises ``UsageError`` naming those that exist."""
    for point in entry_points(group=group):
        if point.name == name:
            return point.module
    known = ", ".join(names(group))
    raise UsageError(reason=f"{group}: {name[:40]!r}? ({known})")


def module_command(module: str, arguments: Sequence[str]) -> list[str]:
    """Return the command that runs a module with this very Python."""
    return [sys.executable, "-m", module, *arguments]


def hub_command(home: Path, arguments: Sequence[str]) -> list[str]:
    """Return the command that runs another ``hub`` subcommand on the same home."""
    return module_command("hub.cli.main", ["--home", str(home), *arguments])


def run(command: Sequence[str]) -> int:
    """Run a command in the foreground and return its exit status; signals go to it too."""
    process = subprocess.Popen(command)  # noqa: S603  our own interpreter and module names
    handed_on = {
        number: signal.signal(number, lambda got, _frame: process.send_signal(got))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        return process.wait()
    finally:
        for number, before in handed_on.items():
            signal.signal(number, before)


def capture(command: Sequence[str], text: str = "") -> str:
    """Run a command with ``text`` on standard input and return what it printed.

    Raises ``UsageError`` with its last line when it fails.
    """
    done = subprocess.run(  # noqa: S603  our own interpreter and module names
        command, input=text, capture_output=True, text=True, check=False, env=os.environ
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["?"])[-1]
        raise UsageError(last, reason=f"{command[2]}: exit {done.returncode}")
    return done.stdout
