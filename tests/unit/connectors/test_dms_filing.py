"""The filing of a folder's files, stopped before and after every step that the disk keeps."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path

import pytest

from hub.adapters.contract import Reason
from hub.adapters.dms.archive import Archive
from hub.adapters.dms.filing import Filing
from hub.adapters.dms.folder import Folder
from hub.codes import AgencyCode, MessageId, MessageType
from hub.envelope import Receipt, sha256_hex

NOW = datetime(2026, 3, 20, 2, 0, tzinfo=timezone.utc)
DATA = b"any bytes"
DIGEST = sha256_hex(DATA)
KEY = f"{DIGEST}:0"
NAME = "a.edxml"
RECEIPT = Receipt(
    MessageType.parse("receipt.rejected"), MessageId.new(1, b"0123456789"),
    AgencyCode.parse("H13.15"), "0" * 64, NOW, (), "access.denied", "Không được gửi", "Not allowed",
)  # fmt: skip
REASON = Reason("edxml.not_ours", "Không phải của ta", "Not ours", NOW)
STEPS = {
    "published": (lambda filing: filing.published(KEY),),
    "parked": (lambda filing: filing.parked(KEY, REASON),),
    "parked, forgotten why": (lambda filing: filing.parked(KEY, None),),
    "refused": (
        lambda filing: filing.published(KEY),
        lambda filing: filing.refused(KEY, RECEIPT, whole=True),
    ),
    "refused by one": (
        lambda filing: filing.published(KEY),
        lambda filing: filing.refused(KEY, RECEIPT, whole=False),
    ),
    "copy": (lambda filing: filing.published(KEY), lambda filing: put(filing, "copy.edxml")),
}  # fmt: skip


class Died(BaseException):
    """The process is killed here."""


class Disk:
    """Counts the steps that a disk keeps, and stops before or after the ``last``."""

    def __init__(self, monkeypatch, last: int | None = None, *, done: bool = False) -> None:
        self.steps = 0
        self._last, self._done = last, done
        for name in ("rename", "unlink"):
            monkeypatch.setattr(Path, name, self._counting(getattr(Path, name)))

    def _counting(self, step):
        def counted(path, *args, **named):
            self.steps += 1
            if self.steps == self._last and not self._done:
                raise Died
            found = step(path, *args, **named)
            if self.steps == self._last:
                raise Died
            return found

        return counted


def put(filing, name: str) -> None:
    """Let a clerk put the file, with its marker, into the out folder, unless it was there."""
    out, done = filing.out.path, filing.out.path.parent / f"{name}.was-put"
    if not done.exists():
        (out / name).write_bytes(DATA)
        (out / f"{name}.ready").touch()
        done.touch()


class Desk(Filing):
    """A filing over three folders, as a process that starts makes it."""

    def __init__(self, root: Path) -> None:
        clock = lambda: NOW  # noqa: E731 - a clock that stands still
        for name in ("out", "sent", "failed"):
            (root / name).mkdir(exist_ok=True, parents=True)
        self.out = Folder(root / "out", 0, ".ready", 60, clock)
        super().__init__(self.out, Archive(root / "sent"), Archive(root / "failed"), clock)

    def poll(self) -> list[str]:
        """Do what a source does: return the keys that are due."""
        due = []
        for seen in self.out.settled():
            known = self.known(seen) or self.remember(seen, sha256_hex(seen.path.read_bytes()))
            if not self.is_leftover(seen.path, known):
                due.append(self.key_of(known.digest))
        return due


def tree(root: Path) -> dict[str, bytes]:
    """Return every file that lies anywhere, parts of files that never got their name apart."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".part"
    }


def run(root: Path, outcome: str, start: int = 0) -> None:
    """Tell the outcomes from ``start`` on to a new process, polling before and after each."""
    filing = Desk(root)
    put(filing, NAME)
    for step in STEPS[outcome][start:]:
        filing.poll()
        step(filing)
    filing.poll()


@pytest.mark.parametrize("outcome", STEPS)
@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("poll_first", [False, True])
def test_stopped_anywhere_the_folders_end_alike(tmp_path, monkeypatch, outcome, done, poll_first):
    """Whatever step was the last, told again everything lies where it would: file, text, marks."""
    with monkeypatch.context() as patch:
        disk = Disk(patch)
        run(tmp_path / "whole", outcome)
    wanted = tree(tmp_path / "whole")
    assert disk.steps > 2
    for last in range(1, disk.steps + 1):
        root = tmp_path / f"stopped-{last}"
        told = 0
        filing = Desk(root)
        put(filing, NAME)
        with monkeypatch.context() as patch:
            Disk(patch, last, done=done)
            with pytest.raises(Died):  # noqa: PT012 - every line of it may be the one
                for step in STEPS[outcome]:
                    filing.poll()
                    step(filing)
                    told += 1
                filing.poll()
        if poll_first:
            Desk(root).poll()
        run(root, outcome, told)
        assert tree(root) == wanted, last


@pytest.mark.parametrize("outcome", STEPS)
def test_told_twice_is_told_once(tmp_path, outcome):
    """Every outcome may be repeated, by the same process and by the next one."""
    run(tmp_path, outcome)
    before = tree(tmp_path)
    filing = Desk(tmp_path)
    for _ in range(2):
        STEPS[outcome][-1](filing)
        filing.poll()
    assert tree(tmp_path) == before


def test_a_published_key_is_never_due_again(tmp_path, monkeypatch):
    """From the first durable step on, no poll of any process returns the key."""
    filing = Desk(tmp_path)
    put(filing, NAME)
    assert filing.poll() == [KEY]
    with monkeypatch.context() as patch:
        Disk(patch, 1, done=True)
        with pytest.raises(Died):
            filing.published(KEY)
    assert Desk(tmp_path).poll() == []


def test_a_changed_file_is_another_one(tmp_path):
    """What was put under the name since stays where it is, and is due under a key of its own."""
    filing = Desk(tmp_path)
    put(filing, NAME)
    assert filing.poll() == [KEY]
    path = tmp_path / "out" / NAME
    path.write_bytes(b"other bytes")
    os.utime(path, (1, 1))
    filing.published(KEY)
    assert path.read_bytes() == b"other bytes"
    assert Desk(tmp_path).poll() == [f"{sha256_hex(b'other bytes')}:0"]


def test_late_word_of_a_failed_key_leaves_the_next_attempt_alone(tmp_path):
    """A refusal of the first attempt, told when the second was sent, moves and counts nothing."""
    run(tmp_path, "refused")
    filing = Desk(tmp_path)
    (tmp_path / "out" / NAME).write_bytes(DATA)
    assert filing.poll() == [f"{DIGEST}:1"]
    filing.published(f"{DIGEST}:1")
    before = tree(tmp_path)
    filing.refused(KEY, RECEIPT, whole=True)
    filing.parked(KEY, None)
    filing.published(KEY)
    assert tree(tmp_path) == before
