"""Which Python module a connector runs as: of an installed kind, or of a folder beside the home."""

from __future__ import annotations

from importlib.metadata import entry_points

from hub.adapters.edge_settings import ConnectorSettings
from hub.errors import UsageError

GROUP = "lienthong.connectors"
"""Entry-point group of the installed kinds."""


def module_of(own: ConnectorSettings) -> str:
    """Return the module of a connector; raises ``UsageError`` naming the kinds that exist."""
    if own.module:
        return own.module
    kinds = {point.name: point.module for point in entry_points(group=GROUP)}
    if own.kind not in kinds:
        known = ", ".join(sorted(kinds))
        raise UsageError(reason=f"{own.file}: connector.kind = {own.kind[:40]!r}? ({known})")
    return kinds[own.kind]
