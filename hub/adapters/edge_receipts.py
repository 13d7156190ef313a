"""Which receipts are believed, and what they say together of one outgoing message.

The hub's own receipts are believed from the hub's code only. ``receipt.delivered``, ``.refused``
and ``.deferred`` are believed from a receiver that the message names, or from the one that
``receipt.accepted`` says it was resolved to (alias, successor). Every receipt must name the very
bytes that were sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.codes import AgencyCode, MessageId, MessageType
from hub.envelope import Header, Receipt, Recipient
from hub.errors import ReceiptRefused
from hub.store.edge_rows import OutboxRow, OutboxState

HUB_TYPES = frozenset(
    {
        "receipt.accepted",
        "receipt.rejected",
        "receipt.status",
        "receipt.expired",
        "receipt.undeliverable",
    }
)
ACCEPTED, DELIVERED = "receipt.accepted", "receipt.delivered"
RECEIVER_TYPES = frozenset({DELIVERED, "receipt.refused", "receipt.deferred"})
NEGATIVE = frozenset(
    {"receipt.rejected", "receipt.expired", "receipt.undeliverable", "receipt.refused"}
)
FINAL = frozenset({OutboxState.DELIVERED, OutboxState.REFUSED})


@dataclass(frozen=True, slots=True)
class Answer:
    """A receipt and who signed it."""

    receipt: Receipt
    sender: AgencyCode


def check_subject(header: Header, receipt: Receipt, row: OutboxRow | None, own: AgencyCode) -> None:
    """Raise ``ReceiptRefused`` unless the receipt is about a message that was sent from here."""
    if row is None or receipt.subject_sender != own:
        raise ReceiptRefused(reason="no such message was sent from here")
    if receipt.subject_digest != row.digest:
        raise ReceiptRefused(reason="other bytes were sent under this id")
    if header.in_reply_to != receipt.subject_id:
        raise ReceiptRefused(reason="InReplyTo is not the subject")


def may_say(
    receipt: Receipt,
    sender: AgencyCode,
    hub: AgencyCode,
    to: Sequence[AgencyCode],
    answers: Iterable[Answer],
) -> bool:
    """Whether ``sender`` may say this; ``False``: only ``receipt.accepted``, still to come, tells.

    ``to``: the receivers that the message names. Raises ``ReceiptRefused`` for who may never.
    """  # fmt: skip
    name = receipt.type.value
    if name in HUB_TYPES:
        if sender != hub:
            raise ReceiptRefused(reason=f"only the hub says {name}")
        return True
    if name not in RECEIVER_TYPES:
        raise ReceiptRefused(reason=f"{name} is for the hub")
    accepted = _accepted(answers)
    if sender in to or (accepted and sender in _resolved(accepted)):
        return True
    if accepted is None:
        return False
    raise ReceiptRefused(reason="not a receiver of this message")


def standing(to: Sequence[AgencyCode], answers: Sequence[Answer]) -> OutboxState | None:
    """Return where a message stands by everything said of it; ``None``: nothing that counts.

    Refused as soon as one receiver or the hub refuses, delivered when every receiver that the hub
    accepted has it.
    """
    if any(one.receipt.type.value in NEGATIVE for one in answers):
        return OutboxState.REFUSED
    accepted = _accepted(answers)
    has = {one.sender for one in answers if one.receipt.type.value == DELIVERED}
    if accepted is None:
        return OutboxState.DELIVERED if has.issuperset(to) else None
    waiting = [
        one
        for one in accepted.recipients
        if one.outcome not in ("rejected", "delivered")
        and one.code not in has
        and one.resolved not in has
    ]
    return OutboxState.ACCEPTED if waiting else OutboxState.DELIVERED


def _accepted(answers: Iterable[Answer]) -> Receipt | None:
    found = [one.receipt for one in answers if one.receipt.type.value == ACCEPTED]
    return found[-1] if found else None


def _resolved(accepted: Receipt) -> frozenset[AgencyCode]:
    named = {one.code for one in accepted.recipients}
    return frozenset(named | {one.resolved for one in accepted.recipients if one.resolved})


def pack(receipt: Receipt) -> str:
    """Return a believed receipt as text for the connector's store."""
    told = [
        [
            one.code.value,
            one.outcome,
            one.resolved.value if one.resolved else None,
            one.via,
            one.reason,
            one.detail_vi,
            one.detail_en,
        ]
        for one in receipt.recipients
    ]
    about = [receipt.subject_id.value, receipt.subject_sender.value, receipt.subject_digest]
    rest = [receipt.reason, receipt.detail_vi, receipt.detail_en, receipt.place]
    last = [receipt.retry_after_s, receipt.state]
    whole = [receipt.type.value, about, receipt.at.isoformat(), told, rest, last]
    return json.dumps(whole, ensure_ascii=False)


def unpack(text: str) -> Receipt:
    """Return what :func:`pack` wrote."""
    name, about, at, told, rest, last = json.loads(text)
    return Receipt(
        MessageType(name),
        MessageId(about[0]),
        AgencyCode.parse(about[1]),
        about[2],
        datetime.fromisoformat(at),
        tuple(_recipient(*one) for one in told),
        *rest,
        *last,
    )


def _recipient(code: str, outcome: str, resolved: str | None, *rest: str) -> Recipient:
    found = AgencyCode.parse(resolved) if resolved else None
    return Recipient(AgencyCode.parse(code), outcome, found, *rest)
