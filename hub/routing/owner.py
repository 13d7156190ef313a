"""Who holds a lease: this very process, and whether another holder can still be alive.

A router that was killed cannot give its lease back, and its supervisor starts it again within a
second. So the lease names the process; whoever finds it dead on the same machine takes over at
once. Of another machine (or container) nothing can be told: its lease has to run out.
"""

from __future__ import annotations

import os
from pathlib import Path

from hub.broker import os_process

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PIDS = Path("/proc/self/ns/pid")


def _machine() -> str:
    """This boot of this machine, and within it the name space that process numbers belong to."""
    boot = _BOOT.read_text(encoding="ascii").strip()
    return f"{boot}/{_PIDS.stat().st_ino}"


def this_process() -> str:
    """Return the owner's name for this process."""
    pid = os.getpid()
    return f"{_machine()}/{pid}/{os_process.started(pid)}"


def here(owner: str) -> bool:
    """Whether an owner is a process of this machine, so that its life can be seen from here."""
    return owner.startswith(f"{_machine()}/")


def dead(owner: str) -> bool:
    """Whether an owner is certainly gone; ``False`` when nothing can be told."""
    if not here(owner):
        return False
    pid, _, start = owner.removeprefix(f"{_machine()}/").partition("/")
    known = pid.isdecimal() and start.isdecimal()
    return known and not os_process.alive(int(pid), int(start))
