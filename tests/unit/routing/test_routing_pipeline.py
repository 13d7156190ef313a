"""Judging and deciding on messages, with real signatures (architecture §4 and §8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hub.codes import DossierCode, Environment
from hub.envelope import Arrival
from hub.errors import HubError
from hub.routing.decision import Decision, Verdict
from hub.routing.pipeline import check_header
from hub.schemas.compose import compose
from hub.schemas.example import example_draft
from hub.schemas.receipts import read_receipt
from hub.settings import HubSection, Settings, TimeSection
from hub.signing import signer
from hub.store.rows import AccessRow, DeliveryState, MessageState, RepresentsRow
from hub.testing.world import (
    CLOSED_A,
    CLOSED_B,
    DEPARTMENT,
    GATEWAY,
    HUB,
    MERGED,
    NOW,
    ONE_STOP,
    OTHER,
    POST,
    REMOTE,
    World,
    code,
    fresh_id,
)

TYPE = "dossier.received"


def spoken(world: World, decision: Decision):
    """The one receipt of a decision, read as its addressee reads it."""
    (row,) = decision.record.receipts
    return read_receipt(world.read(row.raw))


def assert_unanswered(decision: Decision) -> None:
    assert decision.record.receipts == ()
    assert decision.record.deliveries == ()
    assert decision.sends == ()


def test_good_message_is_recorded_delivered_and_answered(world: World) -> None:
    """A good message becomes evidence, one delivery of the very bytes, and a signed acceptance."""
    arrival = world.sent(TYPE, ONE_STOP, DEPARTMENT)
    decision = world.route(arrival)
    assert decision.verdict is Verdict.ACCEPTED
    (message,) = decision.record.messages
    assert (message.sender, message.state, message.raw) == (
        ONE_STOP, MessageState.ACCEPTED, arrival.raw,
    )  # fmt: skip
    (row,) = decision.record.deliveries
    assert (row.receiver, row.queue, row.via) == (DEPARTMENT, f"inbox.{DEPARTMENT}", "exact")
    delivery = next(send for send in decision.sends if send.delivery)
    assert (delivery.raw, delivery.seq) == (arrival.raw, row.seq)
    receipt = spoken(world, decision)
    assert (receipt.type.value, receipt.subject_digest) == ("receipt.accepted", message.digest)
    assert [(r.code.value, r.outcome) for r in receipt.recipients] == [(DEPARTMENT, "queued")]
    assert [entry.action for entry in decision.record.audit] == ["message.accepted"]


def test_receipt_goes_to_the_senders_own_inbox(world: World) -> None:
    """What the hub says of a message is for the inbox of whoever sent it, signed by the hub."""
    decision = world.route(world.sent(TYPE, ONE_STOP, DEPARTMENT))
    (row,) = decision.record.receipts
    header = world.read(row.raw).header
    assert row.receiver == ONE_STOP
    assert (header.sender.value, [to.value for to in header.recipients]) == (HUB, [ONE_STOP])


@pytest.mark.parametrize("account", [None, "", OTHER])
def test_account_must_be_the_senders(world: World, account: str | None) -> None:
    """Without a broker account, or on another agency's, an arrival is quarantined unanswered."""
    decision = world.route(replace(world.sent(TYPE, ONE_STOP, DEPARTMENT), account=account))
    assert (decision.verdict, decision.code) == (Verdict.QUARANTINED, "header.account")
    assert_unanswered(decision)
    assert decision.key is None


def test_gateway_may_carry_for_whom_it_represents(world: World) -> None:
    """A gateway's account may send for an agency under a represents row, in its time only."""
    rows = (RepresentsRow(GATEWAY, REMOTE, NOW - timedelta(days=1), NOW + timedelta(days=1)),)
    acting = World.of(world.pki, represents=rows)
    arrival = replace(acting.sent(TYPE, REMOTE, DEPARTMENT), account=GATEWAY)
    draft = acting.draft("document.new", REMOTE, DEPARTMENT)
    signed = acting.signed(draft, acting.key(code(GATEWAY)))
    by_gateway = acting.route(Arrival(raw=signed, tag=1, account=GATEWAY))
    assert by_gateway.record.messages[0].by_gateway == GATEWAY
    assert by_gateway.record.receipts[0].receiver == GATEWAY
    assert acting.route(arrival).verdict is Verdict.ACCEPTED
    assert acting.route(arrival, NOW + timedelta(days=2)).code == "header.account"
    assert world.route(arrival).code == "header.account"


@pytest.mark.parametrize(
    "change", [{"routing_key": OTHER}, {"claimed_id": fresh_id().value}], ids=["key", "id"]
)
def test_properties_must_not_contradict_the_signed_header(world: World, change: dict) -> None:
    """A routing key or AMQP message id other than the signed one quarantines the arrival."""
    decision = world.route(replace(world.sent(TYPE, ONE_STOP, DEPARTMENT), **change))
    assert (decision.verdict, decision.code) == (Verdict.QUARANTINED, "header.contradiction")
    assert_unanswered(decision)


def test_matching_properties_are_accepted(world: World) -> None:
    """Properties that say what is signed change nothing, whatever the case of the id."""
    draft = world.draft(TYPE, ONE_STOP, DEPARTMENT)
    arrival = Arrival(
        raw=world.signed(draft),
        tag=1,
        account=ONE_STOP,
        routing_key=ONE_STOP,
        claimed_id=draft.header.message_id.value.upper(),
    )
    assert world.route(arrival).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"environment": Environment.PRODUCTION}, "header.environment"),
        ({"created_at": NOW + timedelta(seconds=301)}, "header.clock"),
        ({"created_at": NOW - timedelta(days=30, seconds=1)}, "header.expired"),
        ({"expires_at": NOW}, "header.expired"),
    ],
)
def test_unacceptable_header_is_rejected_with_its_reason(
    world: World, header: dict, reason: str
) -> None:
    """Environment, clock, age and expiry are refused with a signed receipt that names the code."""
    to = "G06" if header.get("environment") else DEPARTMENT
    sender = DEPARTMENT if header.get("environment") else ONE_STOP
    decision = world.route(world.sent(TYPE, sender, to, **header))
    assert (decision.verdict, decision.code) == (Verdict.REJECTED, reason)
    receipt = spoken(world, decision)
    assert (receipt.type.value, receipt.reason) == ("receipt.rejected", reason)
    assert receipt.detail_vi
    assert receipt.detail_en
    assert decision.record.messages[0].state is MessageState.REJECTED
    assert decision.record.deliveries == ()


@pytest.mark.parametrize(
    "header",
    [
        {"created_at": NOW + timedelta(minutes=5)},
        {"created_at": NOW - timedelta(days=30)},
        {"expires_at": NOW + timedelta(microseconds=1)},
    ],
)
def test_limits_of_time_are_inclusive(world: World, header: dict) -> None:
    """Exactly five minutes ahead, thirty days old or not yet expired is still accepted."""
    assert world.route(world.sent(TYPE, ONE_STOP, DEPARTMENT, **header)).verdict is Verdict.ACCEPTED


def test_schema_violation_is_answered_because_the_signature_held(world: World) -> None:
    """Bad content from a proven sender is rejected with the place of the fault, and kept."""
    xml = compose(world.draft(TYPE, ONE_STOP, DEPARTMENT))
    bad = xml.replace(b"<Priority>0<", b"<Priority>9<")
    raw = signer.sign(bad, world.key(code(ONE_STOP)))
    decision = world.route(Arrival(raw=raw, tag=1, account=ONE_STOP))
    assert decision.code == "schema.violation"
    receipt = spoken(world, decision)
    assert "Priority" in receipt.place
    assert decision.record.messages[0].raw == raw


def test_forged_bytes_claim_no_key_and_get_no_answer(world: World) -> None:
    """A changed byte is quarantined; the real message under the same id is still accepted."""
    arrival = world.sent(TYPE, ONE_STOP, DEPARTMENT)
    forged = replace(arrival, raw=arrival.raw.replace(b"<Priority>0<", b"<Priority>1<"))
    decision = world.route(forged)
    assert (decision.verdict, decision.code) == (Verdict.QUARANTINED, "signature.digest_mismatch")
    assert_unanswered(decision)
    assert [entry.action for entry in decision.record.audit] == ["message.quarantined"]
    assert world.route(arrival).verdict is Verdict.ACCEPTED


def test_other_agencys_key_is_quarantined(world: World) -> None:
    """A good signature of another agency proves nothing about the sender."""
    raw = world.signed(world.draft(TYPE, ONE_STOP, DEPARTMENT), world.key(code(OTHER)))
    decision = world.route(Arrival(raw=raw, tag=1, account=ONE_STOP))
    assert decision.code == "trust.signer_mismatch"
    assert_unanswered(decision)


def test_fan_out_accepts_what_it_can_and_tells_the_rest(world: World) -> None:
    """One good receiver is enough; the receipt lists the outcome and reason for each To."""
    to = (DEPARTMENT, "H12.77", "H12.32.21", POST)
    rules = [AccessRow(1, "*", "*", "document.*", allow=True)]
    rules += [AccessRow(2, "*", "@enterprise", "*", allow=False)]
    decision = World.of(world.pki, rules=rules).route(world.sent("document.new", ONE_STOP, *to))
    told = {r.code.value: (r.outcome, r.reason) for r in spoken(world, decision).recipients}
    assert told == {
        DEPARTMENT: ("queued", ""),
        "H12.77": ("rejected", "routing.unknown_receiver"),
        "H12.32.21": ("rejected", "routing.closed_receiver"),
        POST: ("rejected", "routing.not_allowed"),
    }
    assert [row.receiver for row in decision.record.deliveries] == [DEPARTMENT]


def test_no_receiver_left_is_a_rejection_naming_the_successor(world: World) -> None:
    """When no To can be reached, the message is rejected; a closed agency names its successor."""
    decision = world.route(world.sent("document.new", ONE_STOP, "H47.15"))
    receipt = spoken(world, decision)
    assert (decision.verdict, receipt.reason) == (Verdict.REJECTED, "routing.closed_receiver")
    assert "H17.15" in receipt.detail_vi
    assert receipt.recipients[0].reason == "routing.closed_receiver"


def test_deny_by_default(world: World) -> None:
    """What no rule allows is rejected as not allowed."""
    decision = world.route(world.sent("citizen.lookup", ONE_STOP, DEPARTMENT))
    assert decision.code == "routing.not_allowed"


@pytest.mark.parametrize("to", [("H13.15", "000.00.15.H13"), ("H13.15", "H13.15")])
def test_one_agency_twice_is_refused(world: World, to: tuple[str, str]) -> None:
    """Two codes of one agency among the receivers are the sender's mistake."""
    raw = world.sent("document.new", ONE_STOP, *to)
    assert world.route(raw).code in ("header.duplicate_recipient", "schema.violation")
    assert world.route(world.sent("document.new", DEPARTMENT, OTHER, "000.00.15.H13")).code == (
        "header.duplicate_recipient"
    )


def test_two_closed_agencies_with_one_successor_share_a_delivery(world: World) -> None:
    """Their successor gets the message once, under both names, and the receipt says so."""
    decision = world.route(world.sent("document.new", DEPARTMENT, CLOSED_A, CLOSED_B))
    (row,) = decision.record.deliveries
    assert (row.receiver, row.named, row.via) == (MERGED, f"{CLOSED_A} {CLOSED_B}", "successor")
    told = [(r.code.value, r.outcome, r.resolved.value) for r in spoken(world, decision).recipients]
    assert told == [(CLOSED_A, "redirected", MERGED), (CLOSED_B, "redirected", MERGED)]


def test_agencies_behind_one_centre_share_its_gateway(world: World) -> None:
    """Receivers without an inbox here go to their centre's gateway, once."""
    decision = world.route(world.sent("document.new", DEPARTMENT, REMOTE, "H26.101"))
    (row,) = decision.record.deliveries
    assert (row.receiver, row.queue, row.via) == (GATEWAY, f"gateway.{GATEWAY}", "centre")
    assert row.named == f"{REMOTE} H26.101"


def test_sender_under_its_old_code_is_the_same_sender(world: World) -> None:
    """The key is the canonical sender: an old code in From changes neither key nor account."""
    draft = world.draft("document.new", "000.00.13.H12", OTHER)
    decision = world.route(Arrival(raw=world.signed(draft), tag=1, account=DEPARTMENT))
    assert decision.record.messages[0].sender == DEPARTMENT


def test_hubs_own_gateway_swallows_nothing(world: World) -> None:
    """A receiver whose centre is this hub but who has no inbox is rejected, not left waiting."""
    assert world.route(world.sent("document.new", DEPARTMENT, "H99")).code == (
        "routing.unknown_receiver"
    )


@pytest.mark.parametrize(
    ("type_", "priority", "queue"),
    [
        ("document.new", 2, f"inbox.{OTHER}"),
        ("document.new", 3, f"inbox.{OTHER}.urgent"),
        ("document.recall", 0, f"inbox.{OTHER}.urgent"),
    ],
)
def test_urgent_messages_have_a_queue_of_their_own(
    world: World, type_: str, priority: int, queue: str
) -> None:
    """Priority 3 and above and recalls go beside the ordinary inbox."""
    decision = world.route(world.sent(type_, DEPARTMENT, OTHER, priority=priority))
    assert decision.record.deliveries[0].queue == queue


def test_order_is_kept_by_dossier_then_conversation(world: World) -> None:
    """The running number belongs to sender, receiver and dossier, else conversation."""
    dossier = DossierCode("000.00.19.H99-260304-0007")
    named = world.route(world.sent(TYPE, ONE_STOP, DEPARTMENT, dossier_code=dossier))
    assert named.order_keys == [(ONE_STOP, DEPARTMENT, f"dossier:{dossier}")]
    ping = world.sent("connectivity.ping", ONE_STOP, DEPARTMENT)
    conversation = world.read(ping.raw).header.conversation_id
    assert world.route(ping).order_keys == [(ONE_STOP, DEPARTMENT, f"conversation:{conversation}")]


def test_ping_to_the_hub_gets_a_signed_pong(world: World) -> None:
    """The hub answers a ping to itself with its own signed pong, and accepts it besides."""
    ping = world.sent("connectivity.ping", ONE_STOP, HUB)
    decision = world.route(ping)
    message, answer = decision.record.messages
    pong = world.read(answer.raw)
    assert (decision.verdict, message.sender) == (Verdict.ACCEPTED, ONE_STOP)
    assert (pong.header.type.value, pong.header.sender.value) == ("connectivity.pong", HUB)
    assert pong.header.in_reply_to == world.read(ping.raw).header.message_id
    assert pong.payload().fields["Nonce"] == world.read(ping.raw).payload().fields["Nonce"]
    (row,) = decision.record.deliveries
    assert (row.message, row.receiver) == (answer.id, ONE_STOP)
    assert decision.order_keys[0][0] == HUB
    seen = world.route(world.receipt("receipt.delivered", ONE_STOP, answer.raw))
    assert seen.record.changes[0].state is DeliveryState.DELIVERED
    assert seen.record.deliveries == ()


def test_ping_to_another_agency_goes_there(world: World) -> None:
    """The hub answers nobody else's ping."""
    decision = world.route(world.sent("connectivity.ping", ONE_STOP, OTHER))
    assert [row.receiver for row in decision.record.deliveries] == [OTHER]
    assert len(decision.record.messages) == 1


def test_hub_takes_nothing_but_pings(world: World) -> None:
    """A dossier addressed to the hub is rejected: it is no agency."""
    assert world.route(world.sent("document.new", ONE_STOP, HUB)).code == "routing.not_allowed"


def test_check_header_serves_the_command_line_too() -> None:
    """The header's rules stand alone: ``hub verify`` applies them without a directory."""
    settings = Settings(home=Path("/x"), hub=HubSection(code=HUB), time=TimeSection(ahead_s=1))
    header = _header()
    with pytest.raises(HubError) as caught:
        check_header(replace(header, created_at=NOW + timedelta(seconds=2)), settings, NOW)
    assert caught.value.code == "header.clock"
    with pytest.raises(HubError) as caught:
        check_header(replace(header, recipients=(code(OTHER), code(OTHER))), settings, NOW)
    assert caught.value.code == "header.duplicate_recipient"
    assert check_header(header, settings, NOW) is None


def _header():
    made = example_draft(
        TYPE, code(ONE_STOP), [code(OTHER)], now=NOW, environment=Environment.TRIAL
    )
    return made.header
