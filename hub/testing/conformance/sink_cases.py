"""Cases about ``Sink``: applied once, found again, refused where it must, attachments kept."""

from __future__ import annotations

from dataclasses import replace

from hub.adapters.contract import Applied, Inbound, Item, Sink
from hub.errors import HubError, SinkRefused, SinkUnavailable
from hub.testing.conformance import messages, personal, snapshot
from hub.testing.conformance.bed import PEER, Bed
from hub.testing.conformance.source_cases import signed_and_read
from hub.testing.conformance.verdict import NotConcerned, case, hold

MAX_REFERENCE = 200
UNKNOWN = "H13.15/00000000-0000-7000-8000-000000000000"


def applied(bed: Bed, sink: Sink) -> tuple[Inbound, Applied]:
    """Return the first message that the sink takes; raises ``Broken`` when it takes none."""
    told: list[str] = []
    for message in messages.candidates(bed):
        try:
            return message, sink.apply(message, message.key)
        except SinkUnavailable:
            raise
        except HubError as error:  # refused, or parked for a person
            told.append(f"{message.type}: {error.message('en')}")
    hold(
        False,
        f"không mẫu nào trong các loại của accepts được nhận: {'; '.join(told)[:600]}",
        f"no example of the types in accepts is taken: {'; '.join(told)[:600]}",
    )
    raise NotConcerned("", "")


@case(
    "apply.finds",
    "Sink.apply, Sink.lookup, Parts.accepts",
    "Thông điệp được nhận có ở đối tác, và lookup tìm thấy nó, kể cả sau khi khởi động lại.",
)
def apply_finds(bed: Bed) -> None:
    """A message that was taken shows at the partner, and lookup finds it, after a restart too."""
    sink = bed.sink()
    before = bed.observe()
    message, done = applied(bed, sink)
    hold(
        snapshot.changed(before, bed.observe()),
        f"apply({message.type}) không để lại gì ở đối tác",
        f"apply({message.type}) left nothing at the partner",
    )
    for vi, en, found in (
        ("lookup", "lookup", sink.lookup(message.key)),
        ("lookup của một Sink mới", "lookup of a new Sink", bed.sink().lookup(message.key)),
    ):
        hold(
            found is not None or bed.says("REPEATABLE"),
            f"{vi} trả None cho khóa vừa ghi; nếu đối tác tự nhận ra bản lặp, khai REPEATABLE",
            f"{en} returned None for the key just applied; if the partner itself recognises"
            " repeats, declare REPEATABLE",
        )
        hold(
            found is None or found.reference == done.reference,
            f"{vi} cho số tham chiếu khác với apply",
            f"{en} gives another reference than apply did",
        )


@case(
    "apply.once",
    "Sink.apply",
    "Ghi cùng một khóa hai lần, kể cả sau khi khởi động lại, có tác dụng như một lần.",
)
def apply_once(bed: Bed) -> None:
    """Applying one key twice, after a restart too, does what applying it once does."""
    sink = bed.sink()
    message, done = applied(bed, sink)
    before = bed.observe()
    for vi, en, other in (("cùng Sink", "the same Sink", sink), ("Sink mới", "a new Sink", None)):
        again = (other or bed.sink()).apply(message, message.key)
        what = snapshot.changed(before, bed.observe())
        hold(
            not what,
            f"lần thứ hai ({vi}) làm thay đổi {what}",
            f"the second time ({en}) changed {what}",
        )
        hold(
            again.reference == done.reference,
            f"lần thứ hai ({vi}) cho số tham chiếu khác",
            f"the second time ({en}) gave another reference",
        )


@case(
    "lookup.unknown",
    "Sink.lookup",
    "lookup của một khóa chưa ghi trả None và không làm thay đổi gì.",
    shared=True,
)
def lookup_unknown(bed: Bed) -> None:
    """Looking up a key that was never applied returns None and changes nothing."""
    sink = bed.sink()
    before = bed.observe()
    found = sink.lookup(UNKNOWN)
    hold(found is None, "lookup bịa ra một kết quả", "lookup made up a result")
    what = snapshot.changed(before, bed.observe())
    hold(not what, f"lookup làm thay đổi {what}", f"lookup changed {what}")


@case(
    "apply.refuses",
    "Sink.apply, Parts.accepts",
    "Loại thông điệp không nằm trong accepts bị từ chối bằng SinkRefused, không để lại gì.",
    shared=True,
)
def apply_refuses(bed: Bed) -> None:
    """A message type outside accepts is refused with SinkRefused and leaves nothing."""
    sink = bed.sink()
    name = messages.foreign(bed)
    if not name:
        raise NotConcerned("đầu nối nhận mọi loại", "the connector takes every type")
    message = messages.made(bed, name)
    before = bed.observe()
    try:
        sink.apply(message, message.key)
    except SinkRefused:
        what = snapshot.changed(before, bed.observe())
        hold(not what, f"đã từ chối nhưng vẫn ghi {what}", f"it refused, but wrote {what}")
        return
    hold(False, f"apply({name}) đã nhận", f"apply({name}) took it")


@case(
    "apply.any",
    "Sink.apply",
    "Với mọi loại trong accepts, apply hoặc nhận, hoặc báo lỗi có mã của hub.errors.",
)
def apply_any(bed: Bed) -> None:
    """For every type in accepts, apply takes it or raises an error of hub.errors."""
    sink = bed.sink()
    for message in messages.candidates(bed):
        bare = replace(message, payload=replace(message.payload, fields={}), attachments=())
        for one in (message, bare):
            try:
                sink.apply(one, f"{one.key}-{len(one.payload.fields)}")
            except HubError:
                continue
            except Exception as error:  # noqa: BLE001  this is what the case is about
                kind = type(error).__name__
                hold(False, f"apply({one.type}) ném {kind}", f"apply({one.type}) raised {kind}")


@case(
    "replies",
    "Applied.replies, Applied.reference",
    "Thư trả lời của apply soạn và ký được; số tham chiếu không mang dữ liệu cá nhân.",
)
def replies(bed: Bed) -> None:
    """The replies of apply compose and sign; the reference holds no personal data."""
    message, done = applied(bed, bed.sink())
    for number, draft in enumerate(done.replies):
        signed_and_read(bed, Item(f"reply:{message.key}:{number}", draft=draft))
    known = personal.of(message.payload)
    hold(
        len(done.reference) <= MAX_REFERENCE and not personal.leaks(done.reference, known),
        "số tham chiếu quá dài hoặc mang dữ liệu cá nhân",
        "the reference is too long or holds personal data",
    )


@case(
    "attachments.in",
    "Sink.apply",
    "Tệp đính kèm nhận được nằm ở đối tác, giống từng byte.",
)
def attachments_in(bed: Bed) -> None:
    """Attachments that arrive lie at the partner, byte for byte."""
    sink = bed.sink()
    if not bed.says("ATTACHMENTS"):
        raise NotConcerned(
            "đầu nối không khai ATTACHMENTS: không giữ tệp đính kèm",
            "the connector does not declare ATTACHMENTS: it keeps none",
        )
    for message in messages.candidates(bed):
        full = messages.with_attachment(message)
        try:
            sink.apply(full, full.key)
        except SinkRefused:
            continue
        held = set(bed.observe().values())
        lost = [one.name for one in full.attachments if one.sha256 not in held]
        hold(
            not lost,
            f"{len(lost)} tệp đính kèm của {full.type} không còn nguyên từng byte",
            f"{len(lost)} attachments of a {full.type} did not stay as they were",
        )
        return
    hold(False, f"không thông điệp nào từ {PEER} được nhận", "no message is taken at all")
