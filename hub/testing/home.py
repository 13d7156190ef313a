"""A home and the ``hub`` command on it, run as processes, as an operator and a script do.

For acceptance and fault tests: they see only what the command line, the broker and the files show.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COMMAND = os.environ.get("HUB_COMMAND", str(Path(sys.executable).with_name("hub")))
"""The command under test: that of the installed wheel where ``HUB_COMMAND`` names one."""
START_S = 120.0
STOP_S = 60.0


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one document on standard output; raises ``ValueError`` when there is not just one."""
        (line,) = self.out.strip().splitlines()
        document = json.loads(line)
        return document if isinstance(document, dict) else {"": document}

    @property
    def lines(self) -> list[dict[str, Any]]:
        """One document for each line."""
        return [json.loads(line) for line in self.out.splitlines()]


def environment(**more: str) -> dict[str, str]:
    """The surroundings without what would turn the command to another home, broker or store.

    ``PYTHONPATH`` goes too: the command imports what its own environment holds; and the width of
    a terminal that is not there.
    """
    dropped = ("HUB_", "PYTHONPATH", "COLUMNS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | more


@dataclass
class Home:
    """One home of a hub."""

    folder: Path
    up: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def log(self) -> Path:
        """Where the output of :meth:`start` goes."""
        return self.folder.with_name(f"{self.folder.name}.up.log")

    def hub(self, *words: object, timeout_s: float = 120) -> Ran:
        """Run ``hub --home … words`` to its end."""
        command = [COMMAND, "--home", str(self.folder), *map(str, words)]
        done = subprocess.run(
            command, capture_output=True, timeout=timeout_s, check=False, env=environment(), cwd="/"
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self) -> None:
        """Start ``hub up`` and wait until ``hub doctor`` finds every part well.

        Raises ``RuntimeError`` with the end of the output when that does not happen.
        """
        with self.log.open("ab") as stream:
            self.up = subprocess.Popen(
                [COMMAND, "--home", str(self.folder), "up"],
                stdout=stream, stderr=stream, env=environment(), cwd="/",
            )  # fmt: skip
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.up.poll() is None:
            if self.hub("doctor", "--json").status == 0:
                return
        raise RuntimeError(self.log.read_text(errors="replace")[-2000:] + self.hub("doctor").out)

    def stop(self) -> int:
        """Stop ``hub up`` as an operator does and return its exit status; -1 if it never ran."""
        if self.up is None:
            return -1
        if self.up.poll() is None:
            self.up.send_signal(signal.SIGTERM)
        return self.up.wait(STOP_S)

    def role(self, *words: str) -> int | None:
        """Return the process id of a role that ``hub up`` runs, e.g. ``router``."""
        wanted = [b"hub.cli.main", str(self.folder).encode(), *(word.encode() for word in words)]
        for entry in Path("/proc").iterdir():
            try:
                line = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
            except OSError:
                continue
            parts = line.split(b"\0")
            if all(word in parts for word in wanted):
                return int(entry.name)
        return None


def eventually(look: Callable[[], object], timeout_s: float = 60, every_s: float = 0.1) -> bool:
    """Whether ``look`` becomes true in time: other processes cannot call back."""
    deadline = time.monotonic() + timeout_s
    while not look():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)
    return True
