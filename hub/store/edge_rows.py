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
    PARKED = "parked"
    QUARANTINED = "quarantined"


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
class Notice:
    """Something that the source has yet to be told; kept until it was."""

    id: int
    key: str
    confirmation: str
    receipt: bytes = field(default=b"", repr=False)
