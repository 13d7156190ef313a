"""docs/reference/settings.md: every key of ``hub.toml`` and every environment variable."""

from __future__ import annotations

from enum import Enum
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from hub.settings import Settings
from hub.testing.reference.markdown import NOTE, code, table

SETTINGS_INTRO = f"""# Settings · Thiết lập

{NOTE}
`hub.toml` lies in the home. `hub init` writes it with every key below, commented out where the
default holds. An unknown key, or a value outside its limits, ends the command with status 2 and a
sentence that names the file and the key.
"""

ENVIRONMENT = (
    ("HUB_HOME", "the home, where `--home` is not given", "`./hub-home`"),
    ("HUB_LANG", "`vi` or `en`, where `--lang` is not given", "`vi`"),
    ("HUB_LOG", "level of the log on standard error", "`INFO`"),
    ("HUB_OPERATOR", "the name that the log records beside a change", "the login name"),
    ("HUB_BROKER_URL", "overrides `[broker] url`, so that a password stands in no file", ""),
    ("HUB_STORE_URL", "overrides `[store] url`, likewise", ""),
)
"""Every environment variable that the hub reads."""


def page() -> str:
    """Every key of ``hub.toml`` with its default and limits, and the environment variables."""
    parts = [
        SETTINGS_INTRO,
    ]
    for name, info in Settings.model_fields.items():
        model = info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            parts += [f"## `[{name}]`\n", _doc(model) + "\n", model_table(model)]
    parts += [
        "## Environment\n",
        table(("variable", "meaning", "default"), [(code(n), m, d) for n, m, d in ENVIRONMENT]),
    ]
    return "\n".join(parts)


def model_table(model: type[BaseModel]) -> str:
    """Return the fields of one settings table: key, type, default, limits, meaning."""
    rows = [
        (
            code(info.alias or key),
            _kind(info),
            _default(info),
            _limits(info),
            info.description or "",
        )
        for key, info in model.model_fields.items()
    ]
    return table(("key", "type", "default", "limits", "meaning"), rows)


def _doc(model: type) -> str:
    text = " ".join((model.__doc__ or "").split()).partition(": ")[2]
    return text[:1].upper() + text[1:]


def _kind(info: FieldInfo) -> str:
    kind: Any = info.annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " or ".join(code(one.value) for one in kind)
    if get_origin(kind) is Literal:
        return " or ".join(code(one) for one in get_args(kind))
    return KINDS.get(kind, str(kind))


KINDS = {str: "text", int: "whole number", float: "number", tuple[int, ...]: "whole numbers"}


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "*(required)*"
    value = info.default
    if value is PydanticUndefined:
        return ""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, tuple):
        return code(list(value))
    return code(value) if value != "" else "*(empty)*"


def _limits(info: FieldInfo) -> str:
    signs = (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))
    found = [
        f"{sign} {getattr(rule, name)}"
        for rule in info.metadata
        for name, sign in signs
        if getattr(rule, name, None) is not None
    ]
    return ", ".join(found)
