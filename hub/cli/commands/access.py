"""``hub access``: who may send what to whom."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli.arguments import agency, message_type, party_pattern, type_pattern
from hub.cli.context import invocation, now
from hub.cli.operator import operator
from hub.cli.parts import directory_of, opened
from hub.errors import NotFound
from hub.routing.access import AccessRules
from hub.store import directory as store
from hub.store.rows import AccessRow

app = typer.Typer(help="Ai được gửi gì cho ai / who may send what to whom.", no_args_is_help=True)
NOTE = 1000
"""Characters of a note that are kept."""
SHAPE = "Mã, H12.*, @loại hoặc * / code, prefix, @kind or *"
Sender = Annotated[str, typer.Argument(metavar="FROM", help=SHAPE)]
Receiver = Annotated[str, typer.Argument(metavar="TO", help=SHAPE)]
Type = Annotated[str, typer.Argument(metavar="TYPE", help="dossier.received, dossier.*, *")]


def register(parent: typer.Typer) -> None:
    """Add ``access`` to the command line."""
    parent.add_typer(app, name="access")


@app.command("list")
def list_rules(context: typer.Context) -> None:
    """Liệt kê quy tắc / list the rules."""
    call = invocation(context)
    with opened(call.settings) as opened_store:
        rules = store.rules(opened_store)
    keys = ("id", "from", "to", "type", "allow", "note")
    facts = [(r.id, r.sender, r.receiver, r.type, r.allow, r.note) for r in rules]
    document = [dict(zip(keys, values, strict=True)) for values in facts]
    call.emit({"rules": document})
    call.table(
        call.text("Quy tắc (mặc định: từ chối)", "Rules (default: deny)"),
        ["id", "from", "to", "type", "✓", "note"],
        facts,
    )


@app.command("allow")
def allow(
    context: typer.Context,
    sender: Sender,
    receiver: Receiver,
    types: Type = "*",
    note: Annotated[str, typer.Option(help="Vì sao / why")] = "",
) -> None:
    """Thêm quy tắc cho phép / add a rule that allows."""
    _add(context, (sender, receiver, types), note, allow=True)


@app.command("deny")
def deny(
    context: typer.Context,
    sender: Sender,
    receiver: Receiver,
    types: Type = "*",
    note: Annotated[str, typer.Option(help="Vì sao / why")] = "",
) -> None:
    """Thêm quy tắc cấm; cấm thắng cho phép / add a rule that denies; it beats any that allows."""
    _add(context, (sender, receiver, types), note, allow=False)


def _add(context: typer.Context, given: tuple[str, str, str], note: str, *, allow: bool) -> None:
    call = invocation(context)
    environment = call.settings.hub.environment
    rule = AccessRow(
        0,
        party_pattern(given[0], environment, "FROM"),
        party_pattern(given[1], environment, "TO"),
        type_pattern(given[2], "TYPE"),
        allow=allow,
        note=note[:NOTE],
    )
    with opened(call.settings) as opened_store:
        store.add_rule(opened_store, rule, operator(), now())
    call.emit({"ok": True})
    call.say("Đã ghi quy tắc.", "The rule is recorded.")


@app.command("remove")
def remove(context: typer.Context, rule_id: Annotated[int, typer.Argument(metavar="ID")]) -> None:
    """Bỏ một quy tắc / remove a rule."""
    call = invocation(context)
    with opened(call.settings) as opened_store:
        if rule_id not in {rule.id for rule in store.rules(opened_store)}:
            raise NotFound(value=f"#{rule_id}")
        store.remove_rule(opened_store, rule_id, operator(), now())
    call.emit({"ok": True})
    call.say("Đã bỏ quy tắc.", "The rule is removed.")


@app.command("test")
def test(
    context: typer.Context,
    sender: Annotated[str, typer.Argument(metavar="FROM")],
    receiver: Annotated[str, typer.Argument(metavar="TO")],
    type_name: Annotated[str, typer.Argument(metavar="TYPE")],
) -> None:
    """Thử một lần gửi / try one sending; exit 1 when it is not allowed."""
    call = invocation(context)
    environment = call.settings.hub.environment
    with opened(call.settings) as opened_store:
        directory = directory_of(opened_store)
        rules = AccessRules.of(store.rules(opened_store), directory.kinds())
    verdict = rules.test(
        directory.canonical(agency(sender, environment, "FROM")),
        directory.canonical(agency(receiver, environment, "TO")),
        message_type(type_name, "TYPE"),
    )
    rule = verdict.rule
    shown = f"#{rule.id} {rule.sender} → {rule.receiver} {rule.type}" if rule else None
    call.emit({"allowed": verdict.allowed, "rule": shown})
    call.say(
        f"{'Được phép' if verdict.allowed else 'Không được phép'}: {shown or 'không có quy tắc'}",
        f"{'Allowed' if verdict.allowed else 'Not allowed'}: {shown or 'no rule'}",
    )
    raise typer.Exit(0 if verdict.allowed else 1)
