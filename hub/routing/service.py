"""Router and sweeper as processes: open the parts, run until told to stop, close in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, datetime

from hub import log
from hub.broker.address import broker_address
from hub.broker.consumer import WindowConsumer
from hub.broker.ports import WindowLimits
from hub.broker.publisher import ConfirmPublisher
from hub.broker.topology_model import INGRESS, RETRY_DUE
from hub.errors import HubError, SecondRouter
from hub.routing import owner
from hub.routing.process import LEASE_S, Router
from hub.routing.snapshot import Snapshots
from hub.routing.sweeper import keep_sweeping
from hub.settings import Settings
from hub.signing.keys import SigningKey
from hub.store.engine import Store
from hub.store.lease import Lease

WAIT_S = LEASE_S + 5.0
"""A lease whose owner cannot be seen from here runs out within this, unless it is renewed."""

_log = log.get("router")


def now() -> datetime:
    """Return the time that these processes go by."""
    return datetime.now(UTC)


def run_router(settings: Settings, key: SigningKey, stop: threading.Event) -> None:
    """Route until ``stop`` is set; then finish the window, acknowledge it and give the lease back.

    Raises ``SecondRouter`` when another router uses this SQLite store, ``BrokerUnavailable`` when
    there is no broker at the start, ``StoreUnavailable`` or ``StoreSchema``. Whatever is transient
    later is waited out.
    """
    with ExitStack() as stack:
        store = stack.enter_context(closing(Store.open(settings.store_url)))
        lease = _lease(store, stop)
        # Closed last in, first out: reading ends first, then publishing, then the lease is free.
        stack.callback(_release, lease, store)
        publisher = stack.enter_context(closing(_publisher(settings, "hub router", stop)))
        consumer = stack.enter_context(closing(_consumer(settings)))
        router = Router(
            store=store,
            consumer=consumer,
            publisher=publisher,
            snapshots=Snapshots(store, settings, key),
            clock=now,
            stop=stop,
            lease=lease,
        )
        _log.info("routing", shards=settings.broker.shards)
        router.run()
    _log.info("stopped")


def run_sweeper(settings: Settings, key: SigningKey, stop: threading.Event) -> None:
    """Sweep until ``stop`` is set. Raises what :func:`run_router` raises, but for the lease."""
    with ExitStack() as stack:
        store = stack.enter_context(closing(Store.open(settings.store_url)))
        publisher = stack.enter_context(closing(_publisher(settings, "hub sweeper", stop)))
        snapshots = Snapshots(store, settings, key)
        log.get("sweeper").info("sweeping")
        keep_sweeping(store, publisher, snapshots.current, now, stop)


def _publisher(settings: Settings, name: str, stop: threading.Event) -> ConfirmPublisher:
    return ConfirmPublisher(
        broker_address(settings).amqp_url,
        confirm_timeout_s=settings.broker.confirm_timeout_s,
        heartbeat_s=settings.broker.heartbeat_s,
        name=name,
        stop=stop,
    )


def _consumer(settings: Settings) -> WindowConsumer:
    window = settings.window
    return WindowConsumer(
        broker_address(settings).amqp_url,
        [*(f"{INGRESS}.{number}" for number in range(settings.broker.shards)), RETRY_DUE],
        WindowLimits(window.messages, window.milliseconds, window.bytes),
        heartbeat_s=settings.broker.heartbeat_s,
        name="hub router",
    )


def _lease(store: Store, stop: threading.Event) -> Lease | None:
    """Take the one lease of a SQLite store, waiting for that of a router that is gone."""
    return acquired(store, stop, owner.this_process(), clock=now) if store.is_sqlite else None


def acquired(
    store: Store, stop: threading.Event, name: str, *, clock: Callable[[], datetime]
) -> Lease:
    """Take the lease at once from a dead owner of this machine, else when it has run out.

    Raises ``SecondRouter`` at once when the owner lives on this machine, and as soon as it is seen
    to be renewed by one elsewhere.
    """
    deadline = time.monotonic() + WAIT_S
    first = Lease.held(store)
    while True:
        try:
            return Lease.acquire(store, name, LEASE_S, clock(), dead=owner.dead)
        except SecondRouter:
            held = Lease.held(store)
            renewed = first is not None and held is not None and held != first
            here = held is not None and owner.here(held.owner)
            if here or renewed or time.monotonic() > deadline or stop.wait(1.0):
                raise
            _log.info("waiting_for_lease", until=str(held.expires_at) if held else "")


def _release(lease: Lease | None, store: Store) -> None:
    """Give the lease back; its token is not renewed by then, so another's is left alone."""
    if lease is None:
        return
    try:
        lease.release(store)
    except HubError as error:
        _log.warning("lease_not_released", code=error.code)
