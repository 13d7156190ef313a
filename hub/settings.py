"""Settings: frozen models, read once in ``main`` from ``hub.toml`` and passed down.

``HUB_BROKER_URL`` and ``HUB_STORE_URL`` override the file, so that a password never stands in it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.codes import Environment
from hub.errors import ConfigInvalid, ConfigMissing

FILE = "hub.toml"


class Section(BaseModel):
    """A table of ``hub.toml``: frozen, and an unknown key is an error, not a silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class HubSection(Section):
    """``[hub]``: which hub this is."""

    code: str = Field(description="Agency code of this hub; it signs receipts under it")
    environment: Environment = Field(default=Environment.TRIAL, description="trial or production")
    lang: Literal["vi", "en"] = Field(default="vi", description="Language of messages to people")


class BrokerSection(Section):
    """``[broker]``: where RabbitMQ is; without a URL the hub runs a private node of its own."""

    url: str = Field(default="", description="amqp(s):// URLs, ';'-separated; empty: own node")
    management_url: str = Field(default="", description="http(s):// of the management plug-in")
    shards: Annotated[int, Field(ge=1, le=64)] = Field(
        default=4, description="Queues that hub.ingress is spread over"
    )
    confirm_timeout_s: float = Field(default=30.0, description="Seconds to wait for confirms")
    heartbeat_s: int = Field(default=30, description="AMQP heartbeat in seconds")
    rungs_s: tuple[int, ...] = Field(
        default=(10, 60, 600, 3600, 21600), description="Retry ladder in seconds"
    )


class StoreSection(Section):
    """``[store]``: where evidence is kept."""

    url: str = Field(
        default="sqlite:///hub.sqlite",
        description="SQLAlchemy URL; a relative SQLite path is relative to the home",
    )


class WindowSection(Section):
    """``[window]``: how much the router takes at once."""

    messages: Annotated[int, Field(ge=1, le=2000)] = Field(default=100, description="Messages")
    milliseconds: Annotated[int, Field(ge=0, le=5000)] = Field(
        default=10, description="Waiting time after the first arrival"
    )
    bytes: int = Field(default=16 * 1024 * 1024, description="Bytes of all arrivals together")


class TrustSection(Section):
    """``[trust]``: how certificates are judged."""

    revocation_unknown: Literal["refuse", "accept"] = Field(
        default="refuse", description="What to do when no revocation list can tell"
    )


class TimeSection(Section):
    """``[time]``: clock and age limits of arriving messages."""

    ahead_s: int = Field(default=300, description="CreatedAt may lie this far in the future")
    max_age_days: int = Field(default=30, description="Older messages are refused as expired")
    dedupe_days: Annotated[int, Field(ge=400)] = Field(
        default=400, description="How long repeats are recognised"
    )


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
            return f"{prefix}{(self.home / path).resolve()}"
        return self.store.url


def load(home: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read ``hub.toml`` of ``home``; raises ``ConfigMissing``, ``ConfigInvalid`` naming the key."""
    file = home / FILE
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigMissing(file=str(file), reason="hub init") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigInvalid(file=str(file), key="-", reason=str(error)) from error
    for name, section in (("HUB_BROKER_URL", "broker"), ("HUB_STORE_URL", "store")):
        if environ.get(name):
            data.setdefault(section, {})["url"] = environ[name]
    try:
        return Settings.model_validate({**data, "home": home.resolve()})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigInvalid(file=str(file), key=key, reason=first["msg"]) from error
