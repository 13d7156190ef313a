"""Whether folders are there, usable, and on one file system where files are renamed."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from hub.adapters.contract import Health

_ACCESS = os.R_OK | os.W_OK | os.X_OK


class FolderProbe:
    """Probe of named folders, those of ``together`` on one file system."""

    def __init__(self, folders: Mapping[str, Path], together: frozenset[str]) -> None:
        self._folders = dict(folders)
        self._together = together

    def probe(self) -> Health:
        """Look at each folder once; never raises."""
        devices = set()
        for name, path in self._folders.items():
            try:
                found = path.stat()
            except OSError as error:
                detail, remedy = f"{name}: {error.strerror}", f"create or mount {path}"
                return Health(ok=False, detail=detail, remedy=remedy)
            if not stat.S_ISDIR(found.st_mode) or not os.access(path, _ACCESS):
                remedy = f"let this account read and write {path}"
                return Health(ok=False, detail=f"{name}: not a usable folder", remedy=remedy)
            if name in self._together:
                devices.add(found.st_dev)
        if len(devices) > 1:
            names = ", ".join(sorted(self._together))
            remedy = f"put {names} on one file system: files are renamed"
            return Health(ok=False, detail="folders on several file systems", remedy=remedy)
        return Health(ok=True, detail=", ".join(self._folders))
