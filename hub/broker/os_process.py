"""Processes by pid, told apart from later ones that got the same number. Linux (``/proc``)."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

_POLL_S = 0.05


def started(pid: int) -> int:
    """Return when a living process started (clock ticks since boot), or 0 for a dead one.

    With the pid it names one process for good: proc(5), ``stat`` fields 3 (state) and 22. A zombie
    is dead only without threads (field 20): the node's first thread ends well before the others.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    fields = text.rpartition(")")[2].split()
    gone = fields[0] in "ZX" and int(fields[17]) <= 1
    return 0 if gone else int(fields[19])


def alive(pid: int, start: int) -> bool:
    """Whether that very process still runs."""
    return start > 0 and started(pid) == start


def end(pid: int, start: int, timeout_s: float) -> bool:
    """Ask a process to end (SIGTERM), kill it after ``timeout_s``; whether it ended by itself."""
    if not _signal(pid, start, signal.SIGTERM):
        return True
    deadline = time.monotonic() + timeout_s
    while alive(pid, start):
        if time.monotonic() > deadline:
            _signal(pid, start, signal.SIGKILL)
            return False
        time.sleep(_POLL_S)
    reap(pid)
    return True


def reap(pid: int) -> None:
    """Collect a child that has ended; a process that is no child of ours is left to its parent."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def _signal(pid: int, start: int, number: signal.Signals) -> bool:
    if not alive(pid, start):
        return False
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
