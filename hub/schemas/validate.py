"""Verified bytes to a valid envelope: catalogue, schema, header codes, attachments.

libxml2 judges (one compiled schema holds every namespace); only when it refuses does ``xmlschema``
explain why (``hub.schemas.explain``). What is not verified cannot be validated, and nothing but
:class:`Validator` makes a :class:`ValidEnvelope` (architecture §2, law 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from lxml import etree

from hub import safexml
from hub.codes import AgencyCode, DossierCode, Environment, MessageId, MessageType
from hub.envelope import (
    MAX_RECIPIENTS,
    NAMESPACE,
    VERSION,
    Attachment,
    Header,
    Payload,
    Value,
)
from hub.errors import CommentOrPi, HubError, RecipientCount, SchemaViolation, UnknownVersion
from hub.errors.base import Place
from hub.schemas.attachments import check_attachments, check_references, read_attachments
from hub.schemas.catalog import TypeSpec, schema_folder, spec_of
from hub.schemas.explain import explain
from hub.schemas.model import Node, payload_model

if TYPE_CHECKING:
    from hub.signing.verifier import VerifiedEnvelope

_NS = f"{{{NAMESPACE}}}"
_ENVELOPE = f"{_NS}Envelope"
_MESSAGE_ID = f"{_NS}MessageId"
_ENVIRONMENT = f"{_NS}Environment"
_TYPE = f"{_NS}Type"
_FROM = f"{_NS}From"
_TO = f"{_NS}To"
_CONVERSATION_ID = f"{_NS}ConversationId"
_IN_REPLY_TO = f"{_NS}InReplyTo"
_DOSSIER_CODE = f"{_NS}DossierCode"
_DOCUMENT_ID = f"{_NS}DocumentId"
_CREATED_AT = f"{_NS}CreatedAt"
_EXPIRES_AT = f"{_NS}ExpiresAt"
_PRIORITY = f"{_NS}Priority"
_SEQUENCE = f"{_NS}Sequence"
_SIGNER_CERTIFICATE = f"{_NS}SignerCertificate"
_NOT_IN_ENVELOPES = etree.XPath(
    "boolean(//comment() | //processing-instruction() | /comment() | /processing-instruction()"
    " | //@*[namespace-uri()='http://www.w3.org/2001/XMLSchema-instance'])"
)
_MAKER = object()


@cache
def _schema() -> etree.XMLSchema:
    """One compiled schema with every namespace of version 1; compiling takes about 10 ms."""
    return etree.XMLSchema(file=str(schema_folder(VERSION) / "envelope.xsd"))


@dataclass(frozen=True, slots=True, eq=False)
class ValidEnvelope:
    """An envelope whose signature holds and whose content is what its type promises."""

    verified: VerifiedEnvelope = field(repr=False)
    header: Header
    spec: TypeSpec
    _maker: object = field(repr=False)

    def __post_init__(self) -> None:
        if self._maker is not _MAKER:
            msg = "only Validator makes a ValidEnvelope"
            raise TypeError(msg)

    @property
    def raw(self) -> bytes:
        """The bytes as they arrived: stored, forwarded and delivered unchanged."""
        return self.verified.raw

    @property
    def digest(self) -> str:
        """SHA-256 of ``raw``, hex."""
        return self.verified.digest

    def payload(self) -> Payload:
        """Read the payload: nested fields; what may be repeated is always a list."""
        element = self.verified.root[1][0]
        return Payload(self.spec.element, _read_group(element, payload_model(self.spec.name)))

    def attachments(self) -> tuple[Attachment, ...]:
        """Read the attachments; inline content is decoded at each call and not kept."""
        return read_attachments(self.verified.root)


class Validator:
    """The only maker of :class:`ValidEnvelope`. One instance serves one thread."""

    __slots__ = ("_judge",)

    def __init__(self) -> None:
        self._judge = _schema()

    def validate(self, verified: VerifiedEnvelope) -> ValidEnvelope:
        """Judge what the signature covers.

        Raises ``UnknownVersion``, ``UnknownType``, ``RecipientCount``, ``SchemaViolation`` (with
        path, line and reason), ``CodeMalformed``, ``CodeTestOnly`` and the attachment errors.
        """
        header, spec = self._checked(verified.root, verified.raw)
        return ValidEnvelope(verified, header, spec, _MAKER)

    def check_draft(self, xml: bytes) -> Header:
        """Judge an unsigned (or signed) envelope by the same rules and return its header.

        The signature is not looked at. Raises as ``validate`` does, and also the XML errors and
        ``CommentOrPi``, which the verifier would raise after signing.
        """
        root = safexml.parse(xml)
        if _NOT_IN_ENVELOPES(root):
            raise CommentOrPi
        return self._checked(root, xml)[0]

    def _checked(self, root: etree._Element, raw: bytes) -> tuple[Header, TypeSpec]:
        _check_version(root)
        parts, recipients = _header_parts(root)
        typed = parts.get(_TYPE)
        spec = None
        if typed is not None:
            spec = spec_of(typed.text or "", typed.get("schema", VERSION))
        if len(recipients) > MAX_RECIPIENTS or (parts and not recipients):
            place = Place(path="/Envelope/Header/To")
            raise RecipientCount(count=len(recipients), limit=MAX_RECIPIENTS, place=place)
        if not self._judge.validate(root) or spec is None:
            raise explain(raw, _first_line(self._judge))
        _check_payload_element(root, spec)
        header = _header(parts, recipients)
        if len(root) > 2:  # noqa: PLR2004  Header, Body, then Attachments or a Signature
            check_attachments(root)
        check_references(root, spec.namespace)
        return header, spec


def _first_line(judge: etree.XMLSchema) -> tuple[int, str]:
    entry = next(iter(judge.error_log), None)
    return (0, "") if entry is None else (entry.line, entry.path or "")


def _check_version(root: etree._Element) -> None:
    version = root.get("version", "")
    if root.tag == _ENVELOPE and version == VERSION:
        return
    name = etree.QName(root)
    other = (name.namespace or "").rpartition(":")
    if name.localname == "Envelope" and other[0] == NAMESPACE.rpartition(":")[0]:
        raise UnknownVersion(value=(version or other[2])[:16], place=Place(path="/Envelope"))
    raise SchemaViolation(
        reason="the root is not an Envelope of this hub",
        reason_vi="phần tử gốc không phải Envelope của trục này",
        place=Place(line=root.sourceline or 0, path="/"),
    )


def _header_parts(root: etree._Element) -> tuple[dict[str, etree._Element], list[str]]:
    """The header's children by tag, and the ``To`` codes; both empty where there is no header."""
    header = root[0] if len(root) else root
    if header.tag != f"{_NS}Header":
        return {}, []
    parts: dict[str, etree._Element] = {}
    recipients = []
    for child in header:
        tag = str(child.tag)
        if tag == _TO:
            recipients.append(child.get("code", ""))
        parts[tag] = child
    return parts, recipients


def _check_payload_element(root: etree._Element, spec: TypeSpec) -> None:
    payload = root[1][0]
    if payload.tag == spec.tag:
        return
    found = etree.QName(payload).localname
    raise SchemaViolation(
        reason=f"a {spec.name} carries {spec.element}, not {found}",
        reason_vi=f"loại {spec.name} mang phần tử {spec.element}, không phải {found}",
        place=Place(line=payload.sourceline or 0, path=f"/Envelope/Body/{found}"),
    )


def _header(parts: Mapping[str, etree._Element], recipients: list[str]) -> Header:
    """Parse a schema-valid header; raises ``CodeMalformed`` or ``CodeTestOnly`` with its place."""

    def text(name: str) -> str | None:
        part = parts.get(name)
        return None if part is None else part.text

    environment = Environment.parse(text(_ENVIRONMENT) or "")
    message_id, conversation = text(_MESSAGE_ID) or "", text(_CONVERSATION_ID) or ""
    in_reply_to, dossier, sequence = text(_IN_REPLY_TO), text(_DOSSIER_CODE), text(_SEQUENCE)
    where = "From"
    try:
        sender = AgencyCode.parse(parts[_FROM].get("code", ""), environment)
        where = "To"
        receivers = tuple([AgencyCode.parse(code, environment) for code in recipients])
        where = ""
        identity = MessageId.parse(message_id)
        return Header(
            message_id=identity,
            environment=environment,
            type=_message_type(text(_TYPE) or ""),
            sender=sender,
            recipients=receivers,
            conversation_id=identity
            if conversation == message_id
            else MessageId.parse(conversation),
            created_at=_instant(text(_CREATED_AT) or "", "CreatedAt"),
            schema=parts[_TYPE].get("schema", ""),
            in_reply_to=None if in_reply_to is None else MessageId.parse(in_reply_to),
            dossier_code=None if dossier is None else DossierCode.parse(dossier),
            document_id=text(_DOCUMENT_ID),
            expires_at=_optional_instant(text(_EXPIRES_AT), "ExpiresAt"),
            priority=int(text(_PRIORITY) or ""),
            sequence=None if sequence is None else int(sequence),
            signer_certificate=text(_SIGNER_CERTIFICATE),
        )
    except HubError as error:
        raise error.at(path=f"/Envelope/Header/{where}".rstrip("/")) from error


def _optional_instant(text: str | None, name: str) -> datetime | None:
    return None if text is None else _instant(text, name)


@cache
def _message_type(name: str) -> MessageType:
    """One object for each name of the catalogue."""
    return MessageType.parse(name)


def _instant(text: str, name: str) -> datetime:
    """Parse what the schema let through; an offset of 14 hours is the schema's own limit."""
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise SchemaViolation(
            reason="not a date and time with offset",
            reason_vi="không phải ngày giờ có múi giờ",
            place=Place(path=f"/Envelope/Header/{name}"),
        ) from error


def _read_group(element: etree._Element, model: Node) -> dict[str, Value]:
    fields: dict[str, Value] = {}
    for child in element:
        node = model.children[model.index[str(child.tag).rpartition("}")[2]]]
        value: Value
        if node.children:
            value = _read_group(child, node)
        else:
            text = child.text or ""
            value = text.strip() if node.stripped else text
        if node.repeated:
            fields.setdefault(node.name, []).append(value)  # type: ignore[union-attr]  # a list, made here
        else:
            fields[node.name] = value
    return fields
