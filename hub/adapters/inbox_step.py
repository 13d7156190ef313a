"""What can become of one message on its way in; each ends in one transaction of the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from hub import log
from hub.adapters.contract import Applied, Draft
from hub.adapters.edge import Edge
from hub.adapters.edge_signer import DEFERRED, DELIVERED, REFUSED
from hub.adapters.faults import guarded, parked, told
from hub.adapters.incoming import Incoming, Settled
from hub.adapters.ordering import DEFERRED_FOR, Stream, Turn
from hub.envelope import SignedEnvelope
from hub.errors import HubError
from hub.store.edge_inbox import Consequences
from hub.store.edge_rows import (
    InboxRow,
    InboxState,
    KeptRow,
    OutboxRow,
    ParkedRow,
    RecallRow,
    StreamRow,
)

RETRY_AFTER_S = 1
"""Told with ``receipt.deferred``; the pace is the hub's, by its ladder."""

_log = log.get("inbound")


class InboxStep:
    """One message at one time, with the stream that it is numbered in."""

    def __init__(self, edge: Edge, incoming: Incoming, at: datetime) -> None:
        self._edge = edge
        self._at = at
        self._stream = Stream.parse(edge.store.stream(incoming.stream))
        self.incoming = incoming
        self.header = incoming.valid.header

    def turn(self) -> Turn:
        """Return whether the order allows it to be handed over now."""
        return self._stream.turn(self.incoming.seq, self._at)

    def release(self) -> None:
        """Give up the gap before it: what comes later from there is handed over out of order."""
        _log.warning("gap_released", **self.incoming.named(), seq=self.incoming.seq)
        self._stream = self._stream.release(self.incoming.seq)

    def taken(self, recall: RecallRow | None) -> None:
        """Note that the sink is about to be called, and remember a recall."""
        self._write(InboxState.TAKEN, Consequences(stream=self._row(self._stream), recall=recall))

    def done(self, applied: Applied) -> Settled:
        """Write ``done`` with the receipt and the replies."""
        receipt = self._edge.signer.receipt(
            DELIVERED, self.incoming.valid, self._at, reference=applied.reference
        )
        replies, failed = self._replies(applied.replies)
        more = replace(self._settled(), replies=replies, parked=failed)
        self._write(InboxState.DONE, more, receipt, reference=applied.reference)
        _log.info("delivered", **self.incoming.named(), replies=len(replies))
        return Settled(receipt)

    def _replies(self, drafts: Sequence[Draft]) -> tuple[list[OutboxRow], list[ParkedRow]]:
        """Sign the replies; one that cannot be composed is parked: the message itself is done."""
        rows: list[OutboxRow] = []
        failed: list[ParkedRow] = []
        sign = partial(self._edge.signer.message, at=self._at, source=False)
        for number, draft in enumerate(drafts):
            key = f"reply:{self.incoming.key}:{number}"
            try:
                rows.append(guarded(partial(sign, key, draft)))
            except HubError as error:
                _log.error("reply_parked", **self.incoming.named(), **told(error))
                failed.append(parked(key, self.header.type.value, error, self._at))
        return rows, failed

    def refuse(self, error: HubError) -> Settled:
        """Write ``done`` with a receipt that says why not."""
        receipt = self._edge.signer.receipt(REFUSED, self.incoming.valid, self._at, error=error)
        self._write(InboxState.DONE, self._settled(), receipt, reason=error.code)
        _log.warning("refused", **self.incoming.named(), **told(error))
        return Settled(receipt)

    def expire(self) -> Settled:
        """Note that it came too late; the hub says so to the sender."""
        _log.warning("expired", **self.incoming.named())
        self._write(InboxState.EXPIRED, self._settled())
        return Settled()

    def defer(self, error: HubError) -> Settled:
        """Say that it cannot be taken now; the hub brings it back, and its successors wait."""
        receipt = self._edge.signer.receipt(
            DEFERRED, self.incoming.valid, self._at, error=error, retry_after_s=RETRY_AFTER_S
        )
        expires = self.header.expires_at
        until = min(self._at + DEFERRED_FOR, expires) if expires else self._at + DEFERRED_FOR
        stream = self._stream.defer(self.incoming.seq, until)
        more = Consequences(stream=self._row(stream))
        self._write(InboxState.DEFERRED, more, receipt, reason=error.code)
        _log.warning("deferred", **self.incoming.named(), **told(error))
        return Settled(receipt)

    def interrupted(self, error: HubError) -> None:
        """Note that the sink may be called again; nothing is said, the broker brings it back."""
        self._write(InboxState.DEFERRED, Consequences(), reason=error.code)

    def park(self, error: HubError) -> Settled:
        """Keep it for a person and give the alarm; its successors go on."""
        _log.error("parked", **self.incoming.named(), **told(error))
        incoming, at = self.incoming, self._at
        kept = KeptRow(incoming.valid.digest, error.code, at, incoming.arrival.raw, incoming.key)
        record = parked(f"inbox:{incoming.key}", self.header.type.value, error, at)
        more = replace(self._settled(), kept=kept, parked=(record,))
        self._write(InboxState.PARKED, more, reason=error.code)
        return Settled()

    def _write(
        self,
        state: InboxState,
        more: Consequences,
        receipt: SignedEnvelope | None = None,
        *,
        reason: str = "",
        reference: str = "",
    ) -> None:
        row = InboxRow(
            key=self.incoming.key,
            digest=self.incoming.valid.digest,
            state=state,
            at=self._at,
            receipt_id=receipt.message_id.value if receipt else "",
            receipt=receipt.raw if receipt else b"",
            reference=reference,
            reason=reason,
        )
        self._edge.store.put_inbox(row, more)

    def _settled(self) -> Consequences:
        return Consequences(stream=self._row(self._stream.settle(self.incoming.seq)))

    def _row(self, stream: Stream) -> StreamRow | None:
        """Return what to write of the stream; nothing for a message without a number."""
        return StreamRow(self.incoming.stream, stream.text()) if self.incoming.seq else None
