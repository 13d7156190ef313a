"""Who may send what to whom: deny by default, and a rule that denies beats any that allows.

Patterns are an exact code, a prefix ``H12.*`` (everything below H12, not H12 itself), a kind
``@commune`` or ``*``; types are ``dossier.received``, ``dossier.*`` or ``*``. Receipts need no
rule: they are allowed by what was delivered (:mod:`hub.routing.receipts`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files

from hub.codes import AgencyCode, MessageType
from hub.store.rows import AccessRow

MAX_REMEMBERED = 100_000
"""Verdicts kept for the hot path; beyond it the memory starts anew."""

Matches = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something may be sent, and the rule that says so."""

    allowed: bool
    rule: AccessRow | None
    """The rule that denied, or the first that allows; ``None``: no rule speaks of it."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    row: AccessRow
    sender: Matches
    receiver: Matches
    type: Matches


class AccessRules:
    """The rules of one moment, with the agencies' kinds that they may refer to."""

    def __init__(self, rules: Iterable[_Compiled]) -> None:
        ordered = list(rules)
        self._ordered = [one for one in ordered if not one.row.allow]
        self._ordered += [one for one in ordered if one.row.allow]
        self._remembered: dict[tuple[str, str, str], Verdict] = {}

    @classmethod
    def of(cls, rules: Iterable[AccessRow], kinds: Mapping[str, str]) -> AccessRules:
        """Compile rules; ``kinds`` gives the kind of an agency by its canonical code."""
        return cls(
            _Compiled(
                row, _party(row.sender, kinds), _party(row.receiver, kinds), _family(row.type)
            )
            for row in rules
        )

    def test(self, sender: AgencyCode, receiver: AgencyCode, type_: MessageType) -> Verdict:
        """Return whether ``sender`` may send this type to ``receiver`` (canonical codes)."""
        key = (sender.value, receiver.value, type_.value)
        verdict = self._remembered.get(key)
        if verdict is None:
            verdict = self._judge(*key)
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = verdict
        return verdict

    def _judge(self, sender: str, receiver: str, type_: str) -> Verdict:
        """The first rule that fits decides: those that deny come first."""
        for rule in self._ordered:
            if rule.type(type_) and rule.sender(sender) and rule.receiver(receiver):
                return Verdict(rule.row.allow, rule.row)
        return Verdict(allowed=False, rule=None)


def _party(pattern: str, kinds: Mapping[str, str]) -> Matches:
    if pattern == "*":
        return lambda _code: True
    if pattern.startswith("@"):
        kind = pattern[1:]
        return lambda code: kinds.get(code) == kind
    if pattern.endswith(".*"):
        prefix = pattern[:-1].upper()
        return lambda code: code.startswith(prefix)
    exact = pattern.upper()
    return lambda code: code == exact


def _family(pattern: str) -> Matches:
    if pattern == "*":
        return lambda _type: True
    if pattern.endswith(".*"):
        prefix = pattern[:-1]
        return lambda name: name.startswith(prefix)
    return lambda name: name == pattern


def demo_rules() -> tuple[AccessRow, ...]:
    """Return the rules shipped for the demo's directory; their ids are 0 until stored."""
    text = files("hub.routing").joinpath("demo_rules.toml").read_text("utf-8")
    return tuple(
        AccessRow(0, sender, receiver, type_, allow=rule.get("allow", True), note=rule["note"])
        for rule in tomllib.loads(text)["rule"]
        for sender in rule["from"]
        for receiver in rule["to"]
        for type_ in rule["types"]
    )
