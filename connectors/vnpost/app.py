"""The connector of Vietnam Post as a process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx2

from connectors.vnpost.client import Ngsp
from connectors.vnpost.config import VnpostConfig
from connectors.vnpost.sink import OrderSink
from connectors.vnpost.source import TrackingSource
from hub.adapters.contract import Parts
from hub.adapters.postal.orders import ACCEPTS
from hub.adapters.runner import ConnectorSettings, main_for
from hub.codes import Environment

_DESK = {
    "code": "H12.15",
    "name": "Bộ phận Một cửa minh họa",
    "address": "Số 2 đường Minh Họa",
    "phone": "0240000000",
    "province": "10",
}
"""The customer of :func:`check_fixture`."""


_SLIP = {
    "Procedure": {"Code": "9.999999", "Title": "Thủ tục minh họa", "Elements": "Tờ khai"},
    "DocumentSender": {"Name": "Nguyễn Văn Mẫu", "Phone": "0900000000"},
}
REPEATABLE = True
"""The post recognises a repeated order by its number (101), and has no look-up by our key."""


def parts(
    given: Mapping[str, object],
    environment: Environment,
    folder: Path,
    clock: Callable[[], datetime],
) -> Parts:
    """Make source, sink and probe; a relative ``secret_file`` is relative to the settings file."""
    config = VnpostConfig.parse(given, folder)
    config.secret()  # one that is missing or open to others shows at the start
    client = Ngsp(config)
    source = TrackingSource(client, config, environment, clock)
    return Parts(probe=source, source=source, sink=OrderSink(client, config), accepts=ACCEPTS)


def factory(settings: ConnectorSettings) -> Parts:
    """Make the parts that the runner drives."""
    return parts(settings.options, settings.environment, settings.folder, lambda: datetime.now(UTC))


@contextmanager
def check_fixture(folder: Path) -> Iterator[dict[str, object]]:
    """Give the conformance suite a throw-away post that took a dossier, and one of a stranger."""
    secret = folder / "secret"
    secret.touch(mode=0o600)
    secret.write_text("sim-secret", "utf-8")
    command = [sys.executable, "-m", "connectors.simulators.vnpost"]
    command += ["--data", str(folder / "post.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - our own module
        try:
            line = server.stdout.readline() if server.stdout else ""
            url = json.loads(line)["url"]
            for customer in ("nobody", "check"):
                slip = {"CustomerCode": customer, "OrderNumber": "BC-1", **_SLIP}
                httpx2.post(f"{url}/_sim/accept", json=slip, trust_env=False)
            yield {
                "url": url,
                "consumer_key": "sim-key",
                "secret_file": str(secret),
                "customers": {"check": _DESK},
            }
        finally:
            server.terminate()


def check_observe(options: Mapping[str, object], _folder: Path) -> dict[str, str]:
    """Return what the throw-away post holds: its orders and notices, not its log."""
    get = partial(httpx2.get, trust_env=False)
    return {name: get(f"{options['url']}/_sim/{name}").text for name in ("orders", "documents")}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the connector until SIGTERM."""
    return main_for(factory, argv)


if __name__ == "__main__":
    raise SystemExit(main())
