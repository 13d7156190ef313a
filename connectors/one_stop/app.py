"""The one-stop connector as a process: a legacy SQL database behind one mapping file."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from hub.adapters.runner import ConnectorSettings, main_for
from pydantic import BaseModel, ConfigDict, ValidationError

from connectors.one_stop import mapping as rules
from connectors.one_stop.database import connect
from connectors.one_stop.sink import SqlSink
from connectors.one_stop.source import SqlSource
from hub.adapters.contract import Parts
from hub.codes import AgencyCode, Environment
from hub.errors import ConfigInvalid


class Options(BaseModel):
    """The connector's own settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database: str
    """SQLAlchemy URL, or ``env:NAME`` to take it (and its password) from the environment; a
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
    try:
        options = Options.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigInvalid(file="one_stop", key=key, reason=first["msg"]) from error
    table = rules.load(options.mapping, folder)
    engine = connect(_url(options.database, folder))
    source = SqlSource(engine, table, agency, environment, clock)
    if table.inbox is None:
        return Parts(probe=source, source=source)
    sink = SqlSink(engine, table)
    return Parts(probe=source, source=source, sink=sink, accepts=sink.accepts)


def _url(database: str, folder: Path) -> str:
    if database.startswith("env:"):
        database = os.environ.get(database.removeprefix("env:"), "")
    prefix = "sqlite:///"
    path = database.removeprefix(prefix)
    if database.startswith(prefix) and not path.startswith("/"):
        return f"{prefix}{(folder / path).resolve()}"
    return database


def factory(settings: ConnectorSettings) -> Parts:
    """Make the parts that the runner drives."""
    return parts(
        settings.options,
        settings.agency,
        settings.environment,
        settings.folder,
        lambda: datetime.now(UTC),
    )


@contextmanager
def check_fixture(folder: Path) -> Iterator[dict[str, object]]:
    """Give the conformance suite a throw-away commune with two dossiers in it."""
    database = folder / "check.db"
    command = [sys.executable, "-m", "connectors.simulators.one_stop", "--db", str(database)]
    command += ["--profile", "commune", "--fill"]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own module
    yield {"database": f"sqlite:///{database}", "mapping": "commune"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the connector until SIGTERM."""
    return main_for(factory, argv)


if __name__ == "__main__":
    raise SystemExit(main())
