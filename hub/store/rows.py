"""What goes into the store and comes out of it, as plain frozen data without SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType


class MessageState(StrEnum):
    """Where a message stands as a whole."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    """Refused with a signed negative receipt; a repeat is judged anew."""
    PARKED = "parked"
    EXPIRED = "expired"


class DeliveryState(StrEnum):
    """Where one delivery (one message to one receiver) stands."""

    QUEUED = "queued"
    """Recorded and handed to the broker (confirmed or not, see ``confirmed_at``)."""
    DEFERRED = "deferred"
    """On a rung of the retry ladder."""
    DELIVERED = "delivered"
    REFUSED = "refused"
    PARKED = "parked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class MessageRow:
    """An accepted or rejected message: the evidence. ``raw`` is what the agency signed."""

    id: str
    """Our own id (UUID text), for deliveries and receipts to refer to."""
    sender: str
    message_id: str
    digest: str
    type: str
    environment: str
    state: MessageState
    arrived_at: datetime
    created_at: datetime
    conversation_id: str
    priority: int
    signer_sha256: str
    raw: bytes = field(repr=False)
    schema: str = "1"
    in_reply_to: str | None = None
    dossier_code: str | None = None
    document_id: str | None = None
    expires_at: datetime | None = None
    by_gateway: str | None = None
    reason: str = ""
    """Stable error code when rejected or parked."""
    detail: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One message on its way to one receiver."""

    id: str
    message: str
    """``MessageRow.id``."""
    named: str
    """The code (or codes, blank-separated) as the sender wrote it."""
    receiver: str
    """The canonical code of the inbox it goes to, or the centre's code."""
    via: str
    queue: str
    state: DeliveryState
    created_at: datetime
    seq: int = 0
    """Running number within (sender, receiver, order key); becomes ``x-lt-seq``."""
    order_key: str = ""
    attempts: int = 0
    confirmed_at: datetime | None = None
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """A receipt that the hub itself signed; its bytes are published again for a repeat."""

    id: str
    message: str
    """``MessageRow.id`` of the message that it speaks of."""
    message_id: str
    """MessageId of the receipt envelope itself."""
    type: str
    receiver: str
    """The inbox it goes to: the subject's sender, or the gateway that signed for it."""
    digest: str
    raw: bytes = field(repr=False)
    created_at: datetime
    confirmed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """An arrival that nobody may be answered for: forged, malformed, or from an unknown account."""

    id: str
    arrived_at: datetime
    digest: str
    code: str
    detail: str
    account: str
    raw: bytes = field(repr=False)
    claimed_id: str = ""


@dataclass(frozen=True, slots=True)
class EventRow:
    """One step in the life of a message, for ``hub trace``; no personal data in ``detail``."""

    message: str
    """``MessageRow.id``; a quarantine row's id for a forged arrival."""
    at: datetime
    kind: str
    """``arrived``, ``accepted``, ``rejected``, ``repeated``, ``conflict``, ``quarantined``,
    ``queued``, ``confirmed``, ``returned``, ``deferred``, ``delivered``, ``refused``, ``expired``,
    ``receipt_sent``, ``receipt_seen``, ``parked``, ``contradiction`` …"""
    detail: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Prior:
    """What the store already knows of (sender, message id)."""

    message: str
    digest: str
    state: MessageState
    deliveries: tuple[DeliveryRow, ...] = ()
    receipts: tuple[ReceiptRow, ...] = ()


@dataclass(frozen=True, slots=True)
class WindowRecord:
    """Everything one window of the router writes, in one transaction."""

    messages: tuple[MessageRow, ...] = ()
    deliveries: tuple[DeliveryRow, ...] = ()
    receipts: tuple[ReceiptRow, ...] = ()
    quarantined: tuple[QuarantineRow, ...] = ()
    events: tuple[EventRow, ...] = ()
    changes: tuple[DeliveryChange, ...] = ()
    audit: tuple[AuditEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class DeliveryChange:
    """A receipt, a return or an operator moves a delivery to another state."""

    delivery: str
    state: DeliveryState
    at: datetime
    reason: str = ""
    detail: str = ""
    attempt: int = 0
    """1 when the change ends an attempt to deliver."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the append-only, hash-chained log of what was accepted, refused or changed."""

    at: datetime
    actor: str
    """``router``, an operator's name, an agency's code."""
    action: str
    """Dotted: ``message.accepted``, ``message.rejected``, ``message.quarantined``,
    ``directory.import``, ``trust.add`` …"""
    subject: str
    detail: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class AgencyRow:
    """One agency of the directory; validity dates are inclusive at both ends."""

    code: str
    """Canonical: the new code; where there is none the old code, number or centre code."""
    name: str
    kind: str
    parent: str | None
    centre: str | None
    """``None``: connected directly."""
    valid_from: date
    valid_to: date | None
    superseded_by: tuple[str, ...] = ()
    redirect: str = "no"
    """``auto``: deliver to the one living successor; ``no``: refuse, naming it."""
    aliases: tuple[str, ...] = ()
    """Other codes of the same agency (its old code)."""
    attached: bool = False
    """Whether it has an inbox on this hub."""


@dataclass(frozen=True, slots=True)
class AccessRow:
    """One access rule; a pattern is a code, a prefix ``H12.*``, a kind ``@commune`` or ``*``."""

    id: int
    sender: str
    receiver: str
    type: str
    """``dossier.received``, ``dossier.*`` or ``*``."""
    allow: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class CertificateRow:
    """A certificate registered for an agency over a time; several may overlap."""

    sha256: str
    agency: str
    der: bytes = field(repr=False)
    valid_from: datetime
    valid_to: datetime | None = None
    retired_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class RepresentsRow:
    """A gateway may sign and send for an agency during a time."""

    gateway: str
    agency: str
    valid_from: datetime
    valid_to: datetime | None = None
