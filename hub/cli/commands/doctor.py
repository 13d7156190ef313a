"""``hub doctor``: try every part for real, and say for each what to do when it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import typer

from hub.cli import checks
from hub.cli.context import Invocation, invocation
from hub.cli.progress import progress
from hub.errors import (
    BrokerUnavailable,
    ConfigInvalid,
    ConfigMissing,
    HubError,
    StoreSchema,
    StoreUnavailable,
)
from hub.settings import FILE


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's report."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def register(app: typer.Typer) -> None:
    """Add ``doctor`` to the command line."""
    app.command("doctor")(doctor)


def doctor(context: typer.Context) -> None:
    """Thử thật từng bộ phận / try every part; exit 1 when one fails."""
    call = invocation(context)
    results = []
    with progress(call, "Đang kiểm tra", "Checking") as advance:
        for name, check in checks.ALL.items():
            results.append(_run(call, name, *check))
            advance(len(results), len(checks.ALL))
    ok = all(result.ok for result in results)
    call.emit({"ok": ok, "checks": [asdict(result) for result in results]})
    call.table(
        call.text("Kiểm tra", "Checks"),
        [
            "",
            call.text("phần", "part"),
            call.text("thấy gì", "seen"),
            call.text("cách sửa", "remedy"),
        ],
        [(result.ok, result.name, result.detail, result.remedy) for result in results],
    )
    raise typer.Exit(0 if ok else 1)


def _run(
    call: Invocation, name: str, check: Callable[[Invocation], str], remedy: tuple[str, str]
) -> Check:
    """A check returns what it saw, or raises; the doctor goes on to the next one."""
    try:
        return Check(name, ok=True, detail=check(call))
    except HubError as error:
        mend = _remedy(error) or remedy
        return Check(name, ok=False, detail=error.message(call.lang), remedy=call.text(*mend))
    except OSError as error:
        return Check(name, ok=False, detail=str(error), remedy=call.text(*remedy))


def _remedy(error: HubError) -> checks.Remedy | None:
    """What mends the part that is really to blame, when another cannot be seen without it."""
    if isinstance(error, BrokerUnavailable):
        return checks.ALL["broker"][1]
    if isinstance(error, StoreSchema):
        return checks.OLD_STORE
    if isinstance(error, StoreUnavailable):
        return checks.ALL["store"][1]
    about_settings = isinstance(error, ConfigMissing | ConfigInvalid)
    if about_settings and FILE in str(error.facts.get("file")):
        return checks.ALL["settings"][1]
    return None
