"""A connector's own settings: ``connectors/NAME.toml`` in the home."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.codes import AgencyCode, Environment
from hub.errors import ConfigInvalid, ConfigMissing, HubError
from hub.settings import Settings


class _Connector(BaseModel):
    """``[connector]``: what the runner itself needs to know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    """An installed kind (entry point ``lienthong.connectors``), or a name of one's own."""
    module: Annotated[str, Field(pattern=r"^([A-Za-z_]\w*(\.[A-Za-z_]\w*)*)?$")] = ""
    """The Python module to run, for a connector that is no installed kind."""
    path: str = ""
    """The folder in which that module's package lies."""
    agency: str
    """Whose inbox it reads and whose key it signs with; one inbox has one connector."""
    poll_s: Annotated[float, Field(ge=0.05, le=86_400)] = 5.0
    """Seconds between two polls of the source."""


class _File(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connector: _Connector
    options: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class ConnectorSettings:
    """What a connector is told when it is made."""

    name: str
    """The settings file's name without ``.toml``; the state lies beside it in ``NAME.sqlite``."""
    kind: str
    """The entry point that it is started by: ``one_stop``, ``dms``, …"""
    agency: AgencyCode
    """Whose inbox it reads and whose key it signs with. One inbox has one connector."""
    environment: Environment
    folder: Path
    """The settings file's folder: relative paths of the options are relative to it."""
    options: Mapping[str, object]
    """The connector's own table, for it to check."""
    poll_s: float = 5.0
    """Seconds between two polls of the source."""
    module: str = ""
    """The Python module to run, for a connector that is no installed kind; else empty."""
    module_path: Path | None = None
    """The folder in which that module's package lies."""

    @property
    def file(self) -> Path:
        """The settings file."""
        return self.folder / f"{self.name}.toml"

    @property
    def state(self) -> Path:
        """The connector's own store."""
        return self.folder / f"{self.name}.sqlite"


def load_connector(settings: Settings, name: str) -> ConnectorSettings:
    """Read ``connectors/NAME.toml``.

    Raises ``ConfigMissing``, or ``ConfigInvalid`` naming file and key: not TOML, an unknown or
    missing key, a code that is none, an agency whose inbox another settings file reads already.
    """
    file = settings.connectors / f"{name}.toml"
    found = _read(file)
    try:
        agency = AgencyCode.parse(found.connector.agency, settings.hub.environment)
    except HubError as error:
        raise ConfigInvalid(
            file=str(file),
            key="connector.agency",
            reason=error.message("en"),
            reason_vi=error.message("vi"),
        ) from error
    _check_alone(file, agency, settings)
    return ConnectorSettings(
        name=name,
        kind=found.connector.kind,
        agency=agency,
        environment=settings.hub.environment,
        folder=file.parent,
        options=found.options,
        poll_s=found.connector.poll_s,
        module=found.connector.module,
        module_path=file.parent / found.connector.path if found.connector.path else None,
    )


def _read(file: Path) -> _File:
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
        return _File.model_validate(data)
    except FileNotFoundError as error:
        reason = f"hub connector new {file.stem}"
        raise ConfigMissing(file=str(file), reason=reason) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigInvalid(file=str(file), key="-", reason=str(error)) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigInvalid(file=str(file), key=key, reason=first["msg"]) from error


def _check_alone(file: Path, agency: AgencyCode, settings: Settings) -> None:
    """Two connectors on one inbox would take each other's messages and refuse them."""
    for other in sorted(settings.connectors.glob("*.toml")):
        if other != file and _agency_of(other) == agency.value:
            en, vi = f"{other.name} reads its inbox", f"{other.name} đã đọc hộp thư của mã này"
            raise ConfigInvalid(file=str(file), key="connector.agency", reason=en, reason_vi=vi)


def _agency_of(file: Path) -> str:
    """Return the agency of another settings file; a file with faults is its own owner's worry."""
    try:
        return _read(file).connector.agency.strip().upper()
    except HubError:
        return ""
