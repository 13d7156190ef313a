"""``hub.toml``: every wrong value is told with its file and its key, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from hub.codes import Environment
from hub.errors import ConfigInvalid, ConfigMissing
from hub.settings import Settings, load, read
from hub.store.engine import Store

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
        (GOOD + '[broker]\nshards = "4"\n', "broker.shards"),
        (GOOD + "[broker]\nshards = true\n", "broker.shards"),
        (GOOD + "[broker]\nshards = 4.0\n", "broker.shards"),
        (GOOD + "[broker]\nshards = 2026-03-04\n", "broker.shards"),
        (GOOD + "[broker]\nshards = 65\n", "broker.shards"),
        (GOOD + '[broker]\nrungs_s = ["10"]\n', "broker.rungs_s.0"),
        (GOOD + "[broker]\nrungs_s = [10, 10]\n", "broker.rungs_s"),
        (GOOD + "[broker]\nrungs_s = [60, 10]\n", "broker.rungs_s"),
        (GOOD + "[broker]\nconfirm_timeout_s = inf\n", "broker.confirm_timeout_s"),
        (GOOD + "[broker]\nconfirm_timeout_s = nan\n", "broker.confirm_timeout_s"),
        (GOOD + "[broker]\nmanagement_url = 5\n", "broker.management_url"),
        (GOOD + "[window.messages]\nx = 1\n", "window.messages"),
        (GOOD + '[store]\nurl = "sqlite://"\n', "store.url"),
        (GOOD + '[store]\nurl = "sqlite:///:memory:"\n', "store.url"),
        (GOOD + '[store]\nurl = "sqlite:///a?mode=memory"\n', "store.url"),
        (GOOD + '[store]\nurl = "mysql://h/db"\n', "store.url"),
        (GOOD + '[trust]\nrevocation_unknown = "Accept"\n', "trust.revocation_unknown"),
        (GOOD + "[time]\nmax_age_days = 401\n", "time.dedupe_days"),
        (GOOD + "[time]\nmax_age_days = 500\ndedupe_days = 450\n", "time.dedupe_days"),
        (GOOD + 'home = "/"\n', "hub.home"),
        ('home = "/"\n' + GOOD, "home"),
        ("[colour]\n" + GOOD, "colour"),
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


def test_wrong_overrides_are_told_and_empty_ones_ignored(tmp_path):
    """An override is judged like the file; an empty variable overrides nothing."""
    (tmp_path / "hub.toml").write_text(GOOD + '[store]\nurl = "sqlite:///a"\n', encoding="utf-8")
    with pytest.raises(ConfigInvalid) as caught:
        load(tmp_path, environ={"HUB_STORE_URL": "sqlite://"})
    assert caught.value.facts["key"] == "store.url"
    found = load(tmp_path, environ={"HUB_STORE_URL": "", "HUB_BROKER_URL": ""})
    assert found.store_url == f"sqlite:///{tmp_path / 'a'}"


def test_a_password_is_in_no_error_and_in_no_repr(tmp_path):
    """URLs hold passwords: neither an error about them nor the settings' repr shows them."""
    (tmp_path / "hub.toml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(ConfigInvalid) as caught:
        load(tmp_path, environ={"HUB_STORE_URL": "mysql://u:hunter2@h/db"})
    assert "hunter2" not in str(caught.value)
    found = load(
        tmp_path,
        environ={
            "HUB_BROKER_URL": "amqp://u:hunter2@h",
            "HUB_STORE_URL": "postgresql+psycopg://u:hunter2@h/db",
        },
    )
    assert found.store_url == "postgresql+psycopg://u:hunter2@h/db"
    assert "hunter2" not in f"{found!r} {found}"


@pytest.mark.parametrize("name", ["Thư mục 1", "100%41", "a?b#c", "a@b;c"])
def test_the_store_lies_in_the_home_whatever_it_is_called(tmp_path, name):
    """A folder's name with blanks, accents, percent or question marks leads to its own file."""
    home = tmp_path / name
    home.mkdir()
    (home / "hub.toml").write_text(GOOD, encoding="utf-8")
    store = Store.open(load(home, environ={}).store_url, create=True)
    store.close()
    assert (home / "hub.sqlite").is_file()
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_absolute_paths_stay(tmp_path):
    """A store elsewhere on the machine is used where it is."""
    text = GOOD + f'[store]\nurl = "sqlite:///{tmp_path}/else/hub.sqlite"\n'
    (tmp_path / "hub.toml").write_text(text, encoding="utf-8")
    assert load(tmp_path, environ={}).store_url == f"sqlite:///{tmp_path}/else/hub.sqlite"


def _sections():
    """Every model of the settings by its name in the file."""
    for name, info in Settings.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield name, info.annotation


@pytest.mark.parametrize(("name", "model"), list(_sections()))
def test_every_key_is_documented_frozen_and_strict(name, model):
    """Each key has a description; no table takes unknown keys or lets itself be changed."""
    assert all(info.description for info in model.model_fields.values())
    assert model.model_config["frozen"]
    assert model.model_config["extra"] == "forbid"
    assert model.model_config["strict"]


def test_settings_cannot_be_changed(tmp_path):
    """They are read once and passed down; nobody changes them on the way."""
    (tmp_path / "hub.toml").write_text(GOOD, encoding="utf-8")
    found = load(tmp_path, environ={})
    for target, key in ((found, "home"), (found.hub, "code"), (found.broker, "url")):
        with pytest.raises(ValidationError):
            setattr(target, key, "x")


def test_the_shipped_defaults_are_valid(tmp_path):
    """A file with nothing but the code runs, in trial, with 400 days of memory."""
    (tmp_path / "hub.toml").write_text(GOOD, encoding="utf-8")
    found = load(tmp_path, environ={})
    assert found.hub.environment is Environment.TRIAL
    assert found.time.dedupe_days == 400
    assert found.home == tmp_path
    assert Settings.model_validate({**found.model_dump(), "home": tmp_path}) == found


def test_a_code_is_kept_in_its_canonical_spelling(tmp_path):
    """The hub's own code is compared by value everywhere: it has one spelling."""
    (tmp_path / "hub.toml").write_text('[hub]\ncode = " h12.15 "\n', encoding="utf-8")
    assert load(tmp_path, environ={}).hub.code == "H12.15"


scalars = st.one_of(
    st.integers(), st.floats(), st.booleans(), st.text(), st.dates(), st.none().map(lambda _: {})
)
tables = st.dictionaries(
    st.sampled_from(["hub", "broker", "store", "window", "trust", "time", "x"]),
    st.one_of(
        scalars,
        st.dictionaries(
            st.sampled_from(["code", "url", "shards", "rungs_s", "bytes", "ahead_s", "home", "y"]),
            st.one_of(scalars, st.lists(scalars, max_size=3)),
            max_size=4,
        ),
    ),
)


@given(tables)
def test_any_file_is_read_or_told(tables):
    """Whatever a table holds, the outcome is settings or a sentence with file and key."""
    try:
        found = read(Path("/x/hub.toml"), tables, environ={"HUB_BROKER_URL": "amqp://a"})
    except ConfigInvalid as error:
        told = str(error.facts["key"]), error.message("vi")
    else:
        told = "broker.url", found.broker.url
    assert all(told)
    assert told[1].isprintable()
