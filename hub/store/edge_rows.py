"""What a connector's own store holds, as plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class OutboxState(StrEnum):
    """Where an outgoing message stands, as its sender's edge knows it."""

    NEW = "new"
    PUBLISHED = "published"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    REFUSED = "refused"

    @property
    def rank(self) -> int:
        """Later states never go back: receipts may arrive in any order."""
        return list(OutboxState).index(self)


class InboxState(StrEnum):
    """Where an incoming message stands at this edge."""

    TAKEN = "taken"
    """Handed to the sink; after a crash the sink is asked whether it took it."""
    DONE = "done"
    """Applied or refused; its receipt's bytes are kept and published again for a repeat."""
    DEFERRED = "deferred"
    """The sink said that it may be called again; the hub brings the message back."""
    EXPIRED = "expired"
    """Came after its ``ExpiresAt``: not handed over, and the hub says so to the sender."""
    PARKED = "parked"
    """Waits for a person; its bytes are kept."""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A signed message on its way out. ``raw`` is what is published, now and ever."""

    key: str
    message_id: str
    type: str
    digest: str
    raw: bytes = field(repr=False)
    created_at: datetime
    state: OutboxState = OutboxState.NEW
    source: bool = True
    """Whether the connector's source wants to hear what becomes of it (replies have none)."""
    priority: int = 0
    reason: str = ""
    receipt: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """A receipt that was believed, about one of the outgoing messages."""

    subject: str
    """Message id of the outgoing message."""
    receipt_id: str
    type: str
    sender: str
    at: datetime
    """When it arrived here."""
    told: str = field(repr=False)
    """What it says, as ``hub.adapters.edge_receipts`` packs it: no signature is judged twice."""
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ParkedRow:
    """A record that could not be mapped, composed or validated; it waits for a person."""

    key: str
    label: str
    code: str
    vi: str
    en: str
    at: datetime


@dataclass(frozen=True, slots=True)
class InboxRow:
    """An incoming message as this edge has dealt with it."""

    key: str
    digest: str
    state: InboxState
    at: datetime
    receipt_id: str = ""
    receipt: bytes = field(default=b"", repr=False)
    reference: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class KeptRow:
    """Bytes of an arrival that nobody has dealt with: quarantined, or parked for a person."""

    digest: str
    code: str
    at: datetime
    raw: bytes = field(repr=False)
    key: str = ""
    """The inbox key of a parked message; empty for what is quarantined: that claims no key."""


@dataclass(frozen=True, slots=True)
class StreamRow:
    """How far the messages of one sender and order key have come."""

    name: str
    state: str
    """Opaque here; ``hub.adapters.ordering`` writes and reads it."""


@dataclass(frozen=True, slots=True)
class RecallRow:
    """A sender's recall of one of its documents."""

    sender: str
    document_id: str
    created_at: datetime
    """``CreatedAt`` of the recall: what was made later is not recalled."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the source has yet to be told; kept until it was."""

    id: int
    key: str
    confirmation: str
    told: str = field(default="", repr=False)
    """What the receipt behind it says (:attr:`AnswerRow.told`); empty when there is none."""
