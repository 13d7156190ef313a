"""Attacks on what the signature covers: text, attributes, order, wrapping."""

from __future__ import annotations

import copy

from lxml import etree

from hub import safexml
from hub.envelope import NAMESPACE
from hub.testing.mutations.base import (
    Apply,
    Mutation,
    ds,
    lt,
    mutation,
    one,
    text,
    tree,
    written,
)
from hub.testing.pki import TestPki

DIGEST = "signature.digest_mismatch"
PLACE = "profile.signature_place"
_BODY = r"(<(?:\w+:)?Body[^>]*>)"
_CLOSE_HEADER = r"(</(?:\w+:)?Header>)"


def _payload(root: etree._Element) -> etree._Element:
    return one(root, lt("Body"))[0]


def _leaf(root: etree._Element) -> etree._Element:
    leaves = [one for one in _payload(root).iter() if not len(one) and (one.text or "").strip()]
    if not leaves:
        raise LookupError("text in the payload")
    return leaves[-1]


def change_text(root: etree._Element) -> None:
    """Change a text of the payload; raises ``LookupError`` where there is none."""
    leaf = _leaf(root)
    leaf.text = (leaf.text or "") + "0"


def _rename(root: etree._Element) -> None:
    leaf = _leaf(root)
    leaf.tag = str(leaf.tag) + "X"


def _remove(root: etree._Element) -> None:
    leaf = _leaf(root)
    parent = leaf.getparent()
    if parent is not None:
        parent.remove(leaf)


def _swap_order(root: etree._Element) -> None:
    header = one(root, lt("Header"))
    header.insert(0, header[1])


def _same_ids(root: etree._Element) -> None:
    for name in ("Header", "Body"):
        one(root, lt(name)).set("Id", "x")


def _other_body(root: etree._Element) -> etree._Element:
    body = copy.deepcopy(one(root, lt("Body")))
    body[0].set("forged", "yes")
    return body


def _body_before(root: etree._Element) -> None:
    one(root, lt("Body")).addprevious(_other_body(root))


def _body_after(root: etree._Element) -> None:
    one(root, lt("Body")).addnext(_other_body(root))


def _body_wrapped(root: etree._Element) -> None:
    """The signed body goes into a wrapper, a forged one stands in its place."""
    body, forged = one(root, lt("Body")), _other_body(root)
    body.addprevious(forged)
    etree.SubElement(forged, lt("Wrapper")).append(body)


def _header_of_another(root: etree._Element) -> None:
    header = one(root, lt("Header"))
    forged = copy.deepcopy(header)
    one(forged, lt("From")).set("code", "H13.15")
    header.addprevious(forged)


def _second_from(root: etree._Element) -> None:
    sender = one(root, lt("From"))
    other = copy.deepcopy(sender)
    other.set("code", "H13.15")
    sender.addprevious(other)


def _tail(root: etree._Element) -> None:
    one(root, ds("Signature")).tail = "forged"


def _wrapped(*, signature_outside: bool) -> Apply:
    """The whole signed envelope goes into the Body of a forged one around it."""

    def apply(raw: bytes, _pki: TestPki) -> bytes:
        inner = safexml.parse(raw)
        outer = copy.deepcopy(inner)
        outer.remove(one(outer, ds("Signature")))
        body = one(outer, lt("Body"))
        change_text(outer)
        signature = one(inner, ds("Signature"))
        body.append(inner)
        if signature_outside:
            outer.append(signature)
        return written(outer)

    return apply


def _unicode_twin(raw: bytes, _pki: TestPki) -> bytes:
    """A letter is spelt as base letter and combining mark: it looks the same."""
    root = safexml.parse(raw)
    leaf = _leaf(root)
    leaf.text = (leaf.text or "") + "\u0301"
    return written(root)


MUTATIONS: tuple[Mutation, ...] = (
    mutation("text changed", tree(change_text), DIGEST),
    mutation("combining mark added", _unicode_twin, DIGEST),
    mutation("element renamed", tree(_rename), DIGEST),
    mutation("element removed", tree(_remove), DIGEST),
    mutation("elements in another order", tree(_swap_order), DIGEST),
    mutation("sender changed", text(r'(From code=")[^"]*', r"\g<1>H13.15"), DIGEST),
    mutation("receiver changed", text(r'(To code=")[^"]*', r"\g<1>H47.10"), DIGEST),
    mutation("receiver added", text(r"(<To )", r'<To code="H47.10"></To>\1'), DIGEST),
    mutation("type changed", text(r"(<Type[^>]*>)[^<]*", r"\1receipt.delivered"), DIGEST),
    mutation("attribute added", text(r"(<(?:\w+:)?Body)", r'\1 added="1"'), DIGEST),
    mutation("same Id twice", tree(_same_ids), DIGEST),
    mutation("white space added", text(_CLOSE_HEADER, r"\1 "), DIGEST),
    mutation("text behind the header", text(_CLOSE_HEADER, r"\1forged"), DIGEST),
    mutation("text behind the signature", tree(_tail), DIGEST),
    mutation("text before the signature", text("(<ds:Signature )", r"forged\1"), DIGEST),
    mutation("CDATA with other text", text(_BODY, r"\1<![CDATA[forged]]>"), DIGEST),
    mutation("character reference", text(_CLOSE_HEADER, r"\1&#13;"), DIGEST),
    mutation(
        "payload in another namespace", text(r'xmlns(:\w+)?="urn:lienthong:(?!envelope)',
        r'xmlns\1="urn:lienthong:x' ), DIGEST,
    ),
    mutation(
        "envelope in another namespace",
        text(f'"{NAMESPACE}"', '"urn:lienthong:envelope:2"'), DIGEST,
    ),
    mutation("version changed", text(r'(<Envelope[^>]*version=")1', r"\g<1>2"), DIGEST),
    mutation("second body before", tree(_body_before), DIGEST),
    mutation("second body after", tree(_body_after), DIGEST),
    mutation("body wrapped", tree(_body_wrapped), DIGEST),
    mutation("second header before", tree(_header_of_another), DIGEST),
    mutation("second From", tree(_second_from), DIGEST),
    mutation("envelope wrapped", _wrapped(signature_outside=False), PLACE),
    mutation("envelope wrapped, signature outside", _wrapped(signature_outside=True), DIGEST),
)  # fmt: skip
