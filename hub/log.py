"""Structured logs on stderr: one JSON object a line for programs, coloured lines on a terminal.

Log calls carry codes, counts, ids and durations; never names of people, personal numbers or texts.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, cast

import structlog


def setup(*, json: bool, level: str = "INFO") -> None:
    """Configure structlog for this process, once, from ``main``."""
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def get(name: str) -> structlog.typing.FilteringBoundLogger:
    """Return the logger of one part, with ``part`` bound."""
    return cast("structlog.typing.FilteringBoundLogger", structlog.get_logger().bind(part=name))
