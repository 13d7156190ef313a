"""The supervisor's patience with roles that end; processes that must not outlive their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from hub.cli import processes
from hub.cli.children import Children
from hub.cli.supervisor import FIRST_WAIT_S, LONGEST_WAIT_S, STEADY_S, Role, Supervisor
from hub.errors import ProcessFailed
from hub.settings import load


def python(code: str) -> list[str]:
    """A process that runs a line of Python."""
    return [sys.executable, "-c", code]


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:  # noqa: PTH123  procfs
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def eventually(look, seconds: float = 20) -> bool:
    """Whether ``look`` becomes true in time; other processes cannot call back."""
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.02)
    return True


@pytest.fixture
def supervisor(demo_home):
    """One without a broker: its roles are given by the test, its clock too."""
    made = Supervisor(load(demo_home, environ={}))
    yield made
    made._stop_roles()


def ended(supervisor: Supervisor, role: Role, now: float) -> None:
    """Wait until the role's process is gone, and let the supervisor see it."""
    assert role.process is not None
    role.process.wait(20)
    supervisor.tend(now)


def test_a_role_that_dies_is_started_again_later_and_later(supervisor):
    """0.5 s, then twice as long each time, up to 30 s; after a steady run it starts anew."""
    role = Role("short", python("raise SystemExit(1)"))
    supervisor.roles = [role]
    now, waits = 1000.0, []
    for _time in range(9):
        supervisor.tend(now)
        ended(supervisor, role, now)
        waits.append(role.due - now)
        supervisor.tend(now)
        assert role.process is None, "not before it is due"
        now = role.due
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    supervisor.tend(now)
    ended(supervisor, role, now + STEADY_S + 1)
    assert role.due - (now + STEADY_S + 1) == FIRST_WAIT_S
    assert role.restarts == 10


def test_a_role_that_is_set_up_wrongly_waits_for_a_person(supervisor):
    """Exit status 2 is tried rarely, and the others run on."""
    wrong, good = Role("wrong", python("raise SystemExit(2)")), Role("good", python("input()"))
    good.command = python("import time; time.sleep(60)")
    supervisor.roles = [wrong, good]
    supervisor.tend(0.0)
    ended(supervisor, wrong, 1.0)
    assert wrong.due == 1.0 + LONGEST_WAIT_S
    assert good.process is not None
    assert good.process.poll() is None


def test_a_role_that_does_not_stop_is_killed(supervisor, monkeypatch):
    """Deaf to SIGTERM: killed after the time-out, so that a stop always ends."""
    monkeypatch.setattr("hub.cli.supervisor.STOP_TIMEOUT_S", 0.5)
    deaf = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    )
    role = Role("deaf", python(deaf))
    role.process = processes.start(role.command, subprocess.PIPE)
    assert role.process.stdout is not None
    role.process.stdout.readline()
    process, supervisor.roles = role.process, [role]
    supervisor._stop_roles()
    assert process.returncode == -signal.SIGKILL
    process.stdout.close()


def test_children_end_when_their_parent_is_killed(tmp_path):
    """Kill -9 of the parent leaves nothing running."""
    code = (
        "import sys; from hub.cli import processes;"
        "child = processes.start([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print(child.pid, flush=True); child.wait()"
    )
    parent = subprocess.Popen(python(code), stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert eventually(lambda: not alive(child))


def test_become_keeps_the_process_and_its_status():
    """The command takes the place of ``hub``: same pid, its own exit status."""
    code = (
        "import os, sys; from hub.cli import processes; print(os.getpid(), flush=True);"
        "processes.become([sys.executable, '-c',"
        " 'import os; print(os.getpid()); raise SystemExit(7)'])"
    )
    done = subprocess.run(python(code), capture_output=True, text=True, check=False)
    first, second = done.stdout.split()
    assert first == second
    assert done.returncode == 7


def test_a_child_of_the_demo_that_dies_is_told_with_its_last_sentence(tmp_path):
    """The name, the status and the sentence of its log; what waited for it is ended."""
    stop = threading.Event()
    with Children(tmp_path / "log", stop) as children:
        children.start("steady", python("import time; time.sleep(60)"))
        code = "import sys; sys.stderr.write('{}\\nhub: no RabbitMQ here.\\n'); sys.exit(3)"
        children.start("hub-up", python(code))
        waiting = processes.start(python("import time; time.sleep(60)"))
        children.guard(waiting).join(20)
        assert waiting.wait(20) == -signal.SIGTERM
        with pytest.raises(ProcessFailed) as caught:
            children.check()
        steady = children.running[0].process
    assert caught.value.facts == {"name": "hub-up", "status": 3, "reason": "no RabbitMQ here"}
    assert steady.poll() is not None


def test_what_waits_is_ended_when_the_demo_is_told_to_stop(tmp_path):
    """A stop while the scenario plays ends the scenario."""
    stop = threading.Event()
    with Children(tmp_path / "log", stop) as children:
        waiting = processes.start(python("import time; time.sleep(60)"))
        guard = children.guard(waiting)
        stop.set()
        guard.join(20)
        assert waiting.wait(20) == -signal.SIGTERM
        children.check()


def test_a_helper_that_fails_is_told_with_its_last_line():
    """``capture`` raises with the reason; what went well comes back as text."""
    assert processes.capture("x", python("print(input())"), "xin chào") == "xin chào\n"
    with pytest.raises(ProcessFailed, match="broken"):
        processes.capture("x", python("import sys; sys.exit('broken')"))


def test_the_operator_is_named_in_the_log(hub, home, monkeypatch):
    """HUB_OPERATOR, else the account of the system, stands beside every change."""
    import sqlite3  # noqa: PLC0415  only here

    monkeypatch.setenv("HUB_OPERATOR", "lan")
    assert hub("access", "allow", "*", "H26.15").status == 0
    monkeypatch.delenv("HUB_OPERATOR")
    assert hub("access", "allow", "*", "H26.15").status == 0
    with sqlite3.connect(home / "hub.sqlite") as connection:
        rows = connection.execute("select actor from audit order by seq desc limit 2").fetchall()
    connection.close()
    assert rows[1] == ("operator:lan",)
    assert rows[0][0].startswith("operator:")
    assert os.environ.get("HUB_OPERATOR") is None
