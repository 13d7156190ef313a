"""The typed payload blocks agree with the XSDs and come back from a valid envelope."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from enum import StrEnum

import pytest
from lxml import etree

from hub.codes import DossierCode
from hub.envelope import Payload
from hub.schemas.catalog import schema_folder
from hub.schemas.compose import compose
from hub.schemas.documents import (
    PORTAL_CODES,
    DocumentState,
    DossierState,
    Event,
    PostalState,
    Status,
)

XS = "{http://www.w3.org/2001/XMLSchema}"
AT = datetime(2026, 3, 4, 8, 30, tzinfo=timezone(timedelta(hours=7)))


@pytest.mark.parametrize(
    ("file", "name", "states"),
    [
        ("common.xsd", "CanonicalStatus", DossierState),
        ("postal.xsd", "PostalCanonical", PostalState),
        ("document.xsd", "DocumentCanonical", DocumentState),
    ],
)
def test_states_are_those_of_the_schema(file: str, name: str, states: type[StrEnum]):
    """The enumerations in code and in the XSDs are one list."""
    root = etree.parse(schema_folder() / file).getroot()
    values = root.iterfind(f"{XS}simpleType[@name='{name}']//{XS}enumeration")
    assert [value.get("value") for value in values] == [state.value for state in states]


def test_event_comes_back_from_the_signed_bytes(scene):
    """Both statuses and the provenance of an event survive the wire."""
    event = Event(
        event_id="0199a7f0-0000-7000-8000-000000000001",
        dossier_code=DossierCode("000.00.19.H99-260304-0007"),
        occurred_at=AT,
        recorded_at=AT + timedelta(seconds=3),
        source_system="motcua",
        source_sequence=12,
        status=Status("motcua", "4", DossierState.STOPPED, "Dừng xử lý", "8"),
        aliases=(("portal", "H99-1"), ("local_row", "77")),
    )
    draft = scene.draft("dossier.paused")
    payload = Payload("DossierPaused", event.fields(PausedAt=AT.isoformat(), Reason="Chờ"))
    valid = scene.valid(compose(replace(draft, payload=payload)))
    assert Event.read(valid.payload().fields) == event


def test_event_without_the_optional_parts_is_valid_too(scene):
    """Aliases, text and portal code may be absent."""
    status = Status("motcua", "9", DossierState.RESOLVED)
    event = Event(
        "0199a7f0-0000-7000-8000-000000000001", DossierCode("A-1"), AT, AT, "motcua", 0, status
    )
    draft = scene.draft("dossier.paused")
    payload = Payload("DossierPaused", event.fields(PausedAt=AT.isoformat(), Reason="Chờ"))
    assert (
        Event.read(scene.valid(compose(replace(draft, payload=payload))).payload().fields) == event
    )


@pytest.mark.parametrize(
    ("code", "state"),
    [("01", "arrived"), ("3", "registered"), ("13", "recall_requested"), ("16", "recall_refused")],
)
def test_document_codes_map_to_states(code: str, state: str):
    """The codes of QCVN 102 have one meaning each."""
    assert DocumentState.of_code(code) == state


def test_unknown_document_code_stays_unknown():
    """A code outside the list is not guessed."""
    assert DocumentState.of_code("77") is DocumentState.UNKNOWN


def test_every_known_state_has_a_portal_code():
    """Only ``unknown`` has no code of the national portal."""
    assert set(DossierState) - set(PORTAL_CODES) == {DossierState.UNKNOWN}
