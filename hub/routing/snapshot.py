"""Load what the pipeline judges by from the store, and again when its revision has moved."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from hub.codes import MessageId
from hub.routing.access import AccessRules
from hub.routing.context import Context
from hub.routing.directory import Directory
from hub.settings import Settings
from hub.signing.keys import SigningKey
from hub.signing.verifier import Verifier
from hub.store import directory as rows
from hub.store.engine import Store
from hub.store.trust import load_trust, policy_of


def new_id(at: datetime) -> MessageId:
    """Return a new version 7 id of that time."""
    return MessageId.new(int(at.timestamp() * 1000), secrets.token_bytes(10))


def load(store: Store, settings: Settings, key: SigningKey) -> Context:
    """Return the snapshot of now; raises ``StoreUnavailable`` or ``KeyUnreadable``."""
    directory = Directory.of(rows.agencies(store))
    return Context.of(
        settings,
        directory=directory,
        access=AccessRules.of(rows.rules(store), directory.kinds()),
        verifier=Verifier(load_trust(store, settings), policy_of(settings)),
        key=key,
        new_id=new_id,
        represents=rows.represents(store),
    )


@dataclass(slots=True)
class Snapshots:
    """The current snapshot of one process."""

    store: Store
    settings: Settings
    key: SigningKey
    revision: int = -1
    context: Context | None = None

    def current(self) -> Context:
        """Return the snapshot, loaded anew if the revision moved; a short read each time."""
        revision = rows.revision(self.store)
        if self.context is None or revision != self.revision:
            self.context = load(self.store, self.settings, self.key)
            self.revision = revision
        return self.context
