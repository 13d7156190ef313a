"""``hub connector``: list them, run one, scaffold one, check one."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli import processes, scaffold
from hub.cli.arguments import agency as agency_code
from hub.cli.context import Invocation, invocation
from hub.errors import ConfigInvalid, ConfigMissing, HubError, UsageError

app = typer.Typer(help="Các đầu nối / the connectors.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="connectors/NAME.toml")]


def register(parent: typer.Typer) -> None:
    """Add ``connector`` to the command line."""
    parent.add_typer(app, name="connector")


@app.command("list")
def list_connectors(context: typer.Context) -> None:
    """Liệt kê đầu nối đã cấu hình và các loại có sẵn / list those configured and the kinds."""
    call = invocation(context)
    files = sorted(call.settings.connectors.glob("*.toml"))
    found = [_listed(call, file) for file in files]
    kinds = processes.names(processes.CONNECTORS)
    call.emit({"connectors": found, "kinds": kinds})
    if found:
        columns = ("name", "kind", "agency", "error")
        rows = [[item[column] for column in columns] for item in found]
        call.table(call.text("Đầu nối", "Connectors"), columns, rows)
    call.say(f"Loại có sẵn: {', '.join(kinds)}", f"Kinds available: {', '.join(kinds)}")


def _listed(call: Invocation, file: Path) -> dict[str, str]:
    """One connector; what is wrong with one hides none of the others."""
    item = {"name": file.stem, "kind": "", "agency": "", "error": ""}
    try:
        section = _connector_section(file)
        item |= {name: str(section.get(name, "")) for name in ("kind", "agency")}
        module_of(call, file.stem)
    except HubError as error:
        item["error"] = error.message(call.lang)
    return item


def _connector_section(file: Path) -> dict[str, Any]:
    """The table ``[connector]``; raises ``ConfigInvalid`` or ``ConfigMissing``."""
    try:
        section = tomllib.loads(file.read_text(encoding="utf-8")).get("connector", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigInvalid(file=str(file), key="-", reason=str(error)) from error
    if not isinstance(section, dict):
        raise ConfigInvalid(file=str(file), key="connector", reason="[connector]")
    return section


def module_of(call: Invocation, name: str) -> str:
    """Return the module that ``connectors/NAME.toml`` names, itself or by an installed kind.

    Raises ``ConfigMissing``, ``ConfigInvalid`` (a kind that is not installed too), ``UsageError``.
    """
    _check_name(name)
    file = call.settings.connectors / f"{name}.toml"
    if not file.exists():
        raise ConfigMissing(file=str(file), reason=f"hub connector new {name}")
    section = _connector_section(file)
    if isinstance(section.get("module"), str) and section["module"]:
        return str(section["module"])
    kind = section.get("kind")
    known = processes.names(processes.CONNECTORS)
    if kind not in known:
        reason = f"{kind!r}; {', '.join(known)}"
        raise ConfigInvalid(file=str(file), key="connector.kind", reason=reason)
    return processes.module_of(processes.CONNECTORS, str(kind))


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        raise UsageError(
            reason=f"{name[:40]!r} is no connector's name (letters, digits, _ and -)",
            reason_vi=f"{name[:40]!r} không phải tên đầu nối (chữ, số, _ và -)",
        )


def _find_packages(call: Invocation, name: str) -> None:
    """Let the process that comes next import from the folder in ``connector.path``, if any."""
    file = call.settings.connectors / f"{name}.toml"
    path = _connector_section(file).get("path")
    if isinstance(path, str) and path:
        more = [str(file.parent / path), *filter(None, [os.environ.get("PYTHONPATH")])]
        os.environ["PYTHONPATH"] = os.pathsep.join(more)


@app.command("run")
def run(context: typer.Context, name: Name) -> None:
    """Chạy một đầu nối / run one connector."""
    call = invocation(context)
    arguments = ["--home", str(call.settings.home), "--name", name]
    module = module_of(call, name)
    _find_packages(call, name)
    processes.become(processes.module_command(module, arguments))


@app.command("new")
def new(
    context: typer.Context,
    name: Name,
    folder: Annotated[Path, typer.Option(help="Nơi đặt gói / where the package goes")] = Path(),
    agency: Annotated[
        str, typer.Option(help="Mã định danh cơ quan / code of the agency it works for")
    ] = "",
) -> None:
    """Dựng khung một đầu nối mới / scaffold a new connector package, and its settings file."""
    call = invocation(context)
    settings = call.settings
    _check_name(name)
    if agency:
        agency = agency_code(agency, settings.hub.environment, "--agency").value
    if (settings.connectors / f"{name}.toml").exists():
        raise scaffold.there(settings.connectors / f"{name}.toml")
    files = scaffold.write(folder, name)
    files.append(scaffold.configure(settings, folder, name, agency))
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
    processes.become(processes.module_command(module, arguments))
