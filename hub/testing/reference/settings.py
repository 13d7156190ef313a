"""docs/reference/settings.md: every key of ``hub.toml`` and every environment variable."""

from __future__ import annotations

from pydantic import BaseModel

from hub.settings import Settings
from hub.testing.reference.markdown import NOTE, code, table
from hub.testing.reference.models import model_table

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
    parts = [SETTINGS_INTRO]
    for name, info in Settings.model_fields.items():
        model = info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            parts += [f"## `[{name}]`\n", _doc(model) + "\n", model_table(model)]
    parts += [
        "## Environment\n",
        table(("variable", "meaning", "default"), [(code(n), m, d) for n, m, d in ENVIRONMENT]),
    ]
    return "\n".join(parts)


def _doc(model: type) -> str:
    text = " ".join((model.__doc__ or "").split()).partition(": ")[2]
    return text[:1].upper() + text[1:]
