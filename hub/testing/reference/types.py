"""docs/reference/types.md: the closed table of message types."""

from __future__ import annotations

from collections.abc import Iterator

from hub.schemas.catalog import catalogue
from hub.testing.reference.markdown import NOTE, code, table

TYPES_INTRO = f"""# Message types · Loại thông điệp

{NOTE}
The table is closed: another type is refused (`schema.unknown_type`). `hub example TYPE` prints a
valid envelope of each. *Receipts* are those that come when all goes well; negative ones may come
instead. *Urgent* types go to the urgent queue whatever their `Priority`; a *status* reports what
already happened. Fields: the XSD files in `hub/schemas/xsd/v1/`.
"""


def page() -> str:
    """The closed table of message types, one section for each namespace."""
    parts = [
        TYPES_INTRO,
    ]
    found = catalogue().values()
    for namespace in dict.fromkeys(spec.namespace for spec in found):
        rows = [
            (
                code(spec.name),
                code(spec.element),
                spec.title_vi,
                spec.title_en,
                ", ".join(spec.senders),
                ", ".join(code(name) for name in spec.receipts),
                ", ".join(_marks(urgent=spec.urgent_by_default, status=spec.is_status)),
            )
            for spec in found
            if spec.namespace == namespace
        ]
        columns = ("type", "payload", "tiếng Việt", "English", "sent by", "receipts", "kind")
        parts += [f"## `{namespace}`\n", table(columns, rows)]
    return "\n".join(parts)


def _marks(*, urgent: bool, status: bool) -> Iterator[str]:
    if urgent:
        yield "urgent"
    if status:
        yield "status"
