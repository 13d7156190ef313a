"""The outgoing lane: source → outbox → hub, and back to the source what became of it.

What a poll found becomes signed bytes in the outbox in one transaction with the checkpoint; from
then on only those bytes are published, as often as it takes. So a crash at any point loses nothing
and nothing is signed twice under one id: before the transaction the source is simply asked again,
after it the bytes are there. A record that cannot be mapped, composed or validated is parked with
its reason, in the same transaction, and never stops the others.

Windows are published in the order of the outbox. A message that the broker did not take stays and
is tried again with growing waits; those behind it in the same window may then be ahead of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from hub import log
from hub.adapters.contract import Confirmation, Item, Reason, Source, WantsReason
from hub.adapters.edge import Backoff, Edge
from hub.adapters.edge_receipts import unpack
from hub.adapters.faults import guarded, parked, told
from hub.adapters.port import Client
from hub.broker.ports import Outcome
from hub.envelope import sha256_hex
from hub.errors import HubError, InternalFault, SinkUnavailable
from hub.store.edge_rows import Notice, OutboxRow, ParkedRow

POLL_LIMIT = 50
"""Records asked for at once."""
WINDOW = 100
"""Messages published before the confirms are waited for (and at most 16 MiB)."""
MAX_KEY = 300
"""Characters of an item's key."""

_log = log.get("outbound")


class OutboundLane:
    """Polls, publishes and tells. Every method is one bounded piece of work."""

    def __init__(self, edge: Edge, poll_s: float) -> None:
        self._edge = edge
        self._every = timedelta(seconds=poll_s)
        self._due: datetime | None = None
        self._polling = Backoff()
        self._publishing = Backoff(longest_s=30.0)
        self._telling = Backoff()

    # --- source → outbox ------------------------------------------------------------------------

    def poll(self) -> None:
        """Ask the source, if it is time, and put what it found into the outbox.

        A source that is away, or that fails in any way, is probed and asked again after a growing
        wait. Raises ``StoreUnavailable``.
        """
        source, at = self._edge.parts.source, self._edge.clock()
        if source is None or (self._due is not None and at < self._due):
            return
        if not self._polling.ready(at):
            return
        if self._polling.failing and not self._edge.health().ok:
            _log.warning("source_down", again_in_s=self._polling.failed(at))
            return
        mark = self._edge.store.checkpoint()
        try:
            batch = guarded(lambda: source.poll(mark, POLL_LIMIT))
            new = self._take(batch.items, batch.checkpoint, mark)
        except HubError as error:
            if error.code.startswith("store."):
                raise
            self._poll_failed(error, at)
            return
        self._polling.succeeded()
        more = new > 0 and len(batch.items) >= POLL_LIMIT
        self._due = at if more else at + self._every

    def _poll_failed(self, error: HubError, at: datetime) -> None:
        seconds = self._polling.failed(at)
        if isinstance(error, SinkUnavailable):
            _log.warning("source_unavailable", **told(error), again_in_s=seconds)
        else:
            _log.error("poll_failed", **told(error), again_in_s=seconds)

    def _take(self, items: Sequence[Item], checkpoint: str, before: str | None) -> int:
        """Record a batch and return how many of its keys were new."""
        seen = self._edge.store.known([item.key for item in items]) if items else set()
        rows: list[OutboxRow] = []
        records: list[ParkedRow] = []
        for item in items:
            if item.key in seen:
                continue
            seen.add(item.key)
            made = self._made(item)
            if isinstance(made, OutboxRow):
                rows.append(made)
            else:
                records.append(made)
        if rows or records or checkpoint != before:
            self._edge.store.take_batch(rows, records, checkpoint)
        for row in rows:
            _log.info("taken", message_id=row.message_id, type=row.type)
        for record in records:
            _log.warning("parked", code=record.code)
        return len(rows) + len(records)

    def _made(self, item: Item) -> OutboxRow | ParkedRow:
        """Return the signed message of an item, or why it waits for a person."""
        at = self._edge.clock()
        try:
            return guarded(lambda: self._signed(item, at))
        except HubError as error:
            fits = 0 < len(item.key) <= MAX_KEY
            key = item.key if fits else f"key:{sha256_hex(item.key.encode())}"
            return parked(key, item.label, error, at)

    def _signed(self, item: Item, at: datetime) -> OutboxRow:
        if item.error is not None:
            raise item.error
        if not 0 < len(item.key) <= MAX_KEY:
            raise InternalFault(kind=f"key of {len(item.key)} characters")
        if item.draft is None:
            raise InternalFault(kind="neither draft nor error")
        return self._edge.signer.message(item.key, item.draft, at, source=True)

    # --- outbox → hub ---------------------------------------------------------------------------

    def publish(self, client: Client) -> bool:
        """Publish one window of what the broker has not confirmed yet.

        Returns whether there is more to publish at once. Raises ``BrokerUnavailable`` or
        ``StoreUnavailable``; whatever is not noted as confirmed is published again.
        """
        edge = self._edge
        if not self._publishing.ready(edge.clock()):
            return False
        rows = edge.store.unpublished(WINDOW)
        if not rows:
            return False
        sending = [edge.signer.stored(row.message_id, row.raw, row.priority) for row in rows]
        outcomes = client.publish(sending)
        at = edge.clock()
        confirmed = [
            row.key for row, out in zip(rows, outcomes, strict=True) if out is Outcome.CONFIRMED
        ]
        edge.store.mark_published(confirmed, at)
        for row, outcome in zip(rows, outcomes, strict=True):
            if outcome is Outcome.CONFIRMED:
                _log.info("published", message_id=row.message_id, type=row.type)
            else:
                _log.warning("not_published", message_id=row.message_id, outcome=outcome.value)
        if len(confirmed) < len(rows):
            self._publishing.failed(at)
            return False
        self._publishing.succeeded()
        return True

    # --- what became of it → source -------------------------------------------------------------

    def tell(self) -> None:
        """Tell the source what became of its items, oldest first.

        A source that is away is told later. One whose code fails is not told this again: the
        notice is parked for a person. Raises ``StoreUnavailable``.
        """
        source, at = self._edge.parts.source, self._edge.clock()
        if source is None or not self._telling.ready(at):
            return
        for notice in self._edge.store.notices():
            if self._edge.stop.is_set():
                return
            reason = self._reason(notice)
            try:
                _tell(source, notice, reason)
            except SinkUnavailable as error:
                _log.warning("not_told", **told(error), again_in_s=self._telling.failed(at))
                return
            except HubError as error:
                _log.error("telling_failed", **told(error), confirmation=notice.confirmation)
                key = f"confirm:{notice.confirmation}:{notice.key}"
                self._edge.store.told(notice, parked(key, notice.key, error, at))
            else:
                self._edge.store.told(notice)
        self._telling.succeeded()

    def _reason(self, notice: Notice) -> Reason | None:
        if notice.confirmation != Confirmation.PARKED:
            return None
        row = self._edge.store.find_parked(notice.key)
        return Reason(row.code, row.vi, row.en, row.at) if row is not None else None


def _tell(source: Source, notice: Notice, reason: Reason | None) -> None:
    if reason is not None and isinstance(source, WantsReason):
        guarded(lambda: source.confirm_parked(notice.key, reason))
        return
    receipt = unpack(notice.told) if notice.told else None
    guarded(lambda: source.confirm(notice.key, Confirmation(notice.confirmation), receipt))
