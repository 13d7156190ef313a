"""Structured logs on stderr: one JSON object a line for programs, coloured lines on a terminal.

Log calls carry codes, counts, ids and durations; never names of people, personal numbers or texts.
As a second guard, passwords in URLs and whatever stands under the name of a secret are masked on
the way out, in the records of the libraries below us too.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, cast

import structlog
from structlog.typing import EventDict, Processor

from hub.errors import printable

MASK = "***"
_CREDENTIALS = re.compile(r"(?<=://)[^\s/?#@'\"]*:[^\s?#'\"]*(?=@)")
"""``user:password`` of a URL; its ``@`` or ``/`` may be unescaped."""
_ASSIGNED = re.compile(
    r"(?i)\b(pass(?:word|wd|phrase)?|pwd|secret|token|api_?key|authorization)"
    r"(['\"]?\s*[=:]\s*)(?:(?:basic|bearer)\s+)?(?!\s)('[^']*'|\"[^\"]*\"|[^\s,;&)}\]]+)"
)
_SECRET = re.compile(
    r"(?i)(?:^|_)(?:pass(?:word|wd|phrase)?|pwd|secret|cookie|api_?key|private_?key|authorization)s?$"
)
"""Names under which nothing is shown; ``key`` and ``token`` alone are ordinary words here."""
_TRACE = "exception"
_MARK = "_hub_log"


def masked(value: object) -> object:
    """Return a value of a log call without passwords: texts, and texts within lists and tables."""
    if isinstance(value, str):
        if "://" in value:
            value = _CREDENTIALS.sub(MASK, value)
        return _ASSIGNED.sub(rf"\1\2{MASK}", value)
    if isinstance(value, Mapping):
        return {key: _under(str(key), one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [masked(one) for one in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return masked(str(value))


def _under(name: str, value: object) -> object:
    return MASK if _SECRET.search(name) else masked(value)


def mask(_logger: object, _method: str, event: MutableMapping[str, Any]) -> EventDict:
    """Mask every value of an event just before it is written."""
    return {name: _under(name, value) for name, value in event.items()}


def _one_line(_logger: object, _method: str, event: MutableMapping[str, Any]) -> EventDict:
    """Keep every value but a trace on its line, and from steering the terminal."""
    return {
        name: printable(value) if isinstance(value, str) and name != _TRACE else value
        for name, value in event.items()
    }


class _Stderr:
    """Standard error as it is when a line is written, not as it was at the set-up."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def _logger(*_names: object) -> structlog.PrintLogger:
    return structlog.PrintLogger(cast("Any", _Stderr()))


def setup(*, json: bool, level: str = "INFO") -> None:
    """Configure the logs of this process from ``main``; a second call replaces the first.

    Raises ``KeyError`` for a level that does not exist.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    _configure(_written(json=json), number)
    _configure_libraries(_written(json=json), max(number, logging.WARNING))


_BEGUN: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def _written(*, json: bool) -> tuple[Processor, ...]:
    safe: tuple[Processor, ...] = (structlog.processors.format_exc_info, mask)
    if json:
        return (*safe, structlog.processors.JSONRenderer(ensure_ascii=False))
    return (*safe, _one_line, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()))


def _configure(written: tuple[Processor, ...], level: int) -> None:
    structlog.configure(
        processors=[*_BEGUN, *written],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_logger,
        # Loggers are module globals: a cached one would keep the first set-up for ever.
        cache_logger_on_first_use=False,
    )


def _configure_libraries(written: tuple[Processor, ...], level: int) -> None:
    """Send what libraries log (warnings and worse) through the same processors to stderr."""
    handler = logging.StreamHandler(cast("Any", _Stderr()))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_BEGUN, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *written],
        )
    )
    setattr(handler, _MARK, True)
    root = logging.getLogger()
    for old in [one for one in root.handlers if getattr(one, _MARK, False)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)


def get(name: str) -> structlog.typing.FilteringBoundLogger:
    """Return the logger of one part, with ``part`` bound; it follows every later set-up.

    Before any set-up (a program that uses the hub as a library) warnings go to stderr: standard
    output belongs to results.
    """
    if not structlog.is_configured():
        _configure(_written(json=False), logging.WARNING)
    return cast("structlog.typing.FilteringBoundLogger", structlog.get_logger(part=name))
