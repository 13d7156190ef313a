"""What the connector of Vietnam Post is told: address, secret, meaning of tracking codes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from hub.adapters.options import parse, secret
from hub.adapters.postal.agreement import Agreement, Code
from hub.adapters.postal.ngsp import CODES


class VnpostConfig(Agreement):
    """Everything about one contract with the post."""

    url: str
    consumer_key: str
    secret_file: str
    """The consumer secret: a file (0600), or ``env:NAME``; never in the settings file."""
    folder: Path = Path()
    """What ``secret_file`` is relative to."""
    base_path: str = "/apiVNPostNGSP/p1.0"
    info_path: str = "order/info"
    """Look-up of an order's dossier notice (shape of ``document/post``); empty: there is none."""
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 10
    ca_file: str = ""
    page_size: Annotated[int, Field(ge=1, le=1000)] = 200
    overlap_s: Annotated[int, Field(ge=0)] = 1800
    system: str = "vnpost"
    codes: dict[str, Code] = Field(default=CODES)
    notice_state: int = 0
    """``State`` of a dossier notice; its values are not published."""

    @classmethod
    def parse(cls, options: Mapping[str, object], folder: Path = Path()) -> VnpostConfig:
        """Check the connector's own table; raises ``ConfigInvalid`` naming the key."""
        return parse(cls, {**options, "folder": folder}, "vnpost")

    def secret(self) -> str:
        """Read the consumer secret; raises ``ConfigMissing`` or ``ConfigInvalid``."""
        return secret(self.secret_file, self.folder)
