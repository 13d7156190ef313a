"""A demo that cannot run says why and leaves nothing behind; that it runs is the acceptance's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from hub.testing.home import COMMAND, environment, eventually

pytestmark = pytest.mark.timeout(300)


def demo(folder: Path, *words: str, **surroundings: str) -> subprocess.Popen[bytes]:
    """Start ``hub demo`` with its temporary files in a folder of its own."""
    return subprocess.Popen(
        [COMMAND, "demo", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(TMPDIR=str(folder), **surroundings),
        cwd=folder,
    )


def processes_of(folder: Path) -> list[int]:
    """The processes whose command line names the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if os.fsencode(folder) in line:
            found.append(int(entry.name))
    return found


def test_a_demo_without_its_broker_says_why(tmp_path):
    """The reason of the process that died, with status 1; no folder, no process stays."""
    process = demo(tmp_path, "--once", "--json", "--lang", "en",
                   HUB_BROKER_URL="amqp://hub:sesame@127.0.0.1:1/")  # fmt: skip
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1
    (line,) = out.decode().splitlines()
    document = json.loads(line)
    assert (document["ok"], document["code"]) == (False, "process.failed")
    assert "hub-up" in document["en"]
    assert "broker cannot be reached" in document["en"]
    assert b"sesame" not in out + err
    assert b"Traceback" not in err
    assert list(tmp_path.iterdir()) == []
    assert processes_of(tmp_path) == []


def test_a_demo_that_is_told_to_stop_leaves_nothing(tmp_path):
    """SIGTERM while everything still starts: all of it ends, and the temporary home is gone."""
    process = demo(tmp_path, "--once", "--json")
    assert eventually(lambda: list(tmp_path.rglob("broker/node.json")))
    assert len(processes_of(tmp_path)) > 2
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert json.loads(out)["ok"] is False
    assert b"Traceback" not in err
    assert list(tmp_path.iterdir()) == []
    assert processes_of(tmp_path) == []


def test_a_demo_replaces_no_home_but_a_demos(tmp_path):
    """A home that no demo made is left alone."""
    (tmp_path / "hub.toml").write_text('[hub]\ncode = "00.99.W00"\n')
    process = demo(tmp_path, "--home", str(tmp_path))
    _out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert str(tmp_path).encode() in err
    assert [file.name for file in tmp_path.iterdir()] == ["hub.toml"]
