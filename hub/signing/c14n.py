"""Exclusive XML Canonicalization 1.0 without comments (W3C, 18 July 2002), by libxml2."""

from __future__ import annotations

from lxml import etree


def canonical(element: etree._Element) -> bytes:
    """Return the exclusive canonical form of an element and all below it, without comments."""
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
