"""Judge and decide: pure functions from an arrival to everything that follows from it.

``judge`` needs no store: parse, profile, trust, account, schema, header, routes. ``decide`` adds
what the store already knows (:class:`hub.store.rows.Prior`) and yields a :class:`Decision`. Neither
does I/O, and neither ever raises: whatever goes wrong inside is a decision too, made in one place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter
from typing import TypeVar

from hub.codes import AgencyCode, Environment
from hub.envelope import Arrival, Header, sha256_hex
from hub.errors import (
    AccountRefused,
    ClockAhead,
    Disposition,
    DuplicateRecipient,
    HeaderContradiction,
    HubError,
    MessageExpired,
    Place,
    WrongEnvironment,
)
from hub.routing.context import Context
from hub.routing.decision import Decision, Key, Memory
from hub.routing.judged import Judged
from hub.routing.messages import decide_message
from hub.routing.receipts import decide_receipt, subject_key
from hub.routing.table import routes_of
from hub.routing.verdicts import fault, parked, quarantined
from hub.schemas.receipts import read_receipt
from hub.settings import Settings, TimeSection

_T = TypeVar("_T")


@dataclass(slots=True)
class Spent:
    """Seconds spent in the stages of judging; always on, it costs four clock reads a message."""

    parse: float = 0.0
    """Reading the XML within its limits."""
    verify: float = 0.0
    """Profile, digest, signature, trust and binding."""
    validate: float = 0.0
    """Account, schema, header and routes."""
    _since: float = 0.0

    def start(self) -> None:
        """Begin with a message."""
        self._since = perf_counter()

    def parsed(self) -> None:
        """The XML is read."""
        self.parse += self._lap()

    def verified(self) -> None:
        """Verification has ended, well or not."""
        self.verify += self._lap()

    def validated(self) -> None:
        """Everything else has been judged."""
        self.validate += self._lap()

    def _lap(self) -> float:
        before, self._since = self._since, perf_counter()
        return self._since - before


def check_header(header: Header, settings: Settings, at: datetime) -> None:
    """Check what a header says against this home and the clock.

    Raises ``WrongEnvironment``, ``ClockAhead``, ``MessageExpired``, or ``DuplicateRecipient`` for a
    code that stands there twice (aliases are the directory's to find).
    """
    _check_header(header, settings.hub.environment, settings.time, at)
    for code in header.recipients:
        if header.recipients.count(code) > 1:
            raise DuplicateRecipient(value=code, place=Place(path="/Envelope/Header/To"))


def _check_header(
    header: Header, environment: Environment, limits: TimeSection, at: datetime
) -> None:
    if header.environment is not environment:
        raise WrongEnvironment(value=header.environment.value, expected=environment.value)
    if header.created_at - at > timedelta(seconds=limits.ahead_s):
        raise ClockAhead(limit=limits.ahead_s // 60)
    too_old = at - header.created_at > timedelta(days=limits.max_age_days)
    if too_old or (header.expires_at is not None and header.expires_at <= at):
        raise MessageExpired(limit=limits.max_age_days)


def judge(arrival: Arrival, context: Context, at: datetime, spent: Spent | None = None) -> Judged:
    """Judge one arrival by itself at the time ``at`` (aware); never raises."""
    judged = Judged(arrival, at, sha256_hex(arrival.raw))
    failure = _outcome(lambda: _judge(judged, context, spent or Spent()))
    if isinstance(failure, HubError):
        judged.error = failure
    return judged


def _outcome(work: Callable[[], _T]) -> _T | HubError:
    """Run ``work``: the one place where whatever goes wrong with an arrival is caught."""
    try:
        return work()
    except HubError as error:
        return error
    except Exception as error:  # noqa: BLE001  one arrival must stop nothing else
        return fault(error)


def _judge(judged: Judged, context: Context, spent: Spent) -> None:
    _check_account(judged.arrival)
    spent.start()
    try:
        judged.verified = context.verifier.verify(
            judged.arrival.raw, at=judged.at, parsed=spent.parsed
        )
    finally:
        spent.verified()
    _judge_verified(judged, context)
    spent.validated()


def _check_account(arrival: Arrival) -> None:
    if not arrival.account:
        raise AccountRefused(value="-", sender="?")


def _judge_verified(judged: Judged, context: Context) -> None:
    """From a good signature to routes; the sender is set as soon as it may be answered."""
    verified, arrival = judged.verified, judged.arrival
    if verified is None:
        return
    sender = context.directory.canonical(verified.sender)
    account = arrival.account or ""
    if not context.may_speak_for(account, sender, judged.at):
        raise AccountRefused(value=account, sender=sender)
    _check_properties(judged, sender, account)
    judged.sender = sender
    judged.valid = context.validator.validate(verified)
    header = judged.valid.header
    _check_header(header, context.environment, context.time, judged.at)
    if header.type.is_receipt:
        judged.receipt = read_receipt(judged.valid)
    else:
        judged.routes = routes_of(header, sender, context, judged.at)


def _check_properties(judged: Judged, sender: AgencyCode, account: str) -> None:
    """Transport properties may be absent; what is there must not contradict what is signed."""
    arrival, verified = judged.arrival, judged.verified
    written = verified.sender.value if verified else ""
    if arrival.routing_key and arrival.routing_key not in (sender.value, written, account):
        raise HeaderContradiction(name="routing_key")
    signed = judged.message_id
    if arrival.claimed_id and signed and arrival.claimed_id.lower() != signed.value:
        raise HeaderContradiction(name="message_id")


def keys_of(judged: Judged, context: Context) -> tuple[Key, ...]:
    """Return the keys whose past ``decide`` wants to know: its own, and a receipt's subject's."""
    keys = [judged.key] if judged.key else []
    if judged.receipt is not None:
        keys.append(subject_key(judged.receipt, context))
    return tuple(keys)


def decide(judged: Judged, memory: Memory, context: Context) -> Decision:
    """Decide on a judged arrival with what the store knows of its keys; never raises."""
    decision = _outcome(lambda: _decide(judged, memory, context))
    if isinstance(decision, Decision):
        return decision
    return parked(judged, decision, memory.get(judged.key) if judged.key else None, context)


def _decide(judged: Judged, memory: Memory, context: Context) -> Decision:
    error = judged.error
    if judged.key is None or (error and error.disposition is Disposition.QUARANTINE):
        return quarantined(judged, error or AccountRefused(value="-", sender="?"), context)
    if judged.is_receipt:
        return decide_receipt(judged, memory, context)
    prior = memory.get(judged.key)
    if error is not None and error.disposition is not Disposition.REJECT:
        return parked(judged, error, prior, context)
    return decide_message(judged, prior, context)
