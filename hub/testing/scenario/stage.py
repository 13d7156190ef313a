"""The stage: one step after the other, each with what was expected and what was seen."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from hub.broker.address import broker_address
from hub.schemas.validate import Validator
from hub.settings import Settings, load
from hub.signing.verifier import Verifier
from hub.store import messages
from hub.store.engine import Store
from hub.store.trust import load_trust
from hub.testing.scenario.agency import Agency
from hub.testing.scenario.cast import Places

PATIENCE_S = 60.0
"""How long a step waits for what must come; a healthy system needs a second or two."""
LOOK_S = 0.1
T = TypeVar("T")


class NotSeen(Exception):
    """What was expected did not happen; the text says what was seen instead."""


@dataclass
class Stage:
    """Everything that the steps need: the home, the partners, the agencies that they play."""

    settings: Settings
    store: Store
    verifier: Verifier
    places: Places
    _open: ExitStack = field(default_factory=ExitStack)
    _agencies: dict[str, Agency] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    """What a step leaves for the end: the dossier whose trace is shown."""

    @classmethod
    def of(cls, home: Path) -> Stage:
        """Open a prepared home; raises ``StoreUnavailable``."""
        settings = load(home)
        store = Store.open(settings.store_url)
        return cls(settings, store, Verifier(load_trust(store, settings)), Places(home))

    def agency(self, code: str) -> Agency:
        """Return an agency's own hands: its key, and its account once the broker is there."""
        if code not in self._agencies:
            address = broker_address(self.settings)
            made = Agency.of(self.settings, code, address.amqp_url, self.verifier, Validator())
            self._open.callback(made.close)
            self._agencies[code] = made
        return self._agencies[code]

    def life(self, wanted: str) -> list[dict[str, Any]]:
        """Return the traces of a message id, dossier code or document id."""
        return messages.trace(self.store, wanted)

    def types(self, wanted: str) -> list[str]:
        """Return the types of all accepted messages about a dossier or document, in order."""
        return [one["type"] for one in self.life(wanted) if one["state"] == "accepted"]

    def close(self) -> None:
        """Close agencies and store."""
        self._open.close()
        self.store.close()


def now() -> datetime:
    """The scenario's clock."""
    return datetime.now(UTC)


def until(look: Callable[[], T | None], waiting_for: str, seen: Callable[[], object] = str) -> T:
    """Look again and again until there is something; raises ``NotSeen`` when patience ends."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise NotSeen(f"{waiting_for}: {str(seen())[:300] or '-'}")
        time.sleep(LOOK_S)  # polls a real system that has no way to call back


def equal(what: str, seen: object, expected: object) -> None:
    """Raise ``NotSeen`` unless both are equal."""
    if seen != expected:
        raise NotSeen(f"{what}: {seen!r}, not {expected!r}")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name and what it must lead to, in Vietnamese and English."""

    name: tuple[str, str]
    expected: tuple[str, str]
    act: Callable[[Stage], str]
    """Plays it and returns what was seen, in a line; raises whatever goes wrong."""


def play(stage: Stage, steps: Sequence[Step], *, english: bool) -> bool:
    """Play every step, also after one that failed; print one JSON line for each."""
    all_well = True
    for step in steps:
        name = step.name[english]
        say({"running": name})
        started = time.monotonic()
        try:
            detail, ok = step.act(stage), True
        except Exception as error:  # noqa: BLE001  one failed step must not hide the others
            detail, ok = f"{type(error).__name__}: {error}", False
        all_well &= ok
        spent = round((time.monotonic() - started) * 1000)
        told = {"name": name, "ok": ok, "expected": step.expected[english], "detail": detail}
        say({"step": told | {"ms": spent}})
    return all_well


def say(document: dict[str, Any]) -> None:
    """Print one line of JSON."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()
