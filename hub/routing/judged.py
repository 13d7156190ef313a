"""What judging one arrival found out, before the store is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from hub.codes import AgencyCode, MessageId
from hub.envelope import Arrival, Receipt
from hub.errors import HubError
from hub.routing.table import Route
from hub.schemas.validate import ValidEnvelope
from hub.signing.verifier import VerifiedEnvelope

TYPE = "{urn:lienthong:envelope:1}Type"

Key = tuple[str, str]


@dataclass(slots=True)
class Judged:
    """Filled stage by stage by ``pipeline.judge``; what stays ``None`` was not reached."""

    arrival: Arrival = field(repr=False)
    at: datetime
    digest: str
    """SHA-256 of the arrived bytes, hex."""
    verified: VerifiedEnvelope | None = field(default=None, repr=False)
    """The signature, chain, revocation and binding hold."""
    sender: AgencyCode | None = None
    """Canonical; set once the broker account is the sender's too: then it may be answered."""
    valid: ValidEnvelope | None = field(default=None, repr=False)
    receipt: Receipt | None = None
    """What a ``receipt.*`` says."""
    routes: tuple[Route, ...] = ()
    error: HubError | None = None
    """Why it goes no further."""

    @property
    def message_id(self) -> MessageId | None:
        """The signed message id, if there is a well-formed one."""
        return self.verified.message_id if self.verified else None

    @property
    def key(self) -> Key | None:
        """What it is recognised by; ``None`` for what is quarantined: that claims no key."""
        if self.sender is None or self.message_id is None:
            return None
        return (self.sender.value, self.message_id.value)

    @property
    def type(self) -> str:
        """The signed type, as far as it can be told; it may name no known one."""
        if self.valid is not None:
            return self.valid.header.type.value
        if self.verified is None:
            return ""
        return (self.verified.root[0].findtext(TYPE) or "").strip()[:64]

    @property
    def is_receipt(self) -> bool:
        """Whether it is, or says it is, a receipt: then nothing may ever answer it."""
        return self.type.startswith("receipt.")

    @property
    def conversation(self) -> MessageId:
        """The conversation, or the message itself where the header is not readable."""
        if self.valid is not None:
            return self.valid.header.conversation_id
        identity = self.message_id
        if identity is None:
            msg = "a quarantined arrival has no conversation"
            raise ValueError(msg)
        return identity

    @property
    def told(self) -> str:
        """Canonical code of the inbox that is answered: the sender's, or its gateway's."""
        gateway = self.verified.by_gateway if self.verified else None
        return gateway.value if gateway else self.sender.value if self.sender else ""
