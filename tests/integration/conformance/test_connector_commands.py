"""``hub connector new | check | run`` from the command line, as an author meets them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

HUB = [sys.executable, "-m", "hub.cli.main"]
NAME = "kho-giay"
RECORD = {
    "ma_ho_so": "000.00.19.H99-260304-0007", "ma_thu_tuc": "9.999999", "noi_nhan": "H13.15",
    "nguoi_nop": "Nguyễn Văn Mẫu", "trich_yeu": "Hồ sơ minh họa", "ngay_nop": "04/03/2026 08:30",
}  # fmt: skip
ROOT = Path(__file__).parents[3]


def hub(cwd: Path, *arguments: str):
    """Run the hub's command in a folder; returns status, output and errors."""
    done = subprocess.run(
        [*HUB, *arguments], cwd=cwd, env=environment(), capture_output=True, text=True,
        check=False, timeout=240,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def environment():
    """Return the environment with this checkout on the path, from whatever folder it runs."""
    found = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    return {**found, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A home with keys, and the scaffolded connector beside it."""
    folder = tmp_path_factory.mktemp("place")
    assert hub(folder, "init", "home", "--demo")[0] == 0
    status, out, errors = hub(
        folder, "--home", "home", "connector", "new", NAME, "--agency", "H12.15", "--json"
    )
    assert status == 0, errors
    assert len(json.loads(out)["files"]) == 4
    return folder


def checked(place, *more):
    """Run the suite on the scaffolded connector."""
    return hub(place, "--home", "home", "connector", "check", NAME, *more)


def test_scaffold_passes_from_its_first_minute(place):
    """Straight after ``new``, ``check`` finds nothing, in words and as JSON."""
    status, out, errors = checked(place, "--json")
    assert (status, errors) == (0, ""), out
    found = json.loads(out)
    assert found["ok"] is True
    assert {"name", "ok", "detail"} == set(found["cases"][0])
    assert all(case["ok"] for case in found["cases"])


@pytest.mark.parametrize(
    ("lang", "seen", "where"), [("vi", "Đã thấy:", "Xem: Sink.apply"), ("en", "Seen:", "Look at:")]
)
def test_broken_method_is_explained_in_the_readers_language(place, lang, seen, where):
    """A broken ``lookup`` fails the case about it, says what was seen and where to look."""
    file = place / "kho_giay" / "app.py"
    whole = file.read_text("utf-8")
    good = "return Applied(file.stem) if file.exists() else None"
    assert good in whole
    file.write_text(whole.replace(good, "return None"), "utf-8")
    try:
        status, out, _ = checked(place, "--lang", lang)
        assert status == 1
        (line,) = [one for one in out.splitlines() if one.startswith("✗ apply.finds")]
        assert seen in line
        assert where in line
        status, out, _ = checked(place, "--lang", lang, "--json")
        assert (status, json.loads(out)["ok"]) == (1, False)
    finally:
        file.write_text(whole, "utf-8")


def test_name_that_is_taken_is_refused(place):
    """A second ``new`` of a name overwrites neither the settings file nor the package."""
    package = place / "kho_giay" / "app.py"
    settings = place / "home" / "connectors" / f"{NAME}.toml"
    before = package.read_bytes(), settings.read_bytes()
    status, _, errors = hub(place, "--home", "home", "connector", "new", NAME)
    assert (status, settings.name in errors) == (2, True)
    status, _, errors = hub(place, "--home", "home", "connector", "new", "kho_giay")
    assert (status, "kho_giay" in errors) == (2, True)
    assert (package.read_bytes(), settings.read_bytes()) == before
    assert not settings.with_stem("kho_giay").exists()


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('module = "kho_giay.app"', 'module = "khong.co"', "khong"),
        ('module = "kho_giay.app"', 'module = "json"', "factory"),
        ('out_folder = "kho-giay/out"', "", "out_folder"),
        ('agency = "H12.15"', 'agency = "??"', "connector.agency"),
    ],
)
def test_settings_with_a_mistake_are_one_sentence(place, old, new, named):
    """A wrong module, a missing option, a malformed code: exit 2 and one sentence that names it."""
    file = place / "home" / "connectors" / f"{NAME}.toml"
    whole = file.read_text("utf-8")
    assert old in whole
    file.write_text(whole.replace(old, new), "utf-8")
    try:
        status, out, errors = checked(place)
        assert (status, out) == (2, "")
        assert named in errors
        assert "Traceback" not in errors
    finally:
        file.write_text(whole, "utf-8")


def test_scaffold_runs_and_takes_records_without_a_broker(place):
    """``run`` finds the package outside the installation, takes a record and stops on SIGTERM."""
    folder = place / "home" / "connectors"
    file = folder / f"{NAME}.toml"
    file.write_text(file.read_text("utf-8").replace("poll_s = 5.0", "poll_s = 0.1"), "utf-8")
    assert tomllib.loads(file.read_text("utf-8"))["connector"]["poll_s"] == 0.1
    half = folder / NAME / "out" / "half"
    half.write_text(json.dumps(RECORD), "utf-8")
    half.rename(half.with_name("don.json"))
    command = [*HUB, "--home", "home", "connector", "run", NAME]
    with subprocess.Popen(
        command, cwd=place, env=environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            lines = iter(process.stderr.readline, "")
            deadline = time.monotonic() + 60
            events = []
            while "taken" not in events and time.monotonic() < deadline:
                events.append(json.loads(next(lines))["event"])
            assert "taken" in events
        finally:
            process.send_signal(signal.SIGTERM)
            process.stderr.read()
    assert process.returncode == 0


OPTIONS = {
    "one_stop": 'database = "sqlite:///motcua.db"\nmapping = "commune"\n',
    "vnpost": (
        'url = "http://127.0.0.1:9"\nconsumer_key = "k"\nsecret_file = "secret"\n'
        "[options.customers]\n"
    ),
    "dms": "".join(f'{one}_folder = "{one}"\n' for one in ("out", "in", "sent", "failed")),
}


@pytest.mark.timeout(300)  # a dozen partners are started, on a machine that may be busy
@pytest.mark.parametrize("kind", list(OPTIONS))
def test_shipped_connector_keeps_the_contract(place, kind):
    """The connectors that are shipped pass the whole suite, without touching their partner."""
    folder = place / "home" / "connectors"
    secret = folder / "secret"
    secret.touch(mode=0o600)
    text = f'[connector]\nkind = "{kind}"\nagency = "H13.15"\n[options]\n{OPTIONS[kind]}'
    (folder / f"{kind}.toml").write_text(text, "utf-8")
    try:
        status, out, errors = hub(
            place, "--home", "home", "connector", "check", kind, "--json", "--lang", "en"
        )
    finally:
        (folder / f"{kind}.toml").unlink()
    failed = [case for case in json.loads(out or '{"cases": []}')["cases"] if not case["ok"]]
    assert (status, failed) == (0, []), errors
    assert not (folder / "motcua.db").exists()
