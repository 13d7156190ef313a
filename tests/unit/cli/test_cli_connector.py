"""``hub connector``: what is configured, what is wrong with it, and a scaffold over nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HUB = Path(sys.executable).with_name("hub")
GOOD = '[connector]\nkind = "vnpost"\nagency = "H12.15"\n'


def test_the_list_shows_kinds_and_what_is_wrong(hub, home):
    """A broken settings file is listed with its fault and hides none of the others."""
    folder = home / "connectors"
    (folder / "good.toml").write_text(GOOD)
    (folder / "garbage.toml").write_text("garbage[")
    (folder / "binary.toml").write_bytes(b"\xff\xfe")
    (folder / "scalar.toml").write_text("connector = 3\n")
    (folder / "unknown.toml").write_text(GOOD.replace("vnpost", "telex"))
    done = hub("connector", "list", "--json")
    assert done.status == 0
    assert set(done.json["kinds"]) >= {"dms", "one_stop", "vnpost"}
    found = {row["name"]: row for row in done.json["connectors"]}
    assert found["good"] == {"name": "good", "kind": "vnpost", "agency": "H12.15", "error": ""}
    assert {name for name, row in found.items() if row["error"]} == {
        "garbage", "binary", "scalar", "unknown"}  # fmt: skip
    assert all(f"{name}.toml" in found[name]["error"] for name in found if name != "good")
    assert "telex" in hub("connector", "list").out


@pytest.mark.parametrize("verb", ["run", "check"])
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("absent", None, "hub connector new absent"),
        ("../absent", None, "../absent"),
        ("", None, "''"),
        ("bad", "garbage[", "bad.toml"),
        ("bad", "connector = 3\n", "connector"),
        ("bad", '[connector]\nagency = "H12.15"\n', "connector.kind"),
        ("bad", GOOD.replace("vnpost", "telex"), "telex"),
    ],
)
def test_what_cannot_run_is_told(hub, home, verb, name, content, said):
    """Status 2, naming file and key, before any process is started."""
    if content is not None:
        (home / "connectors" / f"{name}.toml").write_text(content)
    done = hub("connector", verb, name)
    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1


def test_a_connector_tells_its_own_wrong_settings(demo_home, home):
    """What only the connector can know is its own sentence and status, passed on as they are."""
    (home / "connectors" / "post.toml").write_text(GOOD)
    done = subprocess.run(
        [str(HUB), "--home", str(home), "connector", "run", "post"], capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "post.toml" in done.stderr
    assert "options" in done.stderr
    assert "Traceback" not in done.stderr


def test_new_writes_a_package_and_its_settings(hub, home, tmp_path):
    """The package goes into the folder, the settings into the home, and it is listed."""
    done = hub("connector", "new", "kho-luu", "--folder", tmp_path, "--agency", "h12.15", "--json")
    assert done.status == 0, done.err
    files = [Path(file) for file in done.json["files"]]
    assert all(file.is_file() for file in files)
    assert {file.name for file in files} == {"__init__.py", "app.py", "README.md", "kho-luu.toml"}
    for mark in ("@NAME@", "@PACKAGE@", "@AGENCY@", "@PATH@"):
        assert not [file for file in files if mark in file.read_text("utf-8")]
    (listed,) = hub("connector", "list", "--json").json["connectors"]
    assert listed == {"name": "kho-luu", "kind": "kho_luu", "agency": "H12.15", "error": ""}


@pytest.mark.parametrize("name", ["", "1st", "a b", "class", "../up", "tên"])
def test_a_name_that_is_none_makes_nothing(hub, tmp_path, name):
    """It must do as a file's and as a Python package's name."""
    before = sorted(tmp_path.rglob("*"))
    assert hub("connector", "new", name, "--folder", tmp_path).status == 2
    assert sorted(tmp_path.rglob("*")) == before


def test_new_goes_over_nothing(hub, home, tmp_path):
    """A package, or a settings file of that name: neither is touched, nothing is half-made."""
    (home / "connectors" / "mine.toml").write_text(GOOD)
    assert hub("connector", "new", "mine", "--folder", tmp_path).status == 2
    assert not (tmp_path / "mine").exists()
    (tmp_path / "other").mkdir()
    assert hub("connector", "new", "other", "--folder", tmp_path).status == 2
    assert not (home / "connectors" / "other.toml").exists()
    assert hub("connector", "new", "third", "--folder", tmp_path, "--agency", "x").status == 2
    assert not (tmp_path / "third").exists()


def test_new_needs_a_home(bare, tmp_path):
    """There is nowhere to put the settings."""
    assert bare("--home", "none", "connector", "new", "x", "--folder", tmp_path).status == 2
