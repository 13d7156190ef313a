"""``hub example``, ``hub sign`` and ``hub verify``: envelopes on files, without a broker."""

from __future__ import annotations

import secrets
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli import judgement
from hub.cli.context import Invocation, invocation, now
from hub.codes import AgencyCode, Environment, MessageId
from hub.errors import HubError, UsageError
from hub.schemas.example import example as make_example
from hub.signing import keys, signer


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
    size: Annotated[int | None, typer.Option(help="Số byte mong muốn / bytes to pad to")] = None,
) -> None:
    """In một phong bì mẫu chưa ký / print an unsigned, valid example envelope."""
    call = invocation(context)
    environment = _environment(call)
    data = make_example(
        type_name,
        AgencyCode.parse(sender, environment),
        [AgencyCode.parse(code, environment) for code in to],
        now=now(),
        environment=environment,
        size=size,
        message_id=MessageId.new(int(now().timestamp() * 1000), secrets.token_bytes(10)),
    )
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _environment(call: Invocation) -> Environment:
    """The environment of the home, or trial where there is no home to ask."""
    if (call.home / "hub.toml").exists():
        return call.settings.hub.environment
    return Environment.TRIAL


def signing_key(
    call: Invocation, code: str | None, key: Path | None, cert: Path | None
) -> keys.SigningKey:
    """Return the key of an agency of this home, or the one in the files given.

    Raises ``UsageError`` when neither or half of it is given, ``KeyUnreadable``, ``NoIdentity``.
    """
    if code is not None:
        return judgement.identity(call.settings, code)
    if key is None or cert is None:
        raise UsageError(reason="--as CODE | --key K --cert C")
    return keys.load_pem(key, cert)


def sign(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="- : stdin")],
    as_code: Annotated[str | None, typer.Option("--as", metavar="CODE")] = None,
    key: Annotated[Path | None, typer.Option(metavar="K", help="PEM")] = None,
    cert: Annotated[Path | None, typer.Option(metavar="C", help="PEM")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="OUT")] = None,
) -> None:
    """Ký một phong bì / sign an envelope draft."""
    call = invocation(context)
    signed = signer.sign(read_file(file), signing_key(call, as_code, key, cert))
    if output is None:
        sys.stdout.buffer.write(signed)
        sys.stdout.buffer.flush()
    else:
        output.write_bytes(signed)


def read_file(file: Path) -> bytes:
    """Return the bytes of a file or of standard input (``-``); raises ``UsageError``."""
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(reason=f"{file}: {error.strerror}") from error


def verify(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE…")],
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="RFC 3339; mặc định: bây giờ / now")
    ] = None,
) -> None:
    """Xét phong bì như bộ định tuyến / judge envelopes as the router does."""
    call = invocation(context)
    judge = judgement.Judge.of(call.settings)
    moment = parse_time(at) if at else now()
    results = [_judged(judge, file, moment, call) for file in files]
    for result in results:
        call.emit(result)
    call.table(
        call.text("Kết quả xét", "Judgement"),
        ["file", "✓", "code", "from", "to", "type", call.text("chi tiết", "detail")],
        [
            (
                r["file"],
                r["accepted"],
                r["code"],
                r["from"],
                " ".join(r["to"]),
                r["type"],
                r["detail"],
            )
            for r in results
        ],
    )
    raise typer.Exit(0 if all(result["accepted"] for result in results) else 1)


def parse_time(text: str) -> datetime:
    """Parse RFC 3339 with an offset; raises ``UsageError``."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(reason=f"--at {text[:40]}: RFC 3339") from error
    if moment.tzinfo is None:
        raise UsageError(reason=f"--at {text[:40]}: +07:00?")
    return moment


def _judged(
    judge: judgement.Judge, file: Path, moment: datetime, call: Invocation
) -> dict[str, Any]:
    """One line of ``hub verify``; a file that cannot be read is refused like a bad one."""
    blank: dict[str, Any] = {
        "file": str(file), "accepted": False, "code": "", "disposition": "", "message_id": "",
        "from": "", "to": [], "type": "", "signer": "", "detail": "",
    }  # fmt: skip
    try:
        return {**blank, **judge.judge(read_file(file), moment)}
    except HubError as error:
        return {
            **blank,
            **judge.known(),
            "code": error.code,
            "disposition": error.disposition.value,
            "detail": error.message(call.lang),
        }
