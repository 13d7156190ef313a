"""A decision: what one arrival changes in the store, and what is published because of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from hub.store.rows import AuditEntry, DeliveryRow, Prior, ReceiptRow, WindowRecord

Key = tuple[str, str]
"""(canonical sender, message id): what a message is recognised by."""
Memory = Mapping[Key, Prior]


class Verdict(StrEnum):
    """What became of one arrival."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REPEATED = "repeated"
    CONFLICT = "conflict"
    QUARANTINED = "quarantined"
    PARKED = "parked"
    RECEIPT = "receipt"
    """A receiver's receipt changed a delivery's state."""
    ANSWERED = "answered"
    """A query was answered."""
    RETRIED = "retried"
    EXPIRED = "expired"
    DROPPED = "dropped"
    """A rung gave back what no longer waits for anything."""


@dataclass(frozen=True, slots=True)
class Send:
    """One message to be published after the store has committed."""

    queue: str
    """The inbox or gateway; empty for a receipt of the hub, which goes to ``receiver``'s."""
    message_id: str
    sender: str
    """Canonical code of whoever signed it."""
    raw: bytes | None = field(default=None, repr=False)
    """``None``: the bytes lie in the store under ``digest``."""
    digest: str = ""
    delivery: str = ""
    """``DeliveryRow.id``, or empty for what the hub itself says."""
    message: str = ""
    """``MessageRow.id`` of a delivery."""
    receipt: str = ""
    """``ReceiptRow.id``, or empty for a delivery."""
    receiver: str = ""
    """Canonical code of whoever is told by a receipt of the hub."""
    seq: int = 0
    attempt: int = 0
    rung_s: int = 0
    """Seconds to wait on the retry ladder first; 0: at once."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Everything that follows from one arrival. Pure data: nothing has happened yet."""

    verdict: Verdict
    record: WindowRecord = field(default_factory=WindowRecord)
    sends: tuple[Send, ...] = ()
    key: Key | None = None
    """The key that this arrival claims now, with ``prior`` behind it."""
    code: str = ""
    """Stable error code of what was refused, parked or quarantined."""

    def numbered(self, numbers: Sequence[int]) -> Decision:
        """Return self with the running numbers of its new deliveries, in order."""
        if not numbers:
            return self
        rows = tuple(
            replace(row, seq=number)
            for row, number in zip(self.record.deliveries, numbers, strict=True)
        )
        by_id = {row.id: row.seq for row in rows}
        sends = tuple(
            replace(send, seq=by_id[send.delivery]) if send.delivery in by_id else send
            for send in self.sends
        )
        return replace(self, record=replace(self.record, deliveries=rows), sends=sends)

    @property
    def order_keys(self) -> list[tuple[str, str, str]]:
        """The (sender, receiver, order key) of each new delivery."""
        senders = {row.id: row.sender for row in self.record.messages}
        return [
            (senders[row.message], row.receiver, row.order_key) for row in self.record.deliveries
        ]


def remembered(memory: Memory, decision: Decision) -> dict[Key, Prior]:
    """Return what the store will know of the keys that a decision touches, once committed."""
    changed: dict[Key, Prior] = {}
    record = decision.record
    for message in record.messages:
        key = (message.sender, message.message_id)
        before = memory.get(key)
        changed[key] = Prior(
            message=message.id,
            digest=message.digest,
            state=message.state,
            deliveries=before.deliveries if before else (),
            receipts=before.receipts if before else (),
        )
    own = {row.id: (row.sender, row.message_id) for row in record.messages}
    for delivery in record.deliveries:
        _add(changed, memory, _key_of(delivery.message, own, memory), deliveries=(delivery,))
    for receipt in record.receipts:
        _add(changed, memory, _key_of(receipt.message, own, memory), receipts=(receipt,))
    if record.changes:
        _apply(changed, memory, record)
    return changed


def _key_of(message: str, own: Mapping[str, Key], memory: Memory) -> Key | None:
    if message in own:
        return own[message]
    return next((key for key, prior in memory.items() if prior.message == message), None)


def _add(
    changed: dict[Key, Prior],
    memory: Memory,
    key: Key | None,
    *,
    deliveries: tuple[DeliveryRow, ...] = (),
    receipts: tuple[ReceiptRow, ...] = (),
) -> None:
    if key is None:
        return
    prior = changed.get(key) or memory[key]
    changed[key] = replace(
        prior,
        deliveries=(*prior.deliveries, *deliveries),
        receipts=(*prior.receipts, *receipts),
    )


def _apply(changed: dict[Key, Prior], memory: Memory, record: WindowRecord) -> None:
    moved = {change.delivery: change for change in record.changes}
    for key, prior in {**memory, **changed}.items():
        if any(row.id in moved for row in prior.deliveries):
            rows = tuple(
                replace(
                    row,
                    state=moved[row.id].state,
                    reason=moved[row.id].reason,
                    attempts=row.attempts + moved[row.id].attempt,
                )
                if row.id in moved
                else row
                for row in prior.deliveries
            )
            changed[key] = replace(prior, deliveries=rows)


def audit(at: datetime, verdict: str, subject: str, **detail: str) -> AuditEntry:
    """One line of the log about a message; details are codes, ids and digests only."""
    return AuditEntry(at, "router", f"message.{verdict}", subject, detail)
