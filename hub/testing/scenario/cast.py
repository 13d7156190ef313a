"""Who plays in the demo, and where their systems lie. All of it is invented."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HUB = "00.99.W00"
COMMUNE, DEPARTMENT = "H12.101.01", "H12.15"
"""Two one-stop databases of two vendors."""
AUTHOR, READERS = "H13.15", ("H17.15", "H26.15")
"""Three document management systems with folders."""
POST, CUSTOMER = "0100000000", "crm"
"""Vietnam Post's stand-in, and the customer code that the department has there."""
CLERK, OFFICE = "H12.20", "H12.05"
"""Two agencies without a connector: the scenario itself sends and receives for them."""
STRANGER = "H12.07"
"""An agency whose own, good key is used to forge."""
UNKNOWN = "H12.77"
MERGED, SUCCESSOR = "H12.31.21", "H12.101"
"""Merged on 2025-06-30 with ``redirect=auto``."""
CLOSED, NAMED = "H12.32.21", "H12.102"
"""Closed on the same day with ``redirect=no``: only named."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the partners' systems of a demo's home lie."""

    home: Path

    @property
    def partners(self) -> Path:
        """The folder of all partners' systems."""
        return self.home / "partners"

    @property
    def commune(self) -> Path:
        """The commune's one-stop database."""
        return self.partners / "commune.sqlite"

    @property
    def department(self) -> Path:
        """The department's one-stop database."""
        return self.partners / "department.sqlite"

    @property
    def post(self) -> Path:
        """Where the post listens: ``{"port": …}``."""
        return self.partners / "vnpost.json"

    @property
    def secret(self) -> Path:
        """The consumer secret that the department has at the post."""
        return self.partners / "vnpost-secret"

    def folder(self, agency: str, name: str) -> Path:
        """A folder (``out``, ``in``, ``sent``, ``failed``) of an agency's document management."""
        return self.partners / "dms" / agency / name
