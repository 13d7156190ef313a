"""Invented payloads of ``citizen.*``, ``survey.*``, ``petition.*`` and ``subrequest.*``."""

from __future__ import annotations

from collections.abc import Mapping

from hub.envelope import Value
from hub.schemas.samples.base import (
    ADDRESS,
    DOSSIER,
    OFFICER,
    PROCEDURE,
    SPECIALIST,
    Fields,
    Made,
    Maker,
    Scene,
    provenance,
)

_SUBJECT: Fields = {
    "PersonalNumber": "000000000001",
    "FullName": "Nguyễn Văn Mẫu",
    "Birth": {"Year": "1960"},
}
_ASKER: Fields = {"Code": "CB-0001", "Name": "Trần Thị Ví Dụ", "Unit": "Bộ phận Một cửa minh họa"}
_CHANGE: Fields = {"Field": "current_address", "NewValue": "Số 2 đường Minh Họa"}


def _question(scene: Scene, **own: Value) -> Made:
    return {
        "RequestId": scene.uuid(),
        "DossierCode": DOSSIER,
        "RequestedAt": scene.at(),
        "ServiceCode": "G99-TP001",
        "Procedure": PROCEDURE,
        "Officer": _ASKER,
        "Subject": _SUBJECT,
        **own,
    }, ()


def _answer(scene: Scene, **own: Value) -> Made:
    return {
        "RequestId": scene.uuid(),
        "DossierCode": DOSSIER,
        "AnsweredAt": scene.at(),
        "Status": {
            "Source": {"System": "csdldc-minhhoa", "Code": "TonTai", "Text": "1"},
            "Canonical": "verified",
        },
        "Token": {
            "Value": "XT-0000000001",
            "IssuedAt": scene.at(),
            "OfficerCode": "CB-0001",
            "ServiceCode": "G99-TP001",
        },
        **own,
    }, ()


def _verify(scene: Scene) -> Made:
    return _question(scene)


def _verify_reply(scene: Scene) -> Made:
    return _answer(scene)


def _lookup(scene: Scene) -> Made:
    return _question(scene, Fields={"Field": ["full_name", "permanent_address"]})


def _lookup_reply(scene: Scene) -> Made:
    return _answer(scene, Released={"FullName": "NGUYỄN VĂN MẪU", "PermanentAddress": ADDRESS})


def _update_proposal(scene: Scene) -> Made:
    return _question(
        scene,
        LegalBasis="Luật Căn cước 26/2023/QH15",
        Approver={"Code": "LD-0001", "Name": "Lê Văn Thử"},
        Changes={"Change": [_CHANGE]},
    )


def _survey_requested(scene: Scene) -> Made:
    return {
        "SurveyId": scene.uuid(),
        "Token": "KS-7Q2M-0001",
        "DossierCode": DOSSIER,
        "RequestedAt": scene.at(),
        "AnswerUntil": scene.at(240),
        "Procedure": PROCEDURE,
        "Agency": scene.agency(scene.sender),
        "Questions": {"Question": [{"Code": "C1", "Text": "Thái độ phục vụ của công chức?"}]},
    }, ()


def _survey_submitted(scene: Scene) -> Made:
    return {
        "SurveyId": scene.uuid(),
        "Token": "KS-7Q2M-0001",
        "SubmittedAt": scene.at(),
        "Channel": "online",
        "Procedure": PROCEDURE,
        "Agency": scene.agency(scene.sender),
        "Satisfaction": "very_satisfied",
        "Answers": {"Answer": [{"Code": "C1", "Score": "9"}]},
        "Comment": "Thủ tục nhanh gọn",
    }, ()


def _petition(scene: Scene, code: str, text: str, canonical: str, **own: Value) -> Made:
    return {
        "EventId": scene.uuid(),
        "PetitionCode": "PAKN-260304-0002",
        "SourceSystem": "pakn-minhhoa",
        "Status": {
            "Source": {"System": "pakn-minhhoa", "Code": code, "Text": text},
            "Canonical": canonical,
        },
        **own,
    }, ()


def _petition_submitted(scene: Scene) -> Made:
    return _petition(
        scene,
        "MOI",
        "Mới gửi",
        "submitted",
        SubmittedAt=scene.at(),
        Channel="online",
        Kind="feedback",
        Anonymous="false",
        Petitioner={"FullName": "Nguyễn Văn Mẫu", "Phone": "0900000000"},
        Subject="Phản ánh về thời gian giải quyết hồ sơ",
        Content="Hồ sơ minh họa đã quá ngày hẹn trả mà chưa có kết quả.",
        Agency=scene.agency(scene.receiver),
        DossierCode=DOSSIER,
        AnswerDue=scene.at(120),
    )


def _petition_answered(scene: Scene) -> Made:
    return _petition(
        scene,
        "DA_TRA_LOI",
        "Đã trả lời",
        "answered",
        AnsweredAt=scene.at(),
        Content="Cơ quan đã xin lỗi và hẹn lại ngày trả kết quả.",
        AnsweredBy=OFFICER,
        Public="true",
    )


def _subrequest(scene: Scene, **own: Value) -> Made:
    return {
        "EventId": scene.uuid(),
        "SubrequestCode": f"{DOSSIER}/YK01",
        "DossierCode": DOSSIER,
        **provenance(scene),
        "Actor": SPECIALIST,
        **own,
    }, ()


def _subrequest_opened(scene: Scene) -> Made:
    return _subrequest(
        scene,
        OpenedAt=scene.at(-1),
        Procedure=PROCEDURE,
        Subject="Lấy ý kiến về hồ sơ minh họa",
        Content="Đề nghị quý cơ quan cho ý kiến về nội dung minh họa.",
        TimeLimitHours="24",
        Due=scene.at(72),
    )


def _subrequest_answered(scene: Scene) -> Made:
    return _subrequest(
        scene,
        AnsweredAt=scene.at(-1),
        Outcome="agreed",
        Content="Thống nhất với đề xuất.",
        Signer=SPECIALIST,
    )


MAKERS: Mapping[str, Maker] = {
    "citizen.verify": _verify,
    "citizen.verify_reply": _verify_reply,
    "citizen.lookup": _lookup,
    "citizen.lookup_reply": _lookup_reply,
    "citizen.update_proposal": _update_proposal,
    "survey.requested": _survey_requested,
    "survey.submitted": _survey_submitted,
    "petition.submitted": _petition_submitted,
    "petition.answered": _petition_answered,
    "subrequest.opened": _subrequest_opened,
    "subrequest.answered": _subrequest_answered,
}
