"""One window: judge every arrival, then decide and record all of them in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter

from hub.envelope import Arrival, sha256_hex
from hub.errors import HubError, InternalFault
from hub.routing.context import Context
from hub.routing.decision import Decision, Key, Send, remembered
from hub.routing.judged import Judged
from hub.routing.pipeline import decide, judge, keys_of
from hub.routing.retry import Due, decide_due
from hub.routing.stages import Stages
from hub.routing.stored import facts_of
from hub.store.lease import Lease
from hub.store.rows import Prior, WindowRecord
from hub.store.window import WindowStore, WindowTx

RETRY_DUE = "hub.retry.due"
DELIVERY, ATTEMPT = "delivery", "attempt"
"""Names of the hub's own facts beside a message, as ``hub.broker.headers`` decodes them."""

Item = Judged | Due


@dataclass(slots=True)
class Confirmed:
    """What the broker has confirmed and the store does not know yet."""

    deliveries: list[str] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.deliveries or self.receipts)

    def clear(self) -> None:
        """Forget everything, after the store has committed it."""
        self.deliveries.clear()
        self.receipts.clear()


def judged_item(arrival: Arrival, context: Context, at: datetime, stages: Stages) -> Item:
    """Judge one arrival, or read what came down from the retry ladder; never raises."""
    if arrival.queue != RETRY_DUE:
        return judge(arrival, context, at, stages.judging)
    digest = sha256_hex(arrival.raw)
    try:
        facts = facts_of(arrival.raw)
        return Due(
            arrival=arrival,
            at=at,
            digest=digest,
            delivery=str(arrival.headers.get(DELIVERY, "")),
            sender=context.directory.canonical(facts.sender).value,
            message_id=facts.message_id.value,
            attempt=int(str(arrival.headers.get(ATTEMPT, "-1"))),
            expires_at=facts.expires_at,
        )
    except (HubError, ValueError) as error:
        # Only the hub writes to this queue: what it cannot read is kept for a person to look at.
        fault = error if isinstance(error, HubError) else InternalFault(kind="retry")
        return Judged(arrival, at, digest, error=fault)


def recorded(
    items: Sequence[Item],
    context: Context,
    store: WindowStore,
    *,
    lease: Lease | None,
    confirmed: Confirmed,
    at: datetime,
    stages: Stages,
) -> list[Decision]:
    """Decide on all items with what the store knows, and commit everything at once.

    What was confirmed before is noted first, so that a repeat in this window already sees it.
    Raises ``StoreUnavailable``, or ``SecondRouter`` when the lease has gone to another router.
    """
    started = perf_counter()
    deciding = stages.receipt
    with store.window() as tx:
        if lease is not None:
            tx.check_token(lease.name, lease.token)
        tx.confirm(confirmed.deliveries, confirmed.receipts, at)
        decisions = _decided(items, context, tx, stages)
        decisions = _numbered(decisions, tx)
        tx.record(merged(one.record for one in decisions))
    stages.store += perf_counter() - started - (stages.receipt - deciding)
    return decisions


def _decided(
    items: Sequence[Item], context: Context, tx: WindowTx, stages: Stages
) -> list[Decision]:
    keys = [key for item in items for key in _keys(item, context)]
    memory: dict[Key, Prior] = tx.priors(list(dict.fromkeys(keys)))
    started = perf_counter()
    decisions = []
    for item in items:
        decision = _decide(item, memory, context)
        memory.update(remembered(memory, decision))
        decisions.append(decision)
    stages.receipt += perf_counter() - started
    return decisions


def _keys(item: Item, context: Context) -> tuple[Key, ...]:
    return (item.key,) if isinstance(item, Due) else keys_of(item, context)


def _decide(item: Item, memory: dict[Key, Prior], context: Context) -> Decision:
    if isinstance(item, Due):
        return decide_due(item, memory)
    return decide(item, memory, context)


def _numbered(decisions: Sequence[Decision], tx: WindowTx) -> list[Decision]:
    numbers = iter(tx.next_seqs([key for one in decisions for key in one.order_keys]))
    return [one.numbered([next(numbers) for _row in one.record.deliveries]) for one in decisions]


def merged(records: Iterable[WindowRecord]) -> WindowRecord:
    """Join records in order; of two rows of one message the later one counts."""
    every = list(records)
    messages = {row.id: row for one in every for row in one.messages}
    return WindowRecord(
        messages=tuple(messages.values()),
        deliveries=tuple(row for one in every for row in one.deliveries),
        receipts=tuple(row for one in every for row in one.receipts),
        quarantined=tuple(row for one in every for row in one.quarantined),
        events=tuple(row for one in every for row in one.events),
        changes=tuple(row for one in every for row in one.changes),
        audit=tuple(row for one in every for row in one.audit),
    )


def sends_of(decisions: Iterable[Decision]) -> list[Send]:
    """Return what is to be published; a delivery repeated within the window goes out once."""
    chosen: dict[object, Send] = {}
    for decision in decisions:
        for send in decision.sends:
            same = (send.delivery, send.rung_s) if send.delivery else id(send)
            chosen.setdefault(same, send)
    return list(chosen.values())
