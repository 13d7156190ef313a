"""(b) A document with two recipients between folders; (h) a file that is cut off stops nothing."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from hub.testing.scenario import cast
from hub.testing.scenario.partners import simulator
from hub.testing.scenario.stage import NotSeen, Stage, Step, equal, until

READER_A, READER_B = cast.READERS


def document(stage: Stage) -> str:
    """One edXML file goes to two folders, byte for byte, and each answers 01 by itself."""
    out = stage.places.folder(cast.AUTHOR, "out")
    made = simulator(
        "dms", "new", "--folder", out, "--from", cast.AUTHOR,
        "--to", READER_A, "--to", READER_B, "--number", "12",
    )  # fmt: skip
    stage.notes["document"] = made["document_id"]
    for reader in cast.READERS:
        arrived = _arrived(stage, reader, made["sha256"])
        stage.notes[f"file:{reader}"] = str(arrived)
    answers = {reader: _status(stage, reader, "01") for reader in cast.READERS}
    _moved(stage, Path(made["file"]).name, made["sha256"])
    return f"sha256 {made['sha256'][:12]}… = {', '.join(cast.READERS)}; 01 × {len(answers)}"


def _arrived(stage: Stage, reader: str, digest: str) -> Path:
    folder = stage.places.folder(reader, "in")

    def look() -> Path | None:
        found = (one for one in folder.glob("*.edxml") if _digest(one) == digest)
        return next(found, None)

    return until(look, f"{reader}/in", lambda: [one.name for one in folder.iterdir()])


def _digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


def _moved(stage: Stage, name: str, digest: str) -> None:
    """What was sent lies in ``sent``, unchanged, and no longer in ``out``."""
    out, sent = (stage.places.folder(cast.AUTHOR, one) for one in ("out", "sent"))
    until(lambda: not (out / name).exists(), f"out/{name} moved")
    equal("sent", [_digest(one) for one in sent.glob("*.edxml")].count(digest), 1)


def _status(stage: Stage, reader: str, code: str) -> dict[str, Any]:
    """Wait until the author's folder holds a status of a document from a reader."""
    folder = stage.places.folder(cast.AUTHOR, "in")

    def listed() -> list[dict[str, Any]]:
        found = simulator("dms", "list", "--folder", folder)
        files = found.get("files", [])
        return [one for one in files if one.get("status") == code and one.get("from") == reader]

    return until(listed, f"status {code} of {reader}")[0]


def answers(stage: Stage) -> str:
    """A clerk registers (03), another returns it (02); the author sees both."""
    for reader, code in ((READER_A, "03"), (READER_B, "02")):
        simulator(
            "dms", "status", "--folder", stage.places.folder(reader, "out"),
            "--in", stage.notes[f"file:{reader}"], "--code", code, "--by", reader,
        )  # fmt: skip
    found = [_status(stage, READER_A, "03"), _status(stage, READER_B, "02")]
    if not all(found):
        raise NotSeen("03, 02")
    return f"{READER_A}: 03; {READER_B}: 02"


def cut_off(stage: Stage) -> str:
    """Half a file is waited for, then set aside with its reason; the next file goes on."""
    out, failed = (stage.places.folder(cast.AUTHOR, one) for one in ("out", "failed"))
    whole = Path(stage.notes[f"file:{READER_A}"]).read_bytes()
    (out / "do-dang.edxml").write_bytes(whole[: len(whole) // 2])
    made = simulator(
        "dms", "new", "--folder", out, "--from", cast.AUTHOR, "--to", READER_A, "--number", "13"
    )
    _arrived(stage, READER_A, made["sha256"])
    reason = until(lambda: next(failed.glob("do-dang*.txt"), None), "failed/do-dang*.txt")
    text = reason.read_text(encoding="utf-8").strip().splitlines()
    return f"{reason.name}: {text[0][:120]}"


STEPS = (
    Step(
        ("b1. Văn bản edXML tới hai nơi nhận", "b1. An edXML document to two recipients"),
        (
            "hai thư mục, giống từng byte; 01 từ mỗi nơi",
            "two folders, byte-identical; 01 from each",
        ),
        document,
    ),
    Step(
        ("b2. Văn thư vào sổ (03), trả lại (02)", "b2. Clerks register (03) and return (02)"),
        ("nơi gửi thấy cả hai", "the author sees both"),
        answers,
    ),
)
BAD_FILE = Step(
    ("h2. Một tệp bị cắt cụt", "h2. A file that is cut off"),
    ("được để riêng kèm lý do, tệp sau vẫn đi", "set aside with its reason, the next one goes on"),
    cut_off,
)
