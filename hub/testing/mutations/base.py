"""What a mutation is, and the few ways of making one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from lxml import etree

from hub import safexml
from hub.envelope import DSIG, NAMESPACE
from hub.signing.keys import SigningKey
from hub.testing.pki import TestPki

Apply = Callable[[bytes, TestPki], bytes]


@dataclass(frozen=True, slots=True)
class Mutation:
    """One attack on a signed envelope, and the codes that may refuse it.

    ``apply`` takes an envelope signed by ``hub.signing.signer`` with the key of its sender in that
    PKI, and returns hostile bytes. It raises ``LookupError`` when it finds nothing to change.
    """

    name: str
    apply: Apply = field(repr=False)
    expected_codes: frozenset[str]


def mutation(name: str, apply: Apply, *codes: str) -> Mutation:
    """Return a mutation that any of ``codes`` may refuse."""
    return Mutation(name, apply, frozenset(codes))


def ds(name: str) -> str:
    """Return a name of XML Signature in Clark's notation."""
    return f"{{{DSIG}}}{name}"


def lt(name: str) -> str:
    """Return a name of the envelope's namespace in Clark's notation."""
    return f"{{{NAMESPACE}}}{name}"


def one(root: etree._Element, tag: str) -> etree._Element:
    """Return the first element of that name; raises ``LookupError``."""
    found = next(root.iter(tag), None)
    if found is None:
        raise LookupError(tag)
    return found


def written(root: etree._Element) -> bytes:
    """Return the document of a tree, prolog and epilog included."""
    return etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8")


def sender_of(raw: bytes) -> str:
    """Return the code that an envelope names as its sender."""
    return one(safexml.parse(raw), lt("From")).get("code", "")


def key_of(raw: bytes, pki: TestPki) -> SigningKey:
    """Return the key that signed an envelope: its sender's own."""
    return pki.agency(sender_of(raw))


def text(pattern: str, new: str) -> Apply:
    """Replace the first match of a regular expression, as text."""

    def apply(raw: bytes, _pki: TestPki) -> bytes:
        changed, count = re.subn(pattern.encode(), new.encode(), raw, count=1, flags=re.DOTALL)
        if not count or changed == raw:
            raise LookupError(pattern)
        return changed

    return apply


def tree(edit: Callable[[etree._Element], object]) -> Apply:
    """Change the parsed document in place."""

    def apply(raw: bytes, _pki: TestPki) -> bytes:
        root = safexml.parse(raw)
        edit(root)
        return written(root)

    return apply
