"""Errors of edXML packets and of the files that carry them, beside those in ``hub.errors.edge``."""

from __future__ import annotations

from hub.errors.base import Disposition
from hub.errors.edge import EdxmlError, SourceError
from hub.errors.wire import AttachmentTooLarge


class EdxmlOrganId(EdxmlError):
    """{value} is not a well-formed agency code."""

    code = "edxml.organ_id"
    vi = "{value} không phải mã định danh cơ quan đúng dạng."


class EdxmlDate(EdxmlError):
    """{value} in {field} is not a date that exists, written {format}."""

    code = "edxml.date"
    vi = "{value} ở trường {field} không phải ngày có thật, viết theo dạng {format}."


class EdxmlFutureDate(EdxmlError):
    """The promulgation date {value} lies after today ({today})."""

    code = "edxml.future_date"
    vi = "Ngày ban hành {value} ở sau ngày hôm nay ({today})."


class EdxmlTooLong(EdxmlError):
    """The edXML field {field} has {size} characters; more than {limit} are never accepted."""

    code = "edxml.too_long"
    vi = "Trường edXML {field} dài {size} ký tự; không chấp nhận quá {limit}."


class EdxmlDamaged(EdxmlError):
    """The edXML attachment {name} was damaged by a text conversion ({count} x U+FFFD)."""

    code = "edxml.damaged"
    vi = "Tệp đính kèm edXML {name} đã hỏng do bị chuyển mã như văn bản ({count} ký tự U+FFFD)."


class EdxmlNotOurs(EdxmlError):
    """The edXML packet comes from {value}, which is not the agency of this connector ({agency})."""

    code = "edxml.not_ours"
    vi = "Gói tin edXML do {value} gửi, không phải cơ quan của bộ kết nối này ({agency})."
    disposition = Disposition.PARK


class FileKind(SourceError):
    """{name} is not a regular file but a {kind}; it is not opened."""

    code = "source.file_kind"
    vi = "{name} không phải tệp thường mà là {kind}; tệp không được mở."


class FileRepeated(SourceError):
    """The very same file was sent before, as {name}; it is not sent again."""

    code = "source.already_sent"
    vi = "Tệp giống hệt đã được gửi trước đây với tên {name}; không gửi lại."


class PacketTooLarge(AttachmentTooLarge):
    """An edXML packet that no envelope can carry inside; it shares its parent's code."""

    en = (
        "The packet {name} has {size} bytes; inside an envelope it may have {limit}. Larger ones"
        " need the object store (claim check), which this version does not have yet."
    )
    vi = (
        "Gói tin {name} có {size} byte; gửi kèm trong phong bì chỉ được {limit} byte. Gói lớn hơn"
        " cần kho tệp (gửi bằng tham chiếu), phiên bản này chưa có."
    )
