"""What the invented payloads share: scene, people, statuses, the blocks all events carry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.codes import AgencyCode, MessageId
from hub.envelope import Attachment, Value

Fields = dict[str, Value]

DOSSIER = "000.00.19.H99-260304-0007"
ORDER = "BC-H99.19-260302-0031"
WAYBILL = "RX000000000VN"
MANIFEST = "BK-100000-260303-01"
PROCEDURE: Fields = {
    "Code": "9.999999.000.00.00.H99",
    "BaseCode": "9.999999",
    "Name": "Thủ tục minh họa (không có thật)",
    "CatalogVersion": "2026-01",
}
OFFICER: Fields = {
    "Kind": "officer",
    "Code": "CB-0001",
    "Name": "Trần Thị Ví Dụ",
    "Position": "Công chức",
    "Unit": "Bộ phận Một cửa minh họa",
}
SPECIALIST: Fields = {
    "Kind": "officer",
    "Name": "Lê Văn Thử",
    "Position": "Chuyên viên",
    "Unit": "Phòng chuyên môn",
}
POSTMAN: Fields = {"Kind": "post", "Name": "Lê Văn Thử", "Unit": "Bưu cục minh họa"}
ADDRESS: Fields = {
    "Line": "Số 1 đường Minh Họa",
    "Ward": "Xã Minh Họa",
    "Province": "Tỉnh Minh Họa",
    "GsoProvinceCode": "99",
    "PostProvinceCode": "10",
}
PERSON: Fields = {
    "Kind": "citizen",
    "FullName": "Nguyễn Văn Mẫu",
    "PersonalNumber": "000000000001",
    "Birth": {"Year": "1960", "Month": "01", "Day": "02"},
    "Phone": "0900000000",
    "Email": "mau@example.invalid",
    "Address": ADDRESS,
}
CONTACT: Fields = {"FullName": "Nguyễn Văn Mẫu", "Phone": "0900000000", "Address": ADDRESS}
POST_OFFICE: Fields = {"Id": "100000", "Name": "Bưu cục minh họa", "PostProvinceCode": "10"}
FEES: Fields = {
    "Fee": [{"Code": "1", "Name": "Lệ phí minh họa", "Amount": "30000", "Mode": "before"}]
}


@dataclass(frozen=True, slots=True)
class Scene:
    """Who sends what to whom, and when; makers take every varying value from here."""

    sender: AgencyCode
    receiver: AgencyCode
    now: datetime
    entropy: Callable[[int], bytes]

    def at(self, hours: float = 0) -> str:
        """Return a time some hours after now, RFC 3339 with offset."""
        return (self.now + timedelta(hours=hours)).isoformat(timespec="seconds")

    def day(self, days: int = 0) -> str:
        """Return a date some days after today."""
        return (self.now + timedelta(days=days)).date().isoformat()

    def uuid(self) -> str:
        """Return a new version 7 UUID."""
        return str(MessageId.new(int(self.now.timestamp() * 1000), self.entropy(10)))

    def digest(self) -> str:
        """Return 64 hexadecimal digits."""
        return self.entropy(32).hex()

    def agency(self, code: AgencyCode) -> Fields:
        """Return an agency block."""
        return {"Code": code.value}


Made = tuple[Fields, tuple[Attachment, ...]]
Maker = Callable[[Scene], Made]


def status(code: str, text: str, canonical: str, portal: str = "") -> Fields:
    """Return both statuses: the source's own and the mapped one."""
    block: Fields = {
        "Source": {"System": "motcua-minhhoa", "Code": code, "Text": text},
        "Canonical": canonical,
    }
    if portal:
        block["Portal"] = portal
    return block


def provenance(scene: Scene, sequence: int = 7, system: str = "motcua-minhhoa") -> Fields:
    """Return where the event comes from and when."""
    return {
        "OccurredAt": scene.at(-1),
        "RecordedAt": scene.at(),
        "SourceSystem": system,
        "SourceSequence": str(sequence),
    }


def form(number: str, name: str) -> Mapping[str, Value]:
    """Return a form, named by circular and number."""
    return {"Circular": "TT 03/2025/TT-VPCP", "Number": number, "Name": name}


def event(scene: Scene, block: Fields, **own: Value) -> Made:
    """Return the fields of a dossier event: the common ones and its own."""
    fields: Fields = {
        "EventId": scene.uuid(),
        "DossierCode": DOSSIER,
        "Aliases": {"Alias": [{"Scheme": "postal_order", "Value": ORDER}]},
        **provenance(scene),
        "Actor": OFFICER,
        "LegalBasis": "NĐ 118/2025/NĐ-CP",
        "Status": block,
        **own,
    }
    return fields, ()
