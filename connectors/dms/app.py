"""The folder connector of a document management system as a process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from connectors.dms.config import options_of
from connectors.dms.sink import FolderSink
from connectors.dms.source import FolderSource
from hub.adapters.contract import Parts
from hub.adapters.dms.arriving import ACCEPTS
from hub.adapters.dms.folder_probe import FolderProbe
from hub.adapters.runner import ConnectorSettings, main_for
from hub.codes import AgencyCode, Environment

RENAMED = frozenset({"out_folder", "sent_folder", "failed_folder"})
"""Folders between which files are moved."""
ATTACHMENTS = True
"""Told to the conformance suite: files arrive byte for byte."""


def parts(
    given: Mapping[str, object],
    agency: AgencyCode,
    environment: Environment,
    folder: Path,
    clock: Callable[[], datetime],
) -> Parts:
    """Make source, sink and probe; raises ``ConfigInvalid`` naming a key of ``[options]``."""
    options = options_of(given, folder)
    rules = options.rules(agency, environment)
    return Parts(
        probe=FolderProbe(options.folders, RENAMED),
        source=FolderSource(options, rules, clock),
        sink=FolderSink(options.in_folder, rules, clock),
        accepts=ACCEPTS,
    )


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
    """Give the conformance suite four throw-away folders with two documents waiting in them.

    One comes from H12.15, the agency that the suite checks connectors for; the other from a
    stranger, and is not sent.
    """
    options: dict[str, object] = {"settle_s": 0.0, "incomplete_after_s": 0.1}
    for name in ("out", "in", "sent", "failed"):
        path = folder / name
        path.mkdir()
        options[f"{name}_folder"] = str(path)
    command = [sys.executable, "-m", "connectors.simulators.dms", "new", "--to", "H13.15"]
    for author in ("H12.15", "H26.15"):
        given = ["--folder", str(folder / "out"), "--from", author]
        subprocess.run([*command, *given], check=True, capture_output=True)  # noqa: S603 - ours
    yield options


def main(argv: Sequence[str] | None = None) -> int:
    """Run the connector until SIGTERM."""
    return main_for(factory, argv)


if __name__ == "__main__":
    raise SystemExit(main())
