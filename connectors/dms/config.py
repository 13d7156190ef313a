"""Settings of the folder connector."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from hub.adapters.dms.settings import PacketOptions
from hub.adapters.options import parse
from hub.errors import ConfigInvalid

FOLDERS = ("out_folder", "in_folder", "sent_folder", "failed_folder")


class DmsOptions(PacketOptions):
    """``[options]``; folders are relative to the settings file."""

    out_folder: Path
    """Where the software puts what it sends: only read, and emptied into sent and failed."""
    in_folder: Path
    """Where it expects what it receives. ``.lienthong`` in it is the connector's own."""
    sent_folder: Path
    failed_folder: Path
    """Refused and unreadable files, each with its reason beside it."""
    settle_s: Annotated[float, Field(ge=0, le=3600)] = 2.0
    """Seconds that size and time of a file must stand still before it is taken."""
    marker_suffix: Annotated[str, Field(min_length=1, pattern=r"^\.[^/]+$")] = ".ready"
    """``NAME.edxml.ready`` beside a file says that it is whole."""
    incomplete_after_s: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    """Seconds that a truncated or locked file is waited for."""

    @property
    def folders(self) -> dict[str, Path]:
        """The four folders by the names of their settings."""
        return {name: getattr(self, name) for name in FOLDERS}


def options_of(given: Mapping[str, object], folder: Path) -> DmsOptions:
    """Check the options, with folders made absolute; raises ``ConfigInvalid`` naming the key."""
    options = parse(DmsOptions, given, "dms")
    found = {name: (folder / path).resolve() for name, path in options.folders.items()}
    if len(set(found.values())) < len(found):
        raise ConfigInvalid(
            file="dms",
            key="out_folder",
            reason="two of the four folders are one",
            reason_vi="hai trong bốn thư mục là một",
        )
    return options.model_copy(update=found)
