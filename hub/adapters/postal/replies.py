"""Judging a partner's replies: only a known status is a success, HTTP 200 alone proves nothing.

Replies met: another status with 200, an empty body, an HTML page of a proxy.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from hub.adapters.redaction import redact
from hub.errors import SinkRefused, SinkUnknown

RAW_KEPT = 400
"""Characters of a strange reply that are kept with the parked message."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply as it came."""

    http: int
    body: str

    @property
    def raw(self) -> str:
        """The reply for a person: shortened, without personal numbers."""
        return f"HTTP {self.http}: {redact(self.body)[:RAW_KEPT]!r}"

    def document(self) -> dict[str, Any]:
        """Return the JSON object; raises ``SinkUnknown`` with the raw reply for anything else."""
        try:
            found = json.loads(self.body)
        except ValueError as error:
            raise SinkUnknown(self.raw) from error
        if not isinstance(found, dict):
            raise SinkUnknown(self.raw)
        return found


@dataclass(frozen=True, slots=True)
class ReplyTable:
    """Which statuses a partner uses, for one kind of request."""

    field: str
    success: Collection[int]
    """Also *already requested*: the same order, so a repeat is a success."""
    refused: Collection[int] = ()

    def judge(self, reply: Reply) -> int:
        """Return a status that is a success.

        Raises ``SinkRefused`` for a known refusal and ``SinkUnknown``, with the raw reply, for
        everything else.
        """
        status = reply.document().get(self.field)
        if isinstance(status, int) and not isinstance(status, bool):
            if status in self.success:
                return status
            if status in self.refused:
                raise SinkRefused(reason=f"{self.field} {status}")
        raise SinkUnknown(reply.raw)
