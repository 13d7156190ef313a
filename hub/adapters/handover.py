"""Hand messages over to the sink, exactly once each (architecture §8).

Row ``taken`` → ``Sink.apply`` → ``done`` with the signed receipt's bytes and the replies, in one
local transaction. What becomes of a message, and what its sender hears:

* applied → ``receipt.delivered``; refused by the sink, of a type that is not taken here, or
  recalled before it came → ``receipt.refused``. Both are kept and repeated byte for byte.
* ``SinkUnavailable`` → ``receipt.deferred``, and the hub brings it back; or, when the probe says
  that the whole system is down, nothing: the lane stops reading. The sink vouches by this error
  that it may be called again under the same key; where it cannot tell, it raises ``SinkUnknown``.
* found ``taken`` (a crash in between) → ``Sink.lookup``; a sink that cannot tell → parked.
* any other error → parked: bytes kept, alarm given, acknowledged. The sender hears nothing more
  than the hub's ``receipt.accepted`` (and its answer to a ``receipt.query``) until a person has
  decided: no receipt says *perhaps*, and ``receipt.deferred`` would promise another attempt.
* past ``ExpiresAt`` → not handed over and not answered: it is the hub that declares
  ``receipt.expired``, ten minutes later. Two voices about one fact could contradict each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub import log
from hub.adapters.contract import Sink, types_match
from hub.adapters.edge import Edge
from hub.adapters.faults import guarded
from hub.adapters.inbox_step import InboxStep
from hub.adapters.incoming import Incoming, Settled, SystemDown, quarantine
from hub.adapters.ordering import Turn
from hub.errors import (
    DuplicateConflict,
    HubError,
    OrderWaits,
    Recalled,
    SinkRefused,
    SinkUnavailable,
    SinkUnknown,
)
from hub.store.edge_rows import InboxRow, InboxState, RecallRow

RECALL = "document.recall"
RECALLABLE = frozenset({"document.new", "document.update", "document.replace"})

_log = log.get("inbound")


@dataclass
class Handover:
    """Deals with one message after the other. Raises ``StoreUnavailable`` and ``SystemDown``."""

    edge: Edge

    def settle(self, incoming: Incoming, at: datetime, *, waited: bool) -> Settled | None:
        """Deal with a message; ``None``: it is held back behind a gap (never after ``waited``)."""
        row = self.edge.store.inbox(incoming.key)
        if row is not None and row.digest != incoming.valid.digest:
            return quarantine(incoming.arrival, DuplicateConflict(), self.edge, at)
        step = InboxStep(self.edge, incoming, at)
        try:
            before = self._repeat(step, row) if row is not None else None
            return before or self._unseen(step, at) or self._in_turn(step, waited=waited)
        except SinkUnavailable as error:
            if self.edge.health().ok:
                return step.defer(error)
            step.interrupted(error)
            raise SystemDown from error

    def _repeat(self, step: InboxStep, row: InboxRow) -> Settled | None:
        """Answer what was dealt with before; ``None``: it is to be handed over (again)."""
        if row.state in (InboxState.TAKEN, InboxState.DEFERRED):
            return self._looked_up(step, row.state)
        _log.info("repeated", **step.incoming.named(), state=row.state.value)
        if row.state is not InboxState.DONE:
            return Settled()
        return Settled(self.edge.signer.stored(row.receipt_id, row.receipt))

    def _looked_up(self, step: InboxStep, state: InboxState) -> Settled | None:
        """Ask the sink what an earlier attempt did; ``None``: nothing, so it may be called."""
        sink, key = self.edge.parts.sink, step.incoming.key
        if sink is None:
            return None
        try:
            found = guarded(lambda: sink.lookup(key))
        except SinkUnavailable:
            raise
        except SinkUnknown as error:
            if state is InboxState.DEFERRED:
                return None
            if not self.edge.health().ok:
                raise SystemDown from error
            return step.park(error)
        except HubError as error:
            return step.park(error)
        _log.info("looked_up", **step.incoming.named(), found=found is not None)
        return None if found is None else step.done(found)

    def _unseen(self, step: InboxStep, at: datetime) -> Settled | None:
        """Deal with what no sink is asked about: expired, of a foreign type, recalled."""
        header = step.header
        if header.expires_at is not None and header.expires_at <= at:
            return step.expire()
        type_ = header.type.value
        if self.edge.parts.sink is None or not types_match(self.edge.parts.accepts, type_):
            en, vi = f"{type_} is not taken here", f"nơi này không nhận loại {type_}"
            return step.refuse(SinkRefused(reason=en, reason_vi=vi))
        return step.refuse(Recalled()) if self._recalled(step) else None

    def _recalled(self, step: InboxStep) -> bool:
        """Whether its sender has recalled it: the recall came by the urgent queue, ahead of it.

        What the sender made after the recall, under the same document id, is not recalled.
        """
        if step.header.type.value not in RECALLABLE:
            return False
        document = step.incoming.valid.payload().fields.get("DocumentId")
        recalled = self.edge.store.recalled_at(step.header.sender.value, str(document))
        return recalled is not None and step.header.created_at <= recalled

    def _in_turn(self, step: InboxStep, *, waited: bool) -> Settled | None:
        """Hand it over if it is its turn; ``None``: it is held back. A recall waits for nobody."""
        turn = step.turn()
        if step.header.type.value != RECALL and turn is not Turn.READY:
            if turn is Turn.BEHIND:
                return step.defer(OrderWaits())
            if not waited:
                return None
            step.release()
        sink = self.edge.parts.sink
        return None if sink is None else self._apply(sink, step)

    def _apply(self, sink: Sink, step: InboxStep) -> Settled:
        incoming = step.incoming
        step.taken(_recall(incoming))
        try:
            handed = guarded(lambda: incoming.handed(self.edge.agency))
            applied = guarded(lambda: sink.apply(handed, incoming.key))
        except SinkRefused as error:
            return step.refuse(error)
        except SinkUnavailable:
            raise
        except HubError as error:
            return step.park(error)
        return step.done(applied)


def _recall(incoming: Incoming) -> RecallRow | None:
    header = incoming.valid.header
    if header.type.value != RECALL:
        return None
    target = incoming.valid.payload().fields.get("TargetDocumentId")
    return RecallRow(header.sender.value, str(target), header.created_at)
