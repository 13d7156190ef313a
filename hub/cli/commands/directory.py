"""``hub directory``: agencies, aliases, validity, successors, centres."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.arguments import agency, in_range
from hub.cli.context import invocation, now
from hub.cli.files import read_file, write_out
from hub.cli.operator import operator
from hub.cli.parts import directory_of, opened
from hub.cli.progress import waiting
from hub.errors import NotFound, UsageError
from hub.routing.directory import VIETNAM, export_csv, import_csv
from hub.store import directory as store
from hub.store.rows import AgencyRow

app = typer.Typer(help="Danh mục cơ quan / the agencies.", no_args_is_help=True)
Code = Annotated[str, typer.Argument(metavar="CODE")]


def register(parent: typer.Typer) -> None:
    """Add ``directory`` to the command line."""
    parent.add_typer(app, name="directory")


@app.command("import")
def import_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE.csv")],
) -> None:
    """Nạp tệp CSV; một dòng sai là không nạp gì / import a CSV file, all of it or nothing."""
    call = invocation(context)
    data = read_file(file)
    environment = call.settings.hub.environment
    busy = waiting(call, "Đang nạp danh mục", "Importing")
    with busy, opened(call.settings) as opened_store:
        known = store.agencies(opened_store)
        result = import_csv(data, file=str(file), known=known, environment=environment)
        store.replace_agencies(opened_store, result.rows, actor=operator(), at=now())
    call.emit({"ok": True, "imported": len(result.rows)})
    call.say(f"Đã nạp {len(result.rows)} dòng.", f"{len(result.rows)} rows imported.")


@app.command("list")
def list_agencies(context: typer.Context) -> None:
    """Liệt kê cơ quan / list the agencies."""
    call = invocation(context)
    with opened(call.settings) as opened_store:
        rows = sorted(store.agencies(opened_store), key=lambda row: row.code)
    call.emit({"agencies": [document(row) for row in rows]})
    call.table(
        call.text("Danh mục", "Directory"),
        ["code", "alias", call.text("tên", "name"), "kind", "valid", "→",
         call.text("nối", "inbox")],
        [
            (r.code, " ".join(r.aliases), r.name, r.kind, _validity(r), " ".join(r.superseded_by),
             r.attached)
            for r in rows
        ],
    )  # fmt: skip


def _validity(row: AgencyRow) -> str:
    return f"{row.valid_from} … {row.valid_to or ''}"


def document(row: AgencyRow) -> dict[str, Any]:
    """Return one agency as ``--json`` shows it."""
    return {
        "code": row.code,
        "aliases": list(row.aliases),
        "name": row.name,
        "kind": row.kind,
        "parent": row.parent,
        "centre": row.centre,
        "valid_from": row.valid_from.isoformat(),
        "valid_to": row.valid_to.isoformat() if row.valid_to else None,
        "superseded_by": list(row.superseded_by),
        "redirect": row.redirect,
        "attached": row.attached,
    }


@app.command("show")
def show(context: typer.Context, code: Code) -> None:
    """Xem một cơ quan, theo mã bất kỳ của nó / show one agency by any of its codes."""
    call = invocation(context)
    wanted = agency(code, call.settings.hub.environment, "CODE").value
    with opened(call.settings) as opened_store:
        rows = store.agencies(opened_store)
    found = next((row for row in rows if wanted in (row.code, *row.aliases)), None)
    if found is None:
        raise NotFound(value=wanted)
    call.emit(document(found))
    call.table(found.code, ["", ""], list(document(found).items()))


@app.command("resolve")
def resolve(
    context: typer.Context,
    code: Code,
    at: Annotated[str | None, typer.Option("--at", metavar="DATE", help="2026-07-01")] = None,
) -> None:
    """Thông điệp gửi tới mã này đi đâu / where a message to this code goes."""
    call = invocation(context)
    moment = now() if at is None else _moment(at)
    with opened(call.settings) as opened_store:
        directory = directory_of(opened_store)
    found = directory.resolve(agency(code, call.settings.hub.environment, "CODE"), moment)
    result = {
        "code": found.code.value,
        "resolved": found.resolved.value,
        "via": found.via,
        "queue": found.queue,
    }
    call.emit(result)
    call.table(code, list(result), [list(result.values())])


def _moment(text: str) -> datetime:
    """A date is that whole day in Vietnam, for which noon stands; a time is taken as it is."""
    try:
        if len(text) == len("2026-07-01"):
            return datetime.combine(date.fromisoformat(text), time(12), VIETNAM)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            reason=f"--at {text[:40]!r} is no date such as 2026-07-01",
            reason_vi=f"--at {text[:40]!r} không phải ngày dạng 2026-07-01",
        ) from error
    return in_range(moment if moment.tzinfo else moment.replace(tzinfo=VIETNAM), "--at")


@app.command("export")
def export(context: typer.Context) -> None:
    """In danh mục dạng CSV / print the directory as CSV."""
    call = invocation(context)
    with opened(call.settings) as opened_store:
        rows = store.agencies(opened_store)
    call.emit({"agencies": [document(row) for row in rows]})
    if not call.json:
        write_out(export_csv(rows))


@app.command("attach")
def attach(context: typer.Context, codes: Annotated[list[str], typer.Argument()]) -> None:
    """Nối cơ quan vào trục này (có hộp thư đến) / give agencies an inbox on this hub."""
    call = invocation(context)
    environment = call.settings.hub.environment
    wanted = [agency(code, environment, "CODE").value for code in codes]
    with opened(call.settings) as opened_store:
        known = {row.code for row in store.agencies(opened_store)}
        missing = [code for code in wanted if code not in known]
        if missing:
            raise NotFound(value=" ".join(missing))
        store.set_attached(opened_store, wanted, actor=operator(), at=now())
    call.emit({"ok": True, "attached": wanted})
    call.say("Xong. Chạy: hub topology apply", "Done. Now run: hub topology apply")
