"""One measurement of a benchmark, and the line of JSON that it is told by."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one benchmark found; times of single messages in seconds."""

    name: str
    messages: int
    seconds: float
    cpu_seconds: float
    each: list[float] = field(repr=False)
    stages: Mapping[str, float] = field(default_factory=dict)
    peak_rss_mb: float | None = None
    """Of the process that did the work; ``None``: this process."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """What else the reader has to know: sizes, algorithms."""

    def line(self) -> str:
        """Return the measurement as one line of JSON, with the keys that scripts rely on."""
        rss = own_peak_rss_mb() if self.peak_rss_mb is None else self.peak_rss_mb
        document = {
            "name": self.name,
            "messages": self.messages,
            "seconds": round(self.seconds, 3),
            "per_second": round(self.messages / self.seconds, 1),
            "p50_ms": round(percentile(self.each, 0.50) * 1000, 4),
            "p99_ms": round(percentile(self.each, 0.99) * 1000, 4),
            "cpu_ms_per_message": round(self.cpu_seconds / self.messages * 1000, 4),
            "peak_rss_mb": round(rss, 1),
            "stages": {name: round(value, 4) for name, value in self.stages.items()},
        }
        return json.dumps(document | dict(self.facts), ensure_ascii=False)


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value below which that share of the values lies (nearest rank); 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def own_peak_rss_mb() -> float:
    """Return this process's peak resident memory in MiB (Linux counts it in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@dataclass
class Running:
    """A measurement that is taken in parts, so that two can take turns on a noisy machine."""

    name: str
    work: Callable[[int], object]
    facts: Mapping[str, object] = field(default_factory=dict)
    stages: Callable[[], Mapping[str, float]] = dict
    each: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    def take(self, count: int) -> None:
        """Call ``work`` with the next ``count`` numbers in this thread and measure each."""
        first = len(self.each)
        cpu = time.process_time()
        started = before = time.perf_counter()
        for number in range(first, first + count):
            self.work(number)
            after = time.perf_counter()
            self.each.append(after - before)
            before = after
        self.seconds += before - started
        self.cpu_seconds += time.process_time() - cpu

    def done(self) -> Measurement:
        """Return what was measured."""
        return Measurement(
            self.name,
            len(self.each),
            self.seconds,
            self.cpu_seconds,
            self.each,
            self.stages(),
            facts=self.facts,
        )


def taken_in_turns(running: Sequence[Running], count: int, turns: int = 20) -> list[Measurement]:
    """Measure ``count`` calls of each, by turns: what disturbs the machine disturbs all alike."""
    size = max(1, count // turns)
    for start in range(0, count, size):
        for one in running:
            one.take(min(size, count - start))
    return [one.done() for one in running]
