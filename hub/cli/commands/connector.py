"""``hub connector``: list them, run one, scaffold one, check one."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli import processes, scaffold
from hub.cli.context import Invocation, invocation
from hub.errors import ConfigInvalid, ConfigMissing, UsageError

app = typer.Typer(help="Các đầu nối / the connectors.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="connectors/NAME.toml")]


def register(parent: typer.Typer) -> None:
    """Add ``connector`` to the command line."""
    parent.add_typer(app, name="connector")


@app.command("list")
def list_connectors(context: typer.Context) -> None:
    """Liệt kê đầu nối đã cấu hình và các loại có sẵn / list those configured and the kinds."""
    call = invocation(context)
    found = [
        {"name": file.stem, **_connector_section(file)}
        for file in sorted(call.settings.connectors.glob("*.toml"))
    ]
    call.emit({"connectors": found, "kinds": processes.names(processes.CONNECTORS)})
    call.table(
        call.text("Đầu nối", "Connectors"),
        ["name", "kind", "agency"],
        [(item["name"], item.get("kind"), item.get("agency")) for item in found],
    )
    kinds = ", ".join(processes.names(processes.CONNECTORS))
    call.say(f"Loại có sẵn: {kinds}", f"Kinds available: {kinds}")


def _connector_section(file: Path) -> dict[str, Any]:
    try:
        section = tomllib.loads(file.read_text(encoding="utf-8")).get("connector", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigInvalid(file=str(file), key="-", reason=str(error)) from error
    return {"kind": section.get("kind"), "agency": section.get("agency")}


def module_of(call: Invocation, name: str) -> str:
    """Return the module of the kind that ``connectors/NAME.toml`` names.

    Raises ``ConfigMissing``, ``ConfigInvalid`` or ``UsageError`` for a kind that is not installed.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        raise UsageError(reason=f"NAME: {name[:40]!r}")
    file = call.settings.connectors / f"{name}.toml"
    if not file.exists():
        raise ConfigMissing(file=str(file), reason=f"hub connector new {name}")
    kind = _connector_section(file)["kind"]
    if not isinstance(kind, str):
        raise ConfigInvalid(file=str(file), key="connector.kind", reason="?")
    return processes.module_of(processes.CONNECTORS, kind)


@app.command("run")
def run(context: typer.Context, name: Name) -> None:
    """Chạy một đầu nối / run one connector."""
    call = invocation(context)
    arguments = ["--home", str(call.settings.home), "--name", name]
    status = processes.run(processes.module_command(module_of(call, name), arguments))
    raise typer.Exit(status)


@app.command("new")
def new(
    context: typer.Context,
    name: Name,
    folder: Annotated[Path, typer.Option(help="Nơi đặt gói / where the package goes")] = Path(),
) -> None:
    """Dựng khung một đầu nối mới / scaffold a new connector package."""
    call = invocation(context)
    files = scaffold.write(folder, name)
    call.emit({"ok": True, "files": [str(file) for file in files]})
    call.say(
        "Đã tạo: " + ", ".join(str(file) for file in files),
        "Written: " + ", ".join(str(file) for file in files),
    )


@app.command("check")
def check(context: typer.Context, name: Name) -> None:
    """Chạy bộ kiểm tra tuân thủ / run the conformance suite and explain what fails."""
    call = invocation(context)
    module_of(call, name)
    arguments = ["--home", str(call.settings.home), "--name", name, "--lang", call.lang]
    arguments += ["--json"] if call.json else []
    module = processes.module_of(processes.AIDS, "conformance")
    raise typer.Exit(processes.run(processes.module_command(module, arguments)))
