"""What becomes of a waiting file once its message has left, or cannot leave.

A file's key is its digest and a count of its failures. So the same content is sent once, whatever
it is called, and a file that failed may be put back when its cause is mended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hub.adapters.contract import Reason
from hub.adapters.dms.archive import Archive, error_lines, is_still, reason_lines
from hub.adapters.dms.folder import Folder, Seen, Signature, signature
from hub.envelope import Receipt
from hub.errors import FileRepeated

_UNKNOWN = "cannot be sent; why is not kept any more"
_UNKNOWN_VI = "không gửi được; lý do không còn được lưu"


@dataclass(slots=True)
class Known:
    """A file that was digested, as long as it lies there unchanged. Its bytes are not kept."""

    signature: Signature
    digest: str
    given: int = 0
    """How often a poll has returned it."""
    _late: bool = False
    """Whether its place was before the checkpoint then, so that the next one proves nothing."""

    def give(self, here: str, before: str) -> None:
        """Note that a poll from the checkpoint ``before`` returns it; ``here`` is its place."""
        self.given += 1
        self._late = here <= before

    def in_outbox(self, here: str, before: str) -> bool:
        """Whether ``before``, which is stored with what a poll returned, proves that it is kept."""
        return self.given > 0 and not self._late and here <= before


class Filing:
    """Keeps an out, a sent and a failed folder in order, whatever the files say.

    It promises: no file is deleted or overwritten. A key that was published is never due again, at
    whatever point this process dies: the mark is durable before the file moves, and what lies there
    with a marked key is put away by the next poll. Everything may be told twice, and told again
    after a crash it ends as if there had been none: a file's marker goes first, then the reason is
    written, then the file moves, and what was done is noted last. Word of a key that has failed
    since changes nothing. A file that was changed in the meantime is another one, and stays.

    Methods raise ``OSError`` when a folder cannot be used.
    """

    def __init__(
        self, out: Folder, sent: Archive, failed: Archive, clock: Callable[[], datetime]
    ) -> None:
        self._out = out
        self._sent = sent
        self._failed = failed
        self._clock = clock
        self._known: dict[str, Known] = {}

    # --- files that wait ------------------------------------------------------------------------

    def keep(self, names: Iterable[str]) -> None:
        """Forget the digests of all files but these."""
        self._known = {name: self._known[name] for name in names if name in self._known}

    def known(self, seen: Seen) -> Known | None:
        """Return what is known of a file, unless it has changed."""
        known = self._known.get(seen.path.name)
        return known if known is not None and known.signature == seen.signature else None

    def remember(self, seen: Seen, digest: str) -> Known:
        """Note the digest of a file that was read."""
        known = self._known[seen.path.name] = Known(seen.signature, digest)
        return known

    def key_of(self, digest: str) -> str:
        """Return the key under which content is sent next."""
        return f"{digest}:{self._failures(digest)}"

    def is_leftover(self, path: Path, known: Known) -> bool:
        """Put away a file whose key was published: left by a crash, or a copy of what was sent."""
        key, name = self._marked(known.digest)
        if not key or key != self.key_of(known.digest):
            return False
        if not (name and (self._sent.folder / name).exists()):
            self._put_away(path, known, key)
        elif is_still(path, known.signature):
            lines = error_lines(path.name, FileRepeated(name=name), self._clock())
            self._set_aside(path, known, lines)
        return True

    def find(self, key: str) -> tuple[Path, Known] | None:
        """Find a key's file in the out folder; after a restart every file is read again.

        Told late of a key that has failed since, it finds nothing: the file was put back anew.
        """
        digest = _digest(key)
        if key != self.key_of(digest):
            return None
        for name, known in self._known.items():
            if known.digest == digest:
                return self._out.path / name, known
        for seen in self._out.everything():
            content = self._out.read(seen)
            if content is not None and content.digest == digest:
                return seen.path, self.remember(seen, digest)
        return None

    # --- what became of them --------------------------------------------------------------------

    def published(self, key: str) -> None:
        """The broker has it: the file goes to the sent folder."""
        digest = _digest(key)
        if key != self.key_of(digest):
            return
        if self._marked(digest)[0] != key:
            self._sent.mark(digest, f"{key}\n")
        found = self.find(key)
        if found is not None:
            self._put_away(*found, key)

    def parked(self, key: str, reason: Reason | None) -> None:
        """It cannot be sent: the file goes to the failed folder, with ``reason`` beside it."""
        found = self.find(key)
        name = found[0].name if found is not None else ""
        why = reason or Reason("parked", _UNKNOWN_VI, _UNKNOWN, self._clock())
        self._fail(key, reason_lines(name, why.code, why.vi, why.en, why.at))

    def sent_file(self, key: str) -> Path | None:
        """Return where a key's file lies, or lay, in the sent folder."""
        marked, name = self._marked(_digest(key))
        return self._sent.folder / name if name and marked == key else None

    def refused(self, key: str, receipt: Receipt, *, whole: bool) -> None:
        """It was refused: ``whole``, and the file goes to the failed folder; else it stays sent.

        Either way the receipt's words lie in the failed folder.
        """
        file = self.sent_file(key)
        name, vi, en = file.name if file else key, receipt.detail_vi, receipt.detail_en
        lines = reason_lines(name, receipt.reason or "refused", vi, en, receipt.at)
        for one in receipt.recipients:
            why = f" {one.reason}: {one.detail_vi} | {one.detail_en}" if one.reason else ""
            lines.append(f"{one.code} {one.outcome}{why}")
        if whole or file is None:
            self._fail(key, lines, file)
        else:
            self._failed.explain(name, _digest(key), lines)

    def _fail(self, key: str, lines: list[str], sent: Path | None = None) -> None:
        """Move a file to the failed folder, explain, and count; repeated it changes nothing."""
        digest, _, failures = key.partition(":")
        found = self.find(key)
        if found is not None:
            self._set_aside(*found, lines)
        if sent is not None:
            self._failed.explain(sent.name, digest, lines)
            if sent.is_file():
                self._failed.take(sent, signature(sent.lstat()), digest)
        count = int(failures) + 1
        if self._failures(digest) < count:
            self._failed.mark(digest, str(count))

    def _put_away(self, path: Path, known: Known, key: str) -> None:
        self._forget(path)
        moved = self._sent.take(path, known.signature, known.digest)
        if moved is not None:
            self._sent.mark(known.digest, f"{key}\n{moved.name}")

    def _set_aside(self, path: Path, known: Known, lines: list[str]) -> None:
        self._forget(path)
        self._failed.explain(path.name, known.digest, lines)
        self._failed.take(path, known.signature, known.digest)

    def _forget(self, path: Path) -> None:
        self._known.pop(path.name, None)
        self._out.unmark(path)

    def _failures(self, digest: str) -> int:
        marked = self._failed.marked(digest)
        return int(marked) if marked.isdigit() else 0

    def _marked(self, digest: str) -> tuple[str, str]:
        """Return the key under which content was published last, and its name once it has moved.

        A name that a crash kept from being noted is found by the digest in it.
        """
        key, _, name = self._sent.marked(digest).partition("\n")
        moved = self._sent.find(digest) if key and not name else None
        if moved is not None:
            name = moved.name
            self._sent.mark(digest, f"{key}\n{name}")
        return key, name


def _digest(key: str) -> str:
    return key.partition(":")[0]
