"""The private node: started, found, adopted, killed, stopped; and what it gives away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from hub.broker import accounts, os_process, topology
from hub.broker.consumer import WindowConsumer
from hub.broker.node import FACTS, Node, NodeInfo
from hub.broker.ports import Outcome, WindowLimits
from hub.broker.publisher import ConfirmPublisher
from hub.errors import NodeFailed
from tests.integration.broker.conftest import ONE, bodies, drained, eventually, to_inbox

OWNER = """
import sys, time
from pathlib import Path
from hub.broker.node import Node
node = Node(Path(sys.argv[1]))
info = node.start()
print(info.pid, flush=True)
time.sleep(100)
"""


def owner(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True
    )


def filled(info: NodeInfo, home: Path) -> list[bytes]:
    """Put 200 confirmed messages into an inbox of the node, and return them."""
    wanted = topology.desired([ONE], [], shards=1, rungs=(1,))
    with topology.Admin.open(info.amqp_url, info.management_url, home) as admin:
        topology.apply(wanted, admin)
    sent = bodies(200)
    with closing(ConfirmPublisher(info.amqp_url)) as publisher:
        window = [to_inbox(ONE, raw) for raw in sent]
        assert set(publisher.publish_window(window)) == {Outcome.CONFIRMED}
    return sent


def test_whole_life(tmp_path: Path) -> None:
    """Two starters get one node; its owner is killed and the next adopts it; it comes back itself.

    After kill -9 it has the same ports and all its messages; in the end it stops without a trace.
    """
    folder = tmp_path / "broker"
    assert Node.attach(folder) is None
    first, second = owner(folder), owner(folder)
    third = Node(folder)
    try:
        pids = {int(process.stdout.readline()) for process in (first, second)}
        assert len(pids) == 1
        info = Node.attach(folder)
        assert info.pid in pids
        assert third.start() == info

        third.stop()
        assert third.info is None
        assert Node.attach(folder) == info, "the node of a living owner was stopped"

        for process in (first, second):
            process.kill()
            process.wait()
        assert Node.attach(folder) == info, "the node went with its owner"
        assert third.start().pid == info.pid, "the orphan was not adopted"

        sent = filled(info, tmp_path)
        os.kill(info.pid, signal.SIGKILL)
        eventually(lambda: third.alive, expected=False)
        assert Node.attach(folder) is None, "facts of a dead node were believed"

        again = third.start()
        assert again.pid != info.pid
        assert (again.amqp_url, again.management_url) == (info.amqp_url, info.management_url)
        assert not os_process.alive(info.epmd_pid, info.epmd_start)
        with closing(WindowConsumer(again.amqp_url, [f"inbox.{ONE}"], WindowLimits())) as reader:
            assert [one.raw for one in drained(reader, 200)] == sent
        (folder / FACTS).unlink()  # as if the starter had been killed before it noted anything
    finally:
        for process in (first, second):
            process.kill()
            process.wait()
            process.stdout.close()
        third.stop()
    assert Node.attach(folder) is None
    assert not os_process.alive(again.pid, again.start)
    eventually(lambda: os_process.alive(again.epmd_pid, again.epmd_start), expected=False)
    assert not (folder / FACTS).exists()
    third.stop()


def test_node_gives_no_secret_away(node) -> None:
    """Passwords stand in 0600 files: on no command line, in no environment, in no log."""
    passwords = node.folder / accounts.FOLDER
    secrets = [accounts.read(passwords, name) for name in (accounts.HUB, accounts.ADMIN)]
    secrets.append((node.folder / ".erlang.cookie").read_text())
    process = Path(f"/proc/{node.pid}")
    shown = [(process / name).read_bytes() for name in ("cmdline", "environ")]
    shown += [file.read_bytes() for file in (node.folder / "log").iterdir() if file.is_file()]
    shown += [repr(node).encode(), str(node).encode()]
    for secret in secrets:
        assert not any(secret.encode() in text for text in shown)
    for file in (node.folder / FACTS, *passwords.iterdir()):
        assert file.stat().st_mode & 0o777 == 0o600
    assert node.folder.stat().st_mode & 0o777 == 0o700


def test_node_listens_on_loopback_only(node) -> None:
    """AMQP, management, distribution and epmd: nothing is open to the network (ss, all sockets)."""
    listed = subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=True).stdout
    ports = node.ports
    for port in (ports.amqp, ports.management, ports.distribution, ports.epmd):
        local = [
            line.split()[3] for line in listed.splitlines() if line.split()[3].endswith(f":{port}")
        ]
        assert local
        assert all(one.startswith(("127.", "[::1]")) for one in local), local


def test_missing_server_says_what_to_install(tmp_path: Path) -> None:
    """One sentence with the package to install, in both languages."""
    with pytest.raises(NodeFailed) as caught:
        Node(tmp_path / "broker", search=("/nowhere/rabbitmq-server",)).start()
    assert "apt install rabbitmq-server" in caught.value.message("vi")
    assert "apt install rabbitmq-server" in caught.value.message("en")


def test_node_that_cannot_start_says_why(tmp_path: Path) -> None:
    """The end of what the server said; nothing is left running, and the folder is free again."""
    script = tmp_path / "rabbitmq-server"
    script.write_text("#!/bin/sh\necho 'BOOT FAILED: no space'\nexit 1\n")
    script.chmod(0o755)
    node = Node(tmp_path / "broker", search=(str(script),))
    for _each in range(2):
        with pytest.raises(NodeFailed, match="BOOT FAILED: no space"):
            node.start()
    assert not (tmp_path / "broker" / FACTS).exists()
