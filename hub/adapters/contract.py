"""The contract between the runner and a connector: Source, Sink and Probe.

A connector reads its legacy system (Source), writes to it (Sink) and can say whether it is there
(Probe). It knows nothing of AMQP, signatures or the store: the runner (``hub.adapters.runner``)
composes, validates, signs, keeps the outbox and the inbox, publishes, confirms and answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from hub.codes import AgencyCode, DossierCode, MessageId, MessageType
from hub.envelope import Attachment, Payload, Receipt
from hub.errors import HubError


@dataclass(frozen=True, slots=True)
class Draft:
    """What a connector wants to send; the runner adds sender, ids, times and the signature."""

    type: MessageType
    recipients: tuple[AgencyCode, ...]
    payload: Payload
    attachments: tuple[Attachment, ...] = ()
    dossier_code: DossierCode | None = None
    document_id: str | None = None
    in_reply_to: MessageId | None = None
    conversation_id: MessageId | None = None
    """``None``: a new conversation, which takes the message's own id."""
    expires_at: datetime | None = None
    priority: int = 0
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One record that a source found: something to send, or a record that cannot be mapped."""

    key: str
    """The idempotency key of this record **and its version** within the source (row id + row
    version, file digest, event id). The outbox takes a key once, ever. No personal data."""
    draft: Draft | None = None
    error: HubError | None = None
    """Set instead of ``draft``: the record is parked with this reason and the next one goes on."""
    label: str = ""
    """What an operator calls the record: file name, row number, dossier code. No personal data."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one poll found, and the checkpoint to come back with next time."""

    items: tuple[Item, ...]
    checkpoint: str
    """Opaque to the runner; stored in the same transaction as the outbox rows of ``items``."""


class Confirmation(StrEnum):
    """What the runner tells a source about one of its items, as it happens; each at most once."""

    PUBLISHED = "published"
    """The broker has confirmed it: it can't be lost any more."""
    ACCEPTED = "accepted"
    """The hub's signed ``receipt.accepted`` came."""
    DELIVERED = "delivered"
    REFUSED = "refused"
    """Refused by the hub or a receiver, or undeliverable or expired; the receipt says why."""
    PARKED = "parked"
    """Could not be mapped, composed or validated; it waits for a person."""


@runtime_checkable
class Source(Protocol):
    """Reads the legacy system. Called by one thread, never concurrently."""

    def poll(self, checkpoint: str | None, limit: int) -> Batch:
        """Return at most ``limit`` new records after ``checkpoint`` (``None``: from the start).

        Called every poll interval. Reading again what was returned before is allowed (watermark
        with overlap): the outbox drops keys it has. A record that cannot be mapped is an ``Item``
        with ``error``, never an exception. Raises ``SinkUnavailable`` when the system is not
        there; the runner then waits and probes.
        """

    def confirm(self, key: str, confirmation: Confirmation, receipt: Receipt | None) -> None:
        """Tell the legacy system what became of an item; must be idempotent.

        Raises ``SinkUnavailable`` to be called again later.
        """


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a record was parked, in the words that an operator reads. No personal data."""

    code: str
    """The stable code of ``hub.errors``."""
    vi: str
    en: str
    at: datetime


@runtime_checkable
class WantsReason(Protocol):
    """What a ``Source`` adds that has a place for the reason why a record of its was parked."""

    def confirm_parked(self, key: str, reason: Reason) -> None:
        """Called in place of ``confirm(key, PARKED, None)``, under the same rules.

        ``confirm`` is still called when the reason is not kept any more.
        """


@dataclass(frozen=True, slots=True)
class Inbound:
    """A verified and valid message handed to a sink."""

    message_id: MessageId
    type: MessageType
    sender: AgencyCode
    receiver: AgencyCode
    """The agency whose inbox it came from: this connector's own."""
    created_at: datetime
    conversation_id: MessageId
    payload: Payload
    attachments: tuple[Attachment, ...]
    digest: str
    """SHA-256 of the signed bytes, hex."""
    priority: int = 0
    in_reply_to: MessageId | None = None
    dossier_code: DossierCode | None = None
    document_id: str | None = None
    expires_at: datetime | None = None
    seq: int = 0
    """The hub's running number within the order key; 0 when there is none."""

    @property
    def key(self) -> str:
        """The idempotency key at the legacy side: sender and message id."""
        return f"{self.sender}/{self.message_id}"


@dataclass(frozen=True, slots=True)
class Applied:
    """What a sink did with a message."""

    reference: str = ""
    """The legacy system's own id of what it wrote; goes into the receipt. No personal data."""
    replies: tuple[Draft, ...] = field(default=())
    """Messages to send as a consequence (a status, a pong); they enter the outbox in the same
    transaction that marks the message done, under the key ``reply:<message key>:<n>``."""


@runtime_checkable
class Sink(Protocol):
    """Writes to the legacy system, exactly once for each key. Called by one thread."""

    def apply(self, message: Inbound, key: str) -> Applied:
        """Write the message; ``key`` goes into the legacy system in the same transaction.

        Raises ``SinkUnavailable`` (transient: deferred, or the consumer pauses), ``SinkRefused``
        (permanent: ``receipt.refused``) or any other ``HubError`` (parked). ``SinkUnavailable``
        vouches that calling again with this key is safe: nothing was written, or the key finds
        it; whoever cannot tell raises ``SinkUnknown``. Messages of one order key come in order;
        the same key may come again after a failure or a crash, but only after ``lookup``.
        """

    def lookup(self, key: str) -> Applied | None:
        """Tell whether ``key`` was applied (asked after a crash): what it was, or ``None`` if not.

        Raises ``SinkUnknown`` when the system cannot tell: the message is parked for a person;
        ``SinkUnavailable`` when it is not there now: it is asked again later.
        """


@dataclass(frozen=True, slots=True)
class Health:
    """What a probe found."""

    ok: bool
    detail: str = ""
    remedy: str = ""


@runtime_checkable
class Probe(Protocol):
    """Says whether the legacy system is there; cheap, and without any effect."""

    def probe(self) -> Health:
        """Try the system once, within seconds. Never raises for a system that is down."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a connector's factory returns; a part it has no use for is ``None``."""

    probe: Probe
    source: Source | None = None
    sink: Sink | None = None
    accepts: Sequence[str] = ("*",)
    """Message types the sink takes (``dossier.*``); others are refused with a receipt."""


def types_match(patterns: Iterable[str], type_name: str) -> bool:
    """Whether ``type_name`` fits one of ``patterns`` (exact, ``family.*`` or ``*``)."""
    return any(
        pattern in ("*", type_name)
        or (pattern.endswith(".*") and type_name.startswith(pattern[:-1]))
        for pattern in patterns
    )
