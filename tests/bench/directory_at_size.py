"""Print what one resolve costs in directories of 66 and of 120,000 agencies (seeded, invented)."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from datetime import date

from hub.codes import AgencyCode
from hub.routing.directory import Directory
from hub.store.rows import AgencyRow
from hub.testing.measure import Running, taken_in_turns

DAY = date(2026, 7, 1)
CALLS = 50_000


def generated(count: int, seed: int = 1) -> list[AgencyRow]:
    """One agency in ten is closed, with an automatic successor; every agency has an old code."""
    choice = random.Random(seed)
    rows = [
        AgencyRow(
            code=f"H{number % 60 + 1:02}.{number}",
            name="Cơ quan minh họa",
            kind="unit",
            parent=None,
            centre=None,
            valid_from=date(2020, 9, 15),
            valid_to=None,
            aliases=(f"{number % 1000:03}.{number // 1000 % 100:02}.{number // 100_000:02}.H77",),
            attached=True,
        )
        for number in range(count)
    ]
    for index in range(0, count - 1, 10):
        successor = rows[index + choice.randrange(1, min(10, count - index))].code
        closed = {"valid_to": date(2025, 6, 30), "redirect": "auto"}
        rows[index] = replace(rows[index], superseded_by=(successor,), **closed)
    return rows


def main() -> None:
    """Print one line of JSON for each size."""
    running = []
    for size in (66, 120_000):
        rows = generated(size)
        directory, choice = Directory.of(rows), random.Random(2)
        picked = choice.choices(rows, k=1000)
        codes = [AgencyCode.parse(choice.choice((row.code, *row.aliases))) for row in picked]
        work = _resolver(directory, codes)
        running.append(Running(f"resolve-{size}", work, {"agencies": size}))
    for measurement in taken_in_turns(running, CALLS):
        sys.stdout.write(measurement.line() + "\n")


def _resolver(directory: Directory, codes: list[AgencyCode]):
    return lambda number: directory.resolve(codes[number % len(codes)], DAY)


if __name__ == "__main__":
    main()
