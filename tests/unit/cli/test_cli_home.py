"""``hub init``: a whole home or nothing, and never over another one."""

from __future__ import annotations

import hashlib
import os
import stat
import tomllib
from pathlib import Path

import pytest

from hub.cli import template
from hub.cli.commands import home as home_command
from hub.errors import ProcessFailed
from hub.settings import Settings, load


def digests(folder: Path) -> dict[str, str]:
    """Every file below a folder with the digest of its bytes."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_a_demo_home_has_keys_for_every_living_agency(demo_home, bare):
    """Key and certificate of each, a root, an issuing CA, their CRLs; keys are nobody else's."""
    agencies = demo_home / "pki" / "agencies"
    made = {folder.name for folder in agencies.iterdir()}
    listed = bare("--home", demo_home, "directory", "list", "--json").json["agencies"]
    attached = {row["code"] for row in listed if row["attached"]}
    assert attached
    assert made == attached | {home_command.DEMO_HUB}
    assert all(row["valid_to"] is None or row["valid_to"] >= "2026" for row in listed
               if row["attached"])  # fmt: skip
    for folder in agencies.iterdir():
        assert (folder / "cert.pem").is_file()
        assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600
    assert list((demo_home / "pki" / "anchors").glob("*.pem"))
    assert list((demo_home / "pki" / "intermediates").glob("*.pem"))
    assert list((demo_home / "pki" / "crls").glob("*.crl"))


def test_an_empty_home_works(bare, tmp_path):
    """Without --demo: settings, an empty store and empty folders."""
    done = bare("init", tmp_path / "new", "--code", "H12.15", "--json")
    assert done.json == {"home": str(tmp_path / "new"), "agencies": []}
    assert bare("--home", tmp_path / "new", "directory", "list", "--json").json == {"agencies": []}
    assert bare("--home", tmp_path / "new", "audit", "verify", "--json").json["ok"] is True
    assert not list((tmp_path / "new").glob(".init-*"))


def test_every_setting_stands_in_the_file_with_its_default(bare, tmp_path):
    """All are there, commented; taking the comment marks away changes nothing."""
    assert bare("init", tmp_path / "new").status == 0
    file = tmp_path / "new" / "hub.toml"
    before = load(tmp_path / "new", environ={})
    text = file.read_text("utf-8")
    for name, info in Settings.model_fields.items():
        for key, setting in getattr(info.annotation, "model_fields", {}).items():
            assert f"{key} = " in text, (name, key)
            assert f"# {setting.description}" in text
    lines = text.splitlines()
    live = [line.removeprefix("# ") if " = " in line else line for line in lines]
    file.write_text("\n".join(live), "utf-8")
    assert load(tmp_path / "new", environ={}) == before
    assert set(tomllib.loads(file.read_text("utf-8"))) >= {"hub", "broker", "store", "time"}


def test_values_of_every_kind_survive_the_template():
    """What the template writes, TOML reads back."""
    text = template.render({"hub": {"code": 'a"b\\c', "lang": "en"}, "broker": {"rungs_s": (1, 2)}})
    assert tomllib.loads(text)["hub"] == {"code": 'a"b\\c', "lang": "en"}
    assert tomllib.loads(text)["broker"] == {"rungs_s": [1, 2]}


@pytest.mark.parametrize("part", ["hub.toml", "pki", "connectors", "hub.sqlite"])
def test_a_home_or_part_of_one_is_never_touched(bare, tmp_path, part):
    """An existing home, or what is left of one, stays byte for byte as it is."""
    folder = tmp_path / "old"
    assert bare("init", folder).status == 0
    for file in folder.iterdir():
        if file.name != part:
            file.rename(tmp_path / file.name)
    before = digests(folder)
    done = bare("init", folder, "--demo")
    assert done.status == 2
    assert part in done.err
    assert digests(folder) == before
    assert [file.name for file in folder.iterdir()] == [part]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--code", "nonsense"), "--code"),
        (("--environment", "test"), "--environment"),
        (("--environment", "production", "--demo"), "--demo"),
        (("--environment", "production", "--code", "H99"), "H99"),
    ],
)
def test_wrong_options_make_nothing(bare, tmp_path, words, said):
    """Status 2, the option is named, and no folder appears."""
    done = bare("init", tmp_path / "new", *words)
    assert done.status == 2
    assert said in done.err
    assert not (tmp_path / "new").exists()


def test_a_file_in_the_way_is_told(bare, tmp_path):
    """A file where the folder should be, or above it."""
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "home"):
        done = bare("init", place)
        assert done.status == 2
        assert str(tmp_path / "file") in done.err


def test_a_failure_in_the_middle_leaves_no_home(bare, tmp_path, monkeypatch):
    """When the keys cannot be made, nothing stays that looks like a home."""

    def broken(*_words: object) -> str:
        raise ProcessFailed(name="pki", status=1, reason="no entropy")

    monkeypatch.setattr(home_command.processes, "capture", broken)
    done = bare("init", tmp_path / "new", "--demo")
    assert (done.status, done.out) == (1, "process.failed\n")
    assert list((tmp_path / "new").iterdir()) == []


def test_other_files_in_the_folder_stay(bare, tmp_path):
    """A folder that has something else in it may become a home; that stays."""
    (tmp_path / "notes.txt").write_text("mine")
    assert bare("init", tmp_path).status == 0
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "hub.toml").is_file()
    assert os.listdir(tmp_path / "connectors") == []  # noqa: PTH208  names only
