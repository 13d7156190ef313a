"""What a case says: a sentence of the contract, and why it does not hold, in two languages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hub.errors import Lang


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence in both languages."""

    vi: str
    en: str

    def text(self, lang: Lang) -> str:
        """Return the sentence in one language."""
        return self.vi if lang == "vi" else self.en


class Broken(Exception):
    """The contract does not hold: what was seen. Never holds personal data of a record."""

    def __init__(self, vi: str, en: str) -> None:
        super().__init__(en)
        self.said = Said(vi, en)


class NotConcerned(Exception):
    """The connector has no such part, so the case says nothing about it."""

    def __init__(self, vi: str, en: str) -> None:
        super().__init__(en)
        self.said = Said(vi, en)


def hold(condition: object, vi: str, en: str) -> None:
    """Raise ``Broken`` with these sentences unless the condition holds."""
    if not condition:
        raise Broken(vi, en)


@dataclass(frozen=True, slots=True)
class Case:
    """One promise of the contract, and the code that looks whether it is kept."""

    name: str
    """Stable: scripts rely on it."""
    promise: Said
    where: str
    """Which method to look at, as the author of a connector calls it."""
    check: Callable[..., None]
    shared: bool
    """It changes nothing, so it may look at the same partner as others do."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a case."""

    name: str
    ok: bool
    detail: Said

    def as_dict(self, lang: Lang) -> dict[str, object]:
        """Return the line of ``hub connector check --json``."""
        return {"name": self.name, "ok": self.ok, "detail": self.detail.text(lang)}


CASES: list[Case] = []


def case(
    name: str, where: str, vi: str, *, shared: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as a case; its docstring is the promise in English, ``vi`` in Vietnamese.

    ``where`` names what the author of a connector has to look at. ``shared``: it changes nothing.
    """

    def register(check: Callable[..., None]) -> Callable[..., None]:
        promise = Said(vi, " ".join((check.__doc__ or name).split()))
        CASES.append(Case(name, promise, where, check, shared))
        return check

    return register
