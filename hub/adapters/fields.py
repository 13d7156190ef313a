"""Payload fields as adapters handle them: nested text, groups and lists, no schema in sight."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from hub.envelope import Value

Fields = dict[str, Value]


def clean(fields: Fields) -> Fields:
    """Leave out what is empty, at every depth: absent is absent, never an empty element.

    Members of a list are counted, so an empty one stays (and the schema refuses it).
    """
    kept = {name: _small(value) for name, value in fields.items()}
    return {name: value for name, value in kept.items() if value not in ("", {}, [])}


def _small(value: Value) -> Value:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return clean(dict(value))
    return [_small(item) for item in value]


def node(fields: Value, path: str) -> Value:
    """Return what stands at a path ``A/B`` of groups; empty text when it is not there."""
    here = fields
    for name in path.split("/"):
        if not isinstance(here, Mapping):
            return ""
        here = here.get(name, "")
    return here


def text_at(fields: Value, path: str) -> str:
    """Return the text at a path; empty when there is none."""
    found = node(fields, path)
    return found if isinstance(found, str) else ""


def members(fields: Value, path: str) -> Sequence[Value]:
    """Return the members of the repeated field at a path; none when it is not there."""
    found = node(fields, path)
    return () if isinstance(found, str | Mapping) else found


def element_of(type_name: str) -> str:
    """Return the payload element of a message type (``postal.tracking`` is PostalTracking)."""
    return "".join(word.capitalize() for word in re.split("[._]", type_name))
