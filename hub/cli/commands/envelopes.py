"""``hub example``, ``hub sign`` and ``hub verify``: envelopes on files, without a broker."""

from __future__ import annotations

import secrets
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli import judgement
from hub.cli.arguments import agency, parse_time
from hub.cli.context import Invocation, invocation, now
from hub.cli.files import read_envelope, write_out
from hub.cli.progress import progress
from hub.codes import AgencyCode, Environment, MessageId
from hub.envelope import MAX_RECIPIENTS
from hub.errors import DuplicateRecipient, RecipientCount, UsageError
from hub.schemas.example import example as make_example
from hub.settings import FILE
from hub.signing import keys, signer

SHOWN = ("file", "accepted", "code", "from", "to", "type", "detail")
"""What people see of a judgement."""


def register(app: typer.Typer) -> None:
    """Add the three commands to the command line."""
    app.command("example")(example)
    app.command("sign")(sign)
    app.command("verify")(verify)


def example(
    context: typer.Context,
    type_name: Annotated[str, typer.Argument(metavar="TYPE", help="dossier.submitted, …")],
    sender: Annotated[str, typer.Option("--from", metavar="CODE", help="Nơi gửi / sender")],
    to: Annotated[list[str], typer.Option(metavar="CODE", help="Nơi nhận / receiver, repeatable")],
    size: Annotated[
        int | None, typer.Option(metavar="BYTES", min=1, help="Số byte / size in bytes")
    ] = None,
) -> None:
    """In một phong bì mẫu chưa ký / print an unsigned, valid example envelope."""
    call = invocation(context)
    environment = _environment(call)
    data = make_example(
        type_name,
        agency(sender, environment, "--from"),
        _receivers(to, environment),
        now=now(),
        environment=environment,
        size=size,
        message_id=MessageId.new(int(now().timestamp() * 1000), secrets.token_bytes(10)),
    )
    write_out(data)


def _receivers(codes: list[str], environment: Environment) -> list[AgencyCode]:
    """The ``--to`` codes; raises what the router would refuse an envelope with them for."""
    found = [agency(code, environment, "--to") for code in codes]
    if len(found) > MAX_RECIPIENTS:
        raise RecipientCount(count=len(found), limit=MAX_RECIPIENTS)
    for code in found:
        if found.count(code) > 1:
            raise DuplicateRecipient(value=code)
    return found


def _environment(call: Invocation) -> Environment:
    """The environment of the home, or trial where there is no home to ask."""
    return call.settings.hub.environment if (call.home / FILE).exists() else Environment.TRIAL


def signing_key(
    call: Invocation, code: str | None, key: Path | None, cert: Path | None
) -> keys.SigningKey:
    """Return the key of an agency of this home, or the one in the files given.

    Raises ``UsageError`` when neither or half of it is given, ``KeyUnreadable``, ``NoIdentity``.
    """
    if code is not None and key is None and cert is None:
        return judgement.identity(call.settings, agency(code, _environment(call), "--as").value)
    if code is not None or key is None or cert is None:
        raise UsageError(
            reason="give --as CODE, or both --key K and --cert C",
            reason_vi="cần --as CODE, hoặc cả --key K và --cert C",
        )
    return keys.load_pem(key, cert)


def sign(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="- : stdin")],
    as_code: Annotated[
        str | None,
        typer.Option("--as", metavar="CODE", help="Khóa trong thư mục / key of the home"),
    ] = None,
    key: Annotated[Path | None, typer.Option(metavar="K", help="PEM")] = None,
    cert: Annotated[Path | None, typer.Option(metavar="C", help="PEM")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="OUT")] = None,
) -> None:
    """Ký một phong bì / sign an envelope draft."""
    call = invocation(context)
    own = signing_key(call, as_code, key, cert)
    write_out(signer.sign(read_envelope(file), own), output)


def verify(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE…")],
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="RFC 3339; mặc định: bây giờ / now")
    ] = None,
) -> None:
    """Xét phong bì như bộ định tuyến / judge envelopes as the router does."""
    call = invocation(context)
    moment = now() if at is None else parse_time(at, "--at")
    judge = judgement.Judge.of(call.settings)
    results = []
    with progress(call, "Đang xét", "Judging") as advance:
        for file in files:
            results.append(_judged(judge, file, moment, call))
            call.emit(results[-1])
            advance(len(results), len(files))
    call.table(
        call.text("Kết quả xét", "Judgement"),
        ["file", "✓", "code", "from", "to", "type", call.text("chi tiết", "detail")],
        [[result[column] for column in SHOWN] for result in results],
    )
    if any(result["code"] == UsageError.code for result in results):
        raise typer.Exit(2)
    raise typer.Exit(0 if all(result["accepted"] for result in results) else 1)


def _judged(
    judge: judgement.Judge, file: Path, moment: datetime, call: Invocation
) -> dict[str, Any]:
    """One line of ``hub verify``; a file that cannot be read gets its line like a bad one."""
    facts = judge.judge(lambda: read_envelope(file), moment)
    error = facts.pop("error")
    detail = error.message(call.lang) if error else ""
    return {"file": str(file), **facts, "detail": detail}
