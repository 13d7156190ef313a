"""Errors of what comes in at the edges: codes, files, rows, edXML documents, partners' systems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from hub.errors.base import NOWHERE, Disposition, HubError, Place


class CodeMalformed(HubError):
    """{value} is not a well-formed {kind}."""

    code = "code.malformed"
    vi = "{value} không phải {kind} đúng dạng."
    disposition = Disposition.REJECT

    KINDS: ClassVar[dict[str, str]] = {
        "agency code": "mã cơ quan",
        "environment": "môi trường",
        "message id (UUID)": "mã thông điệp (UUID)",
        "message type": "loại thông điệp",
        "dossier code": "mã hồ sơ",
        "procedure code": "mã thủ tục hành chính",
        "GSO province code": "mã tỉnh của cơ quan thống kê",
        "postal province code": "mã tỉnh của bưu chính",
    }
    """What each kind of code is called in Vietnamese."""

    def __init__(self, detail: str = "", *, place: Place = NOWHERE, **facts: object) -> None:
        kind = facts.get("kind")
        facts.setdefault("kind_vi", self.KINDS.get(str(kind), kind))
        super().__init__(detail, place=place, **facts)


class CodeTestOnly(HubError):
    """{value} is a test code and is accepted in the trial environment only."""

    code = "code.test_only"
    vi = "{value} là mã thử nghiệm, chỉ được dùng trong môi trường thử nghiệm."
    disposition = Disposition.REJECT


class DirectoryColumns(HubError):
    """The directory file lacks the column {column} or has one it should not have."""

    code = "directory.columns"
    vi = "Tệp danh mục thiếu hoặc thừa cột {column}."


class DirectoryDuplicate(HubError):
    """The code {value} is already taken by {other}."""

    code = "directory.duplicate"
    vi = "Mã {value} đã thuộc về {other}."


class DirectoryCycle(HubError):
    """The successors of {value} run in a circle or over more than {limit} steps."""

    code = "directory.cycle"
    vi = "Chuỗi cơ quan kế thừa của {value} bị lặp vòng hoặc dài quá {limit} bước."


class DirectoryValue(HubError):
    """The value {value} is not acceptable in this column."""

    code = "directory.value"
    vi = "Giá trị {value} không hợp lệ ở cột này."


class DirectoryReference(HubError):
    """{value} is named here but is not in the directory."""

    code = "directory.reference"
    vi = "{value} được nêu ở đây nhưng không có trong danh mục."


class DirectoryRefused(HubError):
    """{count} faults were found, so nothing of the file was imported: {listed}."""

    code = "directory.refused"
    vi = "Có {count} lỗi nên không nạp dòng nào của tệp: {listed}."

    LISTED = 20
    """Faults spelled out in the sentence; ``problems`` has all of them."""

    def __init__(self, problems: Sequence[HubError], *, file: str) -> None:
        self.problems = tuple(problems)
        """Every fault, each with its file, line and column."""
        shown = self.problems[: self.LISTED]
        super().__init__(
            place=Place(file=file),
            count=len(self.problems),
            listed="; ".join(f"{one.code}: {one.message('en')}" for one in shown),
            listed_vi="; ".join(f"{one.code}: {one.message('vi')}" for one in shown),
        )


class SourceError(HubError):
    """A record of a partner's system cannot be taken as it is."""

    disposition = Disposition.PARK


class RowUnmappable(SourceError):
    """The row {row} cannot be mapped: {reason}."""

    code = "source.mapping"
    vi = "Dòng {row} không ánh xạ được: {reason}."


class TextDamaged(SourceError):
    """The text in column {column} is damaged or not in the declared encoding {encoding}."""

    code = "source.encoding"
    vi = "Chữ ở cột {column} bị hỏng hoặc không đúng bảng mã đã khai báo {encoding}."


class DateUnreadable(SourceError):
    """The date in column {column} does not have the declared format {format}."""

    code = "source.date"
    vi = "Ngày ở cột {column} không đúng định dạng đã khai báo {format}."


class FileIncomplete(SourceError):
    """The file {name} is still being written, locked or truncated."""

    code = "source.file_incomplete"
    vi = "Tệp {name} đang được ghi, bị khóa hoặc bị cắt cụt."


class SinkUnavailable(HubError):
    """The partner's system cannot be reached now."""

    code = "sink.unavailable"
    vi = "Hiện không kết nối được hệ thống của đối tác."
    disposition = Disposition.RETRY


class SinkRefused(HubError):
    """The partner's system refuses this message: {reason}."""

    code = "sink.refused"
    vi = "Hệ thống của đối tác từ chối thông điệp này: {reason}."
    disposition = Disposition.REJECT


class SinkUnknown(HubError):
    """It cannot be told whether the partner's system took this message."""

    code = "sink.unknown"
    vi = "Không xác định được hệ thống của đối tác đã nhận thông điệp này hay chưa."
    disposition = Disposition.PARK


class Recalled(HubError):
    """The sender recalled this document before it was handed over."""

    code = "document.recalled"
    vi = "Nơi gửi đã thu hồi văn bản này trước khi được giao."
    disposition = Disposition.REJECT


class OrderWaits(HubError):
    """An earlier message of the same dossier, document or conversation has to go first."""

    code = "order.waiting"
    vi = "Phải chờ thông điệp trước đó của cùng hồ sơ, văn bản hoặc phiên trao đổi."
    disposition = Disposition.RETRY


class EdxmlError(HubError):
    """The edXML document is not acceptable."""

    disposition = Disposition.REJECT


class EdxmlMalformed(EdxmlError):
    """The edXML document is not well-formed or not built as QCVN 102 says: {reason}."""

    code = "edxml.malformed"
    vi = "Văn bản edXML sai cú pháp hoặc sai cấu trúc QCVN 102: {reason}."


class EdxmlNamespace(EdxmlError):
    """The edXML namespace {value} is not accepted."""

    code = "edxml.namespace"
    vi = "Không chấp nhận không gian tên edXML {value}."


class EdxmlField(EdxmlError):
    """The edXML field {field} is missing or not acceptable: {reason}."""

    code = "edxml.field"
    vi = "Trường edXML {field} thiếu hoặc không hợp lệ: {reason}."


class EdxmlRecipient(EdxmlError):
    """The edXML sender or receivers are not acceptable: {reason}."""

    code = "edxml.recipient"
    vi = "Nơi gửi hoặc nơi nhận trong edXML không hợp lệ: {reason}."


class EdxmlAttachment(EdxmlError):
    """The edXML attachment {name} cannot be read: {reason}."""

    code = "edxml.attachment"
    vi = "Tệp đính kèm edXML {name} không đọc được: {reason}."
