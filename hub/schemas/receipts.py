"""Receipts as envelopes: written fast, in exclusive canonical form, and read back.

A receipt is made for every message the hub takes, so it is written from templates: about five
microseconds, with nothing parsed and nothing canonicalised afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from hub.codes import AgencyCode, MessageId
from hub.envelope import Header, Receipt, Recipient
from hub.schemas.catalog import spec_of
from hub.schemas.compose import envelope_xml, escape, instant, printable
from hub.schemas.validate import ValidEnvelope

NAMESPACE = "urn:lienthong:receipt:1"
MAX_DETAIL = 2000
"""Characters of a detail; longer ones are cut, because a receipt must always be possible."""
MAX_PLACE = 500


def compose_receipt(receipt: Receipt, *, header: Header) -> bytes:
    """Return the unsigned envelope of a receipt in exclusive canonical form, without declaration.

    ``header.type`` must be ``receipt.type``; ``header.signer_certificate`` is written when set.
    Too long details are cut and control characters replaced. Raises ``UnknownType``.
    """
    element = spec_of(header.type).element
    body = (
        f'<{element} xmlns="{NAMESPACE}">'
        f"<SubjectMessageId>{receipt.subject_id.value}</SubjectMessageId>"
        f"<SubjectFrom>{receipt.subject_sender.value}</SubjectFrom>"
        f"<SubjectDigest>{receipt.subject_digest}</SubjectDigest>"
        f"<At>{instant(receipt.at, 'At')}</At>"
        f"{_recipients(receipt.recipients)}"
        f"{_tag('Reason', receipt.reason)}"
        f"{_tag('DetailVi', receipt.detail_vi[:MAX_DETAIL])}"
        f"{_tag('DetailEn', receipt.detail_en[:MAX_DETAIL])}"
        f"{_tag('Place', receipt.place[:MAX_PLACE])}"
        f"{'' if receipt.retry_after_s is None else _tag('RetryAfter', str(receipt.retry_after_s))}"
        f"{_tag('State', receipt.state)}"
        f"</{element}>"
    )
    return envelope_xml(header, body).encode("utf-8")


def _recipients(recipients: Sequence[Recipient]) -> str:
    if not recipients:
        return ""
    return f"<Recipients>{''.join([_recipient(item) for item in recipients])}</Recipients>"


def _recipient(item: Recipient) -> str:
    resolved = "" if item.resolved is None else f"<Resolved>{item.resolved.value}</Resolved>"
    return (
        f"<Recipient><Code>{item.code.value}</Code><Outcome>{item.outcome}</Outcome>{resolved}"
        f"{_tag('Via', item.via)}{_tag('Reason', item.reason)}"
        f"{_tag('DetailVi', item.detail_vi[:MAX_DETAIL])}"
        f"{_tag('DetailEn', item.detail_en[:MAX_DETAIL])}</Recipient>"
    )


def _tag(name: str, text: str) -> str:
    if text.isascii() and text.isalnum():
        return f"<{name}>{text}</{name}>"
    return f"<{name}>{escape(printable(text), name)}</{name}>" if text else ""


def read_receipt(valid: ValidEnvelope) -> Receipt:
    """Read a valid ``receipt.*`` envelope; raises ``CodeMalformed`` for a code that is none."""
    fields = cast("Mapping[str, str]", valid.payload().fields)
    block = cast("Mapping[str, Sequence[Mapping[str, str]]]", fields.get("Recipients", {}))
    retry_after = fields.get("RetryAfter")
    return Receipt(
        type=valid.header.type,
        subject_id=MessageId.parse(fields["SubjectMessageId"]),
        subject_sender=AgencyCode.parse(fields["SubjectFrom"]),
        subject_digest=fields["SubjectDigest"],
        at=datetime.fromisoformat(fields["At"]),
        recipients=tuple(_read_recipient(item) for item in block.get("Recipient", ())),
        reason=fields.get("Reason", ""),
        detail_vi=fields.get("DetailVi", ""),
        detail_en=fields.get("DetailEn", ""),
        place=fields.get("Place", ""),
        retry_after_s=None if retry_after is None else int(retry_after),
        state=fields.get("State", ""),
    )


def _read_recipient(item: Mapping[str, str]) -> Recipient:
    resolved = item.get("Resolved")
    return Recipient(
        code=AgencyCode.parse(item["Code"]),
        outcome=item["Outcome"],
        resolved=None if resolved is None else AgencyCode.parse(resolved),
        via=item.get("Via", ""),
        reason=item.get("Reason", ""),
        detail_vi=item.get("DetailVi", ""),
        detail_en=item.get("DetailEn", ""),
    )
