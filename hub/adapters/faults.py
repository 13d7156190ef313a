"""Exceptions of a connector's code that nobody expected: named by kind and place, not by values."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from hub.errors import HubError, InternalFault
from hub.store.edge_rows import ParkedRow

_T = TypeVar("_T")


def guarded(work: Callable[[], _T]) -> _T:
    """Run a connector's code; whatever it raises that is no ``HubError`` becomes ``InternalFault``.

    Only the exception's kind and the place where it was raised are kept: its words may quote data.
    """
    try:
        return work()
    except HubError:
        raise
    except Exception as error:
        raise fault(error) from error


def fault(error: Exception) -> HubError:
    """Return an error as it may be kept and told: itself, or its kind and place."""
    if isinstance(error, HubError):
        return error
    return InternalFault(kind=f"{type(error).__name__} {_place(error)}".strip())


def told(error: BaseException) -> dict[str, str]:
    """Return what may be logged of an error: its code, or kind and place."""
    if isinstance(error, InternalFault):
        return {"code": error.code, "kind": str(error.facts.get("kind", ""))}
    if isinstance(error, HubError):
        return {"code": error.code}
    return {"code": type(error).__name__, "where": _place(error)}


def parked(key: str, label: str, error: HubError, at: datetime) -> ParkedRow:
    """Return the record of something that waits for a person, with its reason in both languages."""
    return ParkedRow(key, label, error.code, error.message("vi"), error.message("en"), at)


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
