"""Finding personal data of a record where none may stand: keys, labels, codes, references."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from hub.envelope import Payload, Value

NAMES = frozenset(
    {"FullName", "PersonalNumber", "OtherNumber", "Phone", "Email", "Line", "SignedBy"}
)
_NUMBER = re.compile(r"(?<![0-9A-Za-z])([0-9]{12}|[0-9]{9})(?![0-9A-Za-z])")
_SHORTEST = 4


def of(payload: Payload) -> set[str]:
    """Return the personal values of a payload."""
    return set(_values(payload.fields, ""))


def _values(value: Value, name: str) -> Iterator[str]:
    if isinstance(value, str):
        if name in NAMES and len(value) >= _SHORTEST:
            yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _values(inner, key)
    else:
        for inner in value:
            yield from _values(inner, name)


def leaks(text: str, known: set[str]) -> bool:
    """Whether a text holds one of the known values, or what looks like a personal number."""
    folded = text.casefold()
    return bool(_NUMBER.search(text)) or any(value.casefold() in folded for value in known)
