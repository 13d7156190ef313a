"""What the acceptance tests share: the ``hub`` command of the installed wheel, run as a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HUB = os.environ.get("HUB_COMMAND", str(Path(sys.executable).with_name("hub")))
"""``make acceptance`` names the command of the wheel's own environment."""


@dataclass
class Ran:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict:
        """The one document on standard output."""
        (line,) = self.out.strip().splitlines()
        return json.loads(line)

    @property
    def lines(self) -> list[dict]:
        """One document for each line."""
        return [json.loads(line) for line in self.out.splitlines()]


def environment() -> dict[str, str]:
    """The surroundings without what would turn the command to another home, broker or store."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}


@dataclass
class Home:
    """One home, and the wheel's ``hub`` on it."""

    folder: Path
    up: subprocess.Popen[bytes] | None = None

    def hub(self, *words: object, stdin: bytes = b"", timeout_s: float = 120) -> Ran:
        """Run ``hub --home … words``."""
        command = [HUB, "--home", str(self.folder), *map(str, words)]
        done = subprocess.run(
            command, input=stdin, capture_output=True, timeout=timeout_s, check=False,
            env=environment(), cwd="/",
        )  # fmt: skip
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self) -> None:
        """Start ``hub up`` and wait until the hub's doctor finds every part well."""
        output = self.folder.parent / "up.log"
        with output.open("wb") as stream:
            self.up = subprocess.Popen(
                [HUB, "--home", str(self.folder), "up"], stdout=stream, stderr=stream,
                env=environment(), cwd="/",
            )  # fmt: skip
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            assert self.up.poll() is None, output.read_text()[-2000:]
            if self.hub("doctor", "--json").status == 0:
                return
        raise AssertionError(output.read_text()[-2000:] + self.hub("doctor").out)

    def stop(self) -> int:
        """Stop it as an operator does; returns its exit status."""
        if self.up is None or self.up.poll() is not None:
            return -1 if self.up is None else int(self.up.returncode)
        self.up.send_signal(signal.SIGTERM)
        return self.up.wait(60)


@pytest.fixture(scope="session")
def hub_command() -> str:
    """The command under test."""
    return HUB


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A demo's home with a running hub."""
    made = Home(tmp_path_factory.mktemp("acceptance") / "home")
    assert made.hub("init", made.folder, "--demo", "--json").status == 0
    try:
        made.start()
        yield made
    finally:
        made.stop()
