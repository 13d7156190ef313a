"""The envelope's parts as frozen data, without I/O and without XML.

An :class:`EnvelopeDraft` is what an adapter fills in; ``hub.schemas.compose`` turns it into XML,
``hub.signing.signer`` signs those bytes into a :class:`SignedEnvelope`. From there on the bytes are
the truth: nothing serialises them again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from hub.codes import AgencyCode, DossierCode, Environment, MessageId, MessageType

NAMESPACE = "urn:lienthong:envelope:1"
VERSION = "1"
DSIG = "http://www.w3.org/2000/09/xmldsig#"

MAX_ENVELOPE = 8 * 1024 * 1024
"""Bytes of a whole signed envelope."""
MAX_INLINE = 1024 * 1024
"""Bytes of one attachment inside the envelope (before base64)."""
MAX_INLINE_TOTAL = 4 * 1024 * 1024
"""Bytes of all attachments inside one envelope together (before base64)."""
MAX_RECIPIENTS = 200
MAX_PRIORITY = 4
URGENT = 3
"""Priority from which a message goes to the urgent queue (hỏa tốc)."""

Value = str | Mapping[str, "Value"] | Sequence["Value"]
"""A payload field: text, a group of fields, or a repeated field."""


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of ``data`` as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class Header:
    """The signed header: who, to whom, what, when. It holds no personal data (architecture §4)."""

    message_id: MessageId
    environment: Environment
    type: MessageType
    sender: AgencyCode
    recipients: tuple[AgencyCode, ...]
    conversation_id: MessageId
    created_at: datetime
    """Aware; written as RFC 3339 with its offset."""
    schema: str = "1"
    """Version of the payload's schema."""
    in_reply_to: MessageId | None = None
    dossier_code: DossierCode | None = None
    document_id: str | None = None
    """Opaque, at most 200 characters; never parsed for meaning."""
    expires_at: datetime | None = None
    priority: int = 0
    """0 thường, 1 khẩn, 2 thượng khẩn, 3 hỏa tốc, 4 hỏa tốc hẹn giờ."""
    sequence: int | None = None
    signer_certificate: str | None = None
    """SHA-256 of the signer's certificate (DER), lower-case hex; the signer fills it in."""

    @property
    def order_key(self) -> str:
        """What order is kept by: the dossier, else the document, else the conversation (§8)."""
        if self.dossier_code is not None:
            return f"dossier:{self.dossier_code}"
        if self.document_id is not None:
            return f"document:{self.document_id}"
        return f"conversation:{self.conversation_id}"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that travels with the envelope: inline, or by claim check in the object store."""

    name: str
    media_type: str
    size: int
    """Bytes."""
    sha256: str
    """Lower-case hex, of the file's bytes."""
    content: bytes | None = field(default=None, repr=False)
    href: str | None = None
    """``blob:sha256:<hex>`` when the bytes lie in the object store."""

    @classmethod
    def of(cls, name: str, media_type: str, content: bytes) -> Attachment:
        """Make an inline attachment, with its size and digest, from the file's bytes."""
        return cls(name, media_type, len(content), sha256_hex(content), content)


@dataclass(frozen=True, slots=True)
class Payload:
    """The one element of the Body: its local name and its fields in any order.

    The catalogue gives the namespace and the schema gives the order of the elements; a field that
    may be repeated is a sequence, also when it occurs once.
    """

    element: str
    fields: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class EnvelopeDraft:
    """What an adapter wants to send, before it is XML."""

    header: Header
    payload: Payload
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class SignedEnvelope:
    """Signed bytes, and the few facts about them that publishing needs."""

    raw: bytes = field(repr=False)
    message_id: MessageId
    sender: AgencyCode
    priority: int = 0

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, hex: the message's digest in receipts and in dedupe."""
        return sha256_hex(self.raw)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message as the broker handed it over: bytes, and transport facts that prove nothing."""

    raw: bytes = field(repr=False)
    tag: int
    """Delivery tag; meaningful only to the consumer that produced the arrival."""
    account: str | None = None
    """AMQP ``user_id``, checked by the broker against the publishing connection."""
    routing_key: str = ""
    queue: str = ""
    claimed_id: str | None = None
    """AMQP ``message_id``: unsigned; compared with the signed one, never trusted."""
    redeliveries: int = 0
    headers: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    """The ``x-lt-*`` headers, decoded by ``hub.broker.headers``."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """The outcome for one ``To`` of a message, as a receipt tells it."""

    code: AgencyCode
    """As the sender wrote it."""
    outcome: str
    """``queued``, ``delivered``, ``redirected``, ``rejected``, ``expired``, …"""
    resolved: AgencyCode | None = None
    via: str = ""
    """``exact``, ``alias``, ``successor`` or ``centre``."""
    reason: str = ""
    """A stable error code; empty when all is well."""
    detail_vi: str = ""
    detail_en: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a ``receipt.*`` envelope says of another message (architecture §4 and §8)."""

    type: MessageType
    subject_id: MessageId
    subject_sender: AgencyCode
    subject_digest: str
    """SHA-256 of the subject's bytes, hex."""
    at: datetime
    recipients: tuple[Recipient, ...] = ()
    reason: str = ""
    """A stable error code for negative receipts."""
    detail_vi: str = ""
    detail_en: str = ""
    place: str = ""
    retry_after_s: int | None = None
    state: str = ""
    """For ``receipt.status``: the state of the first message."""
