"""Killed in the middle of the work: nothing is lost, and nothing has two effects."""

from __future__ import annotations

import threading

import pytest

from hub.store import audit
from hub.testing.home import eventually

RECEIVER = "H12.05"
SENDER = "H12.20"


def everything_arrives(kept) -> None:
    """Every message is in the inbox with its own bytes, accepted once, and answered with one word.

    A copy may come twice to an inbox (at least once, law 5), but never with a second delivery.
    """
    receiver, sender = kept.agency(RECEIVER), kept.agency(SENDER)
    arrived: dict[str, bytes] = {}
    told: dict[str, set[bytes]] = {}

    def all_there() -> bool:
        for letter in receiver.nothing_more():
            arrived[letter.valid.header.message_id.value] = letter.raw
        for letter in sender.nothing_more():
            about = letter.valid.header.in_reply_to.value
            told.setdefault(about, set()).add(letter.raw)
        return set(arrived) >= set(kept.sent) and set(told) >= set(kept.sent)

    assert eventually(all_there, timeout_s=90)
    receiver.close()
    sender.close()
    for message_id, raw in kept.sent.items():
        assert arrived[message_id] == raw
        assert len(told[message_id]) == 1
    assert kept.rows("select count(*) from quarantine") == [(0,)]
    doubled = "select message_id from messages group by sender, message_id having count(*) > 1"
    assert kept.rows(doubled) == []
    twice = "select message from deliveries group by message, receiver having count(*) > 1"
    assert kept.rows(twice) == []
    assert eventually(
        lambda: kept.rows("select count(*) from deliveries where confirmed_us is null") == [(0,)],
        timeout_s=100,
    )
    assert audit.verify(kept.store).ok


@pytest.mark.timeout(400)
def test_router_killed_under_load(kept) -> None:
    """Kill -9 of the router, three times while messages keep coming."""
    sender = kept.agency(SENDER)
    load = threading.Thread(target=kept.send, args=(sender, 200))
    load.start()
    for _time in range(3):
        kept.kill("router")
    load.join(120)
    assert not load.is_alive()
    sender.close()
    assert len(kept.sent) == 200
    everything_arrives(kept)


@pytest.mark.timeout(400)
def test_broker_killed_under_load(kept) -> None:
    """Kill -9 of the private RabbitMQ node: it is started again with everything that it held."""
    sender = kept.agency(SENDER)
    load = threading.Thread(target=kept.send, args=(sender, 100))
    load.start()
    kept.kill_node()
    load.join(240)
    assert not load.is_alive()
    sender.close()
    everything_arrives(kept)
