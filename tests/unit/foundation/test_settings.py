"""``hub.toml``: every wrong value is told with its file and its key, before anything runs."""

from __future__ import annotations

import pytest

from hub.errors import ConfigInvalid, ConfigMissing
from hub.settings import load

GOOD = '[hub]\ncode = "00.99.W00"\n'


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "hub"),
        ("[hub]\n", "hub.code"),
        ('[hub]\ncode = "nonsense"\n', "hub.code"),
        ('[hub]\ncode = "H99"\nenvironment = "production"\n', "hub"),
        (GOOD + 'environment = "test"\n', "hub.environment"),
        (GOOD + "colour = 1\n", "hub.colour"),
        (GOOD + "[window]\nmessages = 0\n", "window.messages"),
        (GOOD + "[window]\nbytes = -1\n", "window.bytes"),
        (GOOD + "[broker]\nrungs_s = []\n", "broker.rungs_s"),
        (GOOD + "[broker]\nrungs_s = [10, 0]\n", "broker.rungs_s.1"),
        (GOOD + "[broker]\nconfirm_timeout_s = 0\n", "broker.confirm_timeout_s"),
        (GOOD + "[broker]\nheartbeat_s = 0\n", "broker.heartbeat_s"),
        (GOOD + "[time]\nahead_s = -1\n", "time.ahead_s"),
        (GOOD + "[time]\nmax_age_days = 0\n", "time.max_age_days"),
        (GOOD + "[time]\ndedupe_days = 30\n", "time.dedupe_days"),
        ("broker = 3\n" + GOOD, "broker"),
        ("[hub\n", "-"),
    ],
)
def test_a_wrong_setting_is_told_with_file_and_key(tmp_path, text, key):
    """The error names the file and the key, and ends in one full stop."""
    file = tmp_path / "hub.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigInvalid) as caught:
        load(tmp_path, environ={"HUB_BROKER_URL": "amqp://elsewhere"})
    assert caught.value.facts["file"] == str(file)
    assert caught.value.facts["key"] == key
    assert not caught.value.message("en").endswith("..")


def test_bytes_that_are_no_text_and_a_folder_are_told(tmp_path):
    """A binary file or a folder in the place of ``hub.toml`` is a wrong setting, not a crash."""
    file = tmp_path / "hub.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigInvalid):
        load(tmp_path, environ={})
    file.unlink()
    file.mkdir()
    with pytest.raises(ConfigInvalid):
        load(tmp_path, environ={})


def test_a_missing_home_says_how_to_make_one(tmp_path):
    """No ``hub.toml``: the sentence names ``hub init``."""
    with pytest.raises(ConfigMissing, match="hub init"):
        load(tmp_path / "none", environ={})


def test_the_environment_overrides_broker_and_store(tmp_path):
    """URLs with passwords come from the environment and need not stand in the file."""
    (tmp_path / "hub.toml").write_text(GOOD, encoding="utf-8")
    found = load(
        tmp_path, environ={"HUB_BROKER_URL": "amqp://a", "HUB_STORE_URL": "sqlite:///b.sqlite"}
    )
    assert found.broker.url == "amqp://a"
    assert found.store_url == f"sqlite:///{tmp_path / 'b.sqlite'}"
