"""An agreement with a post: its customers, and what its tracking codes mean."""

from __future__ import annotations

import re

from pydantic import field_validator

from hub.adapters.options import Options
from hub.codes import PostProvince
from hub.errors import HubError
from hub.schemas.documents import PostalState

EVENTS = (
    "postal.accepted",
    "postal.handover",
    "postal.tracking",
    "postal.delivered",
    "postal.undelivered",
    "postal.returned",
    "postal.fee_collected",
)
"""What a tracking row can tell. Accepted, handed over and received are three times (QĐ 45/2016)."""


class Code(Options):
    """The meaning of one tracking code. Lists are not public, so this is configuration."""

    event: str = "postal.tracking"
    canonical: PostalState = PostalState.UNKNOWN
    notes: str = ""
    """A regular expression over the row's notes; named groups ``manifest``, ``signed_by``,
    ``receipt``, ``amount``, ``reason``."""

    @field_validator("event")
    @classmethod
    def _told_here(cls, value: str) -> str:
        if value not in EVENTS:
            msg = f"no tracking row tells {value}"
            raise ValueError(msg)
        return value

    @field_validator("notes")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            msg = f"not a regular expression: {error}"
            raise ValueError(msg) from error
        return value

    def said(self, notes: str) -> dict[str, str]:
        """Return what the notes say, by group; nothing when they do not fit."""
        found = re.search(self.notes, notes) if self.notes else None
        return {k: v.strip() for k, v in found.groupdict().items() if v} if found else {}


class Party(Options):
    """The agency's own desk, as it stands on an order that brings a result to an applicant."""

    code: str
    """Agency code: who gets the tracking of this customer, and for whom orders are made."""
    name: str
    address: str
    phone: str
    email: str = ""
    province: str
    """Postal province code (two digits), not the statistical one."""
    district: str = ""

    @field_validator("province")
    @classmethod
    def _postal(cls, value: str) -> str:
        try:
            return PostProvince.parse(value).value
        except HubError as error:
            raise ValueError(str(error)) from error


class Agreement(Options):
    """One contract with a post, as far as it does not depend on how the post is reached."""

    system: str
    """Name of the post's system, as it stands in every status it sends."""
    result_prefix: str = "KQ-"
    """Order number of a result's delivery: this and the number of the order it answers."""
    customers: dict[str, Party]
    """The post's customer code → the agency it stands for."""
    codes: dict[str, Code]
    """Tracking code → meaning; one that is not listed is told raw and means nothing."""

    def customer_of(self, agency: str) -> tuple[str, Party] | None:
        """Return the customer code and desk of an agency."""
        return next(((k, p) for k, p in self.customers.items() if p.code == agency), None)

    def answered(self, number: str) -> str:
        """Return the order that an order number belongs to: its own, or the one it answers."""
        return number.removeprefix(self.result_prefix)
