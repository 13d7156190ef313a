"""Leases: one router on SQLite, a token that only grows, nobody fooled by a stale one."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.errors import SecondRouter
from hub.store.engine import Store
from hub.store.lease import Lease
from hub.store.window import WindowStore
from hub.testing import rows
from hub.testing.rows import at


def test_a_second_router_is_refused_while_the_first_lives(store):
    """To the microsecond of its end the lease is the first one's."""
    Lease.acquire(store, "one", 30, rows.T0)
    with pytest.raises(SecondRouter):
        Lease.acquire(store, "two", 30, at(29.999999))
    assert Lease.acquire(store, "two", 30, at(30)).token == 2


def test_a_released_lease_is_free_at_once_and_its_token_is_not_used_again(store):
    """A graceful stop makes nobody wait; the next owner still has another token."""
    first = Lease.acquire(store, "one", 30, rows.T0)
    first.release(store)
    second = Lease.acquire(store, "two", 30, at(1))
    assert second.token > first.token
    with pytest.raises(SecondRouter):
        first.renew(store, 30, at(2))
    first.release(store)
    assert Lease.held(store) == second


def test_renewing_moves_the_end(store):
    """A living router keeps its token; one that was overtaken learns it when it renews."""
    first = Lease.acquire(store, "one", 30, rows.T0)
    renewed = first.renew(store, 30, at(20))
    assert (renewed.token, renewed.expires_at) == (first.token, at(50))
    with pytest.raises(SecondRouter):
        Lease.acquire(store, "two", 30, at(49))
    Lease.acquire(store, "two", 30, at(51))
    with pytest.raises(SecondRouter):
        renewed.renew(store, 30, at(52))


def test_a_restart_under_the_same_name_fences_its_former_self(store):
    """The same owner may take it anew at once, and the old process can no longer commit."""
    before = Lease.acquire(store, "one", 30, rows.T0)
    after = Lease.acquire(store, "one", 30, at(1))
    assert after.token == before.token + 1
    with WindowStore(store).window() as tx:
        tx.check_token(after.name, after.token)
        with pytest.raises(SecondRouter):
            tx.check_token(before.name, before.token)


def test_leases_of_other_names_do_not_meet(store):
    """Each shard has a lease of its own."""
    Lease.acquire(store, "one", 30, rows.T0, name="shard-0")
    Lease.acquire(store, "two", 30, rows.T0, name="shard-1")
    assert Lease.held(store, "shard-0").owner == "one"
    assert Lease.held(store) is None


class Owners(RuleBasedStateMachine):
    """Several routers and a clock; against a model of who holds the lease."""

    fresh = b""
    folder = None

    def __init__(self):
        super().__init__()
        path = self.folder / f"{rows.new_id()}.sqlite"
        path.write_bytes(self.fresh)
        self.store = Store.open(f"sqlite:///{path}")
        self.now = 0.0
        self.mine: dict[str, Lease] = {}
        self.holder, self.until, self.token = None, 0.0, 0

    def teardown(self):
        self.store.close()

    owners = st.sampled_from(["one", "two", "three"])

    @rule(seconds=st.integers(0, 40))
    def wait(self, seconds):
        self.now += seconds

    @rule(owner=owners)
    def acquire(self, owner):
        free = self.holder in (None, owner) or self.now >= self.until
        if not free:
            with pytest.raises(SecondRouter):
                Lease.acquire(self.store, owner, 30, at(self.now))
            return
        lease = Lease.acquire(self.store, owner, 30, at(self.now))
        assert lease.token > self.token
        self.mine[owner] = lease
        self.holder, self.until, self.token = owner, self.now + 30, lease.token

    @precondition(lambda self: self.mine)
    @rule(data=st.data())
    def renew(self, data):
        owner = data.draw(st.sampled_from(sorted(self.mine)))
        lease = self.mine[owner]
        if lease.token != self.token:
            with pytest.raises(SecondRouter):
                lease.renew(self.store, 30, at(self.now))
            return
        self.mine[owner] = lease.renew(self.store, 30, at(self.now))
        self.holder, self.until = owner, self.now + 30

    @precondition(lambda self: self.mine)
    @rule(data=st.data())
    def release(self, data):
        owner = data.draw(st.sampled_from(sorted(self.mine)))
        lease = self.mine[owner]
        lease.release(self.store)
        if lease.token == self.token:
            self.holder, self.until = None, 0.0

    @invariant()
    def only_the_last_token_commits(self):
        for lease in self.mine.values():
            with WindowStore(self.store).window() as tx:
                if lease.token == self.token:
                    tx.check_token(lease.name, lease.token)
                else:
                    with pytest.raises(SecondRouter):
                        tx.check_token(lease.name, lease.token)


def test_no_history_gives_two_routers_the_right_to_commit(tmp_path, fresh):
    """Whatever routers and clock do, tokens grow and only the newest one passes the check."""
    machine = type("OwnersHere", (Owners,), {"fresh": fresh.read_bytes(), "folder": tmp_path})
    run = machine.TestCase
    run.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
    run().runTest()
