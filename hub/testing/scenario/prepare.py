"""Make the partners' systems of a demo, and one settings file for each connector."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from hub.testing.scenario import cast
from hub.testing.scenario.cast import Places
from hub.testing.scenario.partners import simulator

POLL_S = 0.3
"""Seconds between two looks of a connector at its system: a demo does not wait for minutes."""


def prepare(home: Path) -> None:
    """Write ``partners/`` and ``connectors/*.toml`` into a home."""
    places = Places(home)
    places.partners.mkdir(parents=True, exist_ok=True)
    for name, agency, database in (
        ("commune", cast.COMMUNE, places.commune),
        ("department", cast.DEPARTMENT, places.department),
    ):
        simulator("one_stop", "--db", database, "--profile", name)
        options = {"database": f"sqlite:///{database.resolve()}", "mapping": name}
        _settings(home, name, "one_stop", agency, options)
    for agency in (cast.AUTHOR, *cast.READERS):
        _documents(places, agency)
    _post(places)


def _documents(places: Places, agency: str) -> None:
    options: dict[str, Any] = {"settle_s": 0.3, "incomplete_after_s": 3.0}
    for name in ("out", "in", "sent", "failed"):
        folder = places.folder(agency, name)
        folder.mkdir(parents=True, exist_ok=True)
        options[f"{name}_folder"] = str(folder.resolve())
    _settings(places.home, f"dms-{agency.lower().replace('.', '-')}", "dms", agency, options)


def _post(places: Places) -> None:
    port = _free_port()
    places.post.write_text(json.dumps({"port": port}), encoding="utf-8")
    places.secret.touch(mode=0o600)
    places.secret.write_text("sim-secret", encoding="utf-8")
    options = {
        "url": f"http://127.0.0.1:{port}",
        "consumer_key": "sim-key",
        "secret_file": str(places.secret.resolve()),
        "timeout_s": 5,
        "customers": {
            cast.CUSTOMER: {
                "code": cast.DEPARTMENT,
                "name": "Bộ phận Một cửa minh họa",
                "address": "Số 2 đường Minh Họa",
                "phone": "0240000000",
                "province": "10",
            }
        },
    }
    _settings(places.home, "vnpost", "vnpost", cast.POST, options)


def _settings(home: Path, name: str, kind: str, agency: str, options: dict[str, Any]) -> None:
    lines = ["[connector]", f'kind = "{kind}"', f'agency = "{agency}"', f"poll_s = {POLL_S}", ""]
    lines += _table("options", options)
    folder = home / "connectors"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _table(name: str, values: dict[str, Any]) -> list[str]:
    """One TOML table and those below it; text and numbers are spelled as in JSON."""
    lines = [f"[{name}]"]
    inner = {key: value for key, value in values.items() if isinstance(value, dict)}
    lines += [
        f"{key} = {json.dumps(value, ensure_ascii=False)}"
        for key, value in values.items()
        if key not in inner
    ]
    for key, value in inner.items():
        lines += ["", *_table(f"{name}.{key}", value)]
    return lines


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
