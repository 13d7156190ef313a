"""Trust at the edge: the home's trust material, loaded anew when the directory changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from hub import log
from hub.codes import AgencyCode
from hub.errors import HubError
from hub.settings import Settings
from hub.signing.keys import SigningKey
from hub.signing.trust import TrustStore
from hub.signing.verifier import Verifier
from hub.store import directory
from hub.store.engine import Store
from hub.store.trust import load_trust, policy_of

LOOK_EVERY = timedelta(seconds=2)
"""How often the revision of the home's store is read: one short read-only transaction."""

_log = log.get("edge")


class Trust(Protocol):
    """Where the lanes take their verifier from."""

    def verifier(self, at: datetime) -> Verifier:
        """Return what judges signatures at that time."""

    def check_own(self, key: SigningKey, agency: AgencyCode, at: datetime) -> None:
        """Raise a ``trust.*`` error when the hub would not believe this agency's own key."""


class EdgeTrust:
    """The trust store of a home as the hub itself sees it."""

    def __init__(self, store: Store, settings: Settings) -> None:
        """Load it once; raises ``StoreUnavailable`` or ``KeyUnreadable``."""
        self._store = store
        self._settings = settings
        self._load(directory.revision(store))
        self._looked: datetime | None = None

    def _load(self, revision: int) -> None:
        self._trust: TrustStore = load_trust(self._store, self._settings)
        self._verifier = Verifier(self._trust, policy_of(self._settings))
        self._revision = revision

    def _look(self, at: datetime) -> None:
        """Load anew if the revision has moved; what cannot be read now leaves what there is."""
        if self._looked is not None and timedelta() <= at - self._looked < LOOK_EVERY:
            return
        self._looked = at
        try:
            revision = directory.revision(self._store)
            if revision != self._revision:
                self._load(revision)
                _log.info("trust_loaded", revision=revision)
        except HubError as error:
            _log.error("trust_not_loaded", code=error.code)

    def verifier(self, at: datetime) -> Verifier:
        """Return what judges signatures at that time."""
        self._look(at)
        return self._verifier

    def check_own(self, key: SigningKey, agency: AgencyCode, at: datetime) -> None:
        """Raise a ``trust.*`` error when the hub would not believe this agency's own key.

        The hub quarantines such messages and answers nothing, so it has to be noticed here.
        """
        self._look(at)
        self._trust.authorise(self._trust.judge(key.certificate_der, at), agency, at)
