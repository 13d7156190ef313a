"""The manifest and the attachments, paired by ContentId with and without ``cid:`` (sheet §8)."""

from __future__ import annotations

from hub.errors import EdxmlDamaged
from hub.schemas.edxml.fields import Fields
from hub.schemas.edxml.model import PacketFile
from hub.schemas.edxml.payload import PayloadStream
from hub.schemas.edxml.sniff import HEAD, TAIL, damage, fits, kind_of
from hub.schemas.edxml.tree import Node
from hub.schemas.edxml.vocabulary import XLINK
from hub.schemas.edxml.wrapper import unwrap

_HREF = f"{{{XLINK}}}href"


def content_id(text: str) -> str:
    """Return a ContentId without ``cid:``."""
    text = text.strip()
    return text[4:] if text[:4].lower() == "cid:" else text


def read_files(fields: Fields, envelope: Node, root: Node) -> tuple[PacketFile, ...]:
    """Read every attachment together with the manifest's words about it."""
    references = _manifest(fields, envelope)
    encoded = fields.one(root, "AttachmentEncoded")
    files = []
    for node in encoded.all("Attachment") if encoded is not None else ():
        key = content_id(fields.text(node, "ContentId"))
        reference = references.pop(key, None) if key else None
        files.append(_file(fields, node, key, reference))
    for reference in references.values():
        name = fields.text(reference, "AttachmentName")
        fields.note("edxml.reference_dangling", reference, name=name or "?")
    return tuple(files)


def _manifest(fields: Fields, envelope: Node) -> dict[str, Node]:
    body = fields.one(envelope, "edXMLBody")
    manifest = fields.one(body, "edXMLManifest") if body is not None else None
    references: dict[str, Node] = {}
    for node in manifest.all("Reference") if manifest is not None else ():
        for name in ("ContentType", "Description", "AttachmentName"):
            node.all(name)
        key = content_id(fields.text(node, "ContentId") or node.attributes.get(_HREF, ""))
        references.setdefault(key, node)
    return references


def _file(fields: Fields, node: Node, key: str, reference: Node | None) -> PacketFile:
    def words(name: str) -> str:
        return fields.text(node, name) or fields.text(reference, name)

    name = words("AttachmentName")
    declared = words("ContentType") or fields.text(node, "MimeType")
    node.all("FieldName")
    node.all("MimeType")
    described = words("Description")
    encoded = fields.one(node, "ContentTransferEncoded", strict=True)
    payload = encoded.payload if encoded is not None else None
    label = name or key or "?"
    if reference is None:
        fields.note("edxml.attachment_unreferenced", node, name=label)
    if payload is None or not payload.size:
        fields.note("edxml.attachment_empty", node, name=label)
        return PacketFile(key, name, declared, described)
    return _judged(fields, node, payload, PacketFile(key, name, declared, described))


def _judged(fields: Fields, node: Node, payload: PayloadStream, words: PacketFile) -> PacketFile:
    """Add what the bytes say: digest, kind, wrapped file, damage; mismatches are noted."""
    label = words.name or words.content_id or "?"
    head = payload.head(HEAD)
    kind = kind_of(head, payload.tail(TAIL))
    opened = unwrap(payload, fields.options) if kind == "zip" else None
    inner = opened.inner if opened is not None else None
    if opened is not None and opened.reason:
        reasons = {"reason": opened.reason, "reason_vi": opened.reason_vi}
        fields.note("edxml.attachment_not_unwrapped", node, name=label, **reasons)
    if not fits(words.media_type, kind):
        if inner is not None and fits(words.media_type, inner.kind):
            fields.note("edxml.rewrapped", node, name=label, declared=words.media_type)
        else:
            facts = {"declared": words.media_type, "found": inner.kind if inner else kind}
            fields.note("edxml.attachment_mismatch", node, name=label, **facts)
    damaged = damage(head) or (inner.damaged if inner is not None else 0)
    if damaged and fields.options.refuse_damaged:
        raise EdxmlDamaged(name=label, count=damaged, place=node.place)
    if damaged:
        fields.note("edxml.attachment_damaged", node, name=label, count=damaged)
    content = payload.head(payload.size) if fields.options.keep_content else None
    return PacketFile(
        words.content_id,
        words.name,
        words.media_type,
        words.description,
        payload.size,
        payload.sha256,
        kind,
        inner,
        damaged,
        content,
    )
