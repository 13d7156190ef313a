"""Run the suite for one connector of a home, and say in the reader's language what fails."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
import threading
import traceback
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import cast

from hub.adapters.edge_settings import load_connector
from hub.adapters.registry import module_of
from hub.errors import HubError, Lang, UsageError
from hub.settings import load
from hub.testing.conformance import partner_cases, sink_cases, source_cases
from hub.testing.conformance.bed import Bed, Keys, Module, bed
from hub.testing.conformance.verdict import CASES, Broken, Case, NotConcerned, Result, Said

DEADLINE_S = 120.0
"""A case that takes longer hangs."""
MODULES = (partner_cases, sink_cases, source_cases)
"""Importing them registers their cases."""


def check(
    module: Module, *, only: Collection[str] = (), deadline_s: float = DEADLINE_S
) -> Iterator[Result]:
    """Run every case (or ``only`` some) on a connector's module, yielding results as they come."""
    keys = Keys()
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder, ExitStack() as stack:
        root = Path(folder)
        shared: list[Bed] = []
        for case in [one for one in CASES if not only or one.name in only]:
            if case.shared:
                if not shared:
                    try:
                        shared.append(stack.enter_context(bed(module, root, keys)))
                    except Exception as error:  # noqa: BLE001  a fixture of the author's
                        yield Result(case.name, False, _unexpected(error, "check_fixture"))
                        continue
                yield _judged(case, shared[0], deadline_s)
            else:
                yield _alone(case, module, root, keys, deadline_s)


def _alone(case: Case, module: Module, root: Path, keys: Keys, deadline_s: float) -> Result:
    """Run a case on a partner of its own, which it may change or take away."""
    try:
        with bed(module, root, keys) as own:
            return _judged(case, own, deadline_s)
    except Exception as error:  # noqa: BLE001  a fixture of the author's
        return Result(case.name, False, _unexpected(error, "check_fixture"))


def _judged(case: Case, own: Bed, deadline_s: float) -> Result:
    """Run a case in a thread of its own, so that one that hangs stops nothing."""
    found: list[Result] = []
    thread = threading.Thread(target=lambda: found.append(_result(case, own)), daemon=True)
    thread.start()
    thread.join(deadline_s)
    if found:
        return found[0]
    vi, en = f"treo quá {deadline_s:g} giây", f"it hangs for more than {deadline_s:g} s"
    return Result(case.name, False, _explained(case, Said(vi, en)))


def _result(case: Case, own: Bed) -> Result:
    try:
        case.check(own)
    except NotConcerned as silent:
        return Result(case.name, True, silent.said)
    except Broken as broken:
        return Result(case.name, False, _explained(case, broken.said))
    except Exception as error:  # noqa: BLE001  whatever the connector raised where it may not
        return Result(case.name, False, _explained(case, _unexpected(error, case.where)))
    return Result(case.name, True, case.promise)


def _explained(case: Case, seen: Said) -> Said:
    """Return promise, what was seen, and where to look."""
    return Said(
        f"{case.promise.vi} Đã thấy: {seen.vi}. Xem: {case.where} (hub/adapters/contract.py).",
        f"{case.promise.en} Seen: {seen.en}. Look at: {case.where} (hub/adapters/contract.py).",
    )


def _unexpected(error: BaseException, where: str) -> Said:
    """Name an exception by kind and place; the words of a ``HubError`` hold no data by rule."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else where
    if isinstance(error, HubError):
        return Said(
            f"{error.code} tại {place}: {error.message('vi')}",
            f"{error.code} at {place}: {error.message('en')}",
        )
    kind = type(error).__name__
    return Said(f"ném {kind} tại {place}", f"raised {kind} at {place}")


def main(argv: Sequence[str] | None = None) -> int:
    """Check ``connectors/NAME.toml`` of a home. Exit 0: all holds, 1: something fails, 2: usage."""
    options = _arguments(argv)
    lang = cast("Lang", options.lang)
    try:
        module = connector(options.home, options.name)
        results = []
        for result in check(module):
            results.append(result)
            if not options.json:
                _say(result, lang)
    except HubError as error:
        sys.stderr.write(f"{options.name}: {error.message(lang)}\n")
        return 2
    ok = all(result.ok for result in results)
    if options.json:
        cases = [result.as_dict(lang) for result in results]
        sys.stdout.write(json.dumps({"ok": ok, "cases": cases}, ensure_ascii=False) + "\n")
    return 0 if ok else 1


def connector(home: Path, name: str) -> Module:
    """Return the module of a home's connector, having made its parts from its own settings once.

    Nothing is asked of the real partner. Raises ``ConfigMissing``, ``ConfigInvalid``, or
    ``UsageError`` for a module that cannot be imported or lacks what the suite needs.
    """
    own = load_connector(load(home), name)
    name = module_of(own)
    if own.module_path is not None:
        sys.path.insert(0, str(own.module_path))
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise UsageError(reason=f"{own.file}: {name}: {error}") from error
    for needed in ("factory", "check_fixture"):
        if not callable(getattr(module, needed, None)):
            raise UsageError(reason=f"{name}: {needed}()?")
    made = cast("Module", module)
    made.factory(own)
    return made


def _say(result: Result, lang: Lang) -> None:
    mark = "✓" if result.ok else "✗"
    sys.stdout.write(f"{mark} {result.name}: {result.detail.text(lang)}\n")
    sys.stdout.flush()


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="conformance", description="Check one connector.")
    home = os.environ.get("HUB_HOME", "hub-home")
    lang = "en" if os.environ.get("HUB_LANG") == "en" else "vi"
    parser.add_argument("--home", type=Path, default=Path(home))
    parser.add_argument("--name", required=True, help="connectors/NAME.toml in the home")
    parser.add_argument("--lang", choices=("vi", "en"), default=lang)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(argv)
