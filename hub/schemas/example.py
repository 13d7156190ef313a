"""An unsigned, schema-valid example of every message type, of any size within the limits."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from hub.codes import AgencyCode, DossierCode, Environment, MessageId, MessageType
from hub.envelope import (
    MAX_ENVELOPE,
    MAX_INLINE,
    MAX_INLINE_TOTAL,
    URGENT,
    Attachment,
    EnvelopeDraft,
    Header,
    Payload,
    Value,
)
from hub.errors import UsageError
from hub.schemas.catalog import TypeSpec, spec_of
from hub.schemas.compose import attachments_xml, compose
from hub.schemas.model import Node, payload_model
from hub.schemas.samples import MAKERS, Scene

_CUT = b"</Envelope>"
_PAD = "phu_luc_{}.bin"
_WRAPPER = len("<Attachments></Attachments>")
_DIGITS = len(str(MAX_INLINE)) - 1
"""What a written size may be longer than that of an empty attachment."""

Entropy = Callable[[int], bytes]


def example(
    type_name: str,
    sender: AgencyCode,
    recipients: Sequence[AgencyCode],
    *,
    now: datetime,
    environment: Environment,
    size: int | None = None,
    message_id: MessageId | None = None,
    entropy: Entropy = secrets.token_bytes,
) -> bytes:
    """Return the unsigned XML of an example; with ``size`` of exactly so many bytes.

    A size below the full example's leaves out what the schema lets out; one above is reached by
    random attachments, and what is left over by white space at the end. Raises ``UnknownType``, and
    ``UsageError`` for a size that the type cannot have.
    """
    draft = example_draft(
        type_name,
        sender,
        recipients,
        now=now,
        environment=environment,
        size=size,
        message_id=message_id,
        entropy=entropy,
    )
    xml = compose(draft)
    if size is None:
        return xml
    return xml[: -len(_CUT)] + b"\n" * (size - len(xml)) + _CUT


def example_draft(
    type_name: str,
    sender: AgencyCode,
    recipients: Sequence[AgencyCode],
    *,
    now: datetime,
    environment: Environment,
    size: int | None = None,
    message_id: MessageId | None = None,
    entropy: Entropy = secrets.token_bytes,
) -> EnvelopeDraft:
    """Return the example as a draft; with ``size``, at most some 200 bytes below it.

    Raises as :func:`example` does.
    """
    spec = spec_of(type_name)
    scene = Scene(sender, recipients[0] if recipients else sender, now, entropy)
    fields, attachments = MAKERS[spec.name](scene)
    given = message_id or MessageId.new(int(now.timestamp() * 1000), entropy(10))
    header = _header(spec, scene, tuple(recipients), environment, given, fields)
    draft = EnvelopeDraft(header, Payload(spec.element, fields), attachments)
    return draft if size is None else _sized(draft, size, entropy)


def _header(
    spec: TypeSpec,
    scene: Scene,
    recipients: tuple[AgencyCode, ...],
    environment: Environment,
    message_id: MessageId,
    fields: Mapping[str, Value],
) -> Header:
    dossier, document = fields.get("DossierCode"), fields.get("DocumentId")
    subject = fields.get("SubjectMessageId")
    return Header(
        message_id=message_id,
        environment=environment,
        type=MessageType.parse(spec.name),
        sender=scene.sender,
        recipients=recipients,
        conversation_id=message_id,
        created_at=scene.now,
        schema=spec.schema,
        in_reply_to=MessageId.parse(subject) if isinstance(subject, str) else None,
        dossier_code=DossierCode.parse(dossier) if isinstance(dossier, str) else None,
        document_id=document if isinstance(document, str) else None,
        priority=URGENT if spec.urgent_by_default else 0,
    )


def _sized(draft: EnvelopeDraft, size: int, entropy: Entropy) -> EnvelopeDraft:
    length = len(compose(draft))
    if length > size:
        draft = _lean(draft)
        length = len(compose(draft))
    if not length <= size <= MAX_ENVELOPE:
        name, span = draft.header.type, (length, MAX_ENVELOPE)
        en = f"a {name} has {span[0]} to {span[1]} bytes, not {size}"
        vi = f"một {name} có từ {span[0]} đến {span[1]} byte, không phải {size}"
        raise UsageError(reason=en, reason_vi=vi)
    return _padded(draft, size - length, entropy)


def _padded(draft: EnvelopeDraft, gap: int, entropy: Entropy) -> EnvelopeDraft:
    """Fill ``gap`` bytes with attachments as far as they fit; what is left is below 200 bytes."""
    extra: list[Attachment] = []
    free = MAX_INLINE_TOTAL - sum(item.size for item in draft.attachments)
    gap -= 0 if draft.attachments else _WRAPPER
    while True:
        room = gap - _cost(_pad(len(extra), b"")) - _DIGITS
        amount = min(room // 4 * 3, MAX_INLINE, free)
        if amount <= 0:
            break
        extra.append(_pad(len(extra), entropy(amount)))
        gap -= _cost(extra[-1])
        free -= amount
    if free <= 0 and gap > 0:
        limit = f"attachments hold at most {MAX_INLINE_TOTAL} bytes"
        raise UsageError(reason=limit, reason_vi=f"tệp đính kèm tối đa {MAX_INLINE_TOTAL} byte")
    return replace(draft, attachments=(*draft.attachments, *extra))


def _pad(number: int, content: bytes) -> Attachment:
    return Attachment.of(_PAD.format(number + 1), "application/octet-stream", content)


def _cost(item: Attachment) -> int:
    return len(attachments_xml([item])) - _WRAPPER


def _lean(draft: EnvelopeDraft) -> EnvelopeDraft:
    """Leave out every field and attachment that the schema does not demand."""
    model = payload_model(str(draft.header.type))
    fields = _required(draft.payload.fields, model)
    packet = fields.get("Packet")
    kept = draft.attachments if isinstance(packet, Mapping) else ()
    return replace(draft, payload=Payload(draft.payload.element, fields), attachments=kept)


def _required(fields: Mapping[str, Value], model: Node) -> dict[str, Value]:
    kept: dict[str, Value] = {}
    for child in model.children:
        if child.required and child.name in fields:
            kept[child.name] = _lean_value(fields[child.name], child)
    return kept


def _lean_value(value: Value, model: Node) -> Value:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return _required(value, model)
    return [_required(item, model) if isinstance(item, Mapping) else item for item in value[:1]]
