"""The processes of a demo: all are watched while it plays, and all are stopped at its end."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from hub.cli import processes
from hub.errors import ProcessFailed

STOP_TIMEOUT_S = 30.0
"""``hub up`` stops its roles and its RabbitMQ node within this; after that it is killed."""
WATCH_S = 0.2
TAIL = 64 * 1024
"""Bytes at the end of a log in which the reason is looked for."""


@dataclass
class Child:
    """One process and the file that its output goes to."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


@dataclass
class Children:
    """Processes that live as long as this context; ``stop`` ends what waits for them."""

    logs: Path
    stop: threading.Event
    running: list[Child] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for child in reversed(self.running):
            if child.process.poll() is None:
                child.process.terminate()
            processes.ended(child.process, time.monotonic() + STOP_TIMEOUT_S)

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start one with its output in ``NAME.log``."""
        log = self.logs / f"{name}.log"
        with log.open("wb") as output:
            process = processes.start(command, output, output)
        self.running.append(Child(name, process, log))

    def check(self) -> None:
        """Raise ``ProcessFailed`` for the first one that has ended, with what its log says."""
        for child in self.running:
            if child.process.poll() is not None:
                raise failed(child.name, child.process.returncode, child.log)

    def guard(self, process: subprocess.Popen[bytes]) -> threading.Thread:
        """End ``process`` as soon as one of these dies or the demo is told to stop."""

        def watch() -> None:
            while process.poll() is None:
                dead = any(child.process.poll() is not None for child in self.running)
                if dead or self.stop.is_set():
                    process.terminate()
                    return
                self.stop.wait(WATCH_S)

        thread = threading.Thread(target=watch, daemon=True, name="guard")
        thread.start()
        return thread


def failed(name: str, status: int, log: Path) -> ProcessFailed:
    """Return the error of a process, with the line of its log that says why."""
    text = log.read_bytes()[-TAIL:].decode("utf-8", errors="replace")
    reason = processes.telling_line(text.splitlines())
    return ProcessFailed(name=name, status=status, reason=reason)
