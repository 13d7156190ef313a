"""``hub up``: one supervisor over the roles of a small installation.

It starts the private broker node when no broker is configured, applies the topology, then runs the
router, the sweeper and every configured connector as processes, and starts again what dies. Only
processes that it started itself are ever stopped.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from hub import log
from hub.broker.node import Node
from hub.cli import processes, wiring
from hub.settings import Settings

STOP_TIMEOUT_S = 10.0
"""A role finishes its window and exits within this; after that it is killed and said so."""
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
STEADY_S = 60.0
"""A role that ran this long starts again without a growing wait."""


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
            self._start_node()
            wiring.apply_topology(self._settings)
            self.roles = [Role(name, self._command(name)) for name in self._names()]
            self._log.info("up", roles=[role.name for role in self.roles])
            while not stop.is_set():
                self._tend_node()
                self.tend(time.monotonic())
                stop.wait(0.2)
        finally:
            self._stop_roles()
            if self._node is not None:
                self._node.stop()

    def _start_node(self) -> None:
        if not self._settings.broker.url:
            self._node = Node(self._settings.broker_folder)
            self._node.start()

    def _tend_node(self) -> None:
        """A node that died comes back on the same ports with its queues; the roles reconnect."""
        if self._node is not None and not self._node.alive:
            self._log.error("node_ended")
            self._node.start()

    def _names(self) -> list[str]:
        connectors = sorted(path.stem for path in self._settings.connectors.glob("*.toml"))
        return ["router", "sweeper", *(f"connector run {name}" for name in connectors)]

    def _command(self, name: str) -> list[str]:
        return processes.hub_command(self._settings.home, name.split())

    def tend(self, now: float) -> None:
        """Start roles that are due and note those that ended. ``now``: monotonic seconds."""
        for role in self.roles:
            if role.process is None:
                if now >= role.due:
                    role.process = subprocess.Popen(role.command)  # noqa: S603  our own command
                    role.started = now
            elif role.process.poll() is not None:
                self._ended(role, now)

    def _ended(self, role: Role, now: float) -> None:
        status = role.process.returncode if role.process else 0
        role.wait_s = (
            FIRST_WAIT_S if now - role.started > STEADY_S else min(role.wait_s * 2, LONGEST_WAIT_S)
        )
        role.process, role.due, role.restarts = None, now + role.wait_s, role.restarts + 1
        self._log.warning("role_ended", role=role.name, status=status, again_in_s=role.wait_s)

    def _stop_roles(self) -> None:
        """Connectors first, the router last, so that nothing new comes in while it finishes."""
        for role in reversed(self.roles):
            if role.process is not None and role.process.poll() is None:
                role.process.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for role in self.roles:
            if role.process is None:
                continue
            try:
                role.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._log.error("role_killed", role=role.name)
                role.process.kill()
                role.process.wait()
