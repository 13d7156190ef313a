"""(c) Unknown, merged and closed receivers; (g) a ping; (e) repeats and a conflict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hub.testing.scenario import cast
from hub.testing.scenario.agency import Agency, Letter
from hub.testing.scenario.stage import NotSeen, Stage, Step, equal

DOCUMENT = "document.new"


def ping(stage: Stage) -> str:
    """The hub itself answers a ping with a signed pong."""
    clerk = stage.agency(cast.CLERK)
    draft = clerk.draft("connectivity.ping", cast.HUB)
    clerk.send(draft.header, clerk.signed(draft))
    said = clerk.take(clerk.about(draft.header), 2)
    kinds = sorted(one.type for one in said)
    equal("answers", kinds, ["connectivity.pong", "receipt.accepted"])
    equal("signed by", {one.valid.header.sender.value for one in said}, {cast.HUB})
    return f"{kinds[0]}, {kinds[1]} ← {cast.HUB}"


def _answered(stage: Stage, receiver: str) -> tuple[Letter, bytes]:
    """Send a document and return the hub's answer, whose signature held, and what was sent."""
    clerk = stage.agency(cast.CLERK)
    draft = clerk.draft(DOCUMENT, receiver)
    raw = clerk.signed(draft)
    clerk.send(draft.header, raw)
    (letter,) = clerk.take(clerk.about(draft.header))
    equal("signed by", letter.valid.header.sender.value, cast.HUB)
    return letter, raw


def unknown(stage: Stage) -> str:
    """A code that nobody has is refused with a signed receipt that says why."""
    letter, _raw = _answered(stage, cast.UNKNOWN)
    receipt = letter.receipt()
    equal(
        "receipt", (letter.type, receipt.reason), ("receipt.rejected", "routing.unknown_receiver")
    )
    if cast.UNKNOWN not in receipt.detail_vi:
        raise NotSeen(receipt.detail_vi)
    return f"{letter.type} {receipt.reason}: {receipt.detail_vi}"


def merged(stage: Stage) -> str:
    """A merged agency's successor gets the bytes, and the receipt says so."""
    letter, raw = _answered(stage, cast.MERGED)
    (told,) = letter.receipt().recipients
    seen = (letter.type, told.outcome, told.via, str(told.resolved))
    equal("receipt", seen, ("receipt.accepted", "redirected", "successor", cast.SUCCESSOR))
    stage.agency(cast.SUCCESSOR).take(lambda one: one.raw == raw)
    return f"{cast.MERGED} → {cast.SUCCESSOR} ({told.via})"


def closed(stage: Stage) -> str:
    """A closed agency without redirection is refused, and its successor is named."""
    letter, _raw = _answered(stage, cast.CLOSED)
    receipt = letter.receipt()
    equal("receipt", (letter.type, receipt.reason), ("receipt.rejected", "routing.closed_receiver"))
    if cast.NAMED not in receipt.detail_vi:
        raise NotSeen(receipt.detail_vi)
    return f"{letter.type} {receipt.reason}: {receipt.detail_vi}"


def repeats(stage: Stage) -> str:
    """Three times the same bytes: one delivery, and the very same receipt each time."""
    clerk, office = stage.agency(cast.CLERK), stage.agency(cast.OFFICE)
    draft = clerk.draft(DOCUMENT, cast.OFFICE)
    raw = clerk.signed(draft)
    receipts = []
    for _time in range(3):
        clerk.send(draft.header, raw)
        receipts += clerk.take(clerk.about(draft.header))
    equal("different receipts", len({one.raw for one in receipts}), 1)
    equal("receipt", receipts[0].type, "receipt.accepted")
    office.take(lambda one: one.raw == raw)
    equal("second delivery", [one.type for one in office.nothing_more()], [])
    return f"3 × {draft.header.message_id.value[:8]}…: 1 bản giao / delivery, 1 biên nhận / receipt"


def conflict(stage: Stage) -> str:
    """The same id with other content is refused as a conflict, and nothing is delivered."""
    clerk, office = stage.agency(cast.CLERK), stage.agency(cast.OFFICE)
    draft = clerk.draft(DOCUMENT, cast.OFFICE)
    clerk.send(draft.header, clerk.signed(draft))
    clerk.take(clerk.about(draft.header))
    office.take(_same_id(draft.header.message_id.value))
    other = replace(draft, header=replace(draft.header, priority=1))
    clerk.send(draft.header, clerk.signed(other))
    (letter,) = clerk.take(clerk.about(draft.header))
    seen = (letter.type, letter.receipt().reason)
    equal("receipt", seen, ("receipt.rejected", "duplicate.conflict"))
    _nothing_came(office)
    return f"{seen[0]} {seen[1]}"


def _same_id(message_id: str) -> Callable[[Letter], bool]:
    return lambda letter: letter.valid.header.message_id.value == message_id


def _nothing_came(agency: Agency) -> None:
    equal("inbox", [one.type for one in agency.nothing_more()], [])


PING = Step(
    ("g. Kiểm tra kết nối", "g. Connection test"),
    ("connectivity.ping → pong có chữ ký của trục", "connectivity.ping → signed pong"),
    ping,
)
STEPS = (
    Step(
        ("c1. Nơi nhận không có thật", "c1. An unknown receiver"),
        ("biên nhận từ chối có chữ ký, nêu lý do", "signed negative receipt that says why"),
        unknown,
    ),
    Step(
        ("c2. Nơi nhận đã sáp nhập (redirect=auto)", "c2. A merged receiver (redirect=auto)"),
        ("giao cho cơ quan kế thừa, biên nhận nói rõ", "delivered to its successor, and told"),
        merged,
    ),
    Step(
        ("c3. Nơi nhận đã đóng (redirect=no)", "c3. A closed receiver (redirect=no)"),
        ("từ chối, nêu cơ quan kế thừa", "refused, naming the successor"),
        closed,
    ),
)
REPEATS = (
    Step(
        ("e1. Cùng một thông điệp ba lần", "e1. The same message three times"),
        ("giao một lần, biên nhận gốc lặp lại", "one delivery, the original receipt again"),
        repeats,
    ),
    Step(
        ("e2. Cùng mã, nội dung khác", "e2. The same id with other content"),
        ("từ chối vì xung đột", "refused as a conflict"),
        conflict,
    ),
)
