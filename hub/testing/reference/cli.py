"""docs/reference/cli.md: every command with its arguments and options."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hub.errors import Lang
from hub.testing.reference.markdown import NOTE, code, table

CLI_INTRO = f"""# The `hub` command · Lệnh `hub`

{NOTE}
Every command takes `--home DIR` (or `HUB_HOME`), `--json` and `--lang vi|en` (or `HUB_LANG`),
before or after the subcommand. Exit status: 0 done or accepted, 1 refused or failed (the code on
standard output), 2 wrong usage or configuration (one sentence on standard error). Help of one
command: `hub COMMAND --help`.
"""


def page() -> str:
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
    return code(_name(en)), _shown(en), "" if vietnamese == english else vietnamese, english


def _shown(parameter: Any) -> str:
    if parameter.required:
        return "*(required)*"
    return code(parameter.default) if parameter.default not in (None, False, "", 0) else ""
