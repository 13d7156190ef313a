"""A connector's own settings: strict models, and secrets that never stand in a settings file."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from hub.errors import ConfigInvalid, ConfigMissing

ENVIRONMENT = "env:"


class Options(BaseModel):
    """A table of settings: frozen, and an unknown key is an error, not a silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Model = TypeVar("Model", bound=Options)


def parse(model: type[Model], given: Mapping[str, object], file: str) -> Model:
    """Check a table of settings; raises ``ConfigInvalid`` naming ``file`` and the key."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigInvalid(file=file, key=key or "-", reason=first["msg"]) from error


def parse_toml(model: type[Model], raw: bytes, file: str) -> Model:
    """Check a whole TOML document; raises ``ConfigInvalid`` naming ``file`` and the key."""
    try:
        given = tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigInvalid(file=file, key="-", reason=str(error)) from error
    return parse(model, given, file)


def secret(reference: str, folder: Path) -> str:
    """Return a secret from ``env:NAME``, or from a file in ``folder`` that only its owner may read.

    Raises ``ConfigMissing`` when there is none, and ``ConfigInvalid`` when group or others may read
    the file: a secret that anyone can read is none.
    """
    if reference.startswith(ENVIRONMENT):
        found = os.environ.get(reference.removeprefix(ENVIRONMENT), "")
        if not found:
            raise ConfigMissing(file=reference, reason="environment variable")
        return found
    file = folder / reference
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigInvalid(file=str(file), key="mode", reason=f"{mode:04o}; chmod 600")
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigMissing(file=str(file), reason="secret") from error
