"""docs/reference/errors.md: every leaf of the error tree, by family."""

from __future__ import annotations

import re

from hub.errors import REGISTRY, Disposition
from hub.testing.reference.markdown import NOTE, code, table

ERRORS_INTRO = f"""# Error codes · Mã lỗi

{NOTE}
Codes are stable and are never reused; sentences are for people and may be improved. Words in
*italics* are facts that the place of the error fills in. What the hub does with the cause:
"""

DISPOSITIONS = {
    Disposition.REJECT: "recorded, answered with a signed `receipt.rejected` or `receipt.refused`",
    Disposition.RETRY: "transient: tried again by itself, nothing is lost",
    Disposition.PARK: "waits for an operator, with its reason",
    Disposition.QUARANTINE: "recorded and counted, never answered",
}

_FACT = re.compile(r"\{(\w+)\}")


def page() -> str:
    """Every leaf of the error tree by family, with its sentences and what the hub does then."""
    parts = [
        ERRORS_INTRO,
        table(("disposition", "then"), [(code(key), text) for key, text in DISPOSITIONS.items()]),
    ]
    for family in sorted({name.split(".")[0] for name in REGISTRY}):
        leaves = [REGISTRY[name] for name in sorted(REGISTRY) if name.startswith(f"{family}.")]
        parts.append(f"## {family}\n")
        parts.append(
            table(
                ("code", "disposition", "tiếng Việt", "English"),
                [
                    (code(leaf.code), leaf.disposition, _facts(leaf.vi), _facts(leaf.en))
                    for leaf in leaves
                ],
            )
        )
    return "\n".join(parts)


def _facts(sentence: str) -> str:
    return _FACT.sub(r"*\1*", sentence)
