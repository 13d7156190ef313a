"""Sending: each settled file of the out folder becomes one message, and is moved when that is sure.

Keys, moves and marks are ``hub.adapters.dms.filing``'s; here files are found, read and mapped.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from connectors.dms.config import DmsOptions
from hub.adapters.contract import Batch, Confirmation, Item, Reason
from hub.adapters.dms.archive import Archive
from hub.adapters.dms.filing import Filing
from hub.adapters.dms.folder import Content, Folder, Seen, ends_whole, unread
from hub.adapters.dms.names import safe
from hub.adapters.dms.outgoing import draft_of
from hub.adapters.dms.rules import DmsRules
from hub.envelope import Receipt
from hub.errors import EdxmlMalformed, FileIncomplete, HubError, SinkUnavailable

_LABEL = 120
_WHOLE = "receipt.rejected"
"""The refusal that concerns every receiver."""


class FolderSource:
    """Source over one out folder, with the sent and the failed folder."""

    def __init__(self, options: DmsOptions, rules: DmsRules, clock: Callable[[], datetime]) -> None:
        self._rules = rules
        self._clock = clock
        self._out = Folder(
            options.out_folder,
            options.settle_s,
            options.marker_suffix,
            options.incomplete_after_s,
            clock,
        )
        sent, failed = Archive(options.sent_folder), Archive(options.failed_folder)
        self._filing = Filing(self._out, sent, failed, clock)

    def poll(self, checkpoint: str | None, limit: int) -> Batch:
        """Return settled files, those not returned before first; raises ``SinkUnavailable``.

        Whatever lies in the folder has not been confirmed yet, so older files come again, behind
        the new ones: a file may be moved here with a time before the checkpoint.
        """
        items: list[Item] = []
        before = mark = checkpoint or ""
        try:
            settled = self._out.settled()
            self._filing.keep(seen.path.name for seen in settled)
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
                self._filing.published(key)
            elif confirmation is Confirmation.PARKED:
                self._filing.parked(key, None)
            elif confirmation is Confirmation.REFUSED and receipt is not None:
                whole = receipt.type.value == _WHOLE or self._receivers(key) <= 1
                self._filing.refused(key, receipt, whole=whole)
        except OSError as error:
            raise _away(error) from error

    def confirm_parked(self, key: str, reason: Reason) -> None:
        """Move the file to the failed folder, its reason beside it; raises ``SinkUnavailable``."""
        try:
            self._filing.parked(key, reason)
        except OSError as error:
            raise _away(error) from error

    def _turn(self, seen: Seen, before: str) -> tuple[int, bool, str]:
        """Sort first what this process has given least often, then what is new, then by time."""
        known, here = self._filing.known(seen), _position(seen)
        return known.given if known is not None else 0, here <= before, here

    def _due(self, seen: Seen, before: str) -> Item | None:
        """Return the item of a file; ``None``: it is waited for, put away, or in the outbox."""
        filing, here = self._filing, _position(seen)
        known = filing.known(seen)
        if known is not None and (
            filing.is_leftover(seen.path, known) or known.in_outbox(here, before)
        ):
            return None
        content = self._out.read(seen)
        if content is None:
            return None
        if known is None:
            known = filing.remember(seen, content.digest)
            if filing.is_leftover(seen.path, known):
                return None
        item = self._item(seen, content)
        if item is not None:
            known.give(here, before)
        return item

    def _item(self, seen: Seen, content: Content) -> Item | None:
        """Map a file's content; ``None``: its end is missing, and may still come."""
        key, data, error = self._filing.key_of(content.digest), content.data, content.error
        label = safe(seen.path.name)[:_LABEL]
        if data is not None:
            try:
                draft = draft_of(data, seen.path.name, self._rules, self._clock())
                return Item(key, draft, label=label)
            except EdxmlMalformed as malformed:
                error = malformed
                if not ends_whole(data):
                    if not self._out.is_old(seen):
                        return None
                    error = FileIncomplete(malformed.detail, name=label)
            except HubError as refused:
                error = refused
        return Item(key, error=error.at(file=label) if error else None, label=label)

    def _receivers(self, key: str) -> int:
        """Return how many receivers a sent file has; 1 when it cannot be told any more."""
        path = self._filing.sent_file(key)
        try:
            data = path.read_bytes() if path is not None else b""
            return len(draft_of(data, key, self._rules, self._clock()).recipients)
        except (OSError, HubError):
            return 1


def _position(seen: Seen) -> str:
    """Return a file's place in the order of time, as a checkpoint holds it; names stay out."""
    return f"{max(0, seen.signature[2]):020d}:{unread(seen)[:16]}"


def _away(error: OSError) -> SinkUnavailable:
    return SinkUnavailable(f"{error.strerror or type(error).__name__}")
