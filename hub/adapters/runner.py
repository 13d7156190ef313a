"""Run one connector as a process: ``python -m connectors.X.app --home DIR --name NAME``.

One thread drives both lanes. Exit status: 0 stopped by SIGTERM or SIGINT, 1 failed (this agency's
own certificate is not believed any more, the store cannot be read), 2 wrong usage or configuration;
one sentence on stderr, never a traceback. On SIGTERM the item at hand is finished and acknowledged.
How long that takes is the connector's own: its calls should give up within 10 seconds, after which
the supervisor kills it, and the message is looked up at the next start.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import structlog

from hub import log
from hub.adapters.contract import Parts
from hub.adapters.edge import Backoff, Edge
from hub.adapters.edge_settings import ConnectorSettings, load_connector
from hub.adapters.edge_signer import EdgeSigner, load_key
from hub.adapters.edge_trust import EdgeTrust
from hub.adapters.faults import guarded, told
from hub.adapters.inbound import WINDOW, InboundLane
from hub.adapters.outbound import OutboundLane
from hub.adapters.port import Client
from hub.broker import accounts
from hub.broker.address import broker_address
from hub.broker.client import AgencyClient
from hub.codes import AgencyCode
from hub.errors import (
    BrokerRefused,
    BrokerUnavailable,
    ConfigInvalid,
    ConnectorRunning,
    HubError,
    Lang,
)
from hub.settings import Settings, load
from hub.store.edge import EdgeStore
from hub.store.engine import Store

__all__ = ["ConnectorSettings", "Factory", "Runner", "load_connector", "main_for"]

Factory = Callable[[ConnectorSettings], Parts]
"""Makes a connector's parts; raises ``ConfigInvalid`` naming a key of ``[options]``."""

IDLE_S = 0.25
"""Seconds to wait for arrivals when there is nothing else to do; also the pace of the polls."""
LONGEST_CONFIRM_S = 6.0
"""Seconds to wait for confirms at most: a stop has 10 s in all; what is unknown is sent again."""
CONFIGURATION = ("config.", "usage.", "key.", "code.", "store.schema", "connector.running")
"""Codes (or families) of errors that are wrong usage or configuration: exit status 2."""

_log = log.get("connector")


class Runner:
    """Drives the lanes of one connector until it is told to stop."""

    def __init__(self, edge: Edge, poll_s: float, connect: Callable[[], Client]) -> None:
        """``connect`` makes a new connection; it raises ``BrokerUnavailable``."""
        self._edge = edge
        self._connect = connect
        self._client: Client | None = None
        self._connected = False
        self._wait = Backoff(first_s=0.2, longest_s=5.0)
        self.outbound = OutboundLane(edge, poll_s)
        self.inbound = InboundLane(edge)

    def run(self) -> None:
        """Work until ``stop`` is set; everything transient is waited out.

        Raises a ``trust.*`` error when the hub would not believe this agency's own key any more:
        messages would be quarantined unanswered, and so would the receipts.
        """
        stop = self._edge.stop
        try:
            while not stop.is_set():
                self._check_own()
                if (seconds := self._stepped()) > 0:
                    stop.wait(seconds)
        finally:
            self._drop()

    def _check_own(self) -> None:
        edge = self._edge
        edge.trust.check_own(edge.signer.key, edge.agency, edge.clock())

    def _stepped(self) -> float:
        """One round of both lanes; return the seconds to wait, 0 when all went well."""
        try:
            self.step()
        except (BrokerUnavailable, BrokerRefused) as error:
            self._drop()
            return self._failed(error)
        except Exception as error:  # noqa: BLE001  one round must not end the connector
            self._give_back()
            return self._failed(error)
        self._wait.succeeded()
        return 0.0

    def _failed(self, error: Exception) -> float:
        seconds = self._wait.failed(self._edge.clock())
        _log.warning("waiting", **told(error), seconds=seconds)
        return seconds

    def step(self) -> None:
        """One round: what needs no broker first, so that it goes on while the broker is away."""
        self.outbound.poll()
        self.outbound.tell()
        client = self._client = self._client or self._connect()
        more = self.outbound.publish(client)
        self.inbound.step(client, 0.0 if more else IDLE_S)
        if not self._connected:
            self._connected = True
            _log.info("connected")

    def _give_back(self) -> None:
        """After a failure of our own: what is in our hands comes again."""
        self.inbound.forget()
        try:
            if self._client is not None:
                self._client.pause()
        except HubError:
            self._drop()

    def _drop(self) -> None:
        self.inbound.forget()
        client, self._client, self._connected = self._client, None, False
        if client is not None:
            with suppress(HubError):
                client.close()


def main_for(factory: Factory, argv: Sequence[str] | None = None) -> int:
    """Run a connector from its command line until SIGTERM, and return the exit status."""
    try:
        options = _arguments(argv)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 2
    log.setup(json=not sys.stderr.isatty(), level=os.environ.get("HUB_LOG", "INFO"))
    structlog.contextvars.bind_contextvars(connector=options.name)
    stop = threading.Event()
    try:
        with _stopping(stop), opened(factory, options.home, options.name, stop) as runner:
            runner.run()
    except HubError as error:
        sys.stderr.write(f"{options.name}: {error.message(cast('Lang', options.lang))}\n")
        return 2 if error.code.startswith(CONFIGURATION) else 1
    _log.info("stopped")
    return 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="connector", description="Run one connector.")
    home = os.environ.get("HUB_HOME", "hub-home")
    lang = "en" if os.environ.get("HUB_LANG") == "en" else "vi"
    parser.add_argument("--home", type=Path, default=Path(home), help="the hub's home")
    parser.add_argument("--name", required=True, help="connectors/NAME.toml in the home")
    parser.add_argument("--lang", choices=("vi", "en"), default=lang)
    return parser.parse_args(argv)


@contextmanager
def _stopping(stop: threading.Event) -> Iterator[None]:
    """Let SIGTERM and SIGINT set ``stop``; put the old handlers back at the end."""
    before = {
        number: signal.signal(number, lambda _number, _frame: stop.set())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def opened(factory: Factory, home: Path, name: str, stop: threading.Event) -> Iterator[Runner]:
    """Open everything that one connector of a home needs.

    Raises ``ConfigMissing``, ``ConfigInvalid``, ``NoIdentity``, ``KeyUnreadable``,
    ``ConnectorRunning``, ``StoreUnavailable`` or ``StoreSchema``.
    """
    settings = load(home)
    own = load_connector(settings, name)
    key = load_key(settings, own.agency)
    parts = _made(factory, own)
    with ExitStack() as stack:
        stack.enter_context(alone(own))
        store = stack.enter_context(closing(EdgeStore.open(own.state)))
        shared = stack.enter_context(closing(Store.open(settings.store_url)))
        edge = Edge(
            agency=own.agency,
            hub=AgencyCode.parse(settings.hub.code, settings.hub.environment),
            environment=own.environment,
            parts=parts,
            store=store,
            signer=EdgeSigner(own.agency, own.environment, key, settings.time.max_age_days),
            trust=EdgeTrust(shared, settings),
            clock=lambda: datetime.now(UTC),
            stop=stop,
        )
        yield Runner(edge, own.poll_s, lambda: connect(settings, own.agency))


def _made(factory: Factory, own: ConnectorSettings) -> Parts:
    """Make the parts; a complaint about the options names the settings file and the whole key."""
    try:
        return guarded(lambda: factory(own))
    except ConfigInvalid as error:
        if error.facts.get("file") != own.kind:
            raise
        facts = error.facts
        raise ConfigInvalid(
            file=str(own.file),
            key=f"options.{facts.get('key', '')}".rstrip("."),
            reason=facts.get("reason", ""),
            reason_vi=facts.get("reason_vi", facts.get("reason", "")),
        ) from error


def connect(settings: Settings, agency: AgencyCode) -> Client:
    """Connect as the agency, with its own account; the address is looked up each time.

    Raises ``BrokerUnavailable``, or ``ConfigMissing`` when the account has no password here yet.
    """
    address = broker_address(settings)
    password = accounts.password(settings.home, agency.value)
    url = accounts.agency_url(address.amqp_url, agency.value, password)
    confirm_s = min(settings.broker.confirm_timeout_s, LONGEST_CONFIRM_S)
    heartbeat_s = settings.broker.heartbeat_s
    return AgencyClient(
        url,
        agency.value,
        confirm_timeout_s=confirm_s,
        heartbeat_s=heartbeat_s,
        prefetch=WINDOW,
    )


@contextmanager
def alone(own: ConnectorSettings) -> Iterator[None]:
    """Hold the connector's lock while it runs; raises ``ConnectorRunning``.

    The kernel lets go of it when the process ends, however it ends (flock(2)).
    """
    file = own.state.with_suffix(".lock")
    with file.open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConnectorRunning(name=own.name, file=str(file)) from error
        yield
