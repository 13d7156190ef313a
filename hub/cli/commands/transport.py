"""``hub send`` and ``hub receive``: an agency's own hands on its account of the broker."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import secrets
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.broker import accounts
from hub.broker.address import broker_address
from hub.broker.client import AgencyClient
from hub.broker.ports import Outcome
from hub.cli import judgement, replies
from hub.cli.arguments import agency
from hub.cli.context import Invocation, invocation, now
from hub.cli.files import check_readable, read_file
from hub.cli.progress import progress
from hub.codes import AgencyCode, MessageId
from hub.envelope import Arrival, SignedEnvelope
from hub.errors import BrokerUnconfirmed, CodeMalformed

WINDOW, WINDOW_BYTES = 100, 16 * 1024 * 1024
"""Messages, and bytes of them, that are published before their confirms are waited for."""
_MESSAGE_ID = re.compile(rb"<(?:[\w-]+:)?MessageId>\s*([0-9A-Fa-f-]{36})\s*<")


def register(app: typer.Typer) -> None:
    """Add both commands to the command line."""
    app.command("send")(send)
    app.command("receive")(receive)


def client(call: Invocation, code: AgencyCode) -> AgencyClient:
    """Connect as an agency, with the password of its account in this home."""
    address = broker_address(call.settings)
    password = accounts.password(call.settings.home, code.value)
    return AgencyClient(accounts.agency_url(address.amqp_url, code.value, password), code.value)


def claimed_id(raw: bytes) -> MessageId:
    """Return the id that the bytes claim, or a fresh one for bytes that claim none.

    It only goes into the AMQP property; the hub judges the signed one.
    """
    found = _MESSAGE_ID.search(raw)
    with contextlib.suppress(CodeMalformed):
        if found:
            return MessageId.parse(found.group(1).decode("ascii"))
    return MessageId.new(time.time_ns() // 1_000_000, secrets.token_bytes(10))


def send(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE…")],
    as_code: Annotated[str, typer.Option("--as", metavar="CODE")],
) -> None:
    """Gửi phong bì đã ký và chờ xác nhận / publish signed envelopes, wait for the confirms."""
    call = invocation(context)
    code = agency(as_code, call.settings.hub.environment, "--as")
    check_readable(files)
    outcomes = _published(call, code, files)
    result = {
        "sent": len(outcomes),
        "confirmed": outcomes.count(Outcome.CONFIRMED),
        "unroutable": outcomes.count(Outcome.RETURNED),
    }
    call.emit(result)
    call.say(
        f"Đã gửi {result['sent']}, được xác nhận {result['confirmed']}, "
        f"không có hàng đợi {result['unroutable']}.",
        f"Sent {result['sent']}, confirmed {result['confirmed']}, "
        f"unroutable {result['unroutable']}.",
    )
    raise typer.Exit(0 if result["confirmed"] == result["sent"] else 1)


def _published(call: Invocation, code: AgencyCode, files: Sequence[Path]) -> list[Outcome]:
    """Publish the files window by window; only one window's bytes are in memory."""
    outcomes: list[Outcome] = []
    window: list[SignedEnvelope] = []
    waiting = 0
    with (
        contextlib.closing(client(call, code)) as connection,
        progress(call, "Đang gửi", "Sending") as advance,
    ):
        for number, file in enumerate(files, start=1):
            raw = read_file(file)
            window.append(SignedEnvelope(raw, claimed_id(raw), code))
            waiting += len(raw)
            if len(window) == WINDOW or waiting > WINDOW_BYTES or number == len(files):
                outcomes += connection.publish(window)
                window, waiting = [], 0
                advance(number, len(files))
    return outcomes


def receive(
    context: typer.Context,
    as_code: Annotated[str, typer.Option("--as", metavar="CODE")],
    limit: Annotated[int, typer.Option("--max", metavar="N", min=1)] = 1,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="S", min=0, max=86400, help="Giây / seconds")
    ] = 5.0,
    out: Annotated[Path, typer.Option("--out", metavar="DIR")] = Path(),
    receipt: Annotated[
        bool, typer.Option("--receipt", help="Gửi receipt.delivered / answer with a receipt")
    ] = False,
) -> None:
    """Lấy từ hộp thư đến, xét, ghi ra tệp / take from the inbox, verify, write, acknowledge."""
    call = invocation(context)
    code = agency(as_code, call.settings.hub.environment, "--as")
    judge = judgement.Judge.of(call.settings)
    out.mkdir(parents=True, exist_ok=True)
    lines: list[dict[str, Any]] = []
    with contextlib.closing(client(call, code)) as connection:
        deadline = time.monotonic() + timeout
        while len(lines) < limit and (left := deadline - time.monotonic()) > 0:
            for arrival in connection.receive(limit=limit - len(lines), timeout_s=left):
                line = _taken(judge, arrival, out, now())
                if receipt and line["accepted"] and not judge.last.header.type.is_receipt:
                    _answer(call, code, judge, connection)
                connection.ack([arrival])
                lines.append(line)
                call.emit(line)
                words = (line[name] for name in ("message_id", "type", "from", "code", "file"))
                call.say(*2 * ("  ".join(filter(None, words)),))
    if not lines:
        call.say("Không có gì trong hộp thư đến.", "Nothing in the inbox.")
    raise typer.Exit(0 if all(line["accepted"] for line in lines) else 1)


def _answer(
    call: Invocation, code: AgencyCode, judge: judgement.Judge, connection: AgencyClient
) -> None:
    """Publish the receipt and wait for its confirm; raises ``BrokerUnconfirmed`` without one.

    The message is then not acknowledged, and comes again.
    """
    outcomes = connection.publish([replies.delivered(call.settings, code, judge, now())])
    if outcomes != [Outcome.CONFIRMED]:
        raise BrokerUnconfirmed(count=1)


def _taken(judge: judgement.Judge, arrival: Arrival, out: Path, at: datetime) -> dict[str, Any]:
    """Write the bytes, then say what they are; a bad one's name ends in ``.refused.xml``."""
    facts = judge.judge(lambda: arrival.raw, at)
    name = facts["message_id"] or claimed_id(arrival.raw).value
    file = _kept(out, name, ".xml" if facts["accepted"] else ".refused.xml", arrival.raw)
    return {
        "message_id": facts["message_id"],
        "type": facts["type"],
        "from": facts["from"],
        "file": str(file),
        "redelivered": arrival.redeliveries > 0,
        "accepted": facts["accepted"],
        "code": facts["code"],
    }


def _kept(out: Path, name: str, ending: str, raw: bytes) -> Path:
    """Write durably, before anything is acknowledged; other bytes under this name stay.

    Message ids are unique for each sender only, so two files may want one name.
    """
    for number in itertools.count(1):
        file = out / (f"{name}{ending}" if number == 1 else f"{name}-{number}{ending}")
        if not file.exists():
            break
        if file.read_bytes() == raw:
            return file
    part = file.with_suffix(".part")
    with part.open("wb") as opened:
        opened.write(raw)
        opened.flush()
        os.fsync(opened.fileno())
    return part.rename(file)
