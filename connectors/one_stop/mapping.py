"""The mapping file of one software: packaged under ``mappings/``, or written by who runs it."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from hub.adapters.one_stop.mapping import Mapping
from hub.adapters.options import parse_toml
from hub.errors import ConfigMissing


def load(name: str, folder: Path) -> Mapping:
    """Read a mapping: a packaged one (``commune``, ``department``) or a file, relative to folder.

    Raises ``ConfigMissing``, or ``ConfigInvalid`` naming the file and the key.
    """
    packaged = resources.files(__package__).joinpath("mappings", f"{name}.toml")
    file = folder / name
    try:
        raw = packaged.read_bytes() if packaged.is_file() else file.read_bytes()
    except OSError as error:
        raise ConfigMissing(file=str(file), reason="mapping") from error
    return parse_toml(Mapping, raw, str(file))
