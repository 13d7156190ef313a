"""Invented payloads of ``connectivity.*`` and ``receipt.*``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from hub.envelope import Value
from hub.schemas.samples.base import Fields, Made, Maker, Scene


def _ping(scene: Scene) -> Made:
    return {"Nonce": scene.entropy(12).hex(), "SentAt": scene.at()}, ()


def _pong(scene: Scene) -> Made:
    return {
        "Nonce": scene.entropy(12).hex(),
        "SentAt": scene.at(-0.01),
        "AnsweredAt": scene.at(),
    }, ()


def _receipt(scene: Scene, own: Callable[[Scene], Fields]) -> Made:
    return {
        "SubjectMessageId": scene.uuid(),
        "SubjectFrom": scene.receiver.value,
        "SubjectDigest": scene.digest(),
        "At": scene.at(),
        **own(scene),
    }, ()


def _outcome(outcome: str, **own: Value) -> Callable[[Scene], Fields]:
    def block(scene: Scene) -> Fields:
        recipient: Fields = {"Code": scene.sender.value, "Outcome": outcome, "Via": "exact"}
        return {"Recipients": {"Recipient": [recipient]}, **own}

    return block


def _reason(code: str, vi: str, en: str, **own: Value) -> Callable[[Scene], Fields]:
    def block(_scene: Scene) -> Fields:
        return {"Reason": code, "DetailVi": vi, "DetailEn": en, **own}

    return block


def _nothing(_scene: Scene) -> Fields:
    return {}


_BLOCKS: Mapping[str, Callable[[Scene], Fields]] = {
    "receipt.accepted": _outcome("queued"),
    "receipt.rejected": _reason(
        "routing.unknown_receiver",
        "Không có cơ quan nào mang mã H99.98.",
        "No agency has the code H99.98.",
        Place="/Envelope/Header/To",
    ),
    "receipt.status": _outcome("queued", State="in_progress"),
    "receipt.deferred": _reason(
        "sink.unavailable",
        "Hiện không kết nối được hệ thống của đối tác.",
        "The partner's system cannot be reached now.",
        RetryAfter="300",
    ),
    "receipt.delivered": _outcome("delivered"),
    "receipt.refused": _reason(
        "sink.refused",
        "Hệ thống của đối tác từ chối thông điệp này: mã hồ sơ đã tồn tại.",
        "The partner's system refuses this message: the dossier code exists already.",
    ),
    "receipt.expired": _reason(
        "header.expired",
        "Thông điệp đã quá hạn hiệu lực.",
        "The message is past its expiry.",
    ),
    "receipt.undeliverable": _reason(
        "routing.unroutable",
        "Môi giới không có hàng đợi cho H99.19.",
        "The broker has no queue for H99.19.",
    ),
    "receipt.query": _nothing,
}

MAKERS: Mapping[str, Maker] = {
    "connectivity.ping": _ping,
    "connectivity.pong": _pong,
    **{name: partial(_receipt, own=block) for name, block in _BLOCKS.items()},
}
