"""How strictly a packet is read; every default is the house's rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from hub.codes import AgencyCode, Environment
from hub.safexml import DOCUMENT, MIB, Limits
from hub.schemas.edxml.vocabulary import ADMINISTRATIVE_ROWS, LEGAL_ROWS, REQUIRED


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Settings of :func:`hub.schemas.edxml.read`."""

    today: date
    """In Vietnam. A promulgation date later than the day after it is refused."""
    environment: Environment = Environment.TRIAL
    """Test codes are accepted in the trial environment only."""
    same_agency: Callable[[AgencyCode], object] = str
    """Gives equal values for codes of one agency; by a directory, aliases count as duplicates."""
    accept_edoc: bool = False
    """Read the older namespace ``http://www.e-doc.vn/Schema/`` too."""
    refuse_damaged: bool = False
    """Refuse a PDF that went through a text conversion instead of only reporting it."""
    keep_content: bool = False
    """Hand out the attachments' bytes; otherwise only their size, digest and kind."""
    required: frozenset[str] = REQUIRED
    max_recipients: int = 1000
    priority_from_one: bool = False
    """The sender's database counts priorities 1 to 5 instead of 0 to 4."""
    changed: frozenset[str] = frozenset({"1"})
    """Values of ``DocumentInfo`` that mean that the content changes."""
    administrative_rows: Mapping[int, str] = field(default_factory=lambda: ADMINISTRATIVE_ROWS)
    legal_rows: Mapping[int, str] = field(default_factory=lambda: LEGAL_ROWS)
    limits: Limits = DOCUMENT
    max_unwrapped: int = 50 * MIB
    """Bytes of the one entry of a wrapper archive."""
    max_ratio: int = 100
    """How many times its packed size the entry of a wrapper archive may have."""
