"""Start roles, connectors, simulators and test aids as processes, found by entry point.

None of them is imported: the command line stands beside them, not above them.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import IO, NoReturn

from hub.errors import ProcessFailed, UsageError

CONNECTORS = "lienthong.connectors"
SIMULATORS = "lienthong.simulators"
AIDS = "lienthong.aids"
PR_SET_PDEATHSIG = 1


def names(group: str) -> list[str]:
    """Return the names registered under an entry-point group, sorted."""
    return sorted(point.name for point in entry_points(group=group))


def module_of(group: str, name: str) -> str:
    """Return the module to run for ``name``; raises ``UsageError`` naming those that exist."""
    for point in entry_points(group=group):
        if point.name == name:
            return point.module
    known = ", ".join(names(group)) or "-"
    raise UsageError(
        reason=f"{name[:40]!r} is not among {group}: {known}",
        reason_vi=f"{name[:40]!r} không có trong {group}: {known}",
    )


def module_command(module: str, arguments: Sequence[str]) -> list[str]:
    """Return the command that runs a module with this very Python."""
    return [sys.executable, "-m", module, *arguments]


def hub_command(home: Path, arguments: Sequence[str]) -> list[str]:
    """Return the command that runs another ``hub`` subcommand on the same home."""
    return module_command("hub.cli.main", ["--home", str(home), *arguments])


def start(
    command: Sequence[str], stdout: IO[bytes] | int | None = None, stderr: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    """Start a process that is told to stop (SIGTERM) when this one dies, however it dies."""
    return subprocess.Popen(  # noqa: S603  our own interpreter and module names
        command,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        preexec_fn=_end_with_parent,  # noqa: PLW1509  nothing is locked in the child before exec
    )


def _end_with_parent() -> None:
    """Linux, prctl(2): PR_SET_PDEATHSIG; it outlives exec, so ``become`` keeps it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def ended(process: subprocess.Popen[bytes], deadline: float) -> bool:
    """Wait until a monotonic time for a process told to stop; kill it then and return ``False``."""
    try:
        process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True


def become(command: Sequence[str]) -> NoReturn:
    """Turn this process into that command: its signals, output and exit status are ours."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.execv(command[0], list(command))  # noqa: S606  our own interpreter and module names


def capture(name: str, command: Sequence[str], text: str = "") -> str:
    """Run a command with ``text`` on standard input and return what it printed.

    Raises ``ProcessFailed`` with its last line when it fails.
    """
    done = subprocess.run(  # noqa: S603  our own interpreter and module names
        command, input=text, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise ProcessFailed(
            name=name, status=done.returncode, reason=telling_line(done.stderr.splitlines())
        )
    return done.stdout


def telling_line(lines: Sequence[str]) -> str:
    """Return the line of a process's output that says best why it ended: its own last sentence."""
    said = [line.strip() for line in lines if line.strip()]
    sentences = [line for line in said if line.startswith("hub: ")]
    return (sentences or said or ["?"])[-1].removeprefix("hub: ").rstrip(".")
