"""A changed row at a one-stop → the items that it gives rise to, with their keys and receivers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from hub.adapters.contract import Draft, Item
from hub.adapters.one_stop.decoding import is_deleted, plain_text
from hub.adapters.one_stop.payloads import Happening, payload
from hub.adapters.one_stop.record import Line, Record
from hub.adapters.one_stop.vocabulary import OTHER, Event, Vocabulary
from hub.adapters.watermark import Mark, sequence
from hub.codes import AgencyCode, DossierCode, Environment, MessageType, ProcedureCode
from hub.errors import HubError, Place, RowUnmappable
from hub.schemas.documents import DossierState, Status

EVENTS = uuid.UUID("5d0f4b0e-6f0a-5b57-9a53-0f6a4d1a7c11")
"""Namespace of event ids (UUID version 5 of system and item key): the same event, the same id."""

_WHEN = {
    "dossier.submitted": ("submitted",),
    "dossier.received": ("received",),
    "dossier.resolved": ("resolved",),
    "dossier.withdrawn": ("withdrawn",),
    "result.delivered": ("returned",),
}
"""The date column that tells when an event happened, where no trace row drives it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One row that tells of a change."""

    table: str
    row: str
    """The row's id."""
    mark: Mark
    status: str
    status_column: str
    once: bool
    """The row is one event and never changes (trace, outbox); otherwise each real change is one."""

    @property
    def name(self) -> str:
        """What the row is called in keys and by operators."""
        return f"{self.table}:{self.row}"


class EventMaker:
    """Turns changes of one source into items. Holds no state."""

    def __init__(
        self,
        rules: Vocabulary,
        sender: AgencyCode,
        environment: Environment,
        clock: Callable[[], datetime],
    ) -> None:
        self._rules = rules
        self._sender = sender
        self._environment = environment
        self._clock = clock

    def status_of(self, status: object, deleted: object) -> str:
        """Return the status that a row counts as: its own, or that of a deleted one."""
        return self._rules.dossier.deleted_status if is_deleted(deleted) else plain_text(status)

    def events(self, change: Change) -> tuple[Event, ...]:
        """Return what the change gives rise to, often nothing.

        Raises ``RowUnmappable`` for a status that the mapping does not know.
        """
        rules = self._rules
        found = rules.events.get(change.status)
        if found is None and change.status not in rules.status and OTHER not in rules.events:
            reason = f"status {change.status[:20]!r} is not in the mapping"
            place = Place(column=f"{change.table}.{change.status_column}")
            raise RowUnmappable(place=place, row=change.row, reason=reason)
        return rules.events.get(OTHER, ()) if found is None else found

    def broken(self, change: Change, error: HubError) -> Item:
        """Return the item of a row that cannot be mapped at all."""
        key = f"{change.name}:{sequence(change.mark)}:error"
        return Item(key, error=self._placed(error, change), label=change.name)

    def items(self, change: Change, found: Record) -> Iterator[Item]:
        """Return the items of a change of a dossier."""
        for event in self.events(change):
            if event.channel and found.text("channel") not in event.channel:
                continue
            # The digest makes a touched row without a change the item that the outbox has already.
            digest = "" if change.once else f":{found.digest[:16]}"
            key = f"{change.name}:{event.type}{digest}"
            try:
                draft = self._draft(key, event, change, found)
            except HubError as error:
                yield Item(key, error=self._placed(error, change), label=found.code)
            else:
                if draft is not None:
                    yield Item(key, draft=draft, label=found.code)

    def _placed(self, error: HubError, change: Change) -> HubError:
        """Return the error with its table, row key and column, as the software calls them."""
        dossier = self._rules.dossier
        column = dossier.columns.get(error.place.column)
        if column:
            place = error.place
            error.place = Place(place.file, place.line, f"{dossier.table}.{column}", place.path)
        return error.at(file=change.table, path=f"row {change.row}")

    def _draft(self, key: str, event: Event, change: Change, found: Record) -> Draft | None:
        receiver = self._receiver(event, found)
        if receiver is None:
            return None
        step = _step_of(change, found)
        now = self._clock()
        system = self._rules.system
        happening = Happening(
            type=event.type,
            event_id=str(uuid.uuid5(EVENTS, f"{self._sender}/{system}/{key}")),
            record=found,
            status=self._status(change.status),
            sequence=sequence(change.mark),
            sender=self._sender,
            receiver=receiver,
            at=_moment(event, step, found) or now,
            recorded_at=now,
            step=step,
        )
        return Draft(
            MessageType.parse(event.type),
            (receiver,),
            payload(happening),
            dossier_code=DossierCode.parse(found.code),
        )

    def _status(self, code: str) -> Status:
        known = self._rules.status.get(code)
        if known is None:
            return Status(self._rules.system, code, DossierState.UNKNOWN.value, code)
        canonical = known.canonical.value
        return Status(self._rules.system, code, canonical, known.text, known.portal_code)

    def _receiver(self, event: Event, found: Record) -> AgencyCode | None:
        if event.to == "origin":
            code = found.text("origin")
            return AgencyCode.parse(code, self._environment) if code else None
        if event.to != "procedure":
            return AgencyCode.parse(event.to, self._environment)
        base = ProcedureCode.parse(found.text("procedure")).base
        code = self._rules.receivers.get(base) or self._rules.receivers.get(OTHER, "")
        if not code:
            place = Place(column="procedure")
            raise RowUnmappable(place=place, row=found.code, reason=f"no receiver for {base}")
        return AgencyCode.parse(code, self._environment)


def _step_of(change: Change, found: Record) -> Line | None:
    """Return the line of the trace that the change is, where the trace drives the events."""
    if not change.once:
        return None
    return next((step for step in found.steps if step.get("id") == change.row), None)


def _moment(event: Event, step: Line | None, found: Record) -> datetime | None:
    times = [step.get("at") if step else None, *map(found.time, _WHEN.get(event.type, ()))]
    return next((time for time in times if isinstance(time, datetime)), None)
