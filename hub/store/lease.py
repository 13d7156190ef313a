"""Leases with fencing tokens: who may route. On SQLite there is one lease, and one router."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select, update

from hub.errors import SecondRouter
from hub.store.dialect import upsert
from hub.store.engine import Store
from hub.store.tables import leases
from hub.store.times import from_us, to_us

ROUTER = "router"


@dataclass(frozen=True, slots=True)
class Lease:
    """A right that ends by itself; its token grows with every new owner."""

    name: str
    owner: str
    token: int
    expires_at: datetime

    @classmethod
    def acquire(
        cls,
        store: Store,
        owner: str,
        ttl_s: float,
        now: datetime,
        name: str = ROUTER,
        dead: Callable[[str], bool] = lambda _owner: False,
    ) -> Lease:
        """Take the lease if it is free or has run out; raises ``SecondRouter`` otherwise.

        ``dead`` tells of a former owner that it can never come back: its lease is taken at once.
        """
        expires = now + timedelta(seconds=ttl_s)
        with store.write() as connection:
            held = connection.execute(select(leases).where(leases.c.name == name)).one_or_none()
            running = held and held.owner != owner and held.expires_us > to_us(now)
            if held and running and not dead(held.owner):
                raise SecondRouter
            token = held.token + 1 if held else 1
            connection.execute(
                upsert(connection, leases, ("name",)),
                {"name": name, "owner": owner, "token": token, "expires_us": to_us(expires)},
            )
        return cls(name, owner, token, expires)

    @classmethod
    def held(cls, store: Store, name: str = ROUTER) -> Lease | None:
        """Return the lease as it stands, whoever holds it; ``None`` when nobody ever did."""
        with store.read() as connection:
            row = connection.execute(select(leases).where(leases.c.name == name)).one_or_none()
        return cls(row.name, row.owner, row.token, from_us(row.expires_us)) if row else None

    def renew(self, store: Store, ttl_s: float, now: datetime) -> Lease:
        """Hold on to it for longer; raises ``SecondRouter`` when it has gone to another owner."""
        expires = now + timedelta(seconds=ttl_s)
        with store.write() as connection:
            done = connection.execute(
                update(leases)
                .where(leases.c.name == self.name, leases.c.token == self.token)
                .values(expires_us=to_us(expires))
            )
            if done.rowcount != 1:
                raise SecondRouter
        return replace(self, expires_at=expires)

    def release(self, store: Store) -> None:
        """Give it back, so that the next owner need not wait; the token is not reused."""
        with store.write() as connection:
            connection.execute(
                update(leases)
                .where(leases.c.name == self.name, leases.c.token == self.token)
                .values(expires_us=0)
            )
