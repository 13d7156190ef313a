"""The light tree that a packet is read from: everything but the attachments' bytes.

Names are local names: the namespace is checked once, as each element begins, prefixes mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO

from hub import safexml
from hub.errors import EdxmlMalformed, EdxmlNamespace, EdxmlTooLong, XmlMalformed
from hub.errors.base import Place
from hub.safexml import MIB, Prefixes
from hub.schemas.edxml.options import ReadOptions
from hub.schemas.edxml.payload import PayloadStream
from hub.schemas.edxml.vocabulary import EDOC_NAMESPACE, NAMESPACE

_ENCODED = "ContentTransferEncoded"
SIGNATURES = frozenset({"Signature", "DigitalSignature"})
MAX_FILES = 200
"""Attachments of one packet, as many as an envelope's index can name."""
MAX_TEXT = 64 * 1024
"""Characters of one element that is not an attachment's content."""
MAX_TEXTS = 8 * MIB
"""Characters of all of them together."""


class Node:
    """An element: local name, attributes, text, children, and whether anyone has read it."""

    __slots__ = (
        "attributes",
        "children",
        "name",
        "namespace",
        "parent",
        "payload",
        "pieces",
        "size",
        "used",
    )

    def __init__(self, name: str, namespace: str, parent: Node | None) -> None:
        self.name = name
        self.namespace = namespace
        self.parent = parent
        self.attributes: Mapping[str, str] = {}
        self.children: list[Node] = []
        self.pieces: list[str] = []
        self.size = 0
        """Characters of text so far."""
        self.payload: PayloadStream | None = None
        self.used = False

    @property
    def text(self) -> str:
        """The element's own text, trimmed; the word ``null`` counts as absent (sheet §7)."""
        found = "".join(self.pieces).strip()
        return "" if found == "null" else found

    @property
    def path(self) -> str:
        """XPath, with a position where siblings share the name."""
        if self.parent is None:
            return f"/{self.name}"
        twins = [child for child in self.parent.children if child.name == self.name]
        position = f"[{twins.index(self) + 1}]" if len(twins) > 1 else ""
        return f"{self.parent.path}/{self.name}{position}"

    @property
    def place(self) -> Place:
        """The path as an error carries it."""
        return Place(path=self.path)

    def all(self, name: str) -> list[Node]:
        """Return the children called ``name``, marked as read."""
        found = [child for child in self.children if child.name == name]
        for child in found:
            child.used = True
        return found

    def walk(self) -> Iterator[Node]:
        """Yield the element and all below it, in document order."""
        yield self
        for child in self.children:
            yield from child.walk()


class Tree:
    """Builds nodes from a stream; an attachment's content goes to a :class:`PayloadStream`."""

    def __init__(self, options: ReadOptions) -> None:
        self._accepted = {NAMESPACE} | ({EDOC_NAMESPACE} if options.accept_edoc else set())
        self._open: list[Node] = []
        self._foreign = 0
        self._texts = 0
        self.root: Node | None = None
        self.payloads: list[PayloadStream] = []
        self.declared: set[str] = set()
        """Prefixes declared anywhere; a hint at who wrote the packet, nothing more."""

    def start(self, tag: str, attributes: Mapping[str, str], prefixes: Prefixes) -> None:
        """Open an element; raises ``EdxmlNamespace`` or ``EdxmlMalformed``."""
        namespace, _, name = tag[1:].partition("}") if tag.startswith("{") else ("", "", tag)
        parent = self._open[-1] if self._open else None
        node = Node(name, namespace, parent)
        self._check_namespace(node)
        if parent is None:
            self.root = node
        else:
            parent.children.append(node)
            if parent.payload is not None:
                raise EdxmlMalformed(
                    reason=f"an element inside {_ENCODED}",
                    reason_vi=f"có phần tử bên trong {_ENCODED}",
                    place=node.place,
                )
        node.attributes = dict(attributes)
        self.declared.update(prefix or "" for prefix in prefixes)
        if name == _ENCODED and not self._foreign:
            if len(self.payloads) >= MAX_FILES:
                raise EdxmlMalformed(
                    reason=f"more than {MAX_FILES} attachments",
                    reason_vi=f"quá {MAX_FILES} tệp đính kèm",
                    place=Place(path="/edXML/AttachmentEncoded"),
                )
            node.payload = PayloadStream(node.path)
            self.payloads.append(node.payload)
        self._open.append(node)

    def data(self, text: str) -> None:
        """Take text for the open element; raises ``EdxmlTooLong`` or ``EdxmlAttachment``."""
        node = self._open[-1]
        if node.payload is not None:
            node.payload.feed(text)
            return
        self._texts += len(text)
        node.size += len(text)
        node.pieces.append(text)
        if node.size > MAX_TEXT or self._texts > MAX_TEXTS:
            size = max(node.size, self._texts)
            raise EdxmlTooLong(field=node.name, size=size, limit=MAX_TEXT, place=node.place)

    def end(self, _tag: str) -> None:
        """Close the open element."""
        node = self._open.pop()
        if node.payload is not None:
            node.payload.finish()
        if node.name in SIGNATURES and self._foreign:
            self._foreign -= 1

    def close(self) -> None:
        """Forget the attachments' bytes."""
        for payload in self.payloads:
            payload.close()

    def _check_namespace(self, node: Node) -> None:
        if self.root is None:
            if node.name != "edXML" or node.namespace not in self._accepted:
                raise EdxmlNamespace(value=_shown(node), place=node.place)
            return
        # Below a signature anything may stand: it is reported, never used.
        if node.name in SIGNATURES:
            self._foreign += 1
        if not self._foreign and node.namespace != self.root.namespace:
            raise EdxmlNamespace(value=_shown(node), place=Place(path=_would_be(node)))


def _shown(node: Node) -> str:
    return f"{node.namespace[:200] or '(none)'} ({node.name[:40]})"


def _would_be(node: Node) -> str:
    return f"{node.parent.path if node.parent else ''}/{node.name}"


def grow(source: BinaryIO, options: ReadOptions) -> Tree:
    """Read ``source`` into a tree, whose ``close`` is the caller's duty.

    Raises ``EdxmlMalformed`` when it is not well-formed XML, ``EdxmlNamespace``, ``EdxmlTooLong``,
    ``EdxmlAttachment``, or ``XmlDoctype``, ``XmlEncoding``, ``XmlTooLarge``, ``XmlTooDeep``.
    """
    tree = Tree(options)
    try:
        safexml.stream(source, tree, options.limits)
    except XmlMalformed as error:
        tree.close()
        raise EdxmlMalformed(
            error.detail,
            reason="it is not well-formed XML",
            reason_vi="không đúng cú pháp XML",
            place=error.place,
        ) from error
    except BaseException:
        tree.close()
        raise
    return tree
