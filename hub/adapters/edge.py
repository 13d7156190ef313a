"""What the two lanes of a connector share: its parts, its store, its voice, its clock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub import log
from hub.adapters.contract import Health, Parts
from hub.adapters.edge_signer import EdgeSigner
from hub.adapters.edge_trust import Trust
from hub.adapters.faults import guarded, told
from hub.codes import AgencyCode, Environment
from hub.errors import HubError
from hub.store.edge import EdgeStore

_log = log.get("edge")


@dataclass(frozen=True)
class Edge:
    """One running connector. Used by one thread."""

    agency: AgencyCode
    hub: AgencyCode
    """The hub's own code: nobody else's ``receipt.accepted`` is believed."""
    environment: Environment
    parts: Parts
    store: EdgeStore
    signer: EdgeSigner
    trust: Trust
    clock: Callable[[], datetime]
    stop: threading.Event
    """Set from outside: the item at hand is finished, nothing new is begun."""

    def health(self) -> Health:
        """Ask the probe; one that raises says that the system is down."""
        try:
            return guarded(self.parts.probe.probe)
        except HubError as error:
            _log.error("probe_failed", **told(error))
            return Health(ok=False)


@dataclass
class Backoff:
    """A growing wait after failures, from ``first_s`` to ``longest_s`` seconds."""

    first_s: float = 1.0
    longest_s: float = 60.0
    until: datetime | None = field(default=None, init=False)
    _wait_s: float = field(default=0.0, init=False)

    @property
    def failing(self) -> bool:
        """Whether the last try failed."""
        return self.until is not None

    def ready(self, at: datetime) -> bool:
        """Whether it is time to try (again)."""
        return self.until is None or at >= self.until

    def failed(self, at: datetime) -> float:
        """Note a failure and return the seconds until the next try."""
        self._wait_s = min(max(self._wait_s * 2, self.first_s), self.longest_s)
        self.until = at + timedelta(seconds=self._wait_s)
        return self._wait_s

    def succeeded(self) -> None:
        """Forget all failures."""
        self.until, self._wait_s = None, 0.0
