"""Entry point of the ``hub`` command: global options, subcommands, the one place of error exits.

Exit status: 0 done or accepted, 1 refused or failed, 2 wrong usage or configuration; never a
traceback for something a person can put right.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click
import typer

from hub import log
from hub.cli.commands import (
    access,
    audit,
    bench,
    connector,
    demo,
    directory,
    doctor,
    envelopes,
    home,
    parked,
    queues,
    services,
    topology,
    trace,
    transport,
    trust,
)
from hub.cli.context import Invocation, split_globals
from hub.errors import HubError

app = typer.Typer(
    name="hub",
    help="Liên thông Hub. --home DIR, --json, --lang vi|en: mọi lệnh / every command.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (home, demo, services, envelopes, transport, trace, queues, doctor, bench):
    module.register(app)
for name, group in (
    ("connector", connector.app),
    ("directory", directory.app),
    ("trust", trust.app),
    ("access", access.app),
    ("topology", topology.app),
    ("parked", parked.app),
    ("audit", audit.app),
):
    app.add_typer(group, name=name)

CONFIGURATION = (
    "config.",
    "usage.",
    "key.",
    "store.schema",
    "store.second_router",
    "directory.columns",
)
"""Codes (or families) of errors that are wrong usage or configuration: exit status 2."""


def run(argv: Sequence[str]) -> int:
    """Run one command and return its exit status."""
    call = Invocation(lang="en" if os.environ.get("HUB_LANG") == "en" else "vi")
    try:
        call, rest = split_globals(argv)
        log.setup(json=not sys.stderr.isatty(), level=os.environ.get("HUB_LOG", "INFO"))
        result = app(args=rest, prog_name="hub", obj=call, standalone_mode=False)
    except HubError as error:
        return report(call, error)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show(sys.stderr)
        return 2
    except (KeyboardInterrupt, click.exceptions.Abort):
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    return result if isinstance(result, int) else 0


def report(call: Invocation, error: HubError) -> int:
    """Print an error: one sentence on stderr; the code on stdout where something was refused."""
    sys.stderr.write(f"hub: {error.message(call.lang)}\n")
    for problem in getattr(error, "problems", ()):
        sys.stderr.write(f"  {problem.message(call.lang)}\n")
    usage = error.code.startswith(CONFIGURATION)
    if call.json:
        call.emit({"ok": False, **error.as_dict()})
    elif not usage:
        sys.stdout.write(f"{error.code}\n")
    return 2 if usage else 1


def main() -> None:
    """Run the command line of this process."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
