"""The hub's own facts beside a message, as AMQP headers: the only place that knows ``x-lt-*``.

They prove nothing: whoever may publish may write them, and routing uses only what the signature
covers (architecture §4). What is foreign, of another type or too long is dropped, never an error.
"""

from __future__ import annotations

from collections.abc import Mapping

PREFIX = "x-lt-"
MAX_TEXT = 100
"""Characters; ids have 36."""
MAX_NUMBER = 2**53 - 1
"""Every reader, JavaScript's too, can hold it."""

FIELDS: Mapping[str, type] = {"delivery": str, "seq": int, "attempt": int}
"""Name → type. ``delivery``: the hub's id of this delivery. ``seq``: its running number within
(sender, receiver, order key), from 1. ``attempt``: how often it was deferred before."""
DELIVERY_COUNTS = ("x-delivery-count", "x-acquired-count")
"""RabbitMQ's counts of earlier deliveries from a quorum queue; the second since version 4."""


def encode(facts: Mapping[str, object]) -> dict[str, str | int]:
    """Return the AMQP headers of an outgoing message; raises ``ValueError`` for others."""
    found: dict[str, str | int] = {}
    for name, value in facts.items():
        kept = _kept(name, value)
        if kept is None:
            raise ValueError(f"header {name}")
        found[PREFIX + name] = kept
    return found


def decode(headers: Mapping[str, object]) -> dict[str, object]:
    """Return the plain facts among the headers of an arrival."""
    found: dict[str, object] = {}
    for key, value in headers.items():
        if key.startswith(PREFIX):
            name = key.removeprefix(PREFIX)
            kept = _kept(name, value)
            if kept is not None:
                found[name] = kept
    return found


def _kept(name: str, value: object) -> str | int | None:
    kind = FIELDS.get(name)
    if kind is str and isinstance(value, str) and len(value) <= MAX_TEXT and value.isprintable():
        return value
    if kind is int and type(value) is int and 0 <= value <= MAX_NUMBER:
        return value
    return None


def redeliveries(headers: Mapping[str, object], *, redelivered: bool) -> int:
    """Return how often the broker has handed a message over before, at least 1 if it says so."""
    counts = [headers.get(name) for name in DELIVERY_COUNTS]
    known = [count for count in counts if type(count) is int and 0 <= count <= MAX_NUMBER]
    return max([*known, int(redelivered)])
