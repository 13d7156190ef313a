"""Read an envelope whose bytes are their own canonical form: one parse instead of two.

Our signer, and every sender that takes its path, writes a declaration, the canonical form, and the
Signature right before the root's end tag. Cutting the Signature out of such bytes leaves exactly
what was signed. So the rest is parsed once, its canonical form is computed and must be the very
same bytes; whatever is not just so is read in general, by :mod:`hub.signing.structure`, with the
same outcome. Nothing is accepted here that would be refused there:

* the Signature's text matches the strict profile, without a character that XML would not allow, and
  stands right before the last end tag of a document that is well-formed without it;
* the rest equals its canonical form, so it holds no comment, CDATA, DOCTYPE, reference to an
  entity, carriage return or unused namespace that a ``<ds:Signature`` could hide in;
* the rest holds no element of XML Signature, no processing instruction and no ``xsi:`` or ``xml:``
  attribute, and keeps within the limits of :data:`hub.safexml.ENVELOPE`.

It begins with its root element, so there is no place in it where a DTD would be read.
"""

from __future__ import annotations

import re

from lxml import etree

from hub import safexml
from hub.envelope import DSIG
from hub.errors import HubError
from hub.signing import structure
from hub.signing.c14n import canonical
from hub.signing.structure import UnverifiedSignature

MAX_BYTES = 512 * 1024
"""Longer envelopes are read in general: there the second parse is a small part, and the limits on
elements count the Signature's too."""
DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_START = f'<ds:Signature xmlns:ds="{DSIG}">'.encode("ascii")
_PATTERN = structure.pattern(blank=r"\n*", base64=r"[A-Za-z0-9+/=\n]+", uri=r"[\w:/.#-]+")
_END = re.compile(rb"</[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?>")
_ROOT = re.compile(rb"<[A-Za-z_]")
_TOO_DEEP = "/".join(["*"] * (safexml.ENVELOPE.max_depth + 1))
_UNUSUAL = etree.XPath(
    f"boolean(/{_TOO_DEEP}) or boolean(//@*[{safexml.ENVELOPE.max_attributes + 1}])"
    " or boolean(//ds:*) or boolean(//processing-instruction())"
    " or boolean(//@xsi:*) or boolean(//@xml:*)",
    namespaces={"ds": DSIG, "xsi": structure.XSI, "xml": structure.XML},
)


def read(raw: bytes) -> tuple[UnverifiedSignature, bytes, etree._Element] | None:
    """Return the signature's claims, the bytes that it covers and their root element.

    ``None`` when the bytes are not their own canonical form, or break any rule at all: what is
    wrong with them is for the general reading to say.
    """
    found = _cut(raw) if len(raw) <= MAX_BYTES else None
    if found is None:
        return None
    signature, document = found
    try:
        root = safexml.parse_canonical(document)
        if canonical(root) != document or _UNUSUAL(root):
            return None
    except HubError:
        return None
    return signature, document, root


def _cut(raw: bytes) -> tuple[UnverifiedSignature, bytes] | None:
    """Take the Signature out of the text; ``None`` when it does not stand where it should."""
    begin = len(DECLARATION) if raw.startswith(DECLARATION) else 0
    start = raw.rfind(_START)
    found = _PATTERN.match(raw, start) if start > begin else None
    if found is None or not _END.fullmatch(raw, found.end()) or not _ROOT.match(raw, begin):
        return None
    try:
        signature = structure.claims(found)
    except HubError:
        return None
    return signature, raw[begin:start] + raw[found.end() :]
