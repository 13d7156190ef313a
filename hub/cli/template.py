"""Write a ``hub.toml`` in which every setting stands, with its meaning and its default."""

from __future__ import annotations

import json
from enum import Enum
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from hub.settings import Settings

HEAD = """\
# Cấu hình của Liên thông Hub / settings of the hub. Every setting stands here; those behind '#'
# have the value shown. HUB_BROKER_URL and HUB_STORE_URL override broker.url and store.url.
"""


def render(values: dict[str, dict[str, Any]]) -> str:
    """Return the text of ``hub.toml`` with ``values`` set and everything else commented out."""
    parts = [HEAD]
    for name, info in Settings.model_fields.items():
        model = info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            parts.append(_section(name, model, values.get(name, {})))
    return "\n".join(parts)


def _section(name: str, model: type[BaseModel], values: dict[str, Any]) -> str:
    lines = [f"[{name}]"]
    for key, info in model.model_fields.items():
        lines.append(f"# {info.description}")
        if key in values:
            lines.append(f"{key} = {_toml(values[key])}")
        elif info.default is not PydanticUndefined:
            lines.append(f"# {key} = {_toml(info.default)}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """TOML and JSON spell text, numbers, booleans and lists of numbers alike."""
    plain = value.value if isinstance(value, Enum) else value
    return json.dumps(list(plain) if isinstance(plain, tuple) else plain, ensure_ascii=False)
