"""Where files go that have been sent, or that failed; nothing is ever deleted or overwritten.

A file keeps its name, with the beginning of its digest in it. Beside a file that failed lies a
text that says why, in Vietnamese and English. What was sent, and how often a file has failed, is
marked in a hidden folder, so that clerks may tidy up theirs.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from hub.adapters import dates
from hub.adapters.dms.folder import OWN, Signature, place, signature, write_whole
from hub.adapters.dms.names import EXTENSION, file_name, safe, stem_of
from hub.errors import HubError

_SHOWN = 16
"""Digits of the digest in a file's name."""


class Archive:
    """One folder of files that are dealt with. Methods raise ``OSError``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def take(self, path: Path, expected: Signature, digest: str) -> Path | None:
        """Move a file in; ``None`` when it is not the one any more: it stays, or is put back.

        Between a look and a rename somebody may have put other content under the name.
        """
        if not is_still(path, expected):
            return None
        target = self._free(path.name, digest)
        place(path, target)
        if is_still(target, expected):
            return target
        if not os.path.lexists(path):
            place(target, path)
        return None

    def find(self, digest: str) -> Path | None:
        """Return a file that was moved in, by the digest in its name."""
        names = self.folder.glob(f"*.{digest[:_SHOWN]}*{EXTENSION}")
        return min(names, default=None)

    def explain(self, name: str, digest: str, lines: list[str]) -> None:
        """Write the text beside a file, in place of an older one."""
        path = self.folder / _named(name, digest, extension=f"{EXTENSION}.txt")
        data = ("\n".join(lines) + "\n").encode()
        write_whole(path, data, by_way_of=self._own() / f"{digest}.part")

    def mark(self, digest: str, text: str) -> None:
        """Remember ``text`` for a digest."""
        folder = self._own(digest[:2])
        write_whole(folder / digest, text.encode(), by_way_of=folder / f"{digest}.part")

    def marked(self, digest: str) -> str:
        """Return what was remembered; empty for nothing."""
        try:
            return (self.folder / OWN / digest[:2] / digest).read_text("utf-8")
        except FileNotFoundError:
            return ""

    def _own(self, part: str = "") -> Path:
        folder = self.folder / OWN / part
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    def _free(self, name: str, digest: str) -> Path:
        number = 0
        while os.path.lexists(path := self.folder / _named(name, digest, number)):
            number += 1
        return path


def _named(name: str, digest: str, number: int = 0, extension: str = EXTENSION) -> str:
    stem = stem_of(name).partition(f".{digest[:_SHOWN]}")[0]
    return file_name(stem, digest[:_SHOWN], str(number or ""), extension=extension)


def is_still(path: Path, expected: Signature) -> bool:
    """Whether ``path`` is the file that had this signature."""
    try:
        return signature(path.lstat()) == expected
    except FileNotFoundError:
        return False


def reason_lines(name: str, code: str, vi: str, en: str, at: datetime) -> list[str]:
    """Return the text that lies beside a file that failed: why, in both languages."""
    shown, when = safe(name), dates.write(at, "dd/MM/yyyy HH:mm:ss")
    return [
        f"{code}: {vi}",
        f"Tệp: {shown}",
        f"Thời điểm: {when}",
        "",
        f"{code}: {en}",
        f"File: {shown}",
        f"Time: {when} (+07:00)",
    ]


def error_lines(name: str, error: HubError, at: datetime) -> list[str]:
    """Return the text for an error."""
    return reason_lines(name, error.code, error.message("vi"), error.message("en"), at)
