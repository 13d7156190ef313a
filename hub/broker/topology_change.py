"""Differences between what the hub asks for and what the broker has, as sentences for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Kind(StrEnum):
    """What is to be done about a difference."""

    ADD = "add"
    MEND = "mend"
    """It is there and differs; it can be changed in place."""
    REMOVE = "remove"
    """It is there and nobody asks for it; it can be taken away without losing a message."""
    KEEP = "keep"
    """Nobody asks for it, but it holds messages or has readers: a person decides."""
    CONFLICT = "conflict"
    """It differs and cannot be changed in place: a person has to empty and delete it."""

    DIFFERS = "differs"
    """The broker goes by something else than was set."""


_VERBS: dict[Kind, tuple[str, str]] = {
    Kind.ADD: ("Tạo", "Create"),
    Kind.MEND: ("Sửa", "Mend"),
    Kind.REMOVE: ("Bỏ", "Remove"),
    Kind.KEEP: ("Còn giữ", "Still there, not asked for:"),
    Kind.CONFLICT: ("Không tự sửa được", "Cannot be mended in place:"),
    Kind.DIFFERS: ("Không đúng như đã đặt:", "Does not go by what was set:"),
}
_THINGS: dict[str, str] = {
    "exchange": "điểm trao đổi",
    "queue": "hàng đợi",
    "binding": "liên kết",
    "policy": "chính sách",
    "account": "tài khoản",
    "permission": "quyền",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: what ``apply`` does about it, or why it cannot."""

    kind: Kind
    what: str
    """``exchange``, ``queue``, ``binding``, ``policy``, ``account`` or ``permission``."""
    name: str
    detail: str = ""
    """What is there instead, or how much; never a password."""

    def message(self, lang: Literal["vi", "en"]) -> str:
        """Return the sentence in Vietnamese or English."""
        vi, en = _VERBS[self.kind]
        rest = f" ({self.detail})" if self.detail else ""
        if lang == "vi":
            return f"{vi} {_THINGS[self.what]} {self.name}{rest}."
        return f"{en} {self.what} {self.name}{rest}."

    def __str__(self) -> str:
        return self.message("en")
