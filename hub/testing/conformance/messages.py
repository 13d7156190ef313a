"""Messages for the sink: signed examples of the types it accepts, about what its partner knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from hub.adapters.contract import Draft, Inbound, types_match
from hub.codes import DossierCode, Environment
from hub.envelope import Attachment, EnvelopeDraft, Payload
from hub.schemas.catalog import catalogue
from hub.schemas.example import example_draft
from hub.testing.conformance.bed import AGENCY, PEER, Bed

NASTY = b"\xef\xbb\xbf\r\n\n\r" + bytes(range(256)) + b"\r\n<?xml?>]]>\x00" + "Đặng Thị ư".encode()
"""Bytes that a text mode, a codec or a line-ending conversion would change."""


def accepted(bed: Bed) -> list[str]:
    """Return the message types that the sink takes; receipts never reach a sink."""
    patterns = bed.parts().accepts
    return [name for name in catalogue() if types_match(patterns, name) and not _receipt(name)]


def foreign(bed: Bed) -> str:
    """Return a message type that the sink does not take; empty when it takes every one."""
    taken = set(accepted(bed))
    return next((name for name in catalogue() if name not in taken and not _receipt(name)), "")


def _receipt(name: str) -> bool:
    return name.startswith("receipt.")


def made(bed: Bed, type_name: str) -> Inbound:
    """Return a signed, verified and valid example of a type, as the runner hands it over.

    It is about a dossier that the source's own records name, and comes from whom they go to.
    """
    first = next((item.draft for item in bed.drafts if item.draft is not None), None)
    peer = first.recipients[0] if first else PEER
    example = example_draft(
        type_name, peer, [AGENCY], now=datetime.now(UTC), environment=Environment.TRIAL
    )
    return _inbound(bed, _known(example, first.dossier_code if first else None))


def candidates(bed: Bed) -> Iterator[Inbound]:
    """Return one message of each type that the sink takes."""
    for name in accepted(bed):
        yield made(bed, name)


def _known(example: EnvelopeDraft, code: DossierCode | None) -> EnvelopeDraft:
    if code is None or "DossierCode" not in example.payload.fields:
        return example
    fields = {**example.payload.fields, "DossierCode": code.value}
    payload = Payload(example.payload.element, fields)
    return replace(example, header=replace(example.header, dossier_code=code), payload=payload)


def _inbound(bed: Bed, example: EnvelopeDraft) -> Inbound:
    header = example.header
    draft = Draft(
        type=header.type,
        recipients=(AGENCY,),
        payload=example.payload,
        attachments=example.attachments,
        dossier_code=header.dossier_code,
        document_id=header.document_id,
    )
    signer = bed.keys.signer(header.sender)
    row = signer.message("example", draft, datetime.now(UTC), source=False)
    return bed.keys.inbound(row.raw, AGENCY)


def with_attachment(message: Inbound) -> Inbound:
    """Return the message with one attachment more, of awkward bytes.

    Not for documents: an edXML packet is the one attachment of its message.
    """
    if message.type.family == "document":
        return message
    extra = Attachment.of("đính kèm.bin", "application/octet-stream", NASTY)
    return replace(message, attachments=(*message.attachments, extra))
