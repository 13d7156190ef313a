"""A private RabbitMQ node in a folder of its own, on the loopback interface (law 6).

The process that started a node owns it as long as it lives, by a lock on the folder. A second
starter uses the running node and leaves it alone; a node whose owner was killed is adopted by the
next one. What is known of the running node stands in ``node.json`` (0600: it holds URLs with the
accounts' passwords).
"""

from __future__ import annotations

import fcntl
import json
import resource
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO

from hub import log
from hub.broker import accounts, management, node_config, os_process
from hub.broker.node_config import PID, Ports
from hub.broker.urls import with_account
from hub.errors import BrokerRefused, BrokerUnavailable, NodeFailed

SEARCH = (
    "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server",
    "/opt/rabbitmq/sbin/rabbitmq-server",
    "/opt/homebrew/sbin/rabbitmq-server",
)
"""Where the server's own script lies: Debian, RPM, the Docker image, Homebrew. ``/usr/sbin`` has a
wrapper that changes to the system's user: not this one."""
START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 30.0
NODE = "hub@localhost"
"""The data folder hangs on the name, so it stays; an own epmd keeps it from other nodes."""
FACTS, LOCK, PORTS = "node.json", "node.lock", "ports.json"
FILES = 65536
"""Open files that hundreds of quorum queues may want."""
_POLL_S = 0.1
_TAIL = 2000
"""Characters of the log that an error shows."""

Child = subprocess.Popen[bytes]

_log = log.get("node")


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """A running node."""

    folder: Path
    node: str
    """Erlang node name."""
    pid: int
    start: int
    """Start time of the process (:func:`hub.broker.os_process.started`)."""
    epmd_pid: int
    epmd_start: int
    ports: Ports
    ready: bool
    """Whether AMQP and management have answered."""
    amqp_url: str = field(repr=False)
    management_url: str = field(repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which ``rabbitmqctl`` reaches this node."""
        return node_config.environment(self.folder, self.ports, self.node)


class Node:
    """The private node of one folder: started, adopted or used, and stopped by its owner."""

    def __init__(
        self,
        folder: Path,
        *,
        search: Sequence[str] = SEARCH,
        timeout_s: float = START_TIMEOUT_S,
    ) -> None:
        self.folder = folder.resolve()
        self._search = search
        self._timeout_s = timeout_s
        self._lock: IO[bytes] | None = None
        self._children: list[Child] = []
        self.info: NodeInfo | None = None
        """The running node, after :meth:`start`."""

    @staticmethod
    def attach(folder: Path) -> NodeInfo | None:
        """Return the ready node of a folder, or ``None``; facts of a dead one are none."""
        found = _facts(folder.resolve())
        return found if found and found.ready and _answers(found.ports.amqp) else None

    def start(self) -> NodeInfo:
        """Start the node, or adopt a running one that nobody owns, or use another process's.

        Returns when AMQP and management answer. The owner may call it again when the node has
        died: it comes back on the same ports, if they are free, with all its queues. Raises
        ``NodeFailed`` with what the log says.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        deadline = time.monotonic() + self._timeout_s
        while self._lock is None and not self._take_lock():
            self.info = Node.attach(self.folder)
            if self.info is not None:
                return self.info
            if time.monotonic() > deadline:
                raise NodeFailed(reason=f"{self.folder / LOCK}: held, and nothing answers")
            time.sleep(_POLL_S)
        try:
            self.info = self._adopted(deadline) or self._started(deadline)
        except BaseException:
            self.stop()
            raise
        return self.info

    @property
    def alive(self) -> bool:
        """Whether the node that this object started, adopted or uses still runs."""
        return self.info is not None and os_process.alive(self.info.pid, self.info.start)

    def stop(self) -> None:
        """Stop the node gracefully, and its epmd, unless another living process owns it."""
        self.info = None
        if self._lock is None and (not self.folder.exists() or not self._take_lock()):
            return
        self._end_all()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _end_all(self) -> None:
        """End the node and its epmd, and forget their facts. The lock is held."""
        found = _read(self.folder)
        if found is not None:
            if not os_process.end(found.pid, found.start, STOP_TIMEOUT_S):
                _log.error("node_killed", folder=str(self.folder))
            os_process.end(found.epmd_pid, found.epmd_start, STOP_TIMEOUT_S)
        else:
            _end_stray(self.folder)
        for child in self._children:
            child.poll()
        self._children.clear()
        (self.folder / FACTS).unlink(missing_ok=True)

    def _take_lock(self) -> bool:
        file = (self.folder / LOCK).open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._lock = file
        return True

    def _adopted(self, deadline: float) -> NodeInfo | None:
        """A node that lost its owner: wait until it is up; clear away a dead one's rest."""
        found = _read(self.folder)
        if found is None:
            _end_stray(self.folder)
            return None
        while os_process.alive(found.pid, found.start) and time.monotonic() < deadline:
            if _ready(found):
                _log.info("node_adopted", pid=found.pid)
                return _noted(found, ready=True)
            time.sleep(_POLL_S)
        os_process.end(found.pid, found.start, STOP_TIMEOUT_S)
        os_process.end(found.epmd_pid, found.epmd_start, STOP_TIMEOUT_S)
        return None

    def _started(self, deadline: float) -> NodeInfo:
        """Start it; a port that was taken meanwhile costs a second try, with other ports."""
        try:
            return self._booted(deadline)
        except NodeFailed as error:
            if "eaddrinuse" not in error.detail:
                raise
            self._end_all()
            (self.folder / PORTS).unlink(missing_ok=True)
            return self._booted(deadline)

    def _booted(self, deadline: float) -> NodeInfo:
        server, epmd = self._programs()
        ports = _ports(self.folder)
        node_config.write(self.folder, ports)
        environment = node_config.environment(self.folder, ports, NODE)
        _allow_files()
        with (self.folder / "log" / "out").open("wb") as output:
            names = _spawn([epmd, "-port", str(ports.epmd)], self.folder, environment, output)
            server_process = _spawn([server], self.folder, environment, output)
        self._children += [names, server_process]
        info = _info(self.folder, server_process.pid, names.pid, ports)
        _noted(info, ready=False)
        while not _ready(info):
            if server_process.poll() is not None:
                raise NodeFailed(self._tail(), reason=f"exit {server_process.returncode}")
            if time.monotonic() > deadline:
                raise NodeFailed(self._tail(), reason=f"{self._timeout_s:.0f} s")
            time.sleep(_POLL_S)
        _log.info("node_started", pid=info.pid, amqp=ports.amqp, management=ports.management)
        return _noted(info, ready=True)

    def _programs(self) -> tuple[str, str]:
        found = [path for pattern in self._search for path in _glob(pattern)]
        epmd = shutil.which("epmd")
        if not found or epmd is None:
            raise NodeFailed(
                ", ".join(self._search),
                reason="rabbitmq-server is not here; apt install rabbitmq-server",
                reason_vi="không có rabbitmq-server; hãy chạy apt install rabbitmq-server",
            )
        return str(found[0]), epmd

    def _tail(self) -> str:
        """Return the end of what the node said; its log holds no passwords."""
        texts = []
        for name in ("out", "node.log"):
            file = self.folder / "log" / name
            if file.exists():
                texts.append(file.read_text(encoding="utf-8", errors="replace")[-_TAIL:].strip())
        return "\n".join(texts)


def _facts(folder: Path) -> NodeInfo | None:
    """Read what is known of a node that lives; ``None`` when there is none."""
    found = _read(folder)
    return found if found and os_process.alive(found.pid, found.start) else None


def _read(folder: Path) -> NodeInfo | None:
    try:
        data = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        return NodeInfo(**{**data, "folder": folder, "ports": Ports(**data["ports"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _end_stray(folder: Path) -> None:
    """End a node whose starter was killed before it could note anything.

    Two nodes on one data folder would destroy it. The node itself writes its pid file; that the
    process is ours is told by its environment.
    """
    try:
        pid = int((folder / PID).read_text(encoding="ascii"))
        ours = (folder / PID).name.encode() in Path(f"/proc/{pid}/environ").read_bytes()
        ours = ours and Path(f"/proc/{pid}/cwd").resolve() == folder
    except (OSError, ValueError):
        return
    if not ours:
        return
    _log.warning("stray_node_ended", pid=pid)
    os_process.end(pid, os_process.started(pid), STOP_TIMEOUT_S)
    with suppress(OSError, ValueError, KeyError):
        port = json.loads((folder / PORTS).read_text(encoding="utf-8"))["epmd"]
        # epmd itself refuses while any node is still registered with it.
        command = ["epmd", "-port", str(int(port)), "-kill"]
        subprocess.run(command, capture_output=True, check=False, timeout=10)  # noqa: S603  fixed


def _noted(info: NodeInfo, *, ready: bool) -> NodeInfo:
    """Write down what is known of the node."""
    noted = replace(info, ready=ready)
    facts = {**asdict(noted), "folder": str(noted.folder)}
    node_config.private(noted.folder / FACTS, json.dumps(facts))
    return noted


def _info(folder: Path, pid: int, epmd_pid: int, ports: Ports) -> NodeInfo:
    passwords = folder / accounts.FOLDER
    hub, admin = (accounts.read(passwords, name) for name in (accounts.HUB, accounts.ADMIN))
    return NodeInfo(
        folder=folder,
        node=NODE,
        pid=pid,
        start=os_process.started(pid),
        epmd_pid=epmd_pid,
        epmd_start=os_process.started(epmd_pid),
        ports=ports,
        ready=False,
        amqp_url=with_account(f"amqp://127.0.0.1:{ports.amqp}/%2F", accounts.HUB, hub),
        management_url=with_account(
            f"http://127.0.0.1:{ports.management}?vhost=%2F", accounts.ADMIN, admin
        ),
    )


def _spawn(
    command: list[str], folder: Path, environment: dict[str, str], output: IO[bytes]
) -> Child:
    # A session of its own: Ctrl-C in the terminal reaches the hub, which then stops the node.
    return subprocess.Popen(  # noqa: S603  the server's script and epmd, by absolute path
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )


def _glob(pattern: str) -> list[Path]:
    """Return the files that a pattern means, the newest version first."""
    path = Path(pattern)
    return sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))), reverse=True)


def _ports(folder: Path) -> Ports:
    """Return four ports that were free a moment ago: the last ones again if possible.

    Whoever knows the node's address finds it again after a restart.
    """
    try:
        before = Ports(**json.loads((folder / PORTS).read_text(encoding="utf-8")))
        ports = _free_ports(before)
    except (OSError, ValueError, TypeError):
        ports = _free_ports(Ports(0, 0, 0, 0))
    node_config.private(folder / PORTS, json.dumps(asdict(ports)))
    return ports


def _free_ports(wanted: Ports) -> Ports:
    """Return the wanted ports, any free one for each 0; raises ``OSError`` for one in use."""
    with ExitStack() as stack:
        found = []
        for port in (wanted.amqp, wanted.management, wanted.distribution, wanted.epmd):
            probe = stack.enter_context(socket.socket())
            # As the servers do: a port in TIME_WAIT from before counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            found.append(probe.getsockname()[1])
        return Ports(*found)


def _allow_files() -> None:
    """Raise this process's soft limit of open files, which the node inherits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _answers(port: int) -> bool:
    """Whether an AMQP server greets on a port (AMQP 0-9-1 §4.2.2)."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return connection.recv(1) == b"\x01"
    except OSError:
        return False


def _ready(info: NodeInfo) -> bool:
    if not _answers(info.ports.amqp):
        return False
    with management.Management(info.management_url, timeout_s=5) as api:
        try:
            return bool(api.get("overview"))
        except (BrokerUnavailable, BrokerRefused):
            return False
