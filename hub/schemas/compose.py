"""Draft to XML: unsigned, UTF-8, in the order of the schema, already in exclusive canonical form.

Behind the XML declaration the bytes are what exclusive C14N 1.0 makes of them (namespaces where
they are used, attributes sorted, canonical escapes), so that nothing changes between drafting and
signing. Text is written as it is given: nothing is normalised, trimmed or repaired.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from hub.envelope import NAMESPACE, VERSION, Attachment, EnvelopeDraft, Header, Payload
from hub.errors import SchemaViolation
from hub.errors.base import Place
from hub.schemas.catalog import spec_of
from hub.schemas.model import Node, payload_model

DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'

_REFUSED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 cannot carry, and the C1 controls, which only damaged text holds (U+0085 stays)."""
_SPECIAL = re.compile("[&<>\r]")
_SPECIAL_IN_ATTRIBUTE = re.compile('[&<"\t\n\r]')
_ESCAPES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\t": "&#x9;",
    "\n": "&#xA;",
    "\r": "&#xD;",
}


def compose(draft: EnvelopeDraft) -> bytes:
    """Return the unsigned envelope of ``draft`` with an XML declaration.

    Raises ``UnknownType``, ``UnknownVersion``, and ``SchemaViolation`` naming the path of a field
    that the schema does not know, that is not text, a group or a sequence where it must be one, or
    that holds control characters. What the values must be is ``Validator.check_draft``'s to say.
    """
    header = draft.header
    spec = spec_of(header.type, header.schema)
    if draft.payload.element != spec.element:
        en = f"a {spec.name} carries {spec.element}, not {draft.payload.element[:64]}"
        vi = (
            f"loại {spec.name} mang phần tử {spec.element}, không phải {draft.payload.element[:64]}"
        )
        raise _violation("/Envelope/Body", en, vi)
    body = payload_xml(draft.payload, payload_model(spec.name), spec.namespace)
    text = envelope_xml(header, body, attachments_xml(draft.attachments))
    return DECLARATION + text.encode("utf-8")


def envelope_xml(header: Header, body: str, attachments: str = "") -> str:
    """Put header, payload and attachments (all canonical XML) into an envelope."""
    return (
        f'<Envelope xmlns="{NAMESPACE}" version="{VERSION}"><Header>{header_xml(header)}</Header>'
        f"<Body>{body}</Body>{attachments}</Envelope>"
    )


def header_xml(header: Header) -> str:
    """Write the header's children in the order of architecture §4."""
    to = "".join([f'<To code="{code.value}"></To>' for code in header.recipients])
    return (
        f"<MessageId>{header.message_id.value}</MessageId>"
        f"<Environment>{header.environment.value}</Environment>"
        f'<Type schema="{attribute(header.schema)}">{header.type.value}</Type>'
        f'<From code="{header.sender.value}"></From>{to}'
        f"<ConversationId>{header.conversation_id.value}</ConversationId>"
        f"{_optional('InReplyTo', header.in_reply_to)}"
        f"{_optional('DossierCode', header.dossier_code)}"
        f"{_optional('DocumentId', header.document_id)}"
        f"<CreatedAt>{instant(header.created_at, 'CreatedAt')}</CreatedAt>"
        f"{_expires(header)}"
        f"<Priority>{header.priority}</Priority>"
        f"{_optional('Sequence', header.sequence)}"
        f"{_optional('SignerCertificate', header.signer_certificate)}"
    )


def _optional(name: str, value: object) -> str:
    return "" if value is None else f"<{name}>{escape(str(value), name)}</{name}>"


def _expires(header: Header) -> str:
    if header.expires_at is None:
        return ""
    return f"<ExpiresAt>{instant(header.expires_at, 'ExpiresAt')}</ExpiresAt>"


def instant(value: datetime, path: str) -> str:
    """Write a time as RFC 3339 with offset; raises ``SchemaViolation`` for a naive one."""
    if value.tzinfo is None:
        raise _violation(path, "a time needs an offset", "thời điểm phải có múi giờ")
    return value.isoformat()


def attachments_xml(attachments: Iterable[Attachment]) -> str:
    """Write the attachments, inline ones in base64; empty text when there are none."""
    parts = [_attachment_xml(item) for item in attachments]
    return f"<Attachments>{''.join(parts)}</Attachments>" if parts else ""


def _attachment_xml(item: Attachment) -> str:
    href = "" if item.href is None else f'href="{attribute(item.href)}" '
    content = ""
    if item.content is not None:
        content = f"<Content>{base64.b64encode(item.content).decode('ascii')}</Content>"
    return (
        f'<Attachment {href}mediaType="{attribute(item.media_type)}" name="{attribute(item.name)}"'
        f' sha256="{attribute(item.sha256)}" size="{item.size}">{content}</Attachment>'
    )


def payload_xml(payload: Payload, model: Node, namespace: str) -> str:
    """Write a payload element with its fields in schema order; raises ``SchemaViolation``."""
    inner = "".join(_group(payload.fields, model, f"/{model.name}"))
    return f'<{model.name} xmlns="{namespace}">{inner}</{model.name}>'


def _group(fields: object, model: Node, path: str) -> Iterator[str]:
    if not isinstance(fields, Mapping):
        raise _violation(path, "a group of fields is expected", "phải là một nhóm trường")
    unknown = [name for name in fields if name not in model.index]
    if unknown:
        where = f"{path}/{str(unknown[0])[:64]}"
        raise _violation(where, "the schema has no such field", "lược đồ không có trường này")
    for child in model.children:
        if child.name in fields:
            yield from _field(fields[child.name], child, f"{path}/{child.name}")


def _field(value: object, model: Node, path: str) -> Iterator[str]:
    if not model.repeated:
        yield from _one(value, model, path)
        return
    if isinstance(value, str | Mapping) or not isinstance(value, Sequence):
        raise _violation(path, "a sequence is expected", "phải là một dãy giá trị")
    for number, item in enumerate(value, 1):
        yield from _one(item, model, f"{path}[{number}]")


def _one(value: object, model: Node, path: str) -> Iterator[str]:
    yield f"<{model.name}>"
    if model.children:
        yield from _group(value, model, path)
    elif isinstance(value, str):
        yield escape(value, path)
    else:
        raise _violation(path, "text is expected", "phải là chữ")
    yield f"</{model.name}>"


def escape(text: str, path: str = "") -> str:
    """Escape text for an element as C14N does; raises ``SchemaViolation`` for controls."""
    if text.isascii() and text.isalnum():
        return text
    if _REFUSED.search(text):
        raise _violation(
            path, "control characters are not allowed", "không được có ký tự điều khiển"
        )
    return _SPECIAL.sub(_escaped, text) if _SPECIAL.search(text) else text


def printable(text: str) -> str:
    """Replace what an envelope cannot carry by U+FFFD, for texts of which no one may be refused."""
    return _REFUSED.sub("\ufffd", text)


def attribute(text: str, path: str = "") -> str:
    """Escape text for an attribute as C14N does; raises ``SchemaViolation`` likewise."""
    if _REFUSED.search(text):
        raise _violation(
            path, "control characters are not allowed", "không được có ký tự điều khiển"
        )
    return _SPECIAL_IN_ATTRIBUTE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return _ESCAPES[found.group()]


def _control(path: str) -> SchemaViolation:
    en, vi = "control characters are not allowed", "không được có ký tự điều khiển"
    return _violation(path, en, vi)


def _violation(path: str, en: str, vi: str) -> SchemaViolation:
    return SchemaViolation(reason=en, reason_vi=vi, place=Place(path=path))
