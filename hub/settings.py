"""Settings: frozen models, read once in ``main`` from ``hub.toml`` and passed down.

``HUB_BROKER_URL`` and ``HUB_STORE_URL`` override the file, so that a password never stands in it.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from hub.codes import AgencyCode, Environment
from hub.errors import ConfigInvalid, ConfigMissing, HubError

FILE = "hub.toml"
Rung = Annotated[int, Field(ge=1, le=30 * 86400)]


class Section(BaseModel):
    """A table of ``hub.toml``: frozen, and an unknown key is an error, not a silence."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class HubSection(Section):
    """``[hub]``: which hub this is."""

    code: str = Field(description="Agency code of this hub; it signs receipts under it")
    environment: Environment = Field(
        default=Environment.TRIAL, strict=False, description="trial or production"
    )
    lang: Literal["vi", "en"] = Field(default="vi", description="Language of messages to people")

    @field_validator("code")
    @classmethod
    def _well_formed(cls, code: str) -> str:
        return _checked(code, Environment.TRIAL)

    @model_validator(mode="after")
    def _no_test_in_production(self) -> Self:
        _checked(self.code, self.environment)
        return self


def _checked(code: str, environment: Environment) -> str:
    """Return the code; what is wrong with it is told like any other setting, with file and key."""
    try:
        return AgencyCode.parse(code, environment).value
    except HubError as error:
        raise PydanticCustomError("code", "{text}", {"text": error.message("en")}) from error


class BrokerSection(Section):
    """``[broker]``: where RabbitMQ is; without a URL the hub runs a private node of its own."""

    url: str = Field(
        default="", repr=False, description="amqp(s):// URLs, ';'-separated; empty: own node"
    )
    management_url: str = Field(
        default="", repr=False, description="http(s):// of the management plug-in"
    )
    shards: Annotated[int, Field(ge=1, le=64)] = Field(
        default=4, description="Queues that hub.ingress is spread over"
    )
    confirm_timeout_s: Annotated[float, Field(gt=0)] = Field(
        default=30.0, description="Seconds to wait for confirms"
    )
    heartbeat_s: Annotated[int, Field(ge=1, le=3600)] = Field(
        default=30, description="AMQP heartbeat in seconds"
    )
    rungs_s: Annotated[tuple[Rung, ...], Field(min_length=1)] = Field(
        default=(10, 60, 600, 3600, 21600),
        strict=False,
        description="Retry ladder in seconds, the shortest wait first",
    )

    @field_validator("rungs_s")
    @classmethod
    def _ascending(cls, rungs: tuple[int, ...]) -> tuple[int, ...]:
        if any(later <= earlier for earlier, later in pairwise(rungs)):
            raise PydanticCustomError("rungs", "each wait must be longer than the one before")
        return rungs


class StoreSection(Section):
    """``[store]``: where evidence is kept."""

    url: str = Field(
        default="sqlite:///hub.sqlite",
        repr=False,
        description="SQLAlchemy URL; a relative SQLite path is relative to the home",
    )

    @field_validator("url")
    @classmethod
    def _durable(cls, url: str) -> str:
        """Evidence needs a file or a PostgreSQL server; a database in memory keeps none."""
        if not _STORE_URL.fullmatch(url):
            raise PydanticCustomError("url", "it must be sqlite:///FILE or postgresql+psycopg://…")
        return url


class WindowSection(Section):
    """``[window]``: how much the router takes at once."""

    messages: Annotated[int, Field(ge=1, le=2000)] = Field(default=100, description="Messages")
    milliseconds: Annotated[int, Field(ge=0, le=5000)] = Field(
        default=10, description="Waiting time after the first arrival"
    )
    bytes: Annotated[int, Field(ge=1)] = Field(
        default=16 * 1024 * 1024, description="Bytes of all arrivals together"
    )


_STORE_URL = re.compile(r"sqlite:///(?!:memory:)[^?]+|postgresql(?:\+psycopg)?://.+")


class TrustSection(Section):
    """``[trust]``: how certificates are judged."""

    revocation_unknown: Literal["refuse", "accept"] = Field(
        default="refuse", description="What to do when no revocation list can tell"
    )


class TimeSection(Section):
    """``[time]``: clock and age limits of arriving messages."""

    ahead_s: Annotated[int, Field(ge=0)] = Field(
        default=300, description="CreatedAt may lie this far in the future"
    )
    max_age_days: Annotated[int, Field(ge=1)] = Field(
        default=30, description="Older messages are refused as expired"
    )
    dedupe_days: Annotated[int, Field(ge=400)] = Field(
        default=400, validate_default=True, description="How long repeats are recognised"
    )

    @field_validator("dedupe_days")
    @classmethod
    def _remembered(cls, days: int, info: ValidationInfo) -> int:
        """A message that is young enough to be taken must still be known when it is repeated."""
        if days < info.data.get("max_age_days", 0):
            raise PydanticCustomError("days", "it must not be below max_age_days")
        return days


class Settings(Section):
    """All settings of one home."""

    home: Path = Field(exclude=True, description="The folder that holds hub.toml")
    hub: HubSection
    broker: BrokerSection = BrokerSection()
    store: StoreSection = StoreSection()
    window: WindowSection = WindowSection()
    trust: TrustSection = TrustSection()
    time: TimeSection = TimeSection()

    @property
    def pki(self) -> Path:
        """Folder of anchors, intermediates, revocation lists and the agencies' keys."""
        return self.home / "pki"

    @property
    def broker_folder(self) -> Path:
        """Folder of the private node and of the agencies' broker passwords (0600 files)."""
        return self.home / "broker"

    @property
    def connectors(self) -> Path:
        """Folder with one ``<name>.toml`` for each connector, and its state beside it."""
        return self.home / "connectors"

    @property
    def store_url(self) -> str:
        """The store's URL with a relative SQLite path made absolute under the home."""
        prefix = "sqlite:///"
        path = self.store.url.removeprefix(prefix)
        if self.store.url.startswith(prefix) and not path.startswith("/"):
            whole = str((self.home / path).resolve())
            return prefix + whole.replace("%", "%25").replace("?", "%3F")
        return self.store.url


def load(home: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read ``hub.toml`` of ``home``; raises ``ConfigMissing``, ``ConfigInvalid`` naming the key."""
    file = home / FILE
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigMissing(
            file=str(file),
            reason="make a home with `hub init`, or name one with --home",
            reason_vi="hãy tạo bằng `hub init`, hoặc chỉ ra bằng --home",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigInvalid(file=str(file), key="-", reason=str(error)) from error
    return read(file, data, environ)


def read(file: Path, data: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """Return the settings of the tables of ``file``; raises ``ConfigInvalid`` naming the key."""
    tables = dict(data)
    if "home" in tables:
        raise ConfigInvalid(file=str(file), key="home", reason="it is where this file lies")
    for name, section in (("HUB_BROKER_URL", "broker"), ("HUB_STORE_URL", "store")):
        table = tables.get(section, {})
        if environ.get(name) and isinstance(table, Mapping):
            tables[section] = {**table, "url": environ[name]}
    try:
        return Settings.model_validate({**tables, "home": file.parent.resolve()})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].rstrip(".")
        raise ConfigInvalid(file=str(file), key=key, reason=reason) from error
