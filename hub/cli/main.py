"""Entry point of the ``hub`` command: global options, subcommands, the one place of error exits.

Exit status: 0 done or accepted, 1 refused or failed, 2 wrong usage or configuration; never a
traceback for something a person can put right.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from typer.exceptions import TyperException

import hub
from hub import log
from hub.cli import application, usage
from hub.cli.context import Invocation, split_globals
from hub.errors import DirectoryRefused, HubError, InternalFault, UsageError, printable

CONFIGURATION = (
    "code.",
    "config.",
    "usage.",
    "key.",
    "store.schema",
    "store.second_router",
    "directory.columns",
    "schema.unknown_type",
)
"""Codes (or families) of errors that are wrong usage or configuration: exit status 2."""
INTERRUPTED = 130
"""What shells expect of a command ended by Ctrl+C: 128 + SIGINT."""


def run(argv: Sequence[str]) -> int:
    """Run one command and return its exit status."""
    call = Invocation()
    try:
        split_globals(argv, call)
        _set_up_log()
        return _command(call)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  the outermost door: a sentence, not a traceback
        return _failed(call, error)


def _failed(call: Invocation, error: Exception) -> int:
    """Tell one error in the words of its kind and return the exit status."""
    if isinstance(error, HubError):
        return report(call, error)
    if isinstance(error, TyperException):
        return report(call, usage.translated(error))
    if isinstance(error, OSError):
        return report(call, usage.from_os(error)) if error.filename else _no_output(error)
    return _fault(call, error)


def _command(call: Invocation) -> int:
    if call.rest == ["--version"]:
        sys.stdout.write(f"hub {hub.__version__}\n")
        return 0
    command = application.command_for(call.rest, call.lang)
    try:
        result = command.main(args=call.rest, prog_name="hub", obj=call, standalone_mode=False)
    except typer.Exit as stop:
        return stop.exit_code
    return result if isinstance(result, int) else 0


def _set_up_log() -> None:
    level = os.environ.get("HUB_LOG", "") or "INFO"
    if level.upper() not in logging.getLevelNamesMapping():
        raise UsageError(reason=f"HUB_LOG: {level[:20]!r} (debug, info, warning, error)")
    log.setup(json=not sys.stderr.isatty(), level=level)


def report(call: Invocation, error: HubError) -> int:
    """Print an error: one sentence on stderr; the code on stdout where something was refused."""
    document: dict[str, Any] = {"ok": False, **error.as_dict()}
    if isinstance(error, DirectoryRefused):
        document |= _problems(call, error)
    else:
        sys.stderr.write(f"hub: {printable(error.message(call.lang))}\n")
    wrong_usage = error.code.startswith(CONFIGURATION)
    if call.json:
        call.emit(document)
    elif not wrong_usage:
        sys.stdout.write(f"{error.code}\n")
    return 2 if wrong_usage else 1


def _problems(call: Invocation, error: DirectoryRefused) -> dict[str, Any]:
    """Print every fault of a file on a line of its own, and return them as data."""
    count, file = len(error.problems), error.place.file
    title = call.text(
        f"{count} lỗi, không nạp dòng nào của {file}:",
        f"{count} faults, nothing of {file} was imported:",
    )
    sys.stderr.write(f"hub: {printable(title)}\n")
    for one in error.problems:
        sys.stderr.write(f"  {one.code}: {one.message(call.lang)}\n")
    return {
        "vi": f"{count} lỗi, không nạp dòng nào.",
        "en": f"{count} faults, nothing was imported.",
        "problems": [
            {**one.as_dict(), "line": one.place.line, "column": one.place.column}
            for one in error.problems
        ],
    }


def _fault(call: Invocation, error: Exception) -> int:
    """Our own mistake: its kind for the operator, everything else with ``HUB_LOG=debug``."""
    if os.environ.get("HUB_LOG", "").upper() == "DEBUG":
        traceback.print_exception(error)
    kind = type(error).__name__
    vi = f"lỗi bên trong chương trình ({kind}); HUB_LOG=debug cho biết chỗ lỗi"
    en = f"a mistake inside this program ({kind}); HUB_LOG=debug shows where"
    sys.stderr.write(f"hub: {call.text(vi, en)}\n")
    call.emit({"ok": False, "code": InternalFault.code, "vi": vi, "en": en})
    return 1


def _no_output(error: OSError) -> int:
    """Standard output is closed or full: say so, unless its reader just went away."""
    if not isinstance(error, BrokenPipeError):
        sys.stderr.write(f"hub: stdout: {error.strerror or error}\n")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # the interpreter's last flush goes there
    return 1


def _streams() -> None:
    """Have both streams, and let nothing that is printed fail for its characters."""
    if sys.stdout is None or sys.stderr is None:
        nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  open to the end
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def main() -> None:
    """Run the command line of this process."""
    _streams()
    status = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError as error:
        status = status or _no_output(error)
    sys.exit(status)


if __name__ == "__main__":
    main()
