"""Logs: on stderr, one line for each event, without secrets, set up as often as one likes."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from hub import log


@pytest.fixture(autouse=True)
def as_before():
    """Leave the logs of the test process as they were."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def _lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_one_json_object_a_line_on_stderr(capsys):
    """Programs read stderr line by line; stdout belongs to results and stays empty."""
    log.setup(json=True)
    log.get("router").info("accepted", message_id="0198", count=3, vi="Hà Nội")
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = _lines(err)
    assert line["timestamp"].endswith("Z")
    assert {k: line[k] for k in ("event", "part", "level", "message_id", "count", "vi")} == {
        "event": "accepted",
        "part": "router",
        "level": "info",
        "message_id": "0198",
        "count": 3,
        "vi": "Hà Nội",
    }


def test_lines_for_people(capsys):
    """Without ``json`` an event is one readable line, and colours only go to a terminal."""
    log.setup(json=False)
    log.get("router").warning("waiting", reason="Hà Nội\n2026 fake line\x1b[2J")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert "Hà Nội 2026 fake line" in err


def test_a_logger_made_at_import_follows_the_set_up(capsys):
    """Loggers are module globals: they must not keep what was configured before ``main``."""
    early = log.get("early")
    early.warning("before")
    log.setup(json=True)
    early.info("after")
    log.setup(json=True, level="ERROR")
    early.info("silent")
    log.setup(json=False)
    early.info("plain")
    out, err = capsys.readouterr()
    assert out == ""
    before, after, plain = err.splitlines()
    assert "before" in before
    assert json.loads(after)["event"] == "after"
    assert "plain" in plain
    assert not plain.startswith("{")


def test_no_set_up_writes_to_stdout():
    """A process that never sets up its logs has warnings on stderr, and nothing on stdout."""
    code = "from hub import log; log.get('x').warning('w'); log.get('x').info('i')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "w" in done.stderr


def test_setting_up_twice_writes_once(capsys):
    """Set-up replaces: neither the hub's nor a library's lines are doubled."""
    for _ in range(3):
        log.setup(json=True)
    log.get("x").info("ours")
    logging.getLogger("pika.adapters").error("theirs")
    logging.getLogger("pika.adapters").info("chatter")
    assert [line["event"] for line in _lines(capsys.readouterr().err)] == ["ours", "theirs"]


def test_libraries_speak_the_same_language(capsys):
    """A library's warning is an object with level, time and logger, its traces included."""
    log.setup(json=True)
    try:
        int("amqp://user:hunter2@broker")
    except ValueError:
        logging.getLogger("amqp").exception("lost %s", "amqps://u:hunter2@b/")
    err = capsys.readouterr().err
    assert "hunter2" not in err
    (line,) = _lines(err)
    assert line["logger"] == "amqp"
    assert line["level"] == "error"
    assert "ValueError" in line["exception"]


def test_an_unknown_level_is_refused():
    """A misspelt level is told, not taken for another."""
    with pytest.raises(KeyError):
        log.setup(json=True, level="LOUD")


SECRETS = [
    ("url", "amqp://user:hunter2@broker:5672/vhost"),
    ("url", "amqp://a:hunter2@b1;amqp://c:hunter2@b2"),
    ("url", "postgresql+psycopg://u:hunter2@db/hub?sslmode=require"),
    ("url", "postgresql://u@db/hub?password=hunter2&x=1"),
    ("url", "https://u:p@hunter2@host/"),
    ("url", "https://u:p/hunter2@host/"),
    ("reason", "cannot reach 'amqp://user:hunter2@broker/': refused"),
    ("reason", "password=hunter2"),
    ("reason", "Password: 'hunter2 with blanks'"),
    ("reason", "{'passwd': 'hunter2'}"),
    ("reason", "Authorization: Bearer hunter2"),
    ("password", "hunter2"),
    ("broker_password", "hunter2"),
    ("Authorization", "Basic hunter2"),
    ("client_secret", "hunter2"),
    ("erlang_cookie", "hunter2"),
    ("private_key", "hunter2"),
    ("settings", {"broker": {"url": "amqp://u:hunter2@b", "password": "hunter2"}}),
    ("urls", ["amqp://u:hunter2@b"]),
    ("error", ConnectionError("amqp://u:hunter2@b")),
]


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize(("name", "value"), SECRETS)
def test_no_secret_reaches_the_log(capsys, as_json, name, value):
    """Passwords in URLs, assignments, headers, nested tables and errors are masked."""
    log.setup(json=as_json)
    log.get("x").warning("connecting", **{name: value})
    err = capsys.readouterr().err
    assert "hunter2" not in err
    assert "***" in err


def test_a_trace_is_masked_too(capsys):
    """What an exception quotes of a URL or assignment is masked within the trace."""
    log.setup(json=False)
    try:
        int("amqp://u:hunter2@b")
    except ValueError:
        log.get("x").exception("failed")
    err = capsys.readouterr().err
    assert "hunter2" not in err
    assert "ValueError" in err


@pytest.mark.parametrize(
    "value",
    ["http://127.0.0.1:15672/api/queues", "H12.15", "Sở Tư pháp", 3, 2.5, True, None,
     "sqlite:////var/lib/hub.sqlite", "2026-03-04T08:30:00+07:00", "amqp://host:5672/"],
)  # fmt: skip
def test_what_is_no_secret_stays(value):
    """Addresses, codes, numbers and times are what logs are for."""
    assert log.masked(value) == value


passwords = st.text(
    st.characters(codec="ascii", categories=["L", "N"], exclude_characters=" "), min_size=8
)


@given(st.sampled_from(["amqp", "https", "postgresql+psycopg"]), passwords, st.text())
def test_any_password_of_a_url_is_masked(scheme, password, around):
    """Whatever stands around the URL, its password is gone and masking again changes nothing."""
    text = f"{around} {scheme}://user:{password}@host.example/x {around}"
    once = log.masked(text)
    assert f":{password}@" not in once
    assert log.masked(once) == once
