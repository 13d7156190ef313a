"""The root of the error tree: what every error of the hub carries, and where it was found.

An error's docstring is its English sentence; ``vi`` is the Vietnamese one. Both may name facts in
braces (``{value}``), which the raiser gives as keyword arguments; a fact that reads otherwise in
Vietnamese is given twice (``reason`` and ``reason_vi``). Facts never hold personal data: codes,
counts, limits, file names and paths only.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Literal, Self

Lang = Literal["vi", "en"]


class Disposition(StrEnum):
    """What the hub does with the thing that caused the error."""

    REJECT = "reject"
    """The sender's fault: recorded and answered with a signed negative receipt."""
    RETRY = "retry"
    """Transient: tried again, nothing is lost."""
    PARK = "park"
    """Waits for an operator, with its reason."""
    QUARANTINE = "quarantine"
    """XML, profile, signature or trust: recorded and counted, never answered."""


def printable(text: str) -> str:
    """Return ``text`` with blanks for line ends and U+FFFD for whatever else cannot be seen.

    A fact may quote what a stranger sent. In this form it cannot steer a terminal, begin a line of
    its own in a log, or hold a character that the XML of a receipt cannot carry.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _seen(char) for char in text)


def _seen(char: str) -> str:
    return " " if char.isspace() else "\ufffd"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the input the error lies. Lines and columns count from 1; 0 means not known."""

    file: str = ""
    line: int = 0
    column: str = ""
    """A column name of a table or CSV file, a key of a TOML file, or a command-line option."""
    path: str = ""
    """An XPath-like path inside an XML document."""

    def __str__(self) -> str:
        parts = [self.file, str(self.line) if self.line else "", self.column, self.path]
        return printable(":".join(part for part in parts if part))


NOWHERE = Place()

REGISTRY: dict[str, type[HubError]] = {}
"""Every leaf of the tree by its stable code; filled as the families are imported."""


class _Facts(dict[str, object]):
    """Format arguments in which a fact nobody gave reads as ``?`` instead of failing."""

    def __missing__(self, key: str) -> str:
        return "?"


class HubError(Exception):
    """The hub failed."""

    code: ClassVar[str] = ""
    vi: ClassVar[str] = ""
    en: ClassVar[str] = ""
    disposition: ClassVar[Disposition] = Disposition.PARK

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "code" not in cls.__dict__:
            return
        if cls.code in REGISTRY:
            msg = f"error code {cls.code} is taken by {REGISTRY[cls.code].__name__}"
            raise TypeError(msg)
        cls.en = " ".join((cls.__doc__ or cls.code).split())
        REGISTRY[cls.code] = cls

    def __init__(self, detail: str = "", *, place: Place = NOWHERE, **facts: object) -> None:
        self.detail = detail
        """The technical remainder in English (a library's own words, shortened); may be empty."""
        self.place = place
        self.facts = facts
        super().__init__(self.message("en"))

    def message(self, lang: Lang = "vi") -> str:
        """Return the sentence for a person in ``lang``, with the place and the detail behind it."""
        facts = _Facts(self.facts)
        if lang == "vi":
            facts.update({name[:-3]: own for name, own in facts.items() if name.endswith("_vi")})
        sentence = (self.vi if lang == "vi" else self.en).format_map(facts)
        where = f" [{self.place}]" if str(self.place) else ""
        rest = f" ({self.detail})" if self.detail else ""
        return printable(f"{sentence}{where}{rest}")

    def at(self, **place: str | int) -> Self:
        """Return self with the named parts of its place filled in, where they were still empty."""
        known = {name: getattr(self.place, name) for name in ("file", "line", "column", "path")}
        merged = {name: value or place.get(name, value) for name, value in known.items()}
        self.place = Place(**merged)
        self.args = (self.message("en"),)
        return self

    def as_dict(self) -> dict[str, str]:
        """Return the error as flat text for logs, receipts and ``--json`` output."""
        return {
            "code": self.code,
            "disposition": self.disposition.value,
            "vi": self.message("vi"),
            "en": self.message("en"),
            "place": str(self.place),
        }
