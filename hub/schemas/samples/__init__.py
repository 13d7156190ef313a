"""Invented payloads of every message type; people, numbers and texts are made up."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hub.schemas.samples import citizens, documents, dossiers, postal, results, transport
from hub.schemas.samples.base import Maker, Scene

MAKERS: Mapping[str, Maker] = MappingProxyType(
    {
        **dossiers.MAKERS,
        **results.MAKERS,
        **documents.MAKERS,
        **postal.MAKERS,
        **citizens.MAKERS,
        **transport.MAKERS,
    }
)
"""The maker of each type's fields and attachments."""

__all__ = ["MAKERS", "Scene"]
