"""Invented payloads of ``dossier.*`` and ``step.*``."""

from __future__ import annotations

from collections.abc import Mapping

from hub.envelope import Attachment
from hub.schemas.samples.base import (
    CONTACT,
    FEES,
    OFFICER,
    PERSON,
    PROCEDURE,
    SPECIALIST,
    Fields,
    Made,
    Maker,
    Scene,
    event,
    form,
    status,
)

RECEIVED = status("DA_TIEP_NHAN", "Được tiếp nhận", "received", "2")
PROCESSING = status("DANG_XU_LY", "Đang xử lý", "processing", "4")


def dossier(scene: Scene, file: Attachment) -> Fields:
    """Return the whole dossier in the full profile."""
    reference = {"Attachment": file.name, "Sha256": file.sha256}
    return {
        "Profile": "full",
        "Procedure": PROCEDURE,
        "Field": {"Code": "G99-XX01", "Name": "Lĩnh vực minh họa"},
        "Agencies": {
            "Receiving": scene.agency(scene.sender),
            "Competent": scene.agency(scene.receiver),
        },
        "Channel": "counter",
        "Applicant": PERSON,
        "Summary": "Hồ sơ minh họa nộp tại bộ phận một cửa",
        "Parts": {
            "Part": [
                {
                    "Code": "TP01",
                    "Name": "Tờ khai",
                    "Originals": "1",
                    "Paper": "true",
                    "Digitised": "yes",
                    "FileRef": reference,
                },
                {"Code": "TP02", "Name": "Giấy ủy quyền", "Photocopies": "1", "Paper": "true"},
            ]
        },
        "Sets": "1",
        "Fees": FEES,
        "TimeLimitHours": "40",
        "Dates": {"Submitted": scene.at(-2), "Due": scene.at(168)},
        "Delivery": {"Method": "post", "Recipient": CONTACT},
    }


def _scan() -> Attachment:
    return Attachment.of("to_khai.txt", "text/plain", "Tờ khai minh họa\n".encode())


def _submitted(scene: Scene) -> Made:
    scan = _scan()
    block = status("DA_NOP", "Mới đăng ký", "submitted", "1")
    return event(scene, block, Dossier=dossier(scene, scan))[0], (scan,)


def _received(scene: Scene) -> Made:
    return event(
        scene,
        RECEIVED,
        FormVersion=form("01", "Giấy tiếp nhận hồ sơ và hẹn trả kết quả"),
        ReceiptNumber="0007/TNHS",
        ReceivedAt=scene.at(-1),
        ReceivedBy=OFFICER,
        Due=scene.at(168),
        TimeLimitHours="40",
        ResultPlace="Bộ phận Một cửa minh họa",
        LookupCode="H99-0007-AB12",
    )


def _rejected(scene: Scene) -> Made:
    return event(
        scene,
        status("DA_HUY", "Không được tiếp nhận", "rejected", "3"),
        FormVersion=form("03", "Phiếu từ chối tiếp nhận giải quyết hồ sơ"),
        Number="12/TCHS",
        RejectedAt=scene.at(-1),
        ReasonCode="not_competent",
        Reason="Hồ sơ không thuộc thẩm quyền giải quyết",
        Contact="Bộ phận Một cửa minh họa, 0240000000",
        Signer=OFFICER,
    )


def _assigned(scene: Scene) -> Made:
    block = status("PHAN_CONG", "Đã phân công", "assigned", "4")
    return event(
        scene, block, AssignedAt=scene.at(-1), From=OFFICER, To=SPECIALIST, Due=scene.at(96)
    )


def _step_started(scene: Scene) -> Made:
    step: Fields = {
        "StepId": "B2",
        "Name": "Thẩm định hồ sơ",
        "From": OFFICER,
        "To": SPECIALIST,
        "StartedAt": scene.at(-1),
        "Due": scene.at(96),
    }
    return event(scene, PROCESSING, FormVersion=form("06", "Phiếu kiểm soát"), Step=step)


def _step_finished(scene: Scene) -> Made:
    step: Fields = {
        "StepId": "B2",
        "Name": "Thẩm định hồ sơ",
        "StartedAt": scene.at(-49),
        "Due": scene.at(47),
        "FinishedAt": scene.at(-1),
        "Timing": "early",
    }
    return event(scene, PROCESSING, Step=step, Outcome="Đủ điều kiện")


def _supplement_requested(scene: Scene) -> Made:
    return event(
        scene,
        status("CHO_BO_SUNG", "Yêu cầu bổ sung giấy tờ", "supplement_requested", "5"),
        FormVersion=form("02", "Phiếu yêu cầu bổ sung, hoàn thiện hồ sơ"),
        Number="05/HDHS",
        RequestedAt=scene.at(-1),
        Reason="Bổ sung bản chính giấy tờ minh họa",
        Parts={"Part": [{"Name": "Giấy tờ minh họa", "Originals": "1", "Paper": "true"}]},
        AnswerUntil=scene.at(240),
        ClockPaused="true",
        Signer=OFFICER,
    )


def _supplement_received(scene: Scene) -> Made:
    return event(
        scene,
        status("DA_BO_SUNG_VA_NOP_LAI", "Đã bổ sung", "supplement_received", "4"),
        RequestNumber="05/HDHS",
        ReceivedAt=scene.at(-1),
        ReceivedBy=OFFICER,
        Parts={"Part": [{"Name": "Giấy tờ minh họa", "Originals": "1", "Paper": "true"}]},
        Complete="true",
        DueBefore=scene.at(120),
        DueAfter=scene.at(144),
    )


def _payment_requested(scene: Scene) -> Made:
    block = status("CHO_THANH_TOAN", "Yêu cầu nghĩa vụ tài chính", "payment_requested", "6")
    return event(
        scene,
        block,
        RequestNumber="TT-0007",
        RequestedAt=scene.at(-1),
        Fees=FEES,
        Total="30000",
        PayUntil=scene.at(72),
        ClockPaused="true",
    )


def _paid(scene: Scene) -> Made:
    return event(
        scene,
        status("DA_THANH_TOAN", "Đã thanh toán", "paid", "4"),
        RequestNumber="TT-0007",
        PaidAt=scene.at(-1),
        Amount="30000",
        Method="transfer",
        ReceiptNumber="BL-000123",
    )


def _due_soon(scene: Scene) -> Made:
    return event(scene, PROCESSING, Due=scene.at(8), HoursLeft="4", Holder=SPECIALIST)


def _overdue(scene: Scene) -> Made:
    return event(scene, PROCESSING, Due=scene.at(-8), HoursLate="4", Holder=SPECIALIST)


def _apology(scene: Scene) -> Made:
    return event(
        scene,
        PROCESSING,
        FormVersion=form("04", "Phiếu xin lỗi và hẹn lại ngày trả kết quả"),
        Number="03/PXL",
        SignedAt=scene.at(-1),
        Reason="Chờ ý kiến của cơ quan phối hợp",
        DueBefore=scene.at(-8),
        NewDue=scene.at(40),
        SentBy="sms",
        Signer=OFFICER,
    )


def _paused(scene: Scene) -> Made:
    block = status("DANG_TAM_DUNG", "Tạm dừng", "paused", "8")
    return event(
        scene,
        block,
        PausedAt=scene.at(-1),
        ReasonCode="waiting_payment",
        Reason="Chờ nộp lệ phí",
        ExpectedUntil=scene.at(72),
    )


def _stopped(scene: Scene) -> Made:
    return event(
        scene,
        status("DUNG_XU_LY", "Dừng xử lý", "stopped", "8"),
        FormVersion=form("05", "Thông báo dừng giải quyết hồ sơ"),
        Number="02/TBD",
        StoppedAt=scene.at(-1),
        Reason="Người nộp không bổ sung giấy tờ đúng hạn",
        Signer=OFFICER,
    )


def _withdrawn(scene: Scene) -> Made:
    block = status("CONG_DAN_RUT", "Công dân yêu cầu rút", "withdrawn", "7")
    return event(
        scene,
        block,
        Actor={"Kind": "applicant"},
        WithdrawnAt=scene.at(-1),
        Reason="Không còn nhu cầu",
        PartsReturned="true",
    )


def _resolved(scene: Scene) -> Made:
    return event(
        scene,
        status("DA_XU_LY_XONG", "Đã xử lý xong", "resolved", "9"),
        ResolvedAt=scene.at(-1),
        Decision="granted",
        Due=scene.at(8),
        Timing="early",
        Results={"Result": [{"Number": "21/QĐ-MH", "Name": "Quyết định minh họa"}]},
    )


MAKERS: Mapping[str, Maker] = {
    "dossier.submitted": _submitted,
    "dossier.received": _received,
    "dossier.rejected": _rejected,
    "dossier.assigned": _assigned,
    "step.started": _step_started,
    "step.finished": _step_finished,
    "dossier.supplement_requested": _supplement_requested,
    "dossier.supplement_received": _supplement_received,
    "dossier.payment_requested": _payment_requested,
    "dossier.paid": _paid,
    "dossier.due_soon": _due_soon,
    "dossier.overdue": _overdue,
    "dossier.apology": _apology,
    "dossier.paused": _paused,
    "dossier.stopped": _stopped,
    "dossier.withdrawn": _withdrawn,
    "dossier.resolved": _resolved,
}
