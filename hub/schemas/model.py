"""What the payload XSDs say of their elements: order, repetition, groups; read from the XSDs.

The schemas keep to a subset of XSD that this reader knows whole: sequences of elements and groups,
named or inline types, one include. Anything else in a payload schema is a ``ConfigInvalid``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from lxml import etree

from hub import safexml
from hub.errors import ConfigInvalid
from hub.schemas.catalog import schema_file, spec_of

_XS = "{http://www.w3.org/2001/XMLSchema}"


@dataclass(frozen=True, slots=True)
class Node:
    """One element of a payload: a leaf with text, or a group with children in their order."""

    name: str
    children: tuple[Node, ...] = ()
    """Empty for a leaf."""
    repeated: bool = False
    """May occur more than once: its value is always a sequence."""
    required: bool = True
    stripped: bool = False
    """A date or time: blanks around its text do not count."""
    index: Mapping[str, int] = field(default_factory=dict, compare=False)
    """Position of each child by its name."""


@cache
def payload_model(type_name: str) -> Node:
    """Return the model of a message type's payload element; raises ``UnknownType``."""
    spec = spec_of(type_name)
    return _schema_of(spec.namespace)[spec.element]


@cache
def _schema_of(namespace: str) -> Mapping[str, Node]:
    path = schema_file(namespace)
    root = safexml.parse(path.read_bytes())
    parts = list(root)
    for include in root.iterfind(f"{_XS}include"):
        parts += safexml.parse(path.with_name(include.get("schemaLocation", "")).read_bytes())
    named = {(part.tag, part.get("name")): part for part in parts if isinstance(part.tag, str)}
    reader = _Reader(path.name, {key: part for key, part in named.items() if key[1]})
    return {part.get("name", ""): reader.element(part) for part in root.iterfind(f"{_XS}element")}


@dataclass(frozen=True, slots=True)
class _Reader:
    file: str
    named: Mapping[tuple[object, str | None], etree._Element]

    def element(self, declared: etree._Element) -> Node:
        name = declared.get("name", "")
        complex_type = declared.find(f"{_XS}complexType")
        if complex_type is None:
            complex_type = self.named.get((f"{_XS}complexType", declared.get("type")))
        children = () if complex_type is None else tuple(self.children(complex_type))
        return Node(
            name,
            children,
            repeated=declared.get("maxOccurs", "1") != "1",
            required=declared.get("minOccurs", "1") != "0",
            stripped=complex_type is None and self.collapses(declared),
            index={child.name: number for number, child in enumerate(children)},
        )

    def children(self, parent: etree._Element) -> Iterator[Node]:
        for item in parent:
            if item.tag == f"{_XS}element":
                yield self.element(item)
            elif item.tag == f"{_XS}sequence":
                yield from self.children(item)
            elif item.tag == f"{_XS}group":
                yield from self.children(self.named[f"{_XS}group", item.get("ref")])
            elif isinstance(item.tag, str):
                reason = (
                    f"line {item.sourceline}: {etree.QName(item).localname} is not allowed here"
                )
                raise ConfigInvalid(key=parent.get("name", ""), file=self.file, reason=reason)

    def collapses(self, declared: etree._Element) -> bool:
        """Whether the text's white space is not kept: every base but ``xs:string``."""
        restriction = declared.find(f"{_XS}simpleType/{_XS}restriction")
        base = declared.get("type") if restriction is None else restriction.get("base")
        while base is not None and not base.startswith("xs:"):
            base = self.named[f"{_XS}simpleType", base][0].get("base")
        return base != "xs:string"
