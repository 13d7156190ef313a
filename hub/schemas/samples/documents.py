"""Invented payloads of ``document.*``, each with an invented edXML packet as attachment."""

from __future__ import annotations

from collections.abc import Mapping

from hub.envelope import Attachment, Value
from hub.schemas.samples.base import Fields, Made, Maker, Scene

DOCUMENT_ID = "000.00.15.H99,2026/03/02,21/SMH-VP"
_N = "http://www.mic.gov.vn/TBT/QCVN_102_2016"
_STAFF: Fields = {"Department": "Văn phòng", "Name": "Lê Văn Thử", "Phone": "0900000000"}


def _packet(scene: Scene) -> Attachment:
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<edXML xmlns="{_N}">\n'
        f'<edXML:edXMLEnvelope xmlns:edXML="{_N}"><edXML:edXMLHeader><edXML:MessageHeader>'
        f"<edXML:From><edXML:OrganId>{scene.sender}</edXML:OrganId></edXML:From>"
        f"<edXML:To><edXML:OrganId>{scene.receiver}</edXML:OrganId></edXML:To>"
        f"<edXML:DocumentId>{DOCUMENT_ID}</edXML:DocumentId>"
        "</edXML:MessageHeader></edXML:edXMLHeader></edXML:edXMLEnvelope>\n</edXML>\n"
    )
    return Attachment.of("van_ban.edxml", "application/xml", text.encode())


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


def _made(scene: Scene, **own: Value) -> Made:
    file = _packet(scene)
    return {**_common(scene, file), **own}, (file,)


def _new(scene: Scene) -> Made:
    return _made(scene)


def _recall(scene: Scene) -> Made:
    return _made(scene, TargetDocumentId=DOCUMENT_ID, Reason="Ban hành nhầm nơi nhận", Staff=_STAFF)


def _update(scene: Scene) -> Made:
    return _made(
        scene,
        TargetDocumentId=DOCUMENT_ID,
        Reason="Bổ sung nơi nhận",
        Staff=_STAFF,
        ContentChanged="false",
        Receivers={"Receiver": [{"OrganId": scene.receiver.value, "Change": "added"}]},
    )


def _replace(scene: Scene) -> Made:
    target: Fields = {
        "DocumentId": "000.00.15.H99,2026/02/20,19/SMH-VP",
        "Receivers": {"Organ": [{"OrganId": scene.receiver.value}]},
    }
    return _made(scene, Reason="Thay thế văn bản cũ", Targets={"Target": [target]})


def _status(scene: Scene) -> Made:
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
    }, ()


MAKERS: Mapping[str, Maker] = {
    "document.new": _new,
    "document.recall": _recall,
    "document.update": _update,
    "document.replace": _replace,
    "document.status": _status,
}
