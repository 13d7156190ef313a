"""Command line of the scenario: ``prepare`` a home, then ``run`` against the running system."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from hub import log
from hub.store import messages
from hub.testing.scenario import (
    step_documents,
    step_dossiers,
    step_end,
    step_forged,
    step_post,
    step_routes,
)
from hub.testing.scenario.prepare import prepare
from hub.testing.scenario.stage import Stage, play, say

STEPS = (
    step_end.READY,
    step_routes.PING,
    *step_dossiers.STEPS,
    *step_documents.STEPS,
    *step_routes.STEPS,
    step_forged.STEP,
    *step_routes.REPEATS,
    *step_post.STEPS,
    step_dossiers.BAD_ROW,
    step_documents.BAD_FILE,
    step_end.SETTLED_STEP,
)


def run(home: Path, *, english: bool = False) -> bool:
    """Play everything; the last line is the result."""
    stage = Stage.of(home)
    try:
        ok = play(stage, STEPS, english=english)
        counts = messages.counts(stage.store)
        wanted = ("accepted", "delivered", "refused", "forged_quarantined")
        told = {name: counts[name] for name in wanted}
        dossier = stage.notes.get("dossier", "")
        say({"result": {"ok": ok, "messages": told, "dossier": dossier}})
    finally:
        stage.close()
    return ok


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 when every step was as expected, else 1."""
    parser = argparse.ArgumentParser(prog="hub.testing.scenario", description=main.__doc__)
    parser.add_argument("act", choices=("prepare", "run"))
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--lang", choices=("vi", "en"), default="vi")
    options = parser.parse_args(argv)
    log.setup(json=True, level="WARNING")
    if options.act == "prepare":
        prepare(options.home.resolve())
        return 0
    return 0 if run(options.home.resolve(), english=options.lang == "en") else 1


if __name__ == "__main__":
    sys.exit(main())
