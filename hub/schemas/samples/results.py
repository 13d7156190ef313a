"""Invented payloads of ``result.*``."""

from __future__ import annotations

from collections.abc import Mapping

from hub.envelope import Attachment
from hub.schemas.samples.base import (
    MANIFEST,
    ORDER,
    SPECIALIST,
    WAYBILL,
    Fields,
    Made,
    Maker,
    Scene,
    event,
    status,
)

_ONE: Fields = {"Result": [{"Number": "21/QĐ-MH", "Name": "Quyết định minh họa"}]}


def _issued(scene: Scene) -> Made:
    file = Attachment.of("ket_qua.txt", "text/plain", "Quyết định minh họa\n".encode())
    result: Fields = {
        "Code": "KQ.G99.000001",
        "Number": "21/QĐ-MH",
        "Name": "Quyết định minh họa",
        "IssuedAt": scene.at(-1),
        "IssuedBy": scene.agency(scene.sender),
        "Signer": SPECIALIST,
        "Paper": "true",
        "Signed": "true",
        "FileRef": {"Attachment": file.name, "Sha256": file.sha256},
    }
    block = status("DA_XU_LY_XONG", "Đã xử lý xong", "resolved", "9")
    return event(scene, block, Results={"Result": [result]})[0], (file,)


def _ready(scene: Scene) -> Made:
    return event(
        scene,
        status("CHO_TRA", "Chờ trả kết quả", "ready_for_pickup", "9"),
        ReadyAt=scene.at(-1),
        Place="Bộ phận Một cửa minh họa",
        PickupUntil=scene.at(720),
        Results=_ONE,
    )


def _handed_to_post(scene: Scene) -> Made:
    return event(
        scene,
        status("DA_BAN_GIAO_BD", "Đã bàn giao bưu điện", "handed_to_post", "9"),
        HandedAt=scene.at(-1),
        ManifestNo=MANIFEST,
        OrderNo=ORDER,
        Waybill=WAYBILL,
        Results=_ONE,
    )


def _delivered(scene: Scene) -> Made:
    return event(
        scene,
        status("DA_TRA", "Đã trả kết quả", "delivered", "10"),
        DeliveredAt=scene.at(-1),
        Method="counter",
        ReceivedBy={"FullName": "Nguyễn Văn Mẫu"},
        AppointmentSlipReturned="true",
        Results=_ONE,
    )


def _returned(scene: Scene) -> Made:
    return event(
        scene,
        status("CHUYEN_HOAN", "Bưu điện chuyển hoàn", "returned", "9"),
        ReturnedAt=scene.at(-1),
        Method="post",
        Reason="Không liên lạc được người nhận",
        Results=_ONE,
    )


MAKERS: Mapping[str, Maker] = {
    "result.issued": _issued,
    "result.ready_for_pickup": _ready,
    "result.handed_to_post": _handed_to_post,
    "result.delivered": _delivered,
    "result.returned": _returned,
}
