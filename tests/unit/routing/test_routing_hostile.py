"""Whatever bytes arrive, the pipeline only ever returns a decision, and keeps its promises."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.envelope import Arrival
from hub.routing import pipeline
from hub.routing.decision import Decision, Verdict
from hub.store.rows import MessageState
from hub.testing.pki import TestPki
from hub.testing.world import DEPARTMENT, HUB, NOW, ONE_STOP, World, make_pki

PIECES = [
    b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"<!-- -->", b"<?pi?>", b"&amp;", b"&#0;", b"\x00",
    b"\xff", b"<Header>", b"</Header>", b'<To code="H13.15"></To>', b"<ds:Signature>", b"]]>",
    b"\xef\xbb\xbf", b' xmlns:ds="urn:x"', b"receipt.delivered", b"2026-02-30T00:00:00Z",
    b"9" * 400,
]  # fmt: skip


@cache
def _pki() -> TestPki:
    return make_pki()


@cache
def _good() -> tuple[bytes, ...]:
    world = World.of(_pki())
    subject = world.sent("dossier.received", ONE_STOP, DEPARTMENT)
    return (
        subject.raw,
        world.sent("document.new", ONE_STOP, DEPARTMENT, "000.00.15.H13", "H47.15").raw,
        world.sent("connectivity.ping", ONE_STOP, HUB).raw,
        world.receipt("receipt.delivered", ONE_STOP, subject).raw,
        world.receipt("receipt.query", ONE_STOP, subject).raw,
    )


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good envelope with bytes changed, cut, doubled or put in; or any bytes at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    raw = bytearray(draw(st.sampled_from(_good())))
    for _change in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(raw)))
        end = min(len(raw), start + draw(st.integers(0, 40)))
        piece = draw(st.sampled_from(PIECES) | st.binary(max_size=4) | st.just(bytes(raw[:200])))
        raw[start:end] = piece
    return bytes(raw)


def check_promises(decision: Decision, arrival: Arrival) -> None:
    """What must hold for every decision, whatever the arrival was."""
    record = decision.record
    assert record.events
    if decision.verdict is Verdict.QUARANTINED:
        assert (decision.sends, record.receipts, record.messages, record.deliveries) == ((),) * 4
        assert record.quarantined[0].raw == arrival.raw
    if decision.verdict is Verdict.PARKED:
        assert (decision.sends, record.receipts, record.deliveries) == ((), (), ())
    for message in record.messages:
        assert message.sender in (ONE_STOP, HUB)
    delivered = [send for send in decision.sends if send.delivery and send.sender != HUB]
    assert all(send.raw == arrival.raw for send in delivered)


def signed_part(world: World, raw: bytes) -> bytes:
    """What the signature covers: a BOM or white space in the prolog is no forgery."""
    return world.context.verifier.verify(raw, at=NOW).signed_bytes


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated(), st.sampled_from([None, ONE_STOP, "H13.15"]), st.sampled_from(["", ONE_STOP, "x"]))
def test_mutated_bytes_only_ever_yield_a_decision(
    raw: bytes, account: str | None, routing_key: str
) -> None:
    """No bytes, account or routing key make the pipeline raise or answer an unproven sender."""
    world = World.of(_pki())
    arrival = Arrival(raw=raw, tag=1, account=account, routing_key=routing_key)
    decision = world.route(arrival)
    check_promises(decision, arrival)
    if decision.record.messages:
        assert signed_part(world, raw) in {signed_part(world, good) for good in _good()}
    check_promises(world.route(arrival), arrival)


@pytest.mark.parametrize("stage", ["verify", "validate", "routes", "decide"])
def test_fault_inside_the_hub_parks_the_arrival(
    monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """An exception that nobody expected is a decision too: kept, told to nobody, named by kind."""
    world = World.of(_pki())
    arrival = world.sent("dossier.received", ONE_STOP, DEPARTMENT)

    def broken(*_args: object, **_named: object) -> None:
        raise ZeroDivisionError("nothing of this may be told")

    target = {
        "verify": (type(world.context.verifier), "verify"),
        "validate": (type(world.context.validator), "validate"),
        "routes": (pipeline, "routes_of"),
        "decide": (pipeline, "decide_message"),
    }[stage]
    monkeypatch.setattr(*target, broken)
    decision = world.route(arrival)
    assert decision.code == "internal.fault"
    assert (decision.sends, decision.record.receipts) == ((), ())
    rows = (*decision.record.messages, *decision.record.quarantined)
    assert rows[0].raw == arrival.raw
    assert "nothing of this" not in rows[0].detail
    assert "ZeroDivisionError" in rows[0].detail
    monkeypatch.undo()
    after = world.route(arrival)
    assert after.verdict is Verdict.ACCEPTED


def test_fault_never_unmakes_an_accepted_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """A repeat that meets a fault leaves the first one's state as it was."""
    world = World.of(_pki())
    arrival = world.sent("dossier.received", ONE_STOP, DEPARTMENT)
    world.route(arrival)

    def broken(*_args: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(pipeline, "decide_message", broken)
    decision = world.route(replace(arrival, tag=2))
    assert decision.verdict is Verdict.PARKED
    assert decision.record.messages == ()
    assert [prior.state for prior in world.memory.values()] == [MessageState.ACCEPTED]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<x>" * 10_000,
        b"<?xml version='1.0'?><!DOCTYPE l [<!ENTITY a 'aa'><!ENTITY b '&a;&a;'>]><l>&b;</l>",
        "\ufeff<Envelope/>".encode("utf-16"),
        b"<Envelope>\xc3\x28</Envelope>",
        b"<a>" + b"x" * (20 * 1024 * 1024) + b"</a>",
    ],
    ids=["empty", "deep", "entities", "utf-16", "bad utf-8", "20 MB"],
)
def test_classic_bombs_are_quarantined(raw: bytes) -> None:
    """Size, depth, entities and encodings are refused with an ``xml.*`` code, unanswered."""
    decision = World.of(_pki()).route(Arrival(raw=raw, tag=1, account=ONE_STOP))
    assert decision.verdict is Verdict.QUARANTINED
    assert decision.code.startswith("xml.")
    assert decision.record.quarantined[0].arrived_at == NOW
