"""``hub access``: who may send what to whom."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli.arguments import agency, message_type
from hub.cli.context import invocation, now
from hub.cli.operator import operator
from hub.cli.parts import access_rules, opened
from hub.errors import NotFound
from hub.store import directory as store
from hub.store.rows import AccessRow

app = typer.Typer(help="Ai được gửi gì cho ai / who may send what to whom.", no_args_is_help=True)
Pattern = Annotated[str, typer.Argument(help="Mã, H12.*, @kind hoặc * / code, prefix, kind or *")]


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
    sender: Pattern,
    receiver: Pattern,
    type_pattern: Annotated[str, typer.Argument(metavar="TYPE", help="dossier.*")] = "*",
    note: Annotated[str, typer.Option(help="Vì sao / why")] = "",
) -> None:
    """Thêm quy tắc cho phép / add a rule that allows."""
    _add(context, AccessRow(0, sender, receiver, type_pattern, allow=True, note=note))


@app.command("deny")
def deny(
    context: typer.Context,
    sender: Pattern,
    receiver: Pattern,
    type_pattern: Annotated[str, typer.Argument(metavar="TYPE", help="dossier.*")] = "*",
    note: Annotated[str, typer.Option(help="Vì sao / why")] = "",
) -> None:
    """Thêm quy tắc cấm; cấm thắng cho phép / add a rule that denies; it beats any that allows."""
    _add(context, AccessRow(0, sender, receiver, type_pattern, allow=False, note=note))


def _add(context: typer.Context, rule: AccessRow) -> None:
    call = invocation(context)
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
            raise NotFound(value=f"access rule {rule_id}")
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
    verdict = access_rules(call.settings).test(
        agency(sender, environment, "FROM"),
        agency(receiver, environment, "TO"),
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
