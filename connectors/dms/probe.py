"""Whether the folders are there, usable, and on one file system where files are renamed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from connectors.dms.config import DmsOptions
from hub.adapters.contract import Health

_ACCESS = os.R_OK | os.W_OK | os.X_OK


class FolderProbe:
    """Probe of the four folders."""

    def __init__(self, options: DmsOptions) -> None:
        names = ("out_folder", "in_folder", "sent_folder", "failed_folder")
        self._folders: dict[str, Path] = {name: getattr(options, name) for name in names}

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
            if name != "in_folder":
                devices.add(found.st_dev)
        if len(devices) > 1:
            remedy = "put out, sent and failed folder on one file system: files are renamed"
            return Health(ok=False, detail="folders on several file systems", remedy=remedy)
        return Health(ok=True, detail=str(self._folders["out_folder"]))
