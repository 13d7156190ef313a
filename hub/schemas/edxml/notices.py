"""What a packet's reader tolerates, and tells: stable codes, Vietnamese and English, place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.errors import Lang

_SENTENCES: Mapping[str, tuple[str, str]] = {
    "edxml.attachment_damaged": (
        "Tệp {name} đã hỏng do bị chuyển mã như văn bản ({count} ký tự U+FFFD ở đầu tệp).",
        "The file {name} was damaged by a text conversion ({count} x U+FFFD at its beginning).",
    ),
    "edxml.attachment_empty": ("Tệp {name} rỗng.", "The file {name} is empty."),
    "edxml.attachment_mismatch": (
        "Tệp {name} khai kiểu {declared} nhưng nội dung là {found}.",
        "The file {name} is declared as {declared} but is {found}.",
    ),
    "edxml.attachment_not_unwrapped": (
        "Không mở gói bọc của tệp {name}: {reason_vi}.",
        "The wrapper of the file {name} was not opened: {reason}.",
    ),
    "edxml.attachment_unreferenced": (
        "Tệp {name} không có trong bảng kê (edXMLManifest).",
        "The file {name} is not in the manifest.",
    ),
    "edxml.business_missing": (
        "Thiếu phần Bussiness; hiểu là văn bản mới (0).",
        "There is no Bussiness; read as a new document (0).",
    ),
    "edxml.date_elsewhere": (
        "Trường {field} không chứa ngày có thật; bỏ qua giá trị này.",
        "{field} does not hold a date that exists; the value is passed over.",
    ),
    "edxml.edoc_namespace": (
        "Gói tin ở không gian tên cũ e-doc.vn.",
        "The packet is in the older namespace e-doc.vn.",
    ),
    "edxml.email": (
        "Trường {field} không phải địa chỉ thư điện tử.",
        "{field} is not an e-mail address.",
    ),
    "edxml.length": (
        "Trường {field} dài {size} ký tự, quá giới hạn {limit}.",
        "{field} has {size} characters, over the limit of {limit}.",
    ),
    "edxml.number": ("Trường {field} không phải số hợp lệ.", "{field} is not a valid number."),
    "edxml.reference_dangling": (
        "Bảng kê nêu tệp {name} nhưng không có nội dung.",
        "The manifest names the file {name}, but its content is not there.",
    ),
    "edxml.repeated": (
        "Trường {field} lặp lại {count} lần; lấy lần đầu.",
        "{field} occurs {count} times; the first is taken.",
    ),
    "edxml.rewrapped": (
        "Tệp {name} bị bọc lại trong gói zip nhưng vẫn khai kiểu {declared}.",
        "The file {name} was wrapped in a zip again but is still declared as {declared}.",
    ),
    "edxml.signature_namespace": (
        "Phần Signature nằm trong không gian tên của edXML, không phải xmldsig.",
        "The Signature stands in the edXML namespace, not in xmldsig.",
    ),
    "edxml.signature_untrusted": (
        "Chữ ký trong gói tin không dùng được và không được tin cậy: {reason_vi}.",
        "The signature in the packet is not usable and never trusted: {reason}.",
    ),
    "edxml.status_recipients": (
        "Thông điệp trạng thái có phần To; bỏ qua.",
        "A status message has a To; it is passed over.",
    ),
    "edxml.status_unknown": (
        "Không biết mã trạng thái {value}.",
        "The status code {value} is not known.",
    ),
    "edxml.target_assumed": (
        "Không nêu văn bản được cập nhật; hiểu là DocumentId của chính gói tin.",
        "The updated document is not named; the packet's own DocumentId is taken.",
    ),
    "edxml.target_duplicate": (
        "Văn bản bị thay thế được nêu hai lần; gộp lại.",
        "A replaced document is named twice; merged.",
    ),
    "edxml.trace_organ": (
        "Một TraceHeader không có OrganId (do hệ thống trung gian thêm vào).",
        "A TraceHeader has no OrganId (added by a system on the way).",
    ),
    "edxml.type_name": (
        "TypeName khác tên của loại văn bản số {row} ({name}).",
        "TypeName is not the name of row {row} ({name}).",
    ),
    "edxml.unknown_element": (
        "Phần tử không có trong QCVN 102; giữ nguyên trong tệp.",
        "An element that QCVN 102 does not have; it stays in the file.",
    ),
    "edxml.value": (
        "Trường {field} có giá trị {value} không thuộc danh mục.",
        "{field} has the value {value}, which the list does not have.",
    ),
}

CODES = frozenset(_SENTENCES)
"""All stable codes of notices."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that was tolerated. Facts hold codes, counts and file names, never persons."""

    code: str
    path: str
    """XPath of the element."""
    facts: Mapping[str, object] = field(default_factory=dict)

    def message(self, lang: Lang = "vi") -> str:
        """Return the sentence for a person in ``lang``."""
        vi, en = _SENTENCES[self.code]
        return (vi if lang == "vi" else en).format_map(self.facts)
