"""Who is at the keyboard: the name that the log records beside a change."""

from __future__ import annotations

import getpass
import os


def operator() -> str:
    """Return ``HUB_OPERATOR`` or the login name of the system account."""
    named = os.environ.get("HUB_OPERATOR", "")
    if named:
        return f"operator:{named}"
    try:
        return f"operator:{getpass.getuser()}"
    except (KeyError, OSError):
        return f"operator:uid-{os.getuid()}"
