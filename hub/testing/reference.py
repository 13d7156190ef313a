"""Write ``docs/reference`` from the code: errors, settings, headers, message types, command line.

The pages are a function of the code alone, so that a test can hold the committed ones to it:
``python -m hub.testing.reference docs/reference`` writes them, with ``--check`` it only compares.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from hub.errors import REGISTRY, Disposition, Lang
from hub.schemas.catalog import catalogue
from hub.settings import Settings

NOTE = "<!-- Written by `make docs` from the code. Do not edit: change the code. -->\n"
DISPOSITIONS = {
    Disposition.REJECT: "recorded, answered with a signed `receipt.rejected` or `receipt.refused`",
    Disposition.RETRY: "transient: tried again by itself, nothing is lost",
    Disposition.PARK: "waits for an operator, with its reason",
    Disposition.QUARANTINE: "recorded and counted, never answered",
}
ERRORS_INTRO = f"""# Error codes · Mã lỗi

{NOTE}
Codes are stable and are never reused; sentences are for people and may be improved. Words in
*italics* are facts that the place of the error fills in. What the hub does with the cause:
"""
SETTINGS_INTRO = f"""# Settings · Thiết lập

{NOTE}
`hub.toml` lies in the home. `hub init` writes it with every key below, commented out where the
default holds. An unknown key, or a value outside its limits, ends the command with status 2 and a
sentence that names the file and the key.
"""
TYPES_INTRO = f"""# Message types · Loại thông điệp

{NOTE}
The table is closed: another type is refused (`schema.unknown_type`). `hub example TYPE` prints a
valid envelope of each. *Receipts* are those that come when all goes well; negative ones may come
instead. *Urgent* types go to the urgent queue whatever their `Priority`; a *status* reports what
already happened. Fields: the XSD files in `hub/schemas/xsd/v1/`.
"""
CLI_INTRO = f"""# The `hub` command · Lệnh `hub`

{NOTE}
Every command takes `--home DIR` (or `HUB_HOME`), `--json` and `--lang vi|en` (or `HUB_LANG`),
before or after the subcommand. Exit status: 0 done or accepted, 1 refused or failed (the code on
standard output), 2 wrong usage or configuration (one sentence on standard error). Help of one
command: `hub COMMAND --help`.
"""
_FACT = re.compile(r"\{(\w+)\}")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table; bars and line breaks inside a cell are made harmless."""
    lines = [list(columns), ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(_cell(value) for value in line) + " |\n" for line in lines)


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def _code(value: object) -> str:
    return f"`{value}`" if value not in ("", None) else ""


# --- errors -------------------------------------------------------------------------------------


def errors() -> str:
    """Every leaf of the error tree by family, with its sentences and what the hub does then."""
    parts = [
        ERRORS_INTRO,
        table(("disposition", "then"), [(_code(key), text) for key, text in DISPOSITIONS.items()]),
    ]
    for family in dict.fromkeys(code.split(".")[0] for code in sorted(REGISTRY)):
        leaves = [REGISTRY[code] for code in sorted(REGISTRY) if code.split(".")[0] == family]
        parts.append(f"## {family}\n")
        parts.append(
            table(
                ("code", "disposition", "tiếng Việt", "English"),
                [
                    (_code(leaf.code), leaf.disposition, _facts(leaf.vi), _facts(leaf.en))
                    for leaf in leaves
                ],
            )
        )
    return "\n".join(parts)


def _facts(sentence: str) -> str:
    return _FACT.sub(r"*\1*", sentence)


# --- settings -----------------------------------------------------------------------------------

ENVIRONMENT = (
    ("HUB_HOME", "the home, where `--home` is not given", "`./hub-home`"),
    ("HUB_LANG", "`vi` or `en`, where `--lang` is not given", "`vi`"),
    ("HUB_LOG", "level of the log on standard error", "`INFO`"),
    ("HUB_OPERATOR", "the name that the log records beside a change", "the login name"),
    ("HUB_BROKER_URL", "overrides `[broker] url`, so that a password stands in no file", ""),
    ("HUB_STORE_URL", "overrides `[store] url`, likewise", ""),
)
"""Every environment variable that the hub reads."""


def settings() -> str:
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
        table(("variable", "meaning", "default"), [(_code(n), m, d) for n, m, d in ENVIRONMENT]),
    ]
    return "\n".join(parts)


def model_table(model: type[BaseModel]) -> str:
    """Return the fields of one settings table: key, type, default, limits, meaning."""
    rows = [
        (
            _code(info.alias or key),
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
        return " or ".join(_code(one.value) for one in kind)
    if get_origin(kind) is Literal:
        return " or ".join(_code(one) for one in get_args(kind))
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
        return _code(list(value))
    return _code(value) if value != "" else "*(empty)*"


def _limits(info: FieldInfo) -> str:
    signs = (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))
    found = [
        f"{sign} {getattr(rule, name)}"
        for rule in info.metadata
        for name, sign in signs
        if getattr(rule, name, None) is not None
    ]
    return ", ".join(found)


# --- message types ------------------------------------------------------------------------------


def types() -> str:
    """The closed table of message types, one section for each namespace."""
    parts = [
        TYPES_INTRO,
    ]
    found = catalogue().values()
    for namespace in dict.fromkeys(spec.namespace for spec in found):
        rows = [
            (
                _code(spec.name),
                _code(spec.element),
                spec.title_vi,
                spec.title_en,
                ", ".join(spec.senders),
                ", ".join(_code(name) for name in spec.receipts),
                ", ".join(_marks(urgent=spec.urgent_by_default, status=spec.is_status)),
            )
            for spec in found
            if spec.namespace == namespace
        ]
        columns = ("type", "payload", "tiếng Việt", "English", "sent by", "receipts", "kind")
        parts += [f"## `{namespace}`\n", table(columns, rows)]
    return "\n".join(parts)


def _marks(*, urgent: bool, status: bool) -> Iterator[str]:
    if urgent:
        yield "urgent"
    if status:
        yield "status"


# --- command line -------------------------------------------------------------------------------


def cli() -> str:
    """Every command with its arguments and options, as the command line itself declares them."""
    parts = [CLI_INTRO]
    for (path, vi), (_path, en) in zip(commands("vi"), commands("en"), strict=True):
        rows = [row for row in map(_parameter, vi.params, en.params) if row]
        parts += [f"## `{' '.join(path)}`\n", f"{vi.help}  \n{en.help}\n"]
        parts.append(f"```text\n{usage(path, en)}\n```\n")
        if rows:
            columns = ("argument or option", "default", "tiếng Việt", "English")
            parts.append(table(columns, rows))
    return "\n".join(parts)


def commands(lang: Lang = "en") -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command that does something, with the words that call it, sorted by name.

    The commands are click's as typer carries them along; hence ``Any``.
    """
    yield from _below(("hub",), command_tree(lang))


def command_tree(lang: Lang = "en") -> Any:
    """Return the whole command line with its help in one language."""
    from hub.cli.application import command_for  # noqa: PLC0415  the other pages need none of it

    return command_for([], lang)


def _below(path: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
        return
    for name in sorted(inner):
        yield from _below((*path, name), inner[name])


def usage(path: Sequence[str], command: Any) -> str:
    """Return the usage line of a command: what must be given, then whether more may be."""
    given = [one for one in command.params if "--help" not in one.opts]
    arguments = [one for one in given if one.param_type_name == "argument"]
    options = [one for one in given if one not in arguments]
    words = [_name(one) if one.required else f"[{_name(one)}]" for one in arguments]
    words += [_name(one) for one in options if one.required]
    more = [] if all(one.required for one in options) else ["[OPTIONS]"]
    if command.context_settings.get("allow_extra_args"):
        more = ["…"]  # handed on to the process that it starts
    return " ".join([*path, *words, *more])


def _name(parameter: Any) -> str:
    """``NAME``, ``NAME…`` for several, or ``--option VALUE``."""
    if parameter.param_type_name == "argument":
        name = str(parameter.metavar or parameter.name.upper())
        return f"{name}…" if parameter.nargs == -1 and not name.endswith("…") else name
    value = "" if getattr(parameter, "is_flag", False) else parameter.metavar or "VALUE"
    return f"{', '.join(parameter.opts)} {value}".strip()


def _parameter(vi: Any, en: Any) -> tuple[str, str, str, str] | None:
    """One row of a command's table; ``--help`` needs none."""
    if "--help" in en.opts:
        return None
    english, vietnamese = en.help or "", vi.help or ""
    return _code(_name(en)), _shown(en), "" if vietnamese == english else vietnamese, english


def _shown(parameter: Any) -> str:
    if parameter.required:
        return "*(required)*"
    return _code(parameter.default) if parameter.default not in (None, False, "", 0) else ""


# --- all of them --------------------------------------------------------------------------------

PAGES: Mapping[str, Callable[[], str]] = {
    "errors.md": errors,
    "settings.md": settings,
    "types.md": types,
    "cli.md": cli,
}
"""File name → what writes its text."""


def pages() -> dict[str, str]:
    """Return the text of every page by its file name."""
    return {name: write() for name, write in PAGES.items()}


def stale(folder: Path) -> list[str]:
    """Return the names of pages that are missing, differ from the code or have no source in it."""
    wanted = pages()
    there = {path.name: path.read_text("utf-8") for path in folder.glob("*.md")}
    return sorted(name for name in {*wanted, *there} if wanted.get(name) != there.get(name))


def main(argv: Sequence[str] | None = None) -> int:
    """Write the pages into a folder, or with ``--check`` say which are stale (exit status 1)."""
    parser = argparse.ArgumentParser(prog="hub.testing.reference", description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    options = parser.parse_args(argv)
    found = stale(options.folder)
    if options.check:
        for name in found:
            sys.stdout.write(f"{options.folder / name}: stale, run `make docs`\n")
        return 1 if found else 0
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (options.folder / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{options.folder}: {len(PAGES)} pages, {len(found)} changed\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
