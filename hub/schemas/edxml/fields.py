"""Reading single fields: required, length, number, date, code; what is tolerated is noted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone

from hub.codes import AgencyCode
from hub.errors import (
    CodeMalformed,
    EdxmlDate,
    EdxmlField,
    EdxmlMalformed,
    EdxmlOrganId,
    EdxmlTooLong,
    HubError,
)
from hub.schemas.edxml.notices import Notice
from hub.schemas.edxml.options import ReadOptions
from hub.schemas.edxml.tree import Node
from hub.schemas.edxml.vocabulary import DATE, LENGTHS, REFUSED_FROM, TIMESTAMP

VIETNAM = timezone(timedelta(hours=7))
_DAY = re.compile(r"([0-9]{4})/([0-9]{2})/([0-9]{2})")
_TIME = re.compile(r"([0-9]{4})/([0-9]{2})/([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2})")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_MAX_NOTICES = 200


class Fields:
    """Reads fields from nodes by the options, and collects notices."""

    def __init__(self, options: ReadOptions) -> None:
        self.options = options
        self.notices: list[Notice] = []

    def note(self, code: str, node: Node, **facts: object) -> None:
        """Add a notice about ``node``."""
        if len(self.notices) < _MAX_NOTICES:
            self.notices.append(Notice(code, node.path, facts))

    def one(self, node: Node, name: str, *, strict: bool = False) -> Node | None:
        """Return the child ``name``. Of several the first, noted; ``strict`` refuses them."""
        found = node.all(name)
        if len(found) > 1:
            if strict:
                raise EdxmlMalformed(
                    reason=f"{name} occurs {len(found)} times",
                    reason_vi=f"{name} xuất hiện {len(found)} lần",
                    place=found[1].place,
                )
            self.note("edxml.repeated", found[0], field=name, count=len(found))
        return found[0] if found else None

    def need(self, node: Node, name: str) -> Node:
        """Return the only child ``name``; raises ``EdxmlMalformed`` when it is not there."""
        found = self.one(node, name, strict=True)
        if found is None:
            raise EdxmlMalformed(
                reason=f"{name} is missing", reason_vi=f"thiếu {name}", place=node.place
            )
        return found

    def text(self, node: Node | None, name: str, *, limit: str = "", strict: bool = False) -> str:
        """Return the text of the child ``name``, held to its length and, if required, to be there.

        ``limit`` names the field in the table of lengths where it differs from ``name``.
        """
        found = self.one(node, name, strict=strict) if node is not None else None
        text = found.text if found is not None else ""
        if node is not None and not text and strict:
            raise self.missing(found or node, name)
        if found is not None:
            self.measured(found, limit or name)
        return text

    def required(self, node: Node, name: str) -> str:
        """Return the text of a field that the options may require."""
        return self.text(node, name, strict=name in self.options.required)

    def texts(self, nodes: Iterable[Node], limit: str = "") -> tuple[str, ...]:
        """Return the texts of ``nodes`` that are not empty."""
        kept = []
        for node in nodes:
            if limit:
                self.measured(node, limit)
            if node.text:
                kept.append(node.text)
        return tuple(kept)

    def measured(self, node: Node, name: str) -> None:
        """Note a text above its limit; raises ``EdxmlTooLong`` above four times the limit."""
        limit, size = LENGTHS.get(name, 0), len(node.text)
        if not limit or size <= limit:
            return
        if size > REFUSED_FROM * limit:
            raise EdxmlTooLong(field=name, size=size, limit=REFUSED_FROM * limit, place=node.place)
        self.note("edxml.length", node, field=name, size=size, limit=limit)

    @staticmethod
    def missing(node: Node, name: str) -> EdxmlField:
        """Make the error of a required field that is absent or empty."""
        return EdxmlField(
            field=name, reason="it is missing", reason_vi="không có giá trị", place=node.place
        )

    def number(self, node: Node | None, name: str, allowed: range) -> int | None:
        """Return a number in ``allowed``, or ``None``; raises ``EdxmlField`` for anything else."""
        found = self.one(node, name) if node is not None else None
        if found is None or not found.text:
            return None
        if found.text.isascii() and found.text.isdigit() and len(found.text) < 7:  # noqa: PLR2004 - digits
            value = int(found.text)
            if value in allowed:
                return value
        span = f"{allowed.start}…{allowed.stop - 1}"
        raise EdxmlField(
            field=name,
            reason=f"not a number of {span}",
            reason_vi=f"không phải số trong khoảng {span}",
            place=found.place,
        )

    def counted(self, node: Node | None, name: str) -> str:
        """Return an unsigned short as written, or empty with a notice."""
        found = self.one(node, name) if node is not None else None
        if found is None or not found.text:
            return ""
        text = found.text
        if text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536:  # noqa: PLR2004 - unsigned short
            return text
        self.note("edxml.number", found, field=name)
        return ""

    def email(self, node: Node | None, name: str = "Email") -> str:
        """Return an e-mail address; its syntax is checked, never enforced."""
        text = self.text(node, name)
        if text and node is not None and not _EMAIL.fullmatch(text):
            self.note("edxml.email", node, field=name)
        return text

    def day(self, node: Node | None, name: str, *, strict: bool = True) -> date | None:
        """Return a date; raises ``EdxmlDate`` for an impossible one, or notes it."""
        found = self.one(node, name) if node is not None else None
        if found is None or not found.text:
            return None
        matched = _DAY.fullmatch(found.text)
        try:
            if matched:
                return date(*map(int, matched.groups()))
        except ValueError:
            pass
        self._no_date(found, name, DATE, strict=strict)
        return None

    def moment(self, node: Node | None, name: str, *, strict: bool) -> datetime | None:
        """Return a timestamp with +07:00; raises ``EdxmlDate`` for an impossible one, or notes."""
        found = self.one(node, name) if node is not None else None
        if found is None or not found.text:
            return None
        matched = _TIME.fullmatch(found.text)
        try:
            if matched:
                year, month, day, hour, minute, second = map(int, matched.groups())
                return datetime(year, month, day, hour, minute, second, tzinfo=VIETNAM)
        except ValueError:
            pass
        self._no_date(found, name, TIMESTAMP, strict=strict)
        return None

    def _no_date(self, node: Node, name: str, form: str, *, strict: bool) -> None:
        if strict:
            value = node.text[:40]
            raise EdxmlDate(value=value, field=name, format=form, place=node.place)
        self.note("edxml.date_elsewhere", node, field=name)

    def code(self, node: Node) -> AgencyCode:
        """Parse an ``OrganId``; raises ``EdxmlOrganId``, or ``CodeTestOnly`` with its path."""
        try:
            return AgencyCode.parse(node.text, self.options.environment)
        except CodeMalformed as error:
            raise EdxmlOrganId(value=error.facts.get("value"), place=node.place) from error
        except HubError as error:
            raise error.at(path=node.path) from error
