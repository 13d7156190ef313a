"""Sending: each settled file of the out folder becomes one message, and is moved when that is sure.

A file's key is its digest and a count of its failures. So the same content is sent once, whatever
it is called, and a file that failed may be put back when its cause is mended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from connectors.dms.config import DmsOptions
from hub.adapters.contract import Batch, Confirmation, Item
from hub.adapters.dms.archive import Archive, error_lines, reason_lines
from hub.adapters.dms.folder import (
    Content,
    Folder,
    Seen,
    Signature,
    content_of,
    ends_whole,
    signature,
    unread,
)
from hub.adapters.dms.names import safe
from hub.adapters.dms.outgoing import draft_of
from hub.adapters.dms.rules import DmsRules
from hub.envelope import Receipt
from hub.errors import EdxmlMalformed, FileIncomplete, FileRepeated, HubError, SinkUnavailable

_LABEL = 120
_WHOLE = "receipt.rejected"
"""The refusal that concerns every receiver."""


@dataclass(slots=True)
class _Known:
    """A file that was digested, as long as it lies there unchanged. Its bytes are not kept."""

    signature: Signature
    digest: str
    given: int = 0
    """How often a poll has returned it."""
    late: bool = False
    """Whether its place was before the checkpoint then, so that the next one proves nothing."""


class FolderSource:
    """Source over one out folder, with the sent and the failed folder."""

    def __init__(self, options: DmsOptions, rules: DmsRules, clock: Callable[[], datetime]) -> None:
        self._options = options
        self._rules = rules
        self._clock = clock
        self._out = Folder(options.out_folder, options.settle_s, options.marker_suffix, clock)
        self._sent = Archive(options.sent_folder)
        self._failed = Archive(options.failed_folder)
        self._known: dict[str, _Known] = {}

    def poll(self, checkpoint: str | None, limit: int) -> Batch:
        """Return settled files, those not returned before first; raises ``SinkUnavailable``.

        Whatever lies in the folder has not been confirmed yet, so older files come again, behind
        the new ones: a file may be moved here with a time before the checkpoint.
        """
        items: list[Item] = []
        before = mark = checkpoint or ""
        try:
            settled = self._out.settled()
            names = {seen.path.name for seen in settled}
            self._known = {name: one for name, one in self._known.items() if name in names}
            for seen in sorted(settled, key=lambda seen: self._turn(seen, before)):
                if len(items) >= limit:
                    break
                item = self._due(seen, before)
                if item is not None:
                    items.append(item)
                    mark = max(mark, _position(seen))
        except OSError as error:
            raise _away(error) from error
        return Batch(tuple(items), mark)

    def confirm(self, key: str, confirmation: Confirmation, receipt: Receipt | None) -> None:
        """Move the file: sent when the broker has it, failed when it was parked or refused.

        A refusal by one of several receivers leaves it where it is, with a text in the failed
        folder. Raises ``SinkUnavailable``.
        """
        try:
            if confirmation is Confirmation.PUBLISHED:
                self._published(key)
            elif confirmation is Confirmation.PARKED:
                self._parked(key)
            elif confirmation is Confirmation.REFUSED and receipt is not None:
                self._refused(key, receipt)
        except OSError as error:
            raise _away(error) from error

    def _turn(self, seen: Seen, before: str) -> tuple[int, bool, str]:
        """Sort first what this process has given least often, then what is new, then by time."""
        known, here = self._known.get(seen.path.name), _position(seen)
        return known.given if known is not None else 0, here <= before, here

    def _due(self, seen: Seen, before: str) -> Item | None:
        """Return the item of a file; ``None``: it is waited for, put away, or in the outbox."""
        known, here = self._known.get(seen.path.name), _position(seen)
        if known is not None and known.signature == seen.signature:
            in_outbox = known.given > 0 and not known.late and here <= before
            if self._is_leftover(seen.path, known) or in_outbox:
                return None
        else:
            known = None
        content = self._content(seen)
        if content is None:
            return None
        if known is None:
            known = self._remember(seen, content.digest)
            if self._is_leftover(seen.path, known):
                return None
        item = self._item(seen, content)
        if item is not None:
            known.given += 1
            known.late = here <= before
        return item

    def _remember(self, seen: Seen, digest: str) -> _Known:
        known = self._known[seen.path.name] = _Known(seen.signature, digest)
        return known

    def _content(self, seen: Seen) -> Content | None:
        """Read a file; ``None``: it is locked or changing, and may still be waited for."""
        try:
            return content_of(seen)
        except FileIncomplete as error:
            return Content(unread(seen), error=error) if self._is_old(seen) else None

    def _is_old(self, seen: Seen) -> bool:
        return self._out.age_s(seen) >= self._options.incomplete_after_s

    def _item(self, seen: Seen, content: Content) -> Item | None:
        """Map a file's content; ``None``: its end is missing, and may still come."""
        key, data, error = self._key(content.digest), content.data, content.error
        label = safe(seen.path.name)[:_LABEL]
        if data is not None:
            try:
                draft = draft_of(data, seen.path.name, self._rules, self._clock())
                return Item(key, draft, label=label)
            except EdxmlMalformed as malformed:
                error = malformed
                if not ends_whole(data):
                    if not self._is_old(seen):
                        return None
                    error = FileIncomplete(malformed.detail, name=label)
            except HubError as refused:
                error = refused
        return Item(key, error=error.at(file=label) if error else None, label=label)

    def _key(self, digest: str) -> str:
        return f"{digest}:{self._failures(digest)}"

    def _failures(self, digest: str) -> int:
        marked = self._failed.marked(digest)
        return int(marked) if marked.isdigit() else 0

    def _is_leftover(self, path: Path, known: _Known) -> bool:
        """Put away a file whose key was published: left by a crash, or a copy of what was sent."""
        key, _, name = self._sent.marked(known.digest).partition("\n")
        if not key or key != self._key(known.digest):
            return False
        if not (name and (self._sent.folder / name).exists()):
            self._put_away(path, known, key)
        elif self._failed.take(path, known.signature, known.digest):
            error = FileRepeated(name=name)
            lines = error_lines(path.name, error, self._clock())
            self._failed.explain(path.name, known.digest, lines)
        return True

    def _find(self, key: str) -> tuple[Path, _Known] | None:
        """Find a key's file in the out folder; after a restart every file is read again.

        Told late of a key that has failed since, it finds nothing: the file was put back anew.
        """
        digest = key.partition(":")[0]
        if key != self._key(digest):
            return None
        for name, known in self._known.items():
            if known.digest == digest:
                return self._options.out_folder / name, known
        for seen in self._out.everything():
            content = self._content(seen)
            if content is not None and content.digest == digest:
                return seen.path, self._remember(seen, digest)
        return None

    def _published(self, key: str) -> None:
        digest = key.partition(":")[0]
        if key != self._key(digest):
            return
        if self._sent.marked(digest).partition("\n")[0] != key:
            self._sent.mark(digest, f"{key}\n")
        found = self._find(key)
        if found is not None:
            self._put_away(*found, key)

    def _put_away(self, path: Path, known: _Known, key: str) -> None:
        moved = self._sent.take(path, known.signature, known.digest)
        if moved is not None:
            self._sent.mark(known.digest, f"{key}\n{moved.name}")
        self._forget(path)

    def _forget(self, path: Path) -> None:
        self._known.pop(path.name, None)
        self._out.unmark(path)

    def _parked(self, key: str) -> None:
        found, at = self._find(key), self._clock()
        name = found[0].name if found is not None else ""
        error = self._error(found[0]) if found is not None else None
        vi, en = f"xem: hub parked show {key}", f"see: hub parked show {key}"
        lines = reason_lines(name, "parked", vi, en, at)
        self._fail(key, name, lines if error is None else error_lines(name, error, at))

    def _error(self, path: Path) -> HubError | None:
        """Return why a file cannot be sent, as the poll found it."""
        seen = next((one for one in self._out.everything() if one.path == path), None)
        content = self._content(seen) if seen is not None else None
        if seen is None or content is None:
            return None
        item = self._item(seen, content)
        return item.error if item is not None else FileIncomplete(name=safe(path.name))

    def _refused(self, key: str, receipt: Receipt) -> None:
        name = self._sent.marked(key.partition(":")[0]).partition("\n")[2]
        vi, en = receipt.detail_vi, receipt.detail_en
        lines = reason_lines(name or key, receipt.reason or "refused", vi, en, receipt.at)
        for one in receipt.recipients:
            why = f" {one.reason}: {one.detail_vi} | {one.detail_en}" if one.reason else ""
            lines.append(f"{one.code} {one.outcome}{why}")
        if receipt.type.value == _WHOLE or self._receivers(name) <= 1:
            self._fail(key, name, lines)
        else:
            self._failed.explain(name, key.partition(":")[0], lines)

    def _receivers(self, name: str) -> int:
        """Return how many receivers a sent file has; 1 when it cannot be told any more."""
        try:
            data = (self._sent.folder / name).read_bytes()
            return len(draft_of(data, name, self._rules, self._clock()).recipients)
        except (OSError, HubError):
            return 1

    def _fail(self, key: str, name: str, lines: list[str]) -> None:
        """Move a file to the failed folder, explain, and count; repeated it changes nothing."""
        digest, _, failures = key.partition(":")
        found, sent = self._find(key), self._sent.folder / name
        if found is not None:
            self._failed.take(found[0], found[1].signature, digest)
            self._forget(found[0])
        elif sent.is_file():
            self._failed.take(sent, signature(sent.lstat()), digest)
        if name:
            self._failed.explain(name, digest, lines)
        count = int(failures) + 1
        if self._failures(digest) < count:
            self._failed.mark(digest, str(count))


def _position(seen: Seen) -> str:
    """Return a file's place in the order of time, as a checkpoint holds it; names stay out."""
    return f"{max(0, seen.signature[2]):020d}:{unread(seen)[:16]}"


def _away(error: OSError) -> SinkUnavailable:
    return SinkUnavailable(f"{error.strerror or type(error).__name__}")
