"""Personal numbers and quoted values, taken out of free text before it leaves or is kept.

What leaves in a remark, a log or a receipt's reason goes through here (sheet on the post, §7:
remarks were found filled with the citizen's number).
"""

from __future__ import annotations

import re

MARK = "[…]"
MAX_COMPLAINT = 120
"""Characters of a partner's complaint that are kept."""

_PERSONAL = re.compile(
    r"(?<!\d)(?:(?:\d[\s.]?){11}\d|(?:\d[\s.]?){8}\d|\d{3}(?:-\d{3}){2,3})(?!\d)"
)
"""12 (CCCD) or 9 (CMND) digits, also grouped by blanks or dots; by hyphens in threes only, because
dossier codes have hyphens between longer groups."""
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\([^()]*\)")
_IDENTIFIER = re.compile(r".[A-Za-z]\w*[_.][\w.]*.", re.ASCII)
"""A quoted name of a table, column or constraint; anything else in quotes may be a row's value."""


def redact(text: str) -> str:
    """Replace personal numbers (12 or 9 digits, however grouped) by a mark; phones stay."""
    return _PERSONAL.sub(MARK, text)


def complaint(words: object) -> str:
    """Return the first line of a partner's own words, shortened, without values and numbers.

    Databases quote the offending value (``Duplicate entry '…' for key``); only names of tables,
    columns and constraints are kept.
    """
    line = (str(words).splitlines() or [""])[0]
    named = _QUOTED.sub(lambda found: found[0] if _IDENTIFIER.fullmatch(found[0]) else MARK, line)
    return redact(named)[:MAX_COMPLAINT]
