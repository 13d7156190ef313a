"""What the connector of Vietnam Post is told: address, customers, meaning of tracking codes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from hub.codes import PostProvince
from hub.errors import ConfigInvalid, ConfigMissing, HubError


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Code(_Table):
    """The meaning of one tracking code; only 4 (delivered) is evidenced, so it is configuration."""

    event: str = "postal.tracking"
    canonical: str = "unknown"
    notes: str = ""
    """A regular expression over ``Notes``; named groups ``manifest``, ``signed_by``, ``receipt``,
    ``amount``, ``reason``."""

    @field_validator("notes")
    @classmethod
    def _compiles(cls, value: str) -> str:
        re.compile(value)
        return value


DELIVERED = "4"
CODES = {
    "1": Code(event="postal.accepted", canonical="accepted"),
    "2": Code(
        event="postal.handover",
        canonical="handed_over",
        notes=r"biên bản (?P<manifest>\S+), người nhận (?P<signed_by>.+)",
    ),
    "3": Code(canonical="in_transit"),
    DELIVERED: Code(event="postal.delivered", canonical="delivered"),
    "5": Code(
        event="postal.fee_collected",
        canonical="unknown",
        notes=r"biên lai (?P<receipt>\S+), số tiền (?P<amount>[0-9]+)",
    ),
    "6": Code(event="postal.undelivered", canonical="undelivered", notes="(?P<reason>.+)"),
}
"""Illustrative but for 4; a contract's real list goes into ``[codes]``."""


class Party(_Table):
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


class VnpostConfig(_Table):
    """Everything about one contract with the post."""

    url: str
    consumer_key: str
    secret_file: Path
    """Holds the consumer secret alone; never in the settings file, never on a command line."""
    base_path: str = "/apiVNPostNGSP/p1.0"
    info_path: str = "order/info"
    """Look-up of an order's dossier notice (shape of ``document/post``); empty: there is none."""
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 30
    ca_file: str = ""
    page_size: Annotated[int, Field(ge=1, le=1000)] = 200
    overlap_s: Annotated[int, Field(ge=0)] = 1800
    system: str = "vnpost"
    result_prefix: str = "KQ-"
    """Order number of a result's delivery: this and the number of the order it answers."""
    customers: dict[str, Party]
    """CustomerCode → the agency it stands for."""
    codes: dict[str, Code] = CODES
    notice_state: int = 0
    """``State`` of a dossier notice; its values are not published."""

    @classmethod
    def parse(cls, options: Mapping[str, object]) -> VnpostConfig:
        """Check the connector's own table; raises ``ConfigInvalid`` naming the key."""
        try:
            return cls.model_validate(options)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            key = ".".join(str(part) for part in first["loc"])
            raise ConfigInvalid(file="vnpost", key=key, reason=first["msg"]) from error

    def secret(self) -> str:
        """Read the consumer secret; raises ``ConfigMissing``."""
        try:
            return self.secret_file.read_text("utf-8").strip()
        except OSError as error:
            raise ConfigMissing(file=str(self.secret_file), reason="consumer secret") from error

    def customer_of(self, agency: str) -> tuple[str, Party] | None:
        """Return the customer code and desk of an agency."""
        return next(((k, p) for k, p in self.customers.items() if p.code == agency), None)
