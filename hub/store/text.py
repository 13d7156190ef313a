"""Text from outside as both databases can hold it."""

from __future__ import annotations


def storable(text: str, limit: int | None = None) -> str:
    """Return at most ``limit`` characters of ``text``, with U+FFFD for NUL and lone surrogates.

    PostgreSQL refuses the one, every driver the other; both can stand in AMQP properties, which
    nobody holds to UTF-8. A window must not fail for them.
    """
    kept = text if limit is None else text[:limit]
    if not kept.isprintable():
        kept = kept.replace("\0", "\ufffd")
        kept = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in kept)
    return kept
