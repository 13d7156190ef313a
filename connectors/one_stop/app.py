"""The one-stop connector as a process: a legacy SQL database behind one mapping file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from connectors.one_stop import mapping as rules
from connectors.one_stop.database import connect
from connectors.one_stop.sink import SqlSink
from connectors.one_stop.source import SqlSource
from hub.adapters.contract import Parts
from hub.adapters.one_stop.events import EventMaker
from hub.adapters.options import Options, parse
from hub.adapters.runner import ConnectorSettings, main_for
from hub.codes import AgencyCode, Environment


class OneStopOptions(Options):
    """The connector's own settings."""

    database: str
    """SQLAlchemy URL without a password, or ``env:NAME`` or ``file:NAME`` (0600) for a whole one; a
    relative SQLite path is relative to the settings file."""
    mapping: str
    """``commune``, ``department``, or a TOML file relative to the settings file."""


def parts(
    given: Mapping[str, object],
    agency: AgencyCode,
    environment: Environment,
    folder: Path,
    clock: Callable[[], datetime],
) -> Parts:
    """Make source, sink and probe; raises ``ConfigInvalid`` or ``ConfigMissing``."""
    options = parse(OneStopOptions, given, "one_stop")
    table = rules.load(options.mapping, folder)
    engine = connect(options.database, folder)
    source = SqlSource(engine, table, EventMaker(table, agency, environment, clock))
    if table.inbox is None:
        return Parts(source, source)
    return Parts(source, source, SqlSink(engine, table), table.accepts())


def factory(settings: ConnectorSettings) -> Parts:
    """Make the parts that the runner drives."""
    return parts(settings.options, settings.agency, settings.environment, settings.folder, _now)


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def check_fixture(folder: Path) -> Iterator[dict[str, object]]:
    """Give the conformance suite a throw-away commune: two good dossiers and a broken one."""
    database = folder / "check.db"
    command = [sys.executable, "-m", "connectors.simulators.one_stop", "--db", str(database)]
    command += ["--profile", "commune", "--fill", "--broken"]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own module
    yield {"database": f"sqlite:///{database}", "mapping": "commune"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the connector until SIGTERM."""
    return main_for(factory, argv)


if __name__ == "__main__":
    raise SystemExit(main())
