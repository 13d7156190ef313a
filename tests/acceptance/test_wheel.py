"""What is tested here is the built wheel, and it holds everything that it needs."""

from __future__ import annotations

import os
import subprocess
from importlib.metadata import distribution, entry_points
from pathlib import Path

import pytest

import connectors
import hub
from hub.testing.home import COMMAND, environment


def test_tests_import_the_wheel() -> None:
    """With HUB_COMMAND set, hub and connectors come from the wheel's environment."""
    if "HUB_COMMAND" not in os.environ:
        assert "CI" not in os.environ, "CI must test the wheel: make acceptance"
        return
    wheel = Path(os.environ["HUB_COMMAND"]).parent.parent
    for package in (hub, connectors):
        assert Path(package.__file__).is_relative_to(wheel), package.__file__


def test_wheel_carries_its_data() -> None:
    """Schemas, tables, scripts and samples are in the wheel, and no test is."""
    names = {str(file) for file in distribution("lienthong-hub").files or ()}
    if "HUB_COMMAND" in os.environ:
        for wanted in (
            "hub/schemas/types.toml",
            "hub/schemas/xsd/v1/envelope.xsd",
            "hub/cli/data/agencies.csv",
            "hub/routing/demo_rules.toml",
            "hub/store/migrations/versions/v0001_first.py",
            "connectors/one_stop/mappings/commune.toml",
            "connectors/simulators/sql/commune.sql",
            "hub/py.typed",
        ):
            assert wanted in names
        assert not [name for name in names if name.startswith("tests/")]


@pytest.mark.parametrize("group", ["lienthong.connectors", "lienthong.simulators"])
def test_entry_points_load(group: str) -> None:
    """Every connector and simulator that the package announces can be started."""
    points = entry_points(group=group)
    assert points
    for point in points:
        assert callable(point.load())


def test_command_answers() -> None:
    """The installed command starts by itself and lists its subcommands, Vietnamese first."""
    done = subprocess.run(
        [COMMAND, "--help"], capture_output=True, text=True, check=True, timeout=60,
        env=environment(), cwd="/",
    )  # fmt: skip
    for command in ("demo", "init", "up", "verify", "send", "receive", "trace", "doctor"):
        assert f" {command} " in done.stdout
