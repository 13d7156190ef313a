"""Invented payloads of ``postal.*``: one dossier of the sample story, carried by the post."""

from __future__ import annotations

from collections.abc import Mapping

from hub.envelope import Value
from hub.schemas.samples.base import (
    CONTACT,
    DOSSIER,
    FEES,
    MANIFEST,
    OFFICER,
    ORDER,
    POST_OFFICE,
    POSTMAN,
    PROCEDURE,
    WAYBILL,
    Fields,
    Made,
    Maker,
    Scene,
    provenance,
)

_PARTS: Fields = {"Part": [{"Name": "Tờ khai", "Originals": "1", "Paper": "true"}]}
_ITEMS: Fields = {
    "Item": [
        {
            "OrderNo": ORDER,
            "Waybill": WAYBILL,
            "DossierCode": DOSSIER,
            "PartCount": "2",
            "Matches": "true",
        }
    ]
}


def _post_status(code: str, text: str, canonical: str) -> Fields:
    return {
        "Source": {"System": "vnpost-minhhoa", "Code": code, "Text": text},
        "Canonical": canonical,
    }


def _order(scene: Scene, **own: Value) -> Made:
    return {
        "EventId": scene.uuid(),
        "OrderNo": ORDER,
        "Waybill": WAYBILL,
        "DossierCode": DOSSIER,
        "Aliases": {"Alias": [{"Scheme": "waybill", "Value": WAYBILL}]},
        **provenance(scene, 3, "vnpost-minhhoa"),
        "LegalBasis": "QĐ 45/2016/QĐ-TTg",
        **own,
    }, ()


def _manifest(scene: Scene, **own: Value) -> Made:
    fields = _order(scene, ManifestNo=MANIFEST, Items=_ITEMS, **own)[0]
    return fields, ()


def _accepted(scene: Scene) -> Made:
    return _order(
        scene,
        Status=_post_status("1", "Đã nhận gửi", "accepted"),
        AcceptedAt=scene.at(-1),
        PostOffice=POST_OFFICE,
        Service="both",
        SlipNo="PG-0031",
        Agency=scene.agency(scene.receiver),
        Procedure=PROCEDURE,
        Sender=CONTACT,
        Parts=_PARTS,
        FeeCollected="30000",
        SignedByApplicant="true",
        SignedByPost="true",
        SealNo="NP-0031",
    )


def _handover(scene: Scene) -> Made:
    return _manifest(
        scene,
        Status=_post_status("3", "Đã bàn giao cơ quan", "handed_over"),
        AcceptedAt=scene.at(-25),
        SignedAt=scene.at(-1),
        SignedBy=OFFICER,
        HandedBy=POSTMAN,
        RecordNo="BBGN-0031",
    )


def _return_request(scene: Scene) -> Made:
    return _order(
        scene,
        RequestedAt=scene.at(-1),
        ReasonCode="supplement",
        Reason="Chuyển hoàn để bổ sung giấy tờ",
        Receiver=CONTACT,
        Parts=_PARTS,
    )


def _result_handover(scene: Scene) -> Made:
    return _manifest(
        scene,
        Status=_post_status("KQ1", "Đã nhận kết quả", "result_handed_over"),
        SignedAt=scene.at(-1),
        SignedBy=POSTMAN,
        HandedBy=OFFICER,
        Receiver=CONTACT,
        CashOnDelivery="0",
    )


def _tracking(scene: Scene) -> Made:
    return _order(
        scene,
        Status=_post_status("2", "Đang vận chuyển", "in_transit"),
        TrackingId="000000000000000000000002",
        PostOffice=POST_OFFICE,
    )


def _delivered(scene: Scene) -> Made:
    return _order(
        scene,
        Status=_post_status("4", "Phát thành công", "delivered"),
        DeliveredAt=scene.at(-1),
        PostOffice=POST_OFFICE,
        ReceivedBy={"FullName": "Nguyễn Văn Mẫu"},
        IdentitySeen="true",
        AppointmentSlipReturned="true",
        Collected="0",
    )


def _undelivered(scene: Scene) -> Made:
    return _order(
        scene,
        Status=_post_status("5", "Phát không thành công", "undelivered"),
        AttemptedAt=scene.at(-1),
        Attempt="1",
        ReasonCode="absent",
        Reason="Người nhận đi vắng",
        NextAttemptAt=scene.at(23),
    )


def _returned(scene: Scene) -> Made:
    return _order(
        scene,
        Status=_post_status("6", "Đã chuyển hoàn", "returned"),
        ReturnedAt=scene.at(-1),
        ReturnedTo=scene.agency(scene.receiver),
        Reason="Phát không thành công ba lần",
        ReceivedBy=OFFICER,
    )


def _fee_collected(scene: Scene) -> Made:
    return _order(
        scene,
        CollectedAt=scene.at(-1),
        ReceiptNo="BT-000045",
        Amount="30000",
        Fees=FEES,
        PostOffice=POST_OFFICE,
    )


def _remitted(scene: Scene) -> Made:
    line: Fields = {"OrderNo": ORDER, "DossierCode": DOSSIER, "Amount": "30000"}
    return {
        "EventId": scene.uuid(),
        "Batch": "NT-260303",
        **provenance(scene, 9, "vnpost-minhhoa"),
        "Agency": scene.agency(scene.receiver),
        "FromDay": scene.day(-1),
        "ToDay": scene.day(),
        "Amount": "30000",
        "Collected": "60000",
        "Open": "30000",
        "Lines": {"Line": [line]},
    }, ()


MAKERS: Mapping[str, Maker] = {
    "postal.accepted": _accepted,
    "postal.handover": _handover,
    "postal.return_request": _return_request,
    "postal.result_handover": _result_handover,
    "postal.tracking": _tracking,
    "postal.delivered": _delivered,
    "postal.undelivered": _undelivered,
    "postal.returned": _returned,
    "postal.fee_collected": _fee_collected,
    "postal.remitted": _remitted,
}
