"""Why libxml2 refused: path, line and reason in Vietnamese and English, found by ``xmlschema``.

``xmlschema`` is thirty times slower than libxml2 and is loaded only when something is refused. The
reasons are our own sentences, without the offending value, because it may be personal data.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from hub import safexml
from hub.errors import SchemaViolation
from hub.errors.base import Place
from hub.schemas.catalog import schema_folder

if TYPE_CHECKING:
    from lxml import etree
    from xmlschema import XMLSchema10, XMLSchemaValidationError

_MAX_ELEMENTS = 20_000
"""Above it libxml2's own verdict must do: explaining costs about 50 µs an element."""
_NAME = re.compile(r"\{[^{}]*:[^{}]*\}")
"""A namespace in front of a name: ``{urn:lienthong:postal:1}Item``."""
_ATTRIBUTE = re.compile(
    r"attribute ([A-Za-z]+)='|'?([A-Za-z]+)'? attribute not|attribute '([A-Za-z]+)'"
)

_REASONS: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), en, vi)
    for pattern, en, vi in (
        (
            r"Unexpected child with tag '(?P<a>[^']+)'.*Tag '(?P<b>[^']+)' expected",
            "{a} stands where {b} is expected",
            "có {a} ở chỗ lẽ ra là {b}",
        ),
        (
            r"Unexpected child with tag '(?P<a>[^']+)'",
            "{a} is not allowed here",
            "{a} không được phép ở đây",
        ),
        (r"not complete.*Tag '(?P<a>[^']+)' expected", "{a} is missing", "thiếu {a}"),
        (r"not complete", "a child element is missing", "thiếu phần tử con"),
        (r"element '(?P<a>[^']+)' not found", "{a} is not known", "không biết phần tử {a}"),
        (
            r"missing required attribute '(?P<a>[^']+)'",
            "the attribute {a} is missing",
            "thiếu thuộc tính {a}",
        ),
        (
            r"attribute not allowed|attributes not allowed",
            "this attribute is not allowed",
            "thuộc tính này không được phép",
        ),
        (
            r"length cannot be greater than (?P<a>\d+)",
            "longer than {a} characters",
            "dài quá {a} ký tự",
        ),
        (
            r"length cannot be lesser than (?P<a>\d+)",
            "shorter than {a} characters",
            "ngắn hơn {a} ký tự",
        ),
        (
            r"must be one of \[(?P<a>.*)\]",
            "the value must be one of {a}",
            "giá trị phải là một trong {a}",
        ),
        (
            r"match any pattern of \[(?P<a>.*)\]",
            "the value does not have the form {a}",
            "giá trị không đúng dạng {a}",
        ),
        (
            r"must have the fixed value '(?P<a>.*)'",
            "the value must be '{a}'",
            "giá trị phải là '{a}'",
        ),
        (
            r"character data",
            "text between the elements is not allowed",
            "không được có chữ giữa các phần tử",
        ),
        (
            r"can't have child elements",
            "text is expected here, not elements",
            "ở đây phải là chữ, không phải phần tử",
        ),
    )
)
_TIME = ("not a date and time with offset", "không phải ngày giờ có múi giờ")
_DAY = ("not a date", "không phải ngày")
_BY_TYPE = {
    "Instant": _TIME,
    "dateTime": _TIME,
    "Day": _DAY,
    "date": _DAY,
    "base64Binary": ("not base64", "không phải base64"),
    "Uuid": ("not a UUID", "không phải UUID"),
    "Sha256": (
        "not a SHA-256 in lower-case hexadecimal",
        "không phải SHA-256 viết bằng số thập lục phân chữ thường",
    ),
    "AgencyCode": ("not an agency code", "không phải mã định danh cơ quan"),
    "ProcedureCode": ("not a procedure code", "không phải mã thủ tục hành chính"),
    "Code": (
        "not a code: one line without blanks at its ends",
        "không phải mã: một dòng, không có khoảng trắng ở hai đầu",
    ),
    "Word": ("not a lower-case word of the hub", "không phải từ khóa chữ thường của trục"),
    "Dong": ("not a whole number of đồng", "không phải số nguyên đồng"),
    "Count": ("not a count", "không phải số lượng"),
    "Number": ("not a whole number", "không phải số nguyên"),
    "Hours": ("not a number of hours", "không phải số giờ"),
    "Seconds": ("not a number of seconds", "không phải số giây"),
    "PersonalNumber": ("not 12 or 9 digits", "không phải 12 hoặc 9 chữ số"),
    "Phone": ("not a telephone number", "không phải số điện thoại"),
    "Email": ("not an e-mail address", "không phải địa chỉ thư điện tử"),
    "FileName": ("not a file name", "không phải tên tệp"),
}
_OTHER = ("the value is not acceptable", "giá trị không hợp lệ")


def explain(raw: bytes, seen_by_libxml2: tuple[int, str]) -> SchemaViolation:
    """Return (not raise) the violation that makes ``raw`` refused.

    ``seen_by_libxml2`` is its line and path, used where ``xmlschema`` finds nothing or the document
    is too large to be explained.
    """
    error = _first_error(safexml.parse(raw))
    if error is None:
        line, path = seen_by_libxml2
        return SchemaViolation(
            reason=_OTHER[0], reason_vi=_OTHER[1], place=Place(line=line, path=path)
        )
    text = error.reason or ""
    en, vi = reason(text, _type_name(error.validator))
    return SchemaViolation(
        reason=en, reason_vi=vi, place=Place(line=error.sourceline or 0, path=_path(error, text))
    )


def _type_name(judge: object) -> str:
    """The named type whose facet refused, or the built-in type that did."""
    parent = getattr(judge, "parent", None)
    return getattr(parent, "local_name", None) or getattr(judge, "local_name", None) or ""


def reason(text: str, type_name: str = "") -> tuple[str, str]:
    """Say a reason of ``xmlschema`` in English and Vietnamese, without the value it is about."""
    if "any pattern" in text and type_name in _BY_TYPE:
        return _BY_TYPE[type_name]
    for pattern, en, vi in _REASONS:
        found = pattern.search(text)
        if found is not None:
            facts = {name: _NAME.sub("", value) for name, value in found.groupdict().items()}
            return en.format(**facts), vi.format(**facts)
    return _BY_TYPE.get(type_name, _OTHER)


def _path(error: XMLSchemaValidationError, text: str) -> str:
    path = _NAME.sub("", error.path or "")
    found = _ATTRIBUTE.search(text)
    if found is None:
        return path
    return f"{path}/@{next(group for group in found.groups() if group)}"


def _first_error(root: etree._Element) -> XMLSchemaValidationError | None:
    if sum(1 for _ in zip(range(_MAX_ELEMENTS + 1), root.iter(), strict=False)) > _MAX_ELEMENTS:
        return None
    return next(explaining_schema().iter_errors(cast("Any", root)), None)


@cache
def explaining_schema() -> XMLSchema10:
    """Return the schema of the whole envelope as ``xmlschema`` reads it; about a second, once."""
    from xmlschema import XMLSchema10  # noqa: PLC0415  loaded only when something was refused

    return XMLSchema10(str(schema_folder() / "envelope.xsd"))
