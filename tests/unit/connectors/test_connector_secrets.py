"""Secrets come from a file of the owner alone or from the environment, and from nowhere else."""

from __future__ import annotations

import pytest

from connectors.one_stop.database import connect
from connectors.vnpost.config import VnpostConfig
from hub.adapters.options import secret
from hub.errors import ConfigInvalid, ConfigMissing

SERVER = "postgresql+psycopg://motcua:matkhau@db.invalid/motcua"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_secret_that_others_may_read_is_refused(tmp_path, mode):
    """A secret file open to group or others is refused, naming file and remedy, not its content."""
    file = tmp_path / "secret"
    file.write_text("matkhau\n")
    file.chmod(mode)
    with pytest.raises(ConfigInvalid, match="chmod 600") as refused:
        secret("secret", tmp_path)
    assert "matkhau" not in str(refused.value)
    file.chmod(0o600)
    assert secret("secret", tmp_path) == "matkhau"


def test_secret_from_the_environment(tmp_path, monkeypatch):
    """``env:NAME`` is the environment's; a missing one is told by its name."""
    monkeypatch.setenv("LT_SECRET", "matkhau")
    assert secret("env:LT_SECRET", tmp_path) == "matkhau"
    monkeypatch.delenv("LT_SECRET")
    with pytest.raises(ConfigMissing, match="LT_SECRET"):
        secret("env:LT_SECRET", tmp_path)
    with pytest.raises(ConfigMissing, match="none"):
        secret("none", tmp_path)


def test_password_in_a_settings_file_is_refused(tmp_path, monkeypatch):
    """A database URL with a password must come from the environment or a 0600 file."""
    with pytest.raises(ConfigInvalid, match="password") as refused:
        connect(SERVER)
    assert "matkhau" not in str(refused.value)
    monkeypatch.setenv("LT_DATABASE", "sqlite:///x.db")
    assert connect("env:LT_DATABASE", tmp_path).dialect.name == "sqlite"
    file = tmp_path / "url"
    file.touch(mode=0o600)
    file.write_text("sqlite:///x.db")
    assert connect("file:url", tmp_path).dialect.name == "sqlite"
    file.chmod(0o644)
    with pytest.raises(ConfigInvalid, match="chmod 600"):
        connect("file:url", tmp_path)


def test_address_that_is_none_is_refused_by_its_key():
    """An address that SQLAlchemy cannot read, or without a driver, is told by its key."""
    for reference in ("", "motcua", "foxpro:///x"):
        with pytest.raises(ConfigInvalid, match="database"):
            connect(reference)


def test_misspelt_setting_of_the_post_is_refused_by_its_key():
    """An unknown key and a broken expression are named, not silently ignored."""
    good = {"url": "http://127.0.0.1:9", "consumer_key": "k", "secret_file": "s", "customers": {}}
    with pytest.raises(ConfigInvalid, match="time_out"):
        VnpostConfig.parse({**good, "time_out": 3})
    with pytest.raises(ConfigInvalid, match=r"codes\.7\.notes"):
        VnpostConfig.parse({**good, "codes": {"7": {"notes": "("}}})
    with pytest.raises(ConfigInvalid, match=r"codes\.7\.event"):
        VnpostConfig.parse({**good, "codes": {"7": {"event": "dossier.received"}}})
