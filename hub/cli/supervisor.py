"""``hub up``: one supervisor over the roles of a small installation.

It starts the private broker node when no broker is configured, applies the topology, then runs the
router, the sweeper and every configured connector as processes, and starts again what dies. Only
processes that it started itself are ever stopped; when it is killed, they end by themselves, and
the node is adopted by the next one.
"""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from hub import log
from hub.broker import os_process
from hub.broker.node import Node
from hub.cli import processes, wiring
from hub.settings import Settings
from hub.store.engine import Store

STOP_TIMEOUT_S = 5.0
"""A role finishes its window and exits within this; after that it is killed and said so."""
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
STEADY_S = 60.0
"""A role that ran this long starts again without a growing wait."""
MISCONFIGURED = 2
"""Exit status of a role that cannot run as it is set up: tried rarely, until a person mends it."""
TICK_S = 0.2


class Interrupted(BaseException):
    """Told to stop while the ground was still being prepared."""


@dataclass
class Role:
    """One process that is kept running."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    wait_s: float = FIRST_WAIT_S
    restarts: int = 0
    due: float = field(default=0.0)


class Supervisor:
    """Runs the roles of one home until told to stop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._log = log.get("supervisor")
        self._node: Node | None = None
        self.roles: list[Role] = []

    def run(self, stop: threading.Event) -> None:
        """Start everything, keep it running until ``stop`` is set, stop everything.

        Raises ``NodeFailed``, ``BrokerUnavailable`` or ``StoreUnavailable``: no ground to stand on.
        """
        try:
            while not stop.is_set():
                with interruptible(stop):
                    self._prepare()
                self._keep(stop)
                self._stop_roles()
        except Interrupted:
            self._log.info("interrupted")
        finally:
            self._stop_roles()
            if self._node is not None:
                self._node.stop()
            self._log.info("down")

    def _prepare(self) -> None:
        """The store at the newest schema, a broker, and in it what the directory asks for."""
        Store.open(self._settings.store_url, create=True).close()
        if not self._settings.broker.url:
            if self._node is not None:
                self._node.stop()
            self._node = Node(self._settings.broker_folder)
            self._node.start()
        wiring.apply_topology(self._settings)
        self.roles = [Role(" ".join(words), self._command(words)) for words in self._wanted()]
        self._log.info("up", roles=[role.name for role in self.roles])

    def _wanted(self) -> list[list[str]]:
        connectors = sorted(path.stem for path in self._settings.connectors.glob("*.toml"))
        return [["router"], ["sweeper"], *(["connector", "run", name] for name in connectors)]

    def _command(self, words: Sequence[str]) -> list[str]:
        return processes.hub_command(self._settings.home, words)

    def _keep(self, stop: threading.Event) -> None:
        """Tend the roles until told to stop, or until the private node is gone."""
        while not stop.is_set():
            if self._node_is_gone():
                self._log.error("node_gone")
                return
            self.tend(time.monotonic())
            stop.wait(TICK_S)

    def _node_is_gone(self) -> bool:
        info = self._node.info if self._node else None
        return info is not None and not os_process.alive(info.pid, info.start)

    def tend(self, now: float) -> None:
        """Start roles that are due and note those that ended. ``now``: monotonic seconds."""
        for role in self.roles:
            if role.process is None:
                if now >= role.due:
                    role.process = processes.start(role.command)
                    role.started = now
            elif role.process.poll() is not None:
                self._ended(role, now)

    def _ended(self, role: Role, now: float) -> None:
        status = role.process.returncode if role.process else 0
        if status == MISCONFIGURED:
            role.wait_s = LONGEST_WAIT_S
        elif now - role.started > STEADY_S:
            role.wait_s = FIRST_WAIT_S
        role.process, role.due, role.restarts = None, now + role.wait_s, role.restarts + 1
        event = "role_misconfigured" if status == MISCONFIGURED else "role_ended"
        self._log.warning(event, role=role.name, status=status, again_in_s=role.wait_s)
        role.wait_s = min(role.wait_s * 2, LONGEST_WAIT_S)

    def _stop_roles(self) -> None:
        """Connectors first, the router last, so that nothing new comes in while it finishes."""
        running = [role for role in self.roles if role.process is not None]
        for role in reversed(running):
            if role.process is not None and role.process.poll() is None:
                role.process.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for role in running:
            if role.process is not None and not processes.ended(role.process, deadline):
                self._log.error("role_killed", role=role.name)
            role.process = None


@contextmanager
def interruptible(stop: threading.Event) -> Iterator[None]:
    """Within this block SIGTERM and SIGINT end at once what would take many seconds more."""

    def interrupt(_number: int, _frame: object) -> None:
        stop.set()
        raise Interrupted

    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
