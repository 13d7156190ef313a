"""``hub send`` and ``hub receive``: an agency's own hands on its account of the broker."""

from __future__ import annotations

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
from hub.cli.files import read_file
from hub.cli.progress import progress
from hub.codes import AgencyCode, MessageId
from hub.envelope import Arrival, SignedEnvelope

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
    bodies = [read_file(file) for file in files]
    envelopes = [SignedEnvelope(raw, claimed_id(raw), code) for raw in bodies]
    outcomes = _published(call, code, envelopes)
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


def _published(
    call: Invocation, code: AgencyCode, envelopes: Sequence[SignedEnvelope]
) -> list[Outcome]:
    size = 100
    outcomes: list[Outcome] = []
    connection = client(call, code)
    try:
        with progress(call, "Đang gửi", "Sending") as advance:
            for start in range(0, len(envelopes), size):
                outcomes += connection.publish(envelopes[start : start + size])
                advance(len(outcomes), len(envelopes))
    finally:
        connection.close()
    return outcomes


def receive(
    context: typer.Context,
    as_code: Annotated[str, typer.Option("--as", metavar="CODE")],
    limit: Annotated[int, typer.Option("--max", metavar="N", min=1)] = 1,
    timeout: Annotated[float, typer.Option("--timeout", metavar="S", help="giây / seconds")] = 5.0,
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
    connection = client(call, code)
    taken = 0
    try:
        deadline = time.monotonic() + timeout
        while taken < limit and (left := deadline - time.monotonic()) > 0:
            for arrival in connection.receive(limit=limit - taken, timeout_s=left):
                line = _taken(judge, arrival, out, now())
                if receipt and line["accepted"]:
                    connection.publish([replies.delivered(call.settings, code, judge, now())])
                connection.ack([arrival])
                taken += 1
                call.emit(line)
                call.say(
                    *2 * (f"{line['message_id']}  {line['type']}  {line['from']}  {line['file']}",)
                )
    finally:
        connection.close()
    raise typer.Exit(0 if taken else 1)


def _taken(judge: judgement.Judge, arrival: Arrival, out: Path, at: datetime) -> dict[str, Any]:
    """Write the bytes, then say what they are; a bad one is kept beside, named ``.refused.xml``."""
    facts = judge.judge(lambda: arrival.raw, at)
    name = facts["message_id"] or claimed_id(arrival.raw).value
    file = out / (f"{name}.xml" if facts["accepted"] else f"{name}.refused.xml")
    file.write_bytes(arrival.raw)
    return {
        "message_id": facts["message_id"],
        "type": facts["type"],
        "from": facts["from"],
        "file": str(file),
        "redelivered": arrival.redeliveries > 0,
        "accepted": facts["accepted"],
        "code": facts["code"],
    }
