"""docs/reference/headers.md: the hub's AMQP headers, and what it asks of the broker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hub.broker.headers import FIELDS, PREFIX
from hub.broker.topology_model import Topology, desired, policy_of
from hub.settings import BrokerSection
from hub.testing.reference.markdown import NOTE, code, table

HEADERS_INTRO = f"""# Headers and queues · Tiêu đề AMQP và hàng đợi

{NOTE}
What the hub writes beside a message, in AMQP headers. They prove nothing and nothing is routed by
them; a receiver may use them to see repeats and gaps. They are never copied from an arrival, and
headers that a sender writes are ignored.
"""

MEANINGS = {
    "delivery": "the hub's id of this delivery; the same again when the delivery is repeated",
    "seq": "running number within sender, receiver and order key, from 1; a gap is a message that "
    "is late or was given up",
    "attempt": "how often this delivery was deferred before",
}
KINDS = {str: "text", int: "whole number"}


def page() -> str:
    """The hub's AMQP headers, and the exchanges, queues, policies and rights that it asks for."""
    rows = [(code(PREFIX + name), KINDS[kind], MEANINGS[name]) for name, kind in FIELDS.items()]
    settings = BrokerSection()
    made = desired(["CODE"], ["CENTRE"], shards=settings.shards, rungs=settings.rungs_s)
    parts = [
        HEADERS_INTRO,
        table(("header", "type", "meaning"), rows),
        "## Exchanges\n",
        table(("exchange", "type"), [(code(one.name), one.kind) for one in made.exchanges]),
        "## Queues\n",
        table(("queue", "bound to", "with key", "arguments", "policy"), _queues(made)),
        "## Policies\n",
        table(("policy", "queues", "definition"), _policies(made)),
        "## Rights of accounts\n",
        table(("account", "configure", "write", "read"), _rights(made)),
    ]
    return "\n".join(parts)


def _queues(made: Topology) -> Iterator[tuple[str, ...]]:
    bound = {one.queue: one for one in made.bindings}
    for queue in made.queues:
        binding, policy = bound.get(queue.name), policy_of(queue.name, made.policies)
        yield (
            code(queue.name),
            code(binding.exchange) if binding else "",
            code(binding.key) if binding else "",
            _pairs(queue.arguments),
            code(policy.name),
        )


def _policies(made: Topology) -> Iterator[tuple[str, ...]]:
    for policy in made.policies:
        yield code(policy.name), code(policy.pattern), _pairs(policy.definition)


def _rights(made: Topology) -> Iterator[tuple[str, ...]]:
    for right in made.permissions:
        yield tuple(map(code, (right.account, right.configure, right.write, right.read)))


def _pairs(values: Iterable[tuple[str, object]]) -> str:
    return ", ".join(f"`{name}` {_told(value)}" for name, value in values)


def _told(value: object) -> str:
    if value is True:
        return "true"
    return str(value) or "the default one"
