"""The demo on the installed wheel: every outcome of the scenario, and nothing left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from hub.testing.home import COMMAND, environment

EXPECTED_STEPS = ["g", "a1", "a2", "b1", "b2", "c1", "c2", "c3", "d", "e1", "e2",
                  "f1", "f2", "f3", "f4", "f5", "h1", "h2"]  # fmt: skip


def surroundings(folder: Path) -> dict[str, str]:
    """Temporary files under ``folder``, so that what is left behind shows."""
    return environment(TMPDIR=str(folder), HUB_LANG="en")


def children_of(folder: Path) -> list[str]:
    """The command lines of living processes that name a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if str(folder).encode() in line:
            found.append(line.replace(b"\0", b" ").decode(errors="replace")[:200])
    return found


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory):
    """The demo, played once: its document, and what it left."""
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [COMMAND, "demo", "--once", "--json"], capture_output=True, timeout=600, check=False,
        env=surroundings(folder), cwd=folder,
    )  # fmt: skip
    lines = done.stdout.decode().splitlines()
    assert len(lines) == 1, (lines, done.stderr.decode()[-3000:])
    return done.returncode, json.loads(lines[0]), folder


@pytest.mark.timeout(700)
def test_every_step_ends_as_expected(played) -> None:
    """The scenario of the issue, step by step, on real parts; the status says the same."""
    status, document, _folder = played
    failed = [step for step in document["steps"] if not step["ok"]]
    assert failed == []
    assert (status, document["ok"]) == (0, True)


@pytest.mark.parametrize("step", EXPECTED_STEPS)
def test_step_was_played(played, step: str) -> None:
    """Each part of the scenario stands in the table, with a detail and its time."""
    _status, document, _folder = played
    (found,) = [one for one in document["steps"] if one["name"].startswith(f"{step}. ")]
    assert found["ok"], found
    assert found["detail"]
    assert found["ms"] >= 0


def test_counts_tell_what_happened(played) -> None:
    """Four forgeries were quarantined, three messages refused, the rest accepted."""
    _status, document, _folder = played
    counts = document["messages"]
    assert set(counts) == {"accepted", "delivered", "refused", "forged_quarantined"}
    assert counts["forged_quarantined"] == 4
    assert counts["refused"] == 2
    assert counts["accepted"] >= 2 * counts["delivered"] >= 2 * 19  # each with its receipt


def test_nothing_is_left_behind(played) -> None:
    """The temporary home is gone, and no process of the demo lives on."""
    _status, _document, folder = played
    deadline = time.monotonic() + 10
    while children_of(folder) and time.monotonic() < deadline:
        time.sleep(0.2)  # epmd and the beam end a moment after their parent
    assert children_of(folder) == []
    assert [one.name for one in folder.iterdir()] == []


@pytest.mark.timeout(600)
def test_demo_stays_up_until_interrupted(tmp_path: Path) -> None:
    """Without --once it stays up after the scenario; Ctrl+C ends it all with status 0."""
    home, output = tmp_path / "home", tmp_path / "out"
    with output.open("wb") as stream:
        demo = subprocess.Popen(
            [COMMAND, "--home", str(home), "demo"], stdout=stream, stderr=stream,
            env=surroundings(tmp_path), cwd=tmp_path,
        )  # fmt: skip
        deadline = time.monotonic() + 400
        while "Ctrl+C" not in output.read_text() and time.monotonic() < deadline:
            assert demo.poll() is None, output.read_text()[-3000:]
            time.sleep(0.5)
        queues = subprocess.run(
            [COMMAND, "--home", str(home), "queues", "--json"],
            capture_output=True, timeout=60, check=True, env=surroundings(tmp_path),
        )  # fmt: skip
        assert "inbox.H12.15" in {one["name"] for one in json.loads(queues.stdout)["queues"]}
        demo.send_signal(signal.SIGINT)
        assert demo.wait(90) == 0, output.read_text()[-3000:]
    assert "dossier.submitted" in output.read_text()
