"""Receipts on their way in: what they say of our own messages, if they may be believed.

A receipt never causes a receipt. A bad one (about nothing that was sent from here, about other
bytes, from somebody who has no say) is quarantined, with an alarm. One that comes before
``receipt.accepted``, from an agency that the message does not name, is held back for a while: only
``receipt.accepted`` tells to whom a message was redirected.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub import log
from hub.adapters.edge import Edge
from hub.adapters.edge_receipts import (
    FINAL,
    NEGATIVE,
    Answer,
    check_subject,
    may_say,
    pack,
    standing,
    unpack,
)
from hub.adapters.faults import guarded
from hub.adapters.incoming import Incoming, Settled, quarantine
from hub.adapters.ordering import Stream
from hub.codes import AgencyCode
from hub.envelope import Receipt
from hub.errors import HubError, ReceiptRefused
from hub.schemas.receipts import read_receipt
from hub.store.edge_rows import AnswerRow, OutboxRow, StreamRow

_log = log.get("inbound")


@dataclass
class Answers:
    """Deals with one receipt after the other. Raises ``StoreUnavailable``."""

    edge: Edge

    def settle(self, incoming: Incoming, at: datetime, *, waited: bool) -> Settled | None:
        """Deal with a receipt; ``None``: it is held back (never when it ``waited``)."""
        try:
            believed = guarded(lambda: self._believe(incoming, at))
        except HubError as error:
            if error.code.startswith("store."):
                raise
            return quarantine(incoming.arrival, error, self.edge, at)
        self._pass(incoming)
        if believed:
            return Settled()
        if not waited:
            return None
        stranger = ReceiptRefused(reason="not a receiver of this message")
        return quarantine(incoming.arrival, stranger, self.edge, at)

    def _believe(self, incoming: Incoming, at: datetime) -> bool:
        """Record a receipt; ``False``: whether to believe it cannot be told yet."""
        edge, header = self.edge, incoming.valid.header
        receipt = read_receipt(incoming.valid)
        row = edge.store.find_by_message_id(receipt.subject_id.value)
        if row is None:
            raise ReceiptRefused(reason="no such message was sent from here")
        check_subject(header, receipt, row, edge.agency)
        known = [
            Answer(unpack(one.told), AgencyCode.parse(one.sender))
            for one in edge.store.answers(row.message_id)
        ]
        to = edge.signer.validator.check_draft(row.raw).recipients
        if not may_say(receipt, header.sender, edge.hub, to, known):
            return False
        state = standing(to, [*known, Answer(receipt, header.sender)])
        if row.state in FINAL and state in FINAL and state is not row.state:
            told = {"recorded": row.state.value, "told": receipt.type.value}
            _log.error("contradiction", message_id=row.message_id, **told)
            state = None
        answer = AnswerRow(
            subject=row.message_id,
            receipt_id=header.message_id.value,
            type=header.type.value,
            sender=header.sender.value,
            at=at,
            told=pack(receipt),
            raw=incoming.arrival.raw,
        )
        reason = receipt.reason if receipt.type.value in NEGATIVE else ""
        moved = edge.store.record_answer(answer, state, reason)
        self._note(receipt, row, moved=moved)
        return True

    def _note(self, receipt: Receipt, row: OutboxRow, *, moved: bool) -> None:
        write = _log.warning if receipt.type.value in NEGATIVE else _log.info
        name, code = receipt.type.value, receipt.reason
        write("receipt", message_id=row.message_id, type=name, code=code, moved=moved)

    def _pass(self, incoming: Incoming) -> None:
        """Tell the stream that the receipt's number is settled: nobody waits for a receipt."""
        if not incoming.seq:
            return
        stream = Stream.parse(self.edge.store.stream(incoming.stream))
        if (after := stream.settle(incoming.seq)) != stream:
            self.edge.store.put_stream(StreamRow(incoming.stream, after.text()))
