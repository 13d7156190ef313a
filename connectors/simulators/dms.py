"""Plays the clerks of a document management system that works with folders of ``.edxml`` files.

``new`` writes a document into the out folder, ``status`` the clerk's answer to a received file,
``list`` tells what lies in a folder. Each act prints one JSON line. Everything in it is invented.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hub.adapters.dms.making import BusinessKind, Order, answer_of, packet_of, summary_of
from hub.adapters.dms.names import EXTENSION, file_name
from hub.adapters.dms.rules import DIALECTS
from hub.envelope import sha256_hex
from hub.errors import HubError


def new(order: Order, folder: Path, at: datetime, name: str = "") -> dict[str, Any]:
    """Write a document into ``folder``; return its file, document id and digest."""
    document_id, data = packet_of(order, at)
    stem = name or f"van-ban-{order.number}-{order.kind.name.lower()}"
    return _written(folder, stem, document_id, data)


def status(folder: Path, received: Path, code: str, by: str, at: datetime, text: str = "") -> Any:
    """Write the answer ``code`` of the agency ``by`` to a received file into ``folder``."""
    document_id, data = answer_of(received.read_bytes(), code, by, at, text)
    return _written(folder, f"trang-thai-{code}", document_id, data)


def listed(folder: Path, at: datetime) -> list[dict[str, str]]:
    """Return what a clerk sees of each file in a folder, in the order of their names."""
    files = sorted(path for path in folder.iterdir() if path.name.lower().endswith(EXTENSION))
    return [{"file": path.name, **summary_of(path.read_bytes(), at)} for path in files]


def _written(folder: Path, stem: str, document_id: str, data: bytes) -> dict[str, str]:
    """Write under a hidden name and rename, as good software does; the name is new every time."""
    path = folder / file_name(stem, uuid.uuid4().hex[:8])
    part = path.with_name(f".{path.name}.tmp")
    part.write_bytes(data)
    os.replace(part, path)  # noqa: PTH105 - the system call
    return {"file": str(path), "document_id": document_id, "sha256": sha256_hex(data)}


def _order(given: argparse.Namespace) -> Order:
    return Order(
        given.sender,
        tuple(given.to),
        given.number,
        given.notation,
        BusinessKind[given.kind.upper()],
        tuple(given.target),
        tuple(given.add),
        tuple(given.remove),
        given.subject,
        given.priority,
        tuple((path.name, path.read_bytes()) for path in given.attach),
        DIALECTS[given.dialect],
    )


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dms", description=(__doc__ or "").splitlines()[0])
    acts = parser.add_subparsers(dest="act", required=True)
    one = acts.add_parser("new", help="write a document")
    one.add_argument("--folder", type=Path, required=True)
    one.add_argument("--from", dest="sender", required=True)
    one.add_argument("--to", action="append", required=True)
    one.add_argument("--kind", choices=[kind.name.lower() for kind in BusinessKind], default="new")
    one.add_argument("--dialect", choices=sorted(DIALECTS), default="java")
    one.add_argument("--number", default="1")
    one.add_argument("--notation", default="VP-MH")
    one.add_argument("--target", action="append", default=[], help="document id; repeatable")
    one.add_argument("--add", action="append", default=[], help="receiver that an update adds")
    one.add_argument("--remove", action="append", default=[], help="receiver that it removes")
    one.add_argument("--subject", default="V/v phối hợp thử nghiệm liên thông văn bản (minh họa)")
    one.add_argument("--priority", type=int, choices=range(5), default=0)
    one.add_argument("--attach", type=Path, action="append", default=[])
    one.add_argument("--name", default="", help="beginning of the file's name")
    two = acts.add_parser("status", help="answer a received file")
    two.add_argument("--folder", type=Path, required=True)
    two.add_argument("--in", dest="received", type=Path, required=True)
    two.add_argument("--code", required=True)
    two.add_argument("--by", required=True)
    two.add_argument("--text", default="")
    three = acts.add_parser("list", help="tell what lies in a folder")
    three.add_argument("--folder", type=Path, required=True)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Play one act. Exit status 1 when it cannot be done, with one sentence on stderr."""
    given, at = _arguments().parse_args(argv), datetime.now(UTC)
    try:
        if given.act == "new":
            said = new(_order(given), given.folder, at, given.name)
        elif given.act == "status":
            said = status(given.folder, given.received, given.code, given.by, at, given.text)
        else:
            said = {"files": listed(given.folder, at)}
    except (HubError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
