"""Where a router's time goes: seconds for each stage, always on."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from hub.routing.pipeline import Spent


@dataclass(slots=True)
class Stages:
    """Seconds since the start, and how much was done in them."""

    messages: int = 0
    windows: int = 0
    consume: float = 0.0
    """Reading a window that was there; waiting for one does not count."""
    judging: Spent = field(default_factory=Spent)
    store: float = 0.0
    receipt: float = 0.0
    """Deciding, with composing and signing receipts."""
    publish: float = 0.0
    """Publishing a window, until its confirms are there."""
    acknowledge: float = 0.0

    def as_dict(self) -> dict[str, float]:
        """Return every stage in seconds, rounded to microseconds, and the counts."""
        flat = asdict(self)
        judging = flat.pop("judging")
        flat |= {name: value for name, value in judging.items() if not name.startswith("_")}
        return {name: round(value, 6) for name, value in flat.items()}
