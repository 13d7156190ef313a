"""Read and write the files that a command line names; what is wrong with one is told by name."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from hub.errors import UsageError, XmlTooLarge
from hub.safexml import ENVELOPE, MIB

LARGEST = 256 * MIB
"""No file that a command reads whole is larger: a device or a wrong file fills no memory."""


def read_file(file: Path, limit: int = LARGEST) -> bytes:
    """Return the bytes of a file or of standard input (``-``); raises ``UsageError``."""
    data, more = _start_of(file, limit)
    if more:
        raise UsageError(
            reason=f"{file}: larger than {limit} bytes", reason_vi=f"{file}: lớn hơn {limit} byte"
        )
    return data


def read_envelope(file: Path) -> bytes:
    """Return the bytes of an envelope; raises ``UsageError``, or ``XmlTooLarge`` above the limit.

    No more than the limit is ever read.
    """
    data, more = _start_of(file, ENVELOPE.max_bytes)
    if more:
        size = file.stat().st_size if file.is_file() else f"> {ENVELOPE.max_bytes}"
        raise XmlTooLarge(size=size, limit=ENVELOPE.max_bytes)
    return data


def check_readable(files: Sequence[Path]) -> None:
    """Raise ``UsageError`` for the first file that cannot be read, before any is used."""
    for file in files:
        if str(file) != "-":
            _start_of(file, 0)


def _start_of(file: Path, limit: int) -> tuple[bytes, bool]:
    """Return up to ``limit`` bytes, and whether there are more."""
    try:
        if str(file) == "-":
            data = sys.stdin.buffer.read(limit + 1)
        else:
            with file.open("rb") as opened:
                data = opened.read(limit + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(reason=f"{file}: {why}") from error
    return data[:limit], len(data) > limit


def write_out(data: bytes, output: Path | None = None) -> None:
    """Write bytes to a file, or to standard output as they are; raises ``UsageError``."""
    if output is None or str(output) == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(data)
    except OSError as error:
        raise UsageError(reason=f"{output}: {error.strerror}") from error
