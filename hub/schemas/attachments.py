"""The envelope's attachments: stated size and digest against the bytes, limits, references."""

from __future__ import annotations

import binascii
from collections.abc import Iterator

from lxml import etree

from hub.envelope import (
    MAX_INLINE,
    MAX_INLINE_TOTAL,
    NAMESPACE,
    Attachment,
    sha256_hex,
)
from hub.errors import (
    AttachmentDigest,
    AttachmentMissing,
    AttachmentTooLarge,
    HubError,
    SchemaViolation,
)
from hub.errors.base import Place

_MAX_ENCODED = (MAX_INLINE + 2) // 3 * 4
"""Characters of base64 that the largest inline attachment has."""
_ATTACHMENTS = f"{{{NAMESPACE}}}Attachments"


def read_attachments(root: etree._Element) -> tuple[Attachment, ...]:
    """Read the attachments of a valid envelope, whose base64 has been checked."""
    return tuple(_read(item) for item in _elements(root))


def check_attachments(root: etree._Element) -> None:
    """Hold each attachment to its stated size and digest, and all of them to the limits.

    Raises ``AttachmentTooLarge``, ``AttachmentDigest``, ``AttachmentMissing`` (neither content nor
    a claim check) or ``SchemaViolation`` (both, or a name used twice).
    """
    total = 0
    names: set[str] = set()
    for element in _elements(root):
        name = element.get("name", "")
        try:
            total += _check_one(element, name)
            if total > MAX_INLINE_TOTAL:
                raise AttachmentTooLarge(name=name, size=total, limit=MAX_INLINE_TOTAL)
            if name in names:
                raise _violation("two attachments have one name", "hai tệp đính kèm trùng tên")
        except HubError as error:
            path = f"/Envelope/Attachments/Attachment[{len(names) + 1}]"
            raise error.at(line=element.sourceline or 0, path=path) from error
        names.add(name)


def _violation(en: str, vi: str) -> SchemaViolation:
    return SchemaViolation(reason=en, reason_vi=vi)


def check_references(root: etree._Element, namespace: str) -> None:
    """Hold every payload element that names an attachment to that attachment's digest.

    Raises ``AttachmentMissing`` for a name that no attachment has and ``AttachmentDigest`` for
    another digest.
    """
    stated: dict[str, str] | None = None
    for named in root[1][0].iter(f"{{{namespace}}}Attachment"):
        if stated is None:
            stated = {item.get("name", ""): item.get("sha256", "") for item in _elements(root)}
        name = named.text or ""
        place = Place(line=named.sourceline or 0, path=f"/Envelope/Body//{_parent_name(named)}")
        if name not in stated:
            raise AttachmentMissing(name=name, place=place)
        digest = named.getnext()
        if digest is not None and digest.text != stated[name]:
            raise AttachmentDigest(name=name, place=place)


def _parent_name(element: etree._Element) -> str:
    parent = element.getparent()
    return "" if parent is None else etree.QName(parent).localname


def _elements(root: etree._Element) -> Iterator[etree._Element]:
    block = root[2] if len(root) > 2 else None  # noqa: PLR2004  Header, Body, Attachments
    if block is not None and block.tag == _ATTACHMENTS:
        yield from block


def _check_one(element: etree._Element, name: str) -> int:
    """Return the inline bytes of one attachment after checking them."""
    href, sha256 = element.get("href"), element.get("sha256", "")
    if len(element) == 0:
        if href is None:
            raise AttachmentMissing(name=name)
        if href.rpartition(":")[2] != sha256:
            raise AttachmentDigest("href", name=name)
        return 0
    if href is not None:
        raise _violation(
            "an attachment has content and href both",
            "tệp đính kèm vừa có nội dung vừa có href",
        )
    content = _decoded(element[0].text or "", name)
    if len(content) > MAX_INLINE:
        raise AttachmentTooLarge(name=name, size=len(content), limit=MAX_INLINE)
    if len(content) != int(element.get("size", "0")) or sha256_hex(content) != sha256:
        raise AttachmentDigest(name=name)
    return len(content)


def _decoded(text: str, name: str) -> bytes:
    """Decode base64, with line breaks or without; too much of it is not decoded at all.

    libxml2 skips what is not base64 instead of refusing it, so this is where it is refused.
    """
    if len(text) > _MAX_ENCODED:
        text = "".join(text.split())
        if len(text) > _MAX_ENCODED:
            raise AttachmentTooLarge(name=name, size=len(text) * 3 // 4, limit=MAX_INLINE)
    try:
        return _strict(text)
    except binascii.Error:
        pass  # perhaps for its line breaks, which strict mode does not know
    try:
        return _strict("".join(text.split()))
    except binascii.Error as error:
        raise _violation("not base64", "không phải base64") from error


def _strict(text: str) -> bytes:
    if len(text) % 4 or not text.isascii():
        raise binascii.Error
    return binascii.a2b_base64(text, strict_mode=True)


def _read(element: etree._Element) -> Attachment:
    name = element.get("name", "")
    return Attachment(
        name,
        element.get("mediaType", ""),
        int(element.get("size", "0")),
        element.get("sha256", ""),
        _decoded(element[0].text or "", name) if len(element) else None,
        element.get("href"),
    )
