"""Files in folders that clerks and their software use at the same time."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hub.adapters.dms.names import EXTENSION
from hub.envelope import MAX_INLINE
from hub.errors import FileIncomplete, FileKind, HubError, PacketTooLarge, XmlTooLarge
from hub.safexml import DOCUMENT

MAX_PACKET = DOCUMENT.max_bytes
"""Bytes of the largest packet that is read at all (50 MiB, as the national bus is configured)."""
OWN = ".lienthong"
"""A folder for the connector's own marks, hidden from people and from patterns like ``*.edxml``."""
_BLOCK = 1024 * 1024
_CANNOT_LOCK = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS})
"""What file systems without locks answer."""
_KINDS = (
    (stat.S_ISLNK, "symbolic link", "liên kết tượng trưng"),
    (stat.S_ISDIR, "folder", "thư mục"),
    (stat.S_ISFIFO, "pipe", "ống dẫn"),
)

Signature = tuple[int, int, int]
"""Inode, size and time of last change: while they stand still, nobody is writing."""


def signature(found: os.stat_result) -> Signature:
    """Return what a file is recognised by while it lies there."""
    return found.st_ino, found.st_size, found.st_mtime_ns


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it lies in a folder."""

    path: Path
    signature: Signature
    since: datetime
    """Since when the signature has been the same."""
    kind: int
    """``st_mode``."""


@dataclass(frozen=True, slots=True)
class Content:
    """What reading a file gave: its digest, and its bytes or why there are none."""

    digest: str
    data: bytes | None = None
    error: HubError | None = None


class Folder:
    """Watches a folder for ``.edxml`` files whose size and time stand still."""

    def __init__(
        self,
        path: Path,
        settle_s: float,
        marker: str,
        incomplete_after_s: float,
        clock: Callable[[], datetime],
    ) -> None:
        self.path = path
        self._settle_s = settle_s
        self._marker = marker
        self._incomplete_after_s = incomplete_after_s
        self._clock = clock
        self._known: dict[str, Seen] = {}

    def settled(self) -> list[Seen]:
        """Return the files that nobody is writing, the oldest first; raises ``OSError``."""
        now = self._clock()
        self._known = {seen.path.name: seen for seen in self._look(now)}
        ready = [seen for seen in self._known.values() if self._ready(seen, now)]
        return sorted(ready, key=lambda seen: (seen.signature[2], seen.path.name))

    def everything(self) -> list[Seen]:
        """Return all files, also those that may still be written; raises ``OSError``."""
        return list(self._look(self._clock()))

    def read(self, seen: Seen) -> Content | None:
        """Read a file; ``None``: it is locked or changing, and may still be waited for."""
        try:
            return content_of(seen)
        except FileIncomplete as error:
            return Content(unread(seen), error=error) if self.is_old(seen) else None

    def is_old(self, seen: Seen) -> bool:
        """Whether a file has stood still for so long that what it lacks will not come."""
        return (self._clock() - seen.since).total_seconds() >= self._incomplete_after_s

    def unmark(self, path: Path) -> None:
        """Remove the marker of a file that is gone: the next one of its name may not be whole."""
        if self._is_marked(path):
            self._marker_of(path).unlink(missing_ok=True)

    def _marker_of(self, path: Path) -> Path:
        return path.with_name(path.name + self._marker)

    def _is_marked(self, path: Path) -> bool:
        return os.path.lexists(self._marker_of(path))

    def _look(self, now: datetime) -> Iterator[Seen]:
        with os.scandir(self.path) as entries:
            for entry in entries:
                if entry.name[0] in ".~" or not entry.name.lower().endswith(EXTENSION):
                    continue
                try:
                    found = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                before = self._known.get(entry.name)
                same = before is not None and before.signature == signature(found)
                # A clock that was set back must not make a file wait for the time it lost.
                since = min(before.since, now) if before is not None and same else now
                yield Seen(self.path / entry.name, signature(found), since, found.st_mode)

    def _ready(self, seen: Seen, now: datetime) -> bool:
        if (now - seen.since).total_seconds() >= self._settle_s:
            return True
        return self._is_marked(seen.path)


def unread(seen: Seen) -> str:
    """Return what stands for the digest of a file that is never opened, or never could be."""
    named = os.fsencode(seen.path.name) + repr(seen.signature).encode()
    return hashlib.sha256(named).hexdigest()


def content_of(seen: Seen) -> Content:
    """Digest a settled file and read it, if an envelope could carry it.

    Nothing but a regular file is opened. Raises ``FileIncomplete`` while it is locked, changing or
    not readable, which may pass.
    """
    name = seen.path.name
    if not stat.S_ISREG(seen.kind):
        en, vi = next(((e, v) for is_, e, v in _KINDS if is_(seen.kind)), ("device", "thiết bị"))
        return Content(unread(seen), error=FileKind(name=name, kind=en, kind_vi=vi))
    size = seen.signature[1]
    if size > MAX_PACKET:
        return Content(unread(seen), error=XmlTooLarge(size=size, limit=MAX_PACKET))
    try:
        digest, data = _read(seen)
    except OSError as error:
        raise FileIncomplete(error.strerror or "", name=name) from error
    if size > MAX_INLINE:
        large = PacketTooLarge(name=name, size=size, limit=MAX_INLINE)
        return Content(digest, error=large)
    return Content(digest, data)


def _read(seen: Seen) -> tuple[str, bytes]:
    """Digest before anything else; keep the bytes only of what is small enough to be sent."""
    handle = os.open(seen.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        # Windows locks show as an error of open(); Samba and scripts use one of these two.
        for lock in (fcntl.flock, fcntl.lockf):
            _try(lock, handle)
        digest, kept = hashlib.sha256(), bytearray()
        while block := file.read(_BLOCK):
            digest.update(block)
            if len(kept) <= MAX_INLINE:
                kept += block
        if signature(os.fstat(handle)) != seen.signature:
            raise FileIncomplete(name=seen.path.name)
    return digest.hexdigest(), bytes(kept)


def _try(lock: Callable[[int, int], None], handle: int) -> None:
    try:
        lock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _CANNOT_LOCK:
            raise


def ends_whole(data: bytes) -> bool:
    """Whether a packet has its last end tag, whatever its prefix: if not, it was cut off."""
    last = data[-256:].rstrip().rpartition(b"</")
    return bool(last[1]) and last[2].endswith(b"edXML>")


def write_part(part: Path, data: bytes) -> None:
    """Write a file durably, under a name that nobody looks at."""
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o666)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(handle)


def write_whole(path: Path, data: bytes, *, by_way_of: Path) -> None:
    """Write a file so that nobody ever sees a part of it, and a power cut leaves all or nothing."""
    write_part(by_way_of, data)
    place(by_way_of, path)


def place(part: Path, path: Path) -> None:
    """Rename, which is atomic on one file system, and make the new name durable."""
    part.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
