"""Invented payloads of ``document.*``, each with an invented edXML packet as attachment."""

from __future__ import annotations

from collections.abc import Mapping

from hub.envelope import Attachment, Value
from hub.schemas.samples.base import Fields, Made, Maker, Scene

DOCUMENT_ID = "000.00.15.H99,2026/03/02,21/SMH-VP"
_N = "http://www.mic.gov.vn/TBT/QCVN_102_2016"
_STAFF: Fields = {"Department": "Văn phòng", "Name": "Lê Văn Thử", "Phone": "0900000000"}


def _packet(scene: Scene, business: str = "") -> Attachment:
    traces = (
        f"<edXML:TraceHeaderList><edXML:Bussiness>{business}</edXML:Bussiness>"
        "</edXML:TraceHeaderList>"
    )
    return _file(
        f"<edXML:From><edXML:OrganId>{scene.sender}</edXML:OrganId></edXML:From>"
        f"<edXML:To><edXML:OrganId>{scene.receiver}</edXML:OrganId></edXML:To>"
        f"<edXML:DocumentId>{DOCUMENT_ID}</edXML:DocumentId>",
        traces if business else "",
    )


def _file(header: str, traces: str = "") -> Attachment:
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<edXML xmlns="{_N}">\n'
        f'<edXML:edXMLEnvelope xmlns:edXML="{_N}"><edXML:edXMLHeader><edXML:MessageHeader>'
        f"{header}</edXML:MessageHeader>{traces}"
        "</edXML:edXMLHeader></edXML:edXMLEnvelope>\n</edXML>\n"
    )
    return Attachment.of("van_ban.edxml", "application/xml", text.encode())


def _business(kind: int, rest: str = "") -> str:
    """Write what ``Bussiness`` holds; the misspelling is the protocol's."""
    return f"<edXML:BussinessDocType>{kind}</edXML:BussinessDocType>{rest}"


def _common(scene: Scene, file: Attachment) -> Fields:
    index: Fields = {
        "From": {"OrganId": scene.sender.value, "Name": "Sở Minh Họa"},
        "To": {"Organ": [{"OrganId": scene.receiver.value}]},
        "Code": {"Number": "21", "Notation": "SMH-VP"},
        "PromulgationPlace": "Minh Họa",
        "PromulgationDate": scene.day(-1),
        "DocumentType": {"Class": "2", "Row": "18", "Name": "Công văn"},
        "Subject": "V/v phối hợp triển khai nội dung minh họa",
        "Signer": {"Competence": "KT.", "Position": "Phó Giám đốc", "FullName": "Trần Thị Ví Dụ"},
        "Priority": "0",
        "Files": {"File": [{"Name": "cong_van.pdf", "MediaType": "application/pdf"}]},
    }
    packet = {"Attachment": file.name, "Sha256": file.sha256, "Dialect": "java"}
    return {"DocumentId": DOCUMENT_ID, "Index": index, "Packet": packet}


def _made(scene: Scene, business: str = "", **own: Value) -> Made:
    file = _packet(scene, business)
    return {**_common(scene, file), **own}, (file,)


def _new(scene: Scene) -> Made:
    return _made(scene)


def _recall(scene: Scene) -> Made:
    business = _business(1)
    return _made(
        scene, business, TargetDocumentId=DOCUMENT_ID, Reason="Ban hành nhầm nơi nhận", Staff=_STAFF
    )


def _update(scene: Scene) -> Made:
    business = _business(2, f"<edXML:DocumentId>{DOCUMENT_ID}</edXML:DocumentId>")
    return _made(
        scene,
        business,
        TargetDocumentId=DOCUMENT_ID,
        Reason="Bổ sung nơi nhận",
        Staff=_STAFF,
        ContentChanged="false",
        Receivers={"Receiver": [{"OrganId": scene.receiver.value, "Change": "added"}]},
    )


def _replace(scene: Scene) -> Made:
    old = "000.00.15.H99,2026/02/20,19/SMH-VP"
    info = f"<edXML:ReplacementInfo><edXML:DocumentId>{old}</edXML:DocumentId>"
    listed = f"{info}</edXML:ReplacementInfo>"
    business = _business(3, f"<edXML:ReplacementInfoList>{listed}</edXML:ReplacementInfoList>")
    target: Fields = {
        "DocumentId": old,
        "Receivers": {"Organ": [{"OrganId": scene.receiver.value}]},
    }
    targets: Fields = {"Target": [target]}
    return _made(scene, business, Reason="Thay thế văn bản cũ", Targets=targets)


def _status(scene: Scene) -> Made:
    file = _file(
        f"<edXML:From><edXML:OrganId>{scene.sender}</edXML:OrganId></edXML:From>"
        f"<edXML:ResponseFor><edXML:OrganId>{scene.receiver}</edXML:OrganId>"
        "<edXML:Code>21/SMH-VP</edXML:Code>"
        f"<edXML:DocumentId>{DOCUMENT_ID}</edXML:DocumentId></edXML:ResponseFor>"
        "<edXML:StatusCode>03</edXML:StatusCode>"
    )
    return {
        "DocumentId": DOCUMENT_ID,
        "ResponseFor": {
            "OrganId": scene.receiver.value,
            "Code": {"Number": "21", "Notation": "SMH-VP"},
            "DocumentId": DOCUMENT_ID,
            "PromulgationDate": scene.day(-1),
        },
        "From": {"OrganId": scene.sender.value, "Name": "Sở Minh Họa"},
        "Status": {
            "Source": {"System": "qlvb-minhhoa", "Code": "03", "Text": "Đã tiếp nhận, vào sổ"},
            "Canonical": "registered",
        },
        "StatusCode": "03",
        "Description": "Văn thư đã vào sổ văn bản đến",
        "OccurredAt": scene.at(-1),
        "Staff": _STAFF,
        "Packet": {"Attachment": file.name, "Sha256": file.sha256, "Dialect": "java"},
    }, (file,)


MAKERS: Mapping[str, Maker] = {
    "document.new": _new,
    "document.recall": _recall,
    "document.update": _update,
    "document.replace": _replace,
    "document.status": _status,
}
