"""Packets that the people at a document management system make: documents, and answers to them.

For simulators and tests. Names and texts are invented.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePath

from hub.adapters.dates import VIETNAM
from hub.codes import AgencyCode
from hub.envelope import sha256_hex
from hub.errors import EdxmlMalformed, HubError
from hub.schemas.edxml import (
    STATUS_TEXTS,
    Business,
    BusinessKind,
    Dialect,
    Document,
    DocumentType,
    Notation,
    Organ,
    OtherInfo,
    PacketFile,
    ReadOptions,
    Receiver,
    Replacement,
    ResponseFor,
    Signer,
    Staff,
    StatusMessage,
    Trace,
    read,
    wrap,
    write_document,
    write_status,
)
from hub.schemas.edxml.vocabulary import ADMINISTRATIVE

_ROW = 18
_RAW = frozenset({".pdf", ".doc", ".docx", ".xls", ".xlsx"})
"""What the Java library does not wrap in a zip."""
_STAFF = Staff("Văn thư", "Trần Thị Ví Dụ", mobile="0900000000")


@dataclass(frozen=True, slots=True)
class Order:
    """What a clerk wants to send."""

    sender: str
    recipients: tuple[str, ...]
    number: str = "1"
    notation: str = "VP-MH"
    kind: BusinessKind = BusinessKind.NEW
    targets: tuple[str, ...] = ()
    """Document ids that a recall, an update or a replacement is about."""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    """Receivers that an update adds and removes."""
    subject: str = "V/v phối hợp thử nghiệm liên thông văn bản (minh họa)"
    priority: int = 0
    files: tuple[tuple[str, bytes], ...] = ()
    dialect: Dialect = Dialect.JAVA


def packet_of(order: Order, at: datetime) -> tuple[str, bytes]:
    """Return document id and bytes of a new packet; equal orders at one time are equal bytes.

    Raises ``CodeMalformed`` or a leaf of ``EdxmlError``.
    """
    local = at.astimezone(VIETNAM).replace(microsecond=0)
    made = f"{order.sender},{local:%Y/%m/%d},{order.number}/{order.notation}"
    about = order.kind in (BusinessKind.RECALL, BusinessKind.UPDATE) and order.targets
    document_id = order.targets[0] if about else made
    document = Document(
        _organ(order.sender),
        tuple(_organ(code) for code in order.recipients),
        document_id,
        Notation(order.number, order.notation),
        "Minh Họa",
        local.date(),
        DocumentType(ADMINISTRATIVE, _ROW, "Công văn"),
        order.subject,
        order.subject,
        Signer("KT.", "Phó Giám đốc", "Nguyễn Văn Mẫu"),
        other=OtherInfo(order.priority, "Liên thông", "NVM", str(len(order.recipients)), "1"),
        steering_type="1",
        to_places=tuple(f"Cơ quan {code} (minh họa)" for code in order.recipients),
        traces=(Trace(order.sender, local),),
        trace_id=f"{local:%Y%m%d%H%M%S}",
        business=_business(order),
        files=() if order.kind is BusinessKind.RECALL else _files(order),
    )
    return document_id, write_document(document, order.dialect)


def answer_of(data: bytes, code: str, by: str, at: datetime, text: str = "") -> tuple[str, bytes]:
    """Return document id and bytes of the status ``code`` that ``by`` answers a packet with."""
    document = read(data, _loose(at)).document
    if document is None:
        raise EdxmlMalformed(reason="a status gets no answer", reason_vi="đây là trạng thái")
    to = next((one for one in document.recipients if one.organ_id == by), None)
    author = document.sender
    answered = ResponseFor(
        author.organ_id, document.code, document.document_id, document.promulgation_date
    )
    status = StatusMessage(
        to or _organ(by),
        answered,
        author.code,
        code,
        text or STATUS_TEXTS.get(code, ""),
        at.astimezone(VIETNAM).replace(microsecond=0),
        replace(_STAFF, staff="Lê Văn Thử"),
    )
    return document.document_id, write_status(status)


def summary_of(data: bytes, at: datetime) -> dict[str, str]:
    """Return what a clerk sees of a file: kind, document, status, sender, digest; or its error."""
    seen = {"sha256": sha256_hex(data)}
    try:
        packet = read(data, _loose(at))
    except HubError as error:
        return {**seen, "error": error.code}
    status = packet.status.code if packet.status is not None else ""
    return {
        "kind": packet.kind,
        "document_id": packet.document_id,
        "status": status,
        "from": packet.sender.organ_id,
        **seen,
    }


def _loose(at: datetime) -> ReadOptions:
    return ReadOptions(at.astimezone(VIETNAM).date(), required=frozenset())


def _organ(code: str) -> Organ:
    parsed = AgencyCode.parse(code)
    slug = code.lower().replace(".", "-")
    return Organ(
        code,
        parsed,
        "UBND minh họa",
        f"Cơ quan {code} (minh họa)",
        "Số 1, đường Minh Họa",
        f"vanthu.{slug}@example.invalid",
        "02400000000",
        "02400000001",
        "example.invalid",
    )


def _business(order: Order) -> Business:
    kind = order.kind
    reasons = {
        BusinessKind.NEW: "Gửi văn bản điện tử mới",
        BusinessKind.RECALL: "Thu hồi do ghi nhầm",
        BusinessKind.UPDATE: "Cập nhật nội dung và nơi nhận",
        BusinessKind.REPLACE: "Thay thế văn bản đã gửi",
    }
    changed = [(code, True) for code in order.added] + [(code, False) for code in order.removed]
    receivers = tuple(Receiver(code, AgencyCode.parse(code), add) for code, add in changed)
    is_update = kind is BusinessKind.UPDATE
    return Business(
        kind,
        order.targets[0] if is_update and order.targets else "",
        reasons[kind],
        "0",
        "1" if is_update else "",
        "1" if receivers else "0",
        receivers=receivers,
        replacements=tuple(Replacement(target, order.recipients) for target in order.targets)
        if kind is BusinessKind.REPLACE
        else (),
        staff=(_STAFF,),
    )


def _files(order: Order) -> tuple[PacketFile, ...]:
    given: Sequence[tuple[str, bytes]] = order.files or ((f"cong-van-{order.number}.pdf", PDF),)
    return tuple(_file(name, content, order.dialect) for name, content in given)


def _file(name: str, content: bytes, dialect: Dialect) -> PacketFile:
    suffix = PurePath(name).suffix.lower()
    entry = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}:{sha256_hex(content)}"))
    carried = content
    if dialect is Dialect.JAVA and suffix not in _RAW:
        carried = wrap(f"{entry}{suffix}", content)
    media_type = f"application/{suffix[1:] or 'octet-stream'}"
    return PacketFile(entry, name, media_type, "Tệp minh họa", content=carried)


def _pdf() -> bytes:
    """Return a valid PDF of one empty page, with a right table of offsets."""
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
    )
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    table = [b"0000000000 65535 f \n"]
    for number, body in enumerate(objects, 1):
        table.append(b"%010d 00000 n \n" % len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n%s" % (len(table), b"".join(table))
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(table), start)
    return bytes(out)


PDF = _pdf()
"""An empty page."""

__all__ = ["PDF", "BusinessKind", "Order", "answer_of", "packet_of", "summary_of"]
