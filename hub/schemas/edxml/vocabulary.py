"""What QCVN 102:2016 (SĐ1:2022) and the systems that speak it call things, misspellings included.

Facts that are certain are constants here; facts that are only likely are defaults of
:class:`hub.schemas.edxml.options.ReadOptions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum

NAMESPACE = "http://www.mic.gov.vn/TBT/QCVN_102_2016"
EDOC_NAMESPACE = "http://www.e-doc.vn/Schema/"
"""The older SOAP generation; read only behind a switch, never written."""
XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
XLINK = "http://www.w3.org/1999/xlink"

DATE = "yyyy/MM/dd"
TIMESTAMP = "yyyy/MM/dd HH:mm:ss"
"""Without a zone: always +07:00."""


class Dialect(StrEnum):
    """Who wrote a packet, as far as its spelling tells."""

    JAVA = "java"
    DOTNET = "dotnet"
    EDOC = "edoc"
    UNKNOWN = "unknown"


class BusinessKind(IntEnum):
    """``BussinessDocType``."""

    NEW = 0
    RECALL = 1
    """Thu hồi."""
    UPDATE = 2
    """Cập nhật."""
    REPLACE = 3
    """Thay thế."""


STATUS_TEXTS: Mapping[str, str] = {
    "01": "Đã đến, văn thư chưa xử lý",
    "02": "Từ chối tiếp nhận, trả lại",
    "03": "Đã tiếp nhận, vào sổ",
    "04": "Đã đến, chờ phân công",
    "05": "Đang xử lý",
    "06": "Đã hoàn thành",
    "13": "Bên gửi đề nghị lấy lại văn bản",
    "15": "Đồng ý cập nhật, trả lại",
    "16": "Từ chối cập nhật, trả lại",
}
"""Status codes; 13 is the sender's, all others the receiver's."""

LENGTHS: Mapping[str, int] = {
    "OrganId": 35,
    "OrganizationInCharge": 500,
    "OrganName": 200,
    "OrganAdd": 500,
    "Email": 100,
    "Telephone": 20,
    "Fax": 20,
    "Website": 100,
    "CodeNumber": 11,
    "CodeNotation": 30,
    "Place": 50,
    "ToPlaces/Place": 150,
    "TypeName": 100,
    "Subject": 500,
    "Content": 500,
    "Competence": 100,
    "Position": 100,
    "FullName": 50,
    "SphereOfPromulgation": 100,
    "TyperNotation": 10,
    "DocumentId": 200,
}
"""Characters. Nobody was ever held to them: above is a warning, above four times a refusal."""
REFUSED_FROM = 4

REQUIRED = frozenset(
    {
        "OrganId",
        "OrganName",
        "DocumentId",
        "CodeNumber",
        "CodeNotation",
        "PromulgationDate",
        "Type",
        "TypeDetail",
        "TypeName",
        "Subject",
    }
)
"""Fields that a document must have; a status message needs fewer (see ``status.py``)."""

ADMINISTRATIVE_ROWS: Mapping[int, str] = {
    1: "Nghị quyết",
    2: "Quyết định",
    3: "Chỉ thị",
    4: "Quy chế",
    5: "Quy định",
    6: "Thông cáo",
    7: "Thông báo",
    8: "Hướng dẫn",
    9: "Chương trình",
    10: "Kế hoạch",
    11: "Phương án",
    12: "Đề án",
    13: "Dự án",
    14: "Báo cáo",
    15: "Biên bản",
    16: "Tờ trình",
    17: "Hợp đồng",
    18: "Công văn",
    19: "Công điện",
    20: "Bản ghi nhớ",
    21: "Bản cam kết",
    22: "Bản thỏa thuận",
    23: "Giấy chứng nhận",
    24: "Giấy ủy quyền",
    25: "Giấy mời",
    26: "Giấy giới thiệu",
}
"""Rows of the administrative list; 10 to 17 are likely, not certain, and 27 to 32 are not named."""
LEGAL_ROWS: Mapping[int, str] = {
    1: "Hiến pháp",
    2: "Luật",
    3: "Pháp lệnh",
    4: "Lệnh",
    5: "Nghị quyết",
    6: "Nghị quyết liên tịch",
    7: "Nghị định",
    8: "Quyết định",
    9: "Thông tư",
    10: "Thông tư liên tịch",
    11: "Chỉ thị",
    12: "Bộ luật",
}
LEGAL, ADMINISTRATIVE = 1, 2
"""Classes, where ``Type`` holds the class and ``TypeDetail`` the row."""
