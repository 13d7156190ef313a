"""Receiving: the packet's bytes into the in folder, exactly once for each key.

A record by the key is durable before the file gets its name, and the renaming of the ``part`` file
is the moment of delivery: while the part is there it has not happened; once it is gone it has, even
if the software has taken the file away since. No second database is needed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from hub.adapters.contract import Applied, Inbound
from hub.adapters.dms.answers import ReplyTo, answer_draft, arrived_file
from hub.adapters.dms.arriving import Delivery, delivery_of
from hub.adapters.dms.folder import OWN, place, write_part, write_whole
from hub.adapters.dms.rules import DmsRules
from hub.errors import SinkUnavailable, SinkUnknown


@dataclass(frozen=True, slots=True)
class _Record:
    """What is known of one key."""

    reference: str
    """The file's name, or why there is none."""
    placed: bool
    """Whether a file belongs to it: a repeated status is acknowledged without one."""
    answer: str = ""
    """The status 01 file in base64, as it is sent."""
    reply_to: dict[str, str] | None = None


class FolderSink:
    """Sink over one in folder."""

    def __init__(self, folder: Path, rules: DmsRules, clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._own = folder / OWN
        self._rules = rules
        self._clock = clock

    def apply(self, message: Inbound, key: str) -> Applied:
        """Write the file, and answer a document with status 01.

        Raises ``SinkRefused`` for a file that contradicts its message, ``AttachmentMissing`` or
        ``AttachmentDigest``, ``SinkUnavailable`` when the folder cannot be written.
        """
        try:
            done = self.lookup(key)
            if done is not None:
                return done
            delivery = delivery_of(message, self._rules, self._clock())
            record = self._record_of(message, delivery, key)
            self._deliver(record, delivery, key)
        except OSError as error:
            raise _away(error) from error
        return self._applied(record)

    def lookup(self, key: str) -> Applied | None:
        """Return what became of a key; raises ``SinkUnavailable`` or ``SinkUnknown``."""
        try:
            found = self._text("keys", key)
            record = _Record(**json.loads(found)) if found else None
            waits = record is not None and record.placed and self._place_of("parts", key).exists()
        except (ValueError, TypeError) as error:
            raise SinkUnknown("record") from error
        except OSError as error:
            raise _away(error) from error
        return None if record is None or waits else self._applied(record)

    def _record_of(self, message: Inbound, delivery: Delivery, key: str) -> _Record:
        first = self._text("statuses", delivery.status_key) if delivery.status_key else ""
        if first not in ("", key) and self.lookup(first) is not None:
            return _Record("repeated", placed=False)
        answer = arrived_file(delivery.packet, self._rules, self._clock())
        if answer is None:
            return _Record(delivery.name, placed=True)
        to = asdict(ReplyTo.of(message))
        return _Record(delivery.name, True, base64.b64encode(answer).decode(), to)

    def _text(self, kind: str, key: str) -> str:
        """Return what is kept under a key; empty for nothing."""
        path = self._place_of(kind, key)
        try:
            return path.read_text("utf-8")
        except FileNotFoundError:
            return ""

    def _deliver(self, record: _Record, delivery: Delivery, key: str) -> None:
        """Part, status mark, record, name: in this order, each durable before the next."""
        part = self._made_place("parts", key)
        if record.placed:
            write_part(part, delivery.content)
            if delivery.status_key:
                self._write("statuses", delivery.status_key, key.encode())
        self._write("keys", key, json.dumps(asdict(record)).encode())
        if record.placed:
            place(part, self._folder / record.reference)

    def _write(self, kind: str, key: str, data: bytes) -> None:
        path = self._made_place(kind, key)
        write_whole(path, data, by_way_of=path.with_suffix(".part"))

    def _place_of(self, kind: str, key: str) -> Path:
        """Return where a thing is kept; raises ``OSError`` when the in folder is not there."""
        self._folder.stat()
        name = sha256(key.encode()).hexdigest()
        return self._own / kind / name[:2] / name

    def _made_place(self, kind: str, key: str) -> Path:
        path = self._place_of(kind, key)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path

    def _applied(self, record: _Record) -> Applied:
        if not record.answer or record.reply_to is None:
            return Applied(record.reference)
        data, to = base64.b64decode(record.answer), ReplyTo(**record.reply_to)
        return Applied(record.reference, (answer_draft(data, to, self._rules, self._clock()),))


def _away(error: OSError) -> SinkUnavailable:
    return SinkUnavailable(error.strerror or type(error).__name__)
