"""The tree of commands: only the module of the command that is asked for is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer

from hub.errors import Lang

COMMANDS = {
    "init": "home",
    "demo": "demo",
    "up": "services",
    "router": "services",
    "sweeper": "services",
    "console": "services",
    "simulate": "services",
    "example": "envelopes",
    "sign": "envelopes",
    "verify": "envelopes",
    "send": "transport",
    "receive": "transport",
    "trace": "trace",
    "queues": "queues",
    "doctor": "doctor",
    "directory": "directory",
    "trust": "trust",
    "access": "access",
    "topology": "topology",
    "parked": "parked",
    "connector": "connector",
    "audit": "audit",
    "bench": "bench",
}
"""Each command with its module in ``hub.cli.commands``, whose ``register`` adds it."""

HELP = (
    "Trục liên thông. Mọi lệnh đều nhận --home DIR, --json, --lang vi|en"
    " / message hub; every command takes --home DIR, --json, --lang vi|en."
)


def command_for(words: Sequence[str], lang: Lang) -> Any:
    """Return the command tree that ``words`` need, with its help in one language.

    A known first word loads one module; anything else (``--help``, a mistyped word) loads all.
    """
    app = typer.Typer(
        name="hub",
        help=HELP,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_top)
    first = words[0] if words else ""
    modules = [COMMANDS[first]] if first in COMMANDS else list(dict.fromkeys(COMMANDS.values()))
    for module in modules:
        import_module(f"hub.cli.commands.{module}").register(app)
    command = typer.main.get_command(app)
    _speak(command, lang)
    return command


def _top() -> None:
    """Only there so that one command alone still is a subcommand."""


def _speak(command: Any, lang: Lang) -> None:
    """Keep one language of every help text, which stands there as ``tiếng Việt / English``."""
    for thing in (command, *getattr(command, "params", ())):
        thing.help = in_language(thing.help, lang) if getattr(thing, "help", None) else None
    for inner in getattr(command, "commands", {}).values():
        _speak(inner, lang)


def in_language(text: str, lang: Lang) -> str:
    """Return the wanted half of ``Vietnamese / English``; a text without halves as it is."""
    vietnamese, _bar, english = text.partition(" / ")
    words = vietnamese if lang == "vi" else (english or vietnamese)
    return words[:1].upper() + words[1:]
