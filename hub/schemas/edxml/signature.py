"""The signature slot: reported as found, never trusted, never required (sheet edXML §9)."""

from __future__ import annotations

from hub.schemas.edxml.fields import Fields
from hub.schemas.edxml.model import SignatureReport
from hub.schemas.edxml.tree import SIGNATURES, Node
from hub.schemas.edxml.vocabulary import XMLDSIG

_WEAK = ("sha1", "md5", "hmac")
_C14N = frozenset(
    {
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        "http://www.w3.org/2006/12/xml-c14n11",
        "http://www.w3.org/2006/12/xml-c14n11#WithComments",
        "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
        "http://www.w3.org/2000/09/xmldsig#base64",
    }
)
"""Transforms and canonicalisations that exist; ``/TR/xml-exc-c14n#`` does not."""


def read_signature(fields: Fields, header: Node) -> SignatureReport:
    """Report what stands in the slot of the header; an empty one counts as absent."""
    slots = [node for name in sorted(SIGNATURES) for node in header.all(name)]
    for node in (below for slot in slots for below in slot.walk()):
        node.used = True
    filled = [slot for slot in slots if slot.children or slot.text]
    if not filled:
        return SignatureReport()
    slot = filled[0]
    algorithms = tuple(
        dict.fromkeys(node.attributes["Algorithm"] for node in slot.walk() if _algorithm(node))
    )
    problems = _problems(slot, algorithms, len(filled))
    if slot.namespace != XMLDSIG:
        fields.note("edxml.signature_namespace", slot)
    vi = ", ".join(_VI[problem] for problem in problems)
    fields.note("edxml.signature_untrusted", slot, reason=", ".join(problems), reason_vi=vi)
    return SignatureReport(True, slot.namespace, algorithms, problems)


_VI = {
    "more than one signature": "có nhiều chữ ký",
    "wrong namespace": "sai không gian tên",
    "weak algorithm": "thuật toán yếu",
    "unknown canonicalisation": "phép chuẩn hóa không tồn tại",
    "never verified by this hub": "trục không xác minh chữ ký này",
}


def _algorithm(node: Node) -> bool:
    return bool(node.attributes.get("Algorithm"))


def _problems(slot: Node, algorithms: tuple[str, ...], count: int) -> tuple[str, ...]:
    ways = [
        node.attributes["Algorithm"]
        for node in slot.walk()
        if node.name in ("CanonicalizationMethod", "Transform") and _algorithm(node)
    ]
    found = {
        "more than one signature": count > 1,
        "wrong namespace": slot.namespace != XMLDSIG,
        "weak algorithm": any(mark in name for name in algorithms for mark in _WEAK),
        "unknown canonicalisation": any(way not in _C14N for way in ways),
        "never verified by this hub": True,
    }
    return tuple(problem for problem, is_so in found.items() if is_so)
