"""From the receivers that a message names to the queues that it goes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.codes import AgencyCode
from hub.envelope import URGENT, Header, Recipient
from hub.errors import DuplicateRecipient, HubError, NotAllowed, UnknownReceiver
from hub.routing.context import Context
from hub.routing.directory import Resolution
from hub.schemas.catalog import TypeSpec

URGENT_SUFFIX = ".urgent"
PING = "connectivity.ping"


@dataclass(frozen=True, slots=True)
class Route:
    """The outcome for one ``To``: a resolution, or the error that says why not."""

    named: AgencyCode
    found: Resolution | None
    error: HubError | None = None
    to_hub: bool = False
    """It names this hub itself, which answers pings."""

    @property
    def open(self) -> bool:
        """Whether the message goes there."""
        return self.error is None

    def told(self) -> Recipient:
        """Return the outcome as a receipt tells it."""
        if self.error is not None:
            return Recipient(
                code=self.named,
                outcome="rejected",
                reason=self.error.code,
                detail_vi=self.error.message("vi"),
                detail_en=self.error.message("en"),
            )
        if self.found is None:
            return Recipient(code=self.named, outcome="delivered", via="exact")
        outcome = "redirected" if self.found.via == "successor" else "queued"
        return Recipient(
            code=self.named, outcome=outcome, resolved=self.found.resolved, via=self.found.via
        )


@dataclass(frozen=True, slots=True)
class Hop:
    """One delivery: a queue, and everyone whom the message names behind it."""

    named: str
    """The codes as the sender wrote them, blank-separated."""
    receiver: str
    via: str
    queue: str


def routes_of(
    header: Header, sender: AgencyCode, context: Context, at: datetime
) -> tuple[Route, ...]:
    """Return the outcome for each ``To``, in order.

    Raises ``DuplicateRecipient`` when two of them are one agency, by themselves or by an alias.
    """
    seen: set[str] = set()
    for code in header.recipients:
        canonical = context.directory.canonical(code).value
        if canonical in seen:
            raise DuplicateRecipient(value=code)
        seen.add(canonical)
    return tuple(_route(code, header, sender, context, at) for code in header.recipients)


def _route(
    code: AgencyCode, header: Header, sender: AgencyCode, context: Context, at: datetime
) -> Route:
    if context.directory.canonical(code) == context.hub:
        return _to_hub(code, header, sender, context)
    try:
        found = context.directory.resolve(code, at)
    except HubError as error:
        return Route(code, None, error)
    if found.receiver == context.hub:
        # The hub reads no gateway of its own: what lay there would wait for ever.
        reason = "no inbox, and its centre is this hub itself"
        return Route(code, None, UnknownReceiver(reason, value=code))
    if not context.access.test(sender, found.resolved, header.type).allowed:
        refusal = NotAllowed(sender=sender, type=header.type, receiver=found.resolved)
        return Route(code, found, refusal)
    return Route(code, found)


def _to_hub(code: AgencyCode, header: Header, sender: AgencyCode, context: Context) -> Route:
    allowed = context.access.test(sender, context.hub, header.type).allowed
    if header.type.value != PING or not allowed:
        error = NotAllowed(sender=sender, type=header.type, receiver=code)
        return Route(code, None, error, to_hub=True)
    return Route(code, None, to_hub=True)


def hops(routes: Sequence[Route], *, urgent: bool) -> tuple[Hop, ...]:
    """Return one hop for each queue: closed agencies with one successor share a delivery."""
    by_queue: dict[str, list[tuple[AgencyCode, Resolution]]] = {}
    for route in routes:
        if route.open and route.found is not None:
            by_queue.setdefault(route.found.queue, []).append((route.named, route.found))
    return tuple(
        Hop(
            named=" ".join(named.value for named, _found in found),
            receiver=found[0][1].receiver.value,
            via=found[0][1].via,
            queue=queue_name(queue, urgent=urgent),
        )
        for queue, found in by_queue.items()
    )


def queue_name(queue: str, *, urgent: bool) -> str:
    """Return the queue for a priority: the urgent one lies beside the ordinary one."""
    return queue + URGENT_SUFFIX if urgent else queue


def is_urgent(header: Header, spec: TypeSpec) -> bool:
    """Whether a message goes to the urgent queue: Priority ≥ 3, or a type that always does."""
    return header.priority >= URGENT or spec.urgent_by_default
