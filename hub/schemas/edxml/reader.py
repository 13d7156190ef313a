"""The lenient reader: by namespace and local name, in any order, from any dialect."""

from __future__ import annotations

import io
from typing import BinaryIO

from hub.schemas.edxml.business import read_business, read_traces
from hub.schemas.edxml.fields import Fields
from hub.schemas.edxml.files import read_files
from hub.schemas.edxml.header import (
    read_notation,
    read_other,
    read_promulgation,
    read_recipients,
    read_response,
    read_sender,
    read_signer,
    read_steering,
    read_type,
)
from hub.schemas.edxml.model import Document, Packet
from hub.schemas.edxml.options import ReadOptions
from hub.schemas.edxml.signature import read_signature
from hub.schemas.edxml.status import is_status, read_status
from hub.schemas.edxml.tree import Node, Tree, grow
from hub.schemas.edxml.vocabulary import EDOC_NAMESPACE, XLINK, Dialect

_MAX_EXTRAS = 100


def read(source: bytes | BinaryIO, options: ReadOptions) -> Packet:
    """Read an edXML packet; the file itself is never changed and never written again.

    Raises a leaf of ``EdxmlError`` with the element's XPath, ``CodeTestOnly``, or ``XmlDoctype``,
    ``XmlEncoding``, ``XmlTooLarge``, ``XmlTooDeep`` for what is not read at all. Everything else
    that is not as it should be is a notice of the packet.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    tree = grow(stream, options)
    try:
        return _packet(tree, Fields(options))
    finally:
        tree.close()


def _packet(tree: Tree, fields: Fields) -> Packet:
    root = tree.root
    if root is None:
        msg = "a stream without a root element is refused by the parser"
        raise AssertionError(msg)
    root.used = True
    envelope = fields.need(root, "edXMLEnvelope")
    outer = fields.need(envelope, "edXMLHeader")
    header = fields.need(outer, "MessageHeader")
    if root.namespace == EDOC_NAMESPACE:
        fields.note("edxml.edoc_namespace", root)
    document = status = None
    if is_status(header):
        status = read_status(fields, header)
        read_files(fields, envelope, root)
    else:
        document = _document(fields, header, outer, envelope, root)
    signature = read_signature(fields, outer)
    extras = _extras(fields, root)
    return Packet(
        _dialect(tree, root, header),
        document,
        status,
        root.namespace,
        signature,
        tuple(fields.notices),
        extras,
    )


def _document(fields: Fields, header: Node, outer: Node, envelope: Node, root: Node) -> Document:
    sender = read_sender(fields, header, named=True)
    recipients = read_recipients(fields, header)
    place, day = read_promulgation(fields, header)
    traces = fields.one(outer, "TraceHeaderList", strict=True)
    tasks = fields.one(header, "ResponseForTask")
    places = fields.one(header, "ToPlaces")
    return Document(
        sender,
        recipients,
        fields.required(header, "DocumentId"),
        read_notation(fields, header),
        place,
        day,
        read_type(fields, header),
        fields.required(header, "Subject"),
        fields.text(header, "Content"),
        read_signer(fields, header),
        fields.day(header, "DueDate"),
        read_other(fields, header),
        tuple(read_response(fields, node) for node in header.all("ResponseFor") if node.children),
        read_steering(fields, header),
        fields.texts(tasks.all("TaskCode")) if tasks is not None else (),
        fields.text(header, "ApplicationType"),
        fields.texts(places.all("Place"), "ToPlaces/Place") if places is not None else (),
        read_traces(fields, traces),
        traces.attributes.get("id", "") if traces is not None else "",
        read_business(fields, traces, header),
        read_files(fields, envelope, root),
    )


def _extras(fields: Fields, root: Node) -> tuple[str, ...]:
    """Note the topmost elements that nobody read: unknown, but kept with the file."""
    found: list[str] = []
    waiting = [root]
    while waiting and len(found) < _MAX_EXTRAS:
        for child in waiting.pop().children:
            if child.used:
                waiting.append(child)
            elif len(found) < _MAX_EXTRAS:
                found.append(child.path)
                fields.note("edxml.unknown_element", child)
    return tuple(found)


def _dialect(tree: Tree, root: Node, header: Node) -> Dialect:
    """Tell the writer by the marks of sheet §2; nothing depends on it."""
    if root.namespace == EDOC_NAMESPACE:
        return Dialect.EDOC
    names = [child.name for child in header.children]
    marks = {
        XLINK in _namespaces(root),
        "xsd" in tree.declared,
        any(node.name == "DigitalSignature" for node in root.walk()),
        "Code" in names and "DocumentId" in names[names.index("Code") :],
    }
    if True in marks:
        return Dialect.DOTNET
    return Dialect.JAVA if "edXML" in tree.declared else Dialect.UNKNOWN


def _namespaces(root: Node) -> set[str]:
    return {
        name[1:].partition("}")[0]
        for node in root.walk()
        for name in node.attributes
        if name.startswith("{")
    }
