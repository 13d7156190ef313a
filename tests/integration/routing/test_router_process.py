"""``hub router`` and ``hub sweeper`` as processes: one at a time, killed, stopped, cut off."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.broker import os_process
from hub.broker.urls import location
from hub.errors import SecondRouter
from hub.routing import owner
from hub.routing.service import acquired
from hub.store.engine import Store
from hub.store.lease import Lease
from hub.testing.fault_proxy import FaultProxy
from hub.testing.world import DEPARTMENT, HUB, ONE_STOP

TYPE = "dossier.received"
STOP_S = 10
"""The promise: a role that is told to stop has ended within this."""


class Roles:
    """Processes of one home, all ended with the test."""

    def __init__(self, hub) -> None:
        self.hub = hub
        self.started: list[subprocess.Popen[str]] = []
        self.configure(hub.broker.amqp_url)

    def configure(self, amqp_url: str) -> None:
        text = (
            f'[hub]\ncode = "{HUB}"\n'
            f'[broker]\nurl = "{amqp_url}"\nmanagement_url = "{self.hub.broker.management_url}"\n'
            "shards = 1\nrungs_s = [1, 60]\n"
        )
        (self.hub.settings.home / "hub.toml").write_text(text)

    def start(self, role: str = "router") -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "hub.cli.main", "--home", str(self.hub.settings.home)]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
        process = subprocess.Popen(
            [*command, "--lang", "en", role], stderr=subprocess.PIPE, text=True, env=kept
        )
        self.started.append(process)
        return process

    def works(self) -> None:
        """A message sent now comes through."""
        raw = self.hub.signed(self.hub.draft(TYPE, ONE_STOP, DEPARTMENT))
        self.hub.send(ONE_STOP, raw)
        assert raw in [one.raw for one in self.hub.take(f"inbox.{DEPARTMENT}", 1, timeout_s=25)]

    def end(self) -> None:
        for process in self.started:
            process.kill()
            process.wait()
            process.stderr.close()


@pytest.fixture
def roles(hub) -> Iterator[Roles]:
    """The home without the router of the other tests."""
    hub.stop_routers()
    made = Roles(hub)
    yield made
    made.end()


def ended(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> int:
    process.send_signal(number)
    return process.wait(STOP_S)


def test_second_router_is_refused_and_a_killed_one_is_replaced_at_once(roles) -> None:
    """Exit 2 in one sentence while the first lives; after kill -9 nobody waits for its lease."""
    first = roles.start()
    roles.works()
    second = roles.start()
    assert second.wait(30) == 2
    (said,) = [line for line in second.stderr.read().splitlines() if not line.startswith("{")]
    assert "Another router already uses this SQLite store" in said
    roles.works()
    first.kill()
    first.wait()
    third = roles.start()
    roles.works()
    assert Lease.held(roles.hub.store).token == 2
    assert ended(third) == 0
    assert Lease.held(roles.hub.store).expires_at < datetime.now(UTC)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_under_load_finishes_the_window(roles, number: int) -> None:
    """Exit 0 within 10 s; what is recorded is delivered and acknowledged, the rest still waits."""
    hub = roles.hub
    bodies = [hub.signed(hub.draft(TYPE, ONE_STOP, DEPARTMENT)) for _each in range(1500)]
    process = roles.start()
    roles.works()
    hub.send(ONE_STOP, *bodies)
    assert ended(process, number) == 0
    ((recorded,),) = hub.rows("select count(*) from messages")
    assert 1 <= recorded < len(bodies), "the router did not stop in the middle"
    assert hub.rows("select count(*) from deliveries where confirmed_us is null") == [(0,)]
    assert hub.settled("hub.ingress.0", len(bodies) + 1 - recorded)
    assert hub.settled(f"inbox.{DEPARTMENT}", recorded - 1)


def test_stop_while_the_network_is_gone(roles) -> None:
    """A black hole to the broker in the middle of a window does not hold up the stop."""
    hub, place = roles.hub, location(roles.hub.broker.amqp_url)
    with FaultProxy(place.host, place.port) as proxy:
        roles.configure(hub.broker.amqp_url.replace(f":{place.port}/", f":{proxy.port}/"))
        process = roles.start()
        roles.works()
        bodies = [hub.signed(hub.draft(TYPE, ONE_STOP, DEPARTMENT)) for _each in range(300)]
        hub.send(ONE_STOP, *bodies)
        proxy.stall()
        assert ended(process) == 0
    roles.configure(hub.broker.amqp_url)
    roles.start()
    hub.eventually("select count(*) from messages", [(301,)], 30)


def test_sweeper_runs_beside_the_router(roles) -> None:
    """It starts, sweeps, and stops when told to."""
    router, sweeper = roles.start(), roles.start("sweeper")
    roles.works()
    assert any('"sweeping"' in line for line in sweeper.stderr)
    assert [ended(sweeper), ended(router)] == [0, 0]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store.open(f"sqlite:///{tmp_path / 'hub.sqlite'}", create=True)) as made:
        yield made


def now() -> datetime:
    return datetime.now(UTC)


def test_lease_of_another_machine_has_to_run_out(store) -> None:
    """Nothing can be told of its owner: it is waited for, and taken when it has run out."""
    Lease.acquire(store, "elsewhere/1/2", 30, now() - timedelta(seconds=29))
    got = acquired(store, threading.Event(), "me", clock=now)
    assert (got.owner, got.token) == ("me", 2)


def test_lease_that_is_renewed_elsewhere_is_a_second_router(store) -> None:
    """As soon as it is seen to live it is no use to wait any longer."""
    lease = Lease.acquire(store, "elsewhere/1/2", 30, now())
    timer = threading.Timer(0.3, lambda: lease.renew(store, 30, now()))
    timer.start()
    with pytest.raises(SecondRouter):
        acquired(store, threading.Event(), "me", clock=now)
    timer.join()


def test_waiting_for_a_lease_ends_when_told_to_stop(store) -> None:
    """A router that waits for its turn can be stopped."""
    Lease.acquire(store, "elsewhere/1/2", 30, now())
    stop = threading.Event()
    stop.set()
    with pytest.raises(SecondRouter):
        acquired(store, stop, "me", clock=now)


def test_owner_is_known_as_alive_or_dead(store) -> None:
    """This process lives; one that has ended is dead, also if its number were used again."""
    mine = owner.this_process()
    assert owner.here(mine)
    assert not owner.dead(mine)
    child = subprocess.Popen(["sleep", "100"])
    machine = mine.rsplit("/", 2)[0]
    theirs = f"{machine}/{child.pid}/{os_process.started(child.pid)}"
    assert not owner.dead(theirs)
    assert owner.dead(f"{machine}/{child.pid}/{os_process.started(child.pid) - 1}")
    child.kill()
    child.wait()
    assert owner.dead(theirs)
    for unknown in ("", "one", "other/1/1", f"{machine}/x/y"):
        assert not owner.dead(unknown)
