"""One message on its way in, judged; and what comes out of dealing with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from hub import log
from hub.adapters import contract
from hub.adapters.edge import Edge
from hub.adapters.faults import guarded, told
from hub.adapters.ordering import Waiting, stream_name
from hub.codes import AgencyCode
from hub.envelope import Arrival, SignedEnvelope, sha256_hex
from hub.errors import HubError, WrongEnvironment
from hub.schemas.validate import ValidEnvelope
from hub.signing.verifier import Verifier
from hub.store.edge_rows import KeptRow

SEQ = "seq"
"""Name of the hub's running number beside a message, as ``hub.broker`` decodes it."""

_log = log.get("inbound")


class SystemDown(Exception):
    """The probe says that the whole partner's system is down: stop reading, burn no attempt."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A verified and valid message with the transport facts that dealing with it needs."""

    arrival: Arrival = field(repr=False)
    valid: ValidEnvelope = field(repr=False)
    seq: int
    since: datetime
    """When it came in here."""

    @property
    def key(self) -> str:
        """Sender and message id: the key of the inbox, and at the legacy side."""
        return f"{self.valid.header.sender}/{self.valid.header.message_id}"

    @property
    def stream(self) -> str:
        """The stream that it is numbered in."""
        return stream_name(self.valid.header)

    @property
    def waiting(self) -> Waiting:
        """What the hold-back needs to know of it."""
        return Waiting(self.stream, self.seq, self.since)

    def named(self) -> dict[str, str]:
        """Return what log lines call it."""
        header = self.valid.header
        return {"message_id": header.message_id.value, "type": header.type.value}

    def handed(self, receiver: AgencyCode) -> contract.Inbound:
        """Return the message as a sink gets it."""
        header = self.valid.header
        return contract.Inbound(
            message_id=header.message_id,
            type=header.type,
            sender=header.sender,
            receiver=receiver,
            created_at=header.created_at,
            conversation_id=header.conversation_id,
            payload=self.valid.payload(),
            attachments=self.valid.attachments(),
            digest=self.valid.digest,
            priority=header.priority,
            in_reply_to=header.in_reply_to,
            dossier_code=header.dossier_code,
            document_id=header.document_id,
            expires_at=header.expires_at,
            seq=self.seq,
        )


@dataclass(frozen=True, slots=True)
class Settled:
    """It is dealt with: once ``envelope`` (if any) is confirmed, it may be acknowledged."""

    envelope: SignedEnvelope | None = None


def judge(arrival: Arrival, edge: Edge, at: datetime) -> Incoming | None:
    """Judge an arrival; ``None``: it is bad, its bytes are quarantined and the alarm is given.

    A bad one is never answered. It is acknowledged, because it would be as bad the next time.
    Raises ``StoreUnavailable``.
    """
    verifier = edge.trust.verifier(at)
    try:
        return guarded(lambda: _judged(arrival, edge, verifier, at))
    except HubError as error:
        quarantine(arrival, error, edge, at)
        return None


def _judged(arrival: Arrival, edge: Edge, verifier: Verifier, at: datetime) -> Incoming:
    verified = verifier.verify(arrival.raw, at=at)
    valid = edge.signer.validator.validate(verified)
    if valid.header.environment is not edge.environment:
        expected = edge.environment.value
        raise WrongEnvironment(value=valid.header.environment.value, expected=expected)
    return Incoming(arrival, valid, _seq(arrival), at)


def _seq(arrival: Arrival) -> int:
    """Return the hub's number; 0 for what has none (the hub's own receipts)."""
    found = arrival.headers.get(SEQ, 0)
    return found if isinstance(found, int) and found > 0 else 0


def quarantine(arrival: Arrival, error: HubError, edge: Edge, at: datetime) -> Settled:
    """Keep the bytes of what must not be dealt with, give the alarm, and let it be acknowledged."""
    digest = sha256_hex(arrival.raw)
    _log.error("quarantined", digest=digest, **told(error))
    edge.store.keep(KeptRow(digest, error.code, at, arrival.raw))
    return Settled()
