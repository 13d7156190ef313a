"""Exclusive XML Canonicalization 1.0 without comments (W3C, 18 July 2002), by libxml2."""

from __future__ import annotations

from lxml import etree

from hub.errors import XmlMalformed


def canonical(element: etree._Element) -> bytes:
    """Return the exclusive canonical form of an element and all below it, without comments.

    Raises ``XmlMalformed`` for what has none: relative namespace URIs (Canonical XML 1.0 §1.3).
    """
    try:
        return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
    except etree.C14NError as error:
        raise XmlMalformed("no canonical form: relative namespace URI") from error
