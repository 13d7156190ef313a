"""Cases about ``Source``: polling, checkpoints, keys, drafts, confirmations."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from hub.adapters.contract import Confirmation, Item, Reason, Source, WantsReason
from hub.codes import MessageId, MessageType
from hub.envelope import Receipt
from hub.errors import HubError
from hub.testing.conformance import personal, snapshot
from hub.testing.conformance.bed import AGENCY, LIMIT, PEER, Bed
from hub.testing.conformance.verdict import case, hold

MAX_KEY = 300
MAX_CHECKPOINT = 65_536
_ROUNDS = 200


@case(
    "poll.finds",
    "check_fixture, Source.poll",
    "Đối tác thử của check_fixture có ít nhất một bản ghi gửi được.",
    shared=True,
)
def finds(bed: Bed) -> None:
    """The partner of check_fixture holds at least one record that can be sent."""
    items = bed.items()
    hold(
        any(item.draft is not None for item in items),
        f"poll(None) trả về {len(items)} bản ghi, không bản nào có draft",
        f"poll(None) returned {len(items)} records, none of them with a draft",
    )


@case(
    "poll.again",
    "Source.poll",
    "Hỏi lại từ cùng một điểm cho cùng những bản ghi, kể cả từ một tiến trình mới.",
    shared=True,
)
def again(bed: Bed) -> None:
    """Polling again from the same checkpoint gives the same records, from a new process too."""
    source = bed.source()
    first = _keys(source.poll(None, LIMIT).items)
    for vi, en, other in (
        ("lần hỏi thứ hai", "the second poll", _keys(source.poll(None, LIMIT).items)),
        ("một Source mới", "a new Source", _keys(bed.source().poll(None, LIMIT).items)),
    ):
        lost = [key for key in first if key not in other]
        new = [key for key in other if key not in first]
        hold(
            not lost and not new,
            f"{vi} mất {len(lost)} khóa, thêm {len(new)} khóa: {(lost + new)[:1]}",
            f"{en} lost {len(lost)} keys and has {len(new)} others: {(lost + new)[:1]}",
        )


@case(
    "poll.limit",
    "Source.poll",
    "Mỗi lần hỏi không trả quá `limit` bản ghi mới.",
    shared=True,
)
def limit(bed: Bed) -> None:
    """A poll returns at most `limit` new records."""
    source = bed.source()
    seen: set[str] = set()
    checkpoint = None
    for _ in range(3):
        batch = source.poll(checkpoint, 1)
        new = set(_keys(batch.items)) - seen
        hold(
            len(new) <= 1,
            f"poll(…, limit=1) trả {len(new)} bản ghi mới",
            f"poll(…, limit=1) returned {len(new)} new records",
        )
        seen |= new
        checkpoint = batch.checkpoint


@case(
    "poll.checkpoint",
    "Source.poll, Batch.checkpoint",
    "Từng bước một, mỗi bước bằng một Source mới, checkpoint đi qua mọi bản ghi rồi dừng lại.",
    shared=True,
)
def checkpoint(bed: Bed) -> None:
    """Step by step, each with a new Source, the checkpoint leads through every record and stops."""
    expected = set(_keys(bed.items()))
    mark, seen = _walked(bed)
    hold(
        seen == expected,
        f"đi từng bước gặp {len(seen)} bản ghi, hỏi một lần gặp {len(expected)}",
        f"step by step {len(seen)} records were found, at once {len(expected)}",
    )
    rest = set(_keys(bed.source().poll(mark, LIMIT).items)) - expected
    hold(
        not rest,
        f"sau điểm cuối vẫn có {len(rest)} khóa lạ: {sorted(rest)[:1]}",
        f"behind the last checkpoint there are {len(rest)} unknown keys: {sorted(rest)[:1]}",
    )


def _walked(bed: Bed) -> tuple[str, set[str]]:
    """Poll by ones, each time with a new source, until nothing moves any more."""
    seen: set[str] = set()
    mark: str | None = None
    for _ in range(_ROUNDS):
        batch = bed.source().poll(mark, 1)
        fits = isinstance(batch.checkpoint, str) and len(batch.checkpoint) <= MAX_CHECKPOINT
        hold(
            fits,
            "checkpoint không phải chuỗi hoặc dài quá 64 KiB",
            "the checkpoint is no text, or longer than 64 KiB",
        )
        new = set(_keys(batch.items)) - seen
        if not new and batch.checkpoint == mark:
            return mark, seen
        seen |= new
        mark = batch.checkpoint
    hold(
        False,
        f"sau {_ROUNDS} lần hỏi checkpoint vẫn chưa dừng",
        f"after {_ROUNDS} polls the checkpoint has not come to rest",
    )
    return "", seen


@case(
    "poll.reads",
    "Source.poll",
    "Hỏi không làm thay đổi gì ở đối tác: trước khi hộp đi ghi xong, chưa có gì được coi là lấy.",
    shared=True,
)
def reads(bed: Bed) -> None:
    """Polling changes nothing at the partner: before the outbox has it, nothing counts as taken."""
    before = bed.observe()
    bed.items()
    unchanged(bed, before, "poll")


def unchanged(bed: Bed, before: dict[str, str], method: str) -> None:
    """Raise ``Broken`` when the partner holds anything else than before."""
    what = snapshot.changed(before, bed.observe())
    hold(not what, f"{method} đã làm thay đổi {what}", f"{method} changed {what}")


@case(
    "keys",
    "Item.key",
    "Mỗi bản ghi có một khóa riêng, 1 đến 300 ký tự.",
    shared=True,
)
def keys(bed: Bed) -> None:
    """Every record has a key of its own, of 1 to 300 characters."""
    found = _keys(bed.items())
    twice = sorted({key for key in found if found.count(key) > 1})
    hold(not twice, f"khóa bị trùng: {twice[:1]}", f"a key is used twice: {twice[:1]}")
    odd = [key for key in found if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY]
    hold(not odd, "có khóa rỗng hoặc quá dài", "a key is empty or too long")


@case(
    "privacy",
    "Item.key, Item.label, Draft.dossier_code, Draft.document_id",
    "Khóa, nhãn, mã hồ sơ và mã văn bản không mang dữ liệu cá nhân.",
    shared=True,
)
def privacy(bed: Bed) -> None:
    """Keys, labels, dossier codes and document ids hold no personal data."""
    items = bed.items()
    known = {value for item in items if item.draft for value in personal.of(item.draft.payload)}
    for item in items:
        draft = item.draft
        texts = {"key": item.key, "label": item.label}
        if draft is not None:
            texts["document_id"] = draft.document_id or ""
            texts["dossier_code"] = str(draft.dossier_code or "")
        for name, text in texts.items():
            hold(
                not personal.leaks(text, known),
                f"{name} chứa dữ liệu cá nhân (họ tên, số giấy tờ, điện thoại, địa chỉ)",
                f"{name} holds personal data (a name, a number, a phone, an address)",
            )


@case(
    "unmappable",
    "Source.poll, Item.error",
    "Bản ghi không ánh xạ được là một Item có error, mã và vị trí; các bản ghi khác vẫn đi.",
    shared=True,
)
def unmappable(bed: Bed) -> None:
    """A record that can't be mapped is an Item with an error, a code and a place; others go on."""
    items = bed.items()
    both = [item for item in items if (item.draft is None) is (item.error is None)]
    hold(
        not both,
        "một Item phải có đúng một trong hai: draft hoặc error",
        "an Item has exactly one of draft and error",
    )
    bad = [item.error for item in items if item.error is not None]
    hold(
        bad,
        "đối tác thử của check_fixture phải có ít nhất một bản ghi hỏng, và poll phải trả nó",
        "the partner of check_fixture must hold a broken record, and poll must return it",
    )
    for error in bad:
        hold(
            isinstance(error, HubError) and error.code,
            f"error là {type(error).__name__}, không phải lỗi có mã của hub.errors",
            f"the error is a {type(error).__name__}, not an error of hub.errors with a code",
        )
        hold(
            str(error.place),
            f"lỗi {error.code} không nói ở đâu (place)",
            f"the error {error.code} does not say where (place)",
        )


@case(
    "drafts.wire",
    "Item.draft",
    "Mỗi Draft soạn được, hợp lược đồ, ký được, và người nhận kiểm tra được.",
    shared=True,
)
def wire(bed: Bed) -> None:
    """Every Draft composes, fits the schemas, is signed, and verifies at the receiver."""
    for item in bed.drafts:
        signed_and_read(bed, item)


def signed_and_read(bed: Bed, item: Item) -> None:
    """Let a draft go the runner's own way, and compare what a receiver reads; raises ``Broken``."""
    draft = item.draft
    if draft is None:
        return
    now = datetime.now(UTC)
    try:
        row = bed.keys.signer(AGENCY).message(item.key, draft, now, source=True)
        got = bed.keys.valid(row.raw, now)
    except HubError as error:
        message = f"{draft.type}: {error.code}: "
        hold(False, message + error.message("vi"), message + error.message("en"))
        return
    sent = {one.name: one.content for one in draft.attachments}
    read = {one.name: one.content for one in got.attachments()}
    hold(
        sent == read,
        f"{draft.type}: tệp đính kèm đến nơi không còn nguyên",
        f"{draft.type}: the attachments do not arrive as they were",
    )


@case(
    "attachments.out",
    "Draft.attachments",
    "Tệp đính kèm gửi đi giống từng byte với tệp ở đối tác.",
    shared=True,
)
def attachments_out(bed: Bed) -> None:
    """Attachments that leave are, byte for byte, files of the partner."""
    held = set(bed.observe().values())
    for item in bed.drafts:
        for one in item.draft.attachments if item.draft else ():
            hold(
                one.sha256 in held,
                f"không tệp nào ở đối tác có nội dung của tệp đính kèm thứ nhất của {item.label}",
                f"no file of the partner has the content of an attachment of {item.label}",
            )


@case(
    "confirm",
    "Source.confirm",
    "Báo kết quả hai lần có tác dụng như một lần, và không báo lỗi.",
)
def confirm(bed: Bed) -> None:
    """Telling an outcome twice does what telling it once does, and raises nothing."""
    source = bed.source()
    items = list(source.poll(None, LIMIT).items)
    _tell(source, items)
    before = bed.observe()
    _tell(source, items)
    _tell(bed.source(), items)
    unchanged(bed, before, "confirm")
    bed.source().poll(None, LIMIT)


def _tell(source: Source, items: Iterable[Item]) -> None:
    for number, item in enumerate(items):
        good = (Confirmation.PUBLISHED, Confirmation.ACCEPTED, Confirmation.DELIVERED)
        bad = (Confirmation.PUBLISHED, Confirmation.REFUSED)
        told = (Confirmation.PARKED,) if item.error else bad if number % 2 else good
        if item.error and isinstance(source, WantsReason):
            source.confirm_parked(item.key, _reason(item.error))
            continue
        for confirmation in told:
            source.confirm(item.key, confirmation, _receipt(confirmation))


def _reason(error: HubError) -> Reason:
    return Reason(error.code, error.message("vi"), error.message("en"), datetime.now(UTC))


def _receipt(confirmation: Confirmation) -> Receipt | None:
    if confirmation in (Confirmation.PUBLISHED, Confirmation.PARKED):
        return None
    return Receipt(
        type=MessageType.parse(f"receipt.{confirmation.value}"),
        subject_id=MessageId.new(1, bytes(10)),
        subject_sender=AGENCY,
        subject_digest="0" * 64,
        at=datetime.now(UTC),
        reason="sink.refused" if confirmation is Confirmation.REFUSED else "",
        detail_vi=f"từ {PEER}",
        detail_en=f"from {PEER}",
    )


def _keys(items: Iterable[Item]) -> list[str]:
    return [item.key for item in items]
