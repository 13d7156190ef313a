"""The life of messages as a picture: one line of time from left to right, one row for each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from hub.cli.context import Invocation
from hub.errors import printable
from hub.routing.directory import VIETNAM

LONGEST_AXIS = 36
"""Characters of the line of time; a quarter of a narrow terminal."""
NEVER = datetime.fromtimestamp(0, UTC)

KINDS: dict[str, tuple[str, str, str]] = {
    "arrived": ("đến trục", "arrived", "cyan"),
    "accepted": ("được nhận", "accepted", "green"),
    "rejected": ("bị từ chối", "rejected", "red"),
    "quarantined": ("bị cách ly", "quarantined", "red"),
    "parked": ("chờ người xử lý", "parked", "red"),
    "queued": ("xếp hàng cho", "queued for", "cyan"),
    "confirmed": ("đã vào hàng đợi", "in the queue", "dim"),
    "returned": ("không có hàng đợi", "came back", "red"),
    "held_back": ("giữ lại, chờ thứ tự", "held back", "yellow"),
    "deferred": ("tạm hoãn bởi", "deferred by", "yellow"),
    "delivered": ("đã giao cho", "delivered to", "green"),
    "refused": ("bị nơi nhận từ chối", "refused by", "red"),
    "expired": ("quá hạn", "expired", "red"),
    "repeated": ("gửi lặp, trả lời như cũ", "repeated, answered as before", "yellow"),
    "conflict": ("trùng mã, khác nội dung", "same id, other content", "red"),
    "contradiction": ("biên nhận mâu thuẫn", "contradicting receipt", "red"),
    "receipt_seen": ("biên nhận đến trục", "receipt arrived", "cyan"),
    "receipt_sent": ("trục trả biên nhận", "hub answers", "cyan"),
    "receipt_confirmed": ("biên nhận vào hàng đợi", "receipt in the queue", "dim"),
    "receipt_unroutable": ("biên nhận không có nơi về", "receipt has no way back", "red"),
    "answered": ("đã trả lời", "answered", "green"),
}
"""Each kind of event: what it is called in Vietnamese and English, and its colour."""
STATES = {
    "accepted": ("được nhận", "accepted", "green"),
    "rejected": ("bị từ chối", "rejected", "red"),
    "parked": ("chờ xử lý", "parked", "red"),
    "expired": ("quá hạn", "expired", "red"),
    "quarantined": ("bị cách ly", "quarantined", "red"),
}
WHO = ("receiver", "account")
SILENT = ("named", "digest", "message_id", "receipt", "queue")
"""Facts that ``--json`` has and the picture leaves out."""


@dataclass(frozen=True, slots=True)
class Span:
    """The time that the picture covers."""

    first: datetime
    last: datetime
    width: int
    """Characters that it is drawn with."""

    @classmethod
    def of(cls, messages: Sequence[Mapping[str, Any]], width: int) -> Span:
        """From the first event of all to the last."""
        times = [moment(event) for message in messages for event in message["events"]] or [NEVER]
        return cls(min(times), max(times), width)

    def place(self, at: datetime) -> int:
        """Return the character of the line at which a time lies."""
        whole = (self.last - self.first).total_seconds()
        share = (at - self.first).total_seconds() / whole if whole else 0.0
        return round(share * (self.width - 1))


def moment(event: Mapping[str, Any]) -> datetime:
    """Return the time of an event in Vietnam's zone."""
    return datetime.fromisoformat(str(event["at"])).astimezone(VIETNAM)


def picture(call: Invocation, wanted: str, messages: Sequence[Mapping[str, Any]]) -> Group:
    """Draw messages under one line of time."""
    span = Span.of(messages, min(LONGEST_AXIS, call.console.width // 4))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("at", "axis", "what"):
        table.add_column(name, no_wrap=name != "what", overflow="fold")
    for message in messages:
        _draw(call, table, span, message)
    return Group(_title(call, wanted, messages, span), table)


def _title(
    call: Invocation, wanted: str, messages: Sequence[Mapping[str, Any]], span: Span
) -> Text:
    count = len(messages)
    text = Text(printable(wanted), style="bold")
    text.append(call.text(f"  {count} thông điệp", f"  {count} messages"), style="not bold")
    lasted = (span.last - span.first).total_seconds()
    text.append(f"  {span.first:%d/%m/%Y %H:%M:%S} +07:00, {_lasting(lasted)}", "not bold dim")
    return text


def _lasting(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.3f} s"


def _draw(call: Invocation, table: Table, span: Span, message: Mapping[str, Any]) -> None:
    """One message: its own row with the bar of its life, then a row for each step."""
    events = message["events"]
    places = [span.place(moment(event)) for event in events]
    state = STATES.get(str(message.get("state", "")))
    head = Text(printable(str(message.get("type") or "?")), style="bold")
    head.append(f"  {message.get('from') or '?'} → {' '.join(message.get('to', [])) or '?'}  ")
    if state:
        head.append(call.text(state[0], state[1]), style=state[2])
    head.append(f"  {printable(str(message['message_id']))}", style="dim")
    table.add_row("", _bar(places, span.width), head)
    day = ""
    for event, place in zip(events, places, strict=True):
        at = moment(event)
        date = f"{at:%d/%m }" if f"{at:%d/%m}" != day and at.date() != span.first.date() else ""
        day = f"{at:%d/%m}"
        row = Text(f"{date}{at:%H:%M:%S}.{at.microsecond // 1000:03d}", style="dim")
        table.add_row(row, _mark(place, _colour(event), span.width), _step(call, event))


def _colour(event: Mapping[str, Any]) -> str:
    return KINDS.get(str(event["kind"]), ("", "", "default"))[2]


def _step(call: Invocation, event: Mapping[str, Any]) -> Text:
    """What happened, to whom, and what else is worth knowing."""
    kind, detail = str(event["kind"]), dict(event["detail"])
    vi, en, colour = KINDS.get(kind, (kind, kind, "default"))
    text = Text("  ")
    text.append(call.text(vi, en), style=colour)
    for name in WHO:
        if detail.get(name):
            text.append(f" {printable(str(detail.pop(name)))}", style="bold")
    rest = {name: value for name, value in detail.items() if value and name not in SILENT}
    if rest.get("via") == "exact":
        del rest["via"]
    for name, value in rest.items():
        shown = str(value) if name in ("type", "code", "reason") else f"{name}={value}"
        text.append(f"  {printable(shown)}", style="dim")
    return text


def _bar(places: Sequence[int], width: int) -> Text:
    """The whole life of a message on the line of time."""
    if not places:
        return Text("")
    start, end = min(places), max(places)
    bar = "▕" + " " * start + "━" * (end - start + 1) + " " * (width - 1 - end) + "▏"
    return Text(bar, style="bold")


def _mark(place: int, colour: str, width: int) -> Text:
    text = Text("▕" + " " * place, style="dim")
    text.append("●", style=colour)
    text.append(" " * (width - 1 - place) + "▏", style="dim")
    return text
