"""Bad input through the real broker: recorded with its code, and it stops nothing else."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pika
import pytest

SENDER, RECEIVER = "H12.20", "H12.05"


@pytest.fixture(scope="module")
def good(home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signed envelope that the hub accepts."""
    folder = tmp_path_factory.mktemp("good")
    return signed(home, folder)


def signed(home, folder: Path) -> Path:
    """Make a new signed document on the command line alone."""
    draft = home.hub("example", "document.new", "--from", SENDER, "--to", RECEIVER)
    assert draft.status == 0, draft.err
    plain, file = folder / "draft.xml", folder / "signed.xml"
    plain.write_text(draft.out, encoding="utf-8")
    assert home.hub("sign", plain, "--as", SENDER, "-o", file).status == 0
    return file


def message_id(file: Path) -> str:
    """The id that an envelope carries."""
    return re.search(r"<MessageId>([0-9a-f-]{36})<", file.read_text("utf-8"))[1]


def hostile(good: bytes) -> dict[str, tuple[bytes, str]]:
    """Name → bytes, and the code they are quarantined with."""
    laughs = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
    doctype = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a0 "ha">' + laughs + b"]><l>&a9;</l>"
    return {
        "20 MB": (b"<a>" + b"x" * (20 * 1024 * 1024) + b"</a>", "xml.too_large"),
        "10 000 levels": (b"<a>" * 10_000 + b"</a>" * 10_000, "xml.too_deep"),
        "billion laughs": (doctype, "xml.doctype"),
        "invalid UTF-8": (good.replace(b"<Priority>", b"\xc3\x28<Priority>"), "xml.encoding"),
        "UTF-16 with BOM": (good.decode().encode("utf-16"), "xml.encoding"),
        "nothing": (b"", "xml.malformed"),
        "cut off": (good[:-20], "xml.malformed"),
        "no header": (re.sub(rb"<Header>.*</Header>", b"", good, flags=re.DOTALL), "signature."),
    }


def test_each_is_refused_by_the_command_line_alike(home, good: Path, tmp_path: Path) -> None:
    """``hub verify`` judges files as the router does: the same codes, one line for each file."""
    files, wanted = [], []
    for number, (raw, code) in enumerate(hostile(good.read_bytes()).values()):
        files.append(tmp_path / f"{number}.xml")
        files[-1].write_bytes(raw)
        wanted.append(code)
    done = home.hub("verify", *files, good, "--json")
    assert done.status == 1
    assert [line["accepted"] for line in done.lines] == [False] * len(files) + [True]
    for line, code in zip(done.lines, wanted, strict=False):
        assert line["code"].startswith(code), line
        assert line["disposition"] == "quarantine", line
        assert line["detail"], line


def test_hostile_bytes_are_quarantined_and_stop_nothing(home, good: Path, tmp_path: Path) -> None:
    """Everything hostile first, then a good message: it alone arrives, the rest is recorded."""
    before = quarantined(home)
    cases = hostile(good.read_bytes())
    for number, (raw, _code) in enumerate(cases.values()):
        file = tmp_path / f"{number}.xml"
        file.write_bytes(raw)
        sent = home.hub("send", file, "--as", SENDER, "--json")
        assert (sent.status, sent.json["confirmed"]) == (0, 1), sent.err
    fresh = signed(home, tmp_path)
    assert home.hub("send", fresh, "--as", SENDER).status == 0
    taken = home.hub("receive", "--as", RECEIVER, "--timeout", 30, "--out", tmp_path, "--json")
    assert taken.json["message_id"] == message_id(fresh)
    assert Path(taken.json["file"]).read_bytes() == fresh.read_bytes()
    after = quarantined(home)
    assert len(after) - len(before) == len(cases)
    codes = after[len(before) :]
    for seen, (_raw, code) in zip(codes, cases.values(), strict=True):
        assert seen.startswith(code)
    audit = home.hub("audit", "verify", "--json")
    assert audit.json["ok"] is True


def quarantined(home) -> list[str]:
    """The codes of everything quarantined so far, oldest first, out of the store itself."""
    import sqlite3  # noqa: PLC0415  only here

    with sqlite3.connect(f"file:{home.folder}/hub.sqlite?mode=ro", uri=True) as connection:
        rows = connection.execute("select code from quarantine order by arrived_us, rowid")
        return [code for (code,) in rows]


@pytest.mark.parametrize("what", ["message id", "routing key", "no message id"])
def test_transport_facts_prove_nothing(home, tmp_path: Path, what: str) -> None:
    """An id or routing key that contradicts the signed one is refused; no id at all is not."""
    file = signed(home, tmp_path)
    before = quarantined(home)
    properties = {
        "message id": {"message_id": "01890000-0000-7000-8000-000000000000"},
        "routing key": {"message_id": message_id(file)},
        "no message id": {},
    }[what]
    key = "H13.15" if what == "routing key" else SENDER
    publish(home, file.read_bytes(), key, properties)
    if what == "no message id":
        taken = home.hub("receive", "--as", RECEIVER, "--timeout", 30, "--out", tmp_path, "--json")
        assert taken.json["message_id"] == message_id(file)
        assert quarantined(home) == before
        return
    deadline = time.monotonic() + 20
    while (after := quarantined(home)) == before and time.monotonic() < deadline:
        time.sleep(0.1)  # the router works in a process of its own
    assert [code.split(".")[0] for code in after[len(before) :]] == ["header"]


def publish(home, raw: bytes, key: str, properties: dict[str, str]) -> None:
    """Publish with an independent client and the agency's own account."""
    password = (home.folder / "broker" / "accounts" / SENDER).read_text().strip()
    port = broker_port(home)
    credentials = pika.PlainCredentials(SENDER, password)
    parameters = pika.ConnectionParameters("127.0.0.1", port, credentials=credentials)
    with pika.BlockingConnection(parameters) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.basic_publish(
            "hub.ingress", key, raw, mandatory=True,
            properties=pika.BasicProperties(
                content_type="application/xml", delivery_mode=2, user_id=SENDER, **properties
            ),
        )  # fmt: skip


def broker_port(home) -> int:
    """Where the private node listens, as the home itself says."""
    for file in (home.folder / "broker").rglob("*.json"):
        found = re.search(r"amqp://[^@]*@127\.0\.0\.1:(\d+)", file.read_text(errors="replace"))
        if found:
            return int(found[1])
    raise AssertionError("no broker")


def test_wrong_words_end_in_one_sentence(home, tmp_path: Path) -> None:
    """Wrong usage and configuration exit 2 with one sentence naming file and key; no traceback."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "hub.toml").write_text('[hub]\ncode = "00.99.W00"\ncolour = "red"\n')
    cases = [
        ("verify", "--json"),
        ("directory", "resolve", "not a code"),
        ("--home", broken, "queues"),
        ("--home", tmp_path / "nowhere", "trace", "x"),
        ("sign", tmp_path / "absent.xml", "--as", SENDER),
    ]
    for words in cases:
        done = home.hub(*words)
        assert done.status in {1, 2}, (words, done)
        assert "Traceback" not in done.err, words
        assert done.err.strip(), words
    refused = home.hub("--home", broken, "queues")
    assert refused.status == 2
    assert "hub.toml" in refused.err
    assert "colour" in refused.err


def test_dirty_directory_is_refused_whole(home, tmp_path: Path) -> None:
    """Dirty rows are named by file, line and reason, and nothing of the file is imported."""
    rows = home.hub("directory", "export", "--json").out or home.hub("directory", "export").out
    dirty = tmp_path / "dirty.csv"
    text = (
        "code_new,code_old,name,kind,parent,centre,valid_from,valid_to,superseded_by,redirect\n"
        "H12.88,,Cơ quan minh họa,department,H12,00.12.W00,2025-07-01,,,\n"
        "H1142,000.1142.H12,Mã sai,department,H12,00.12.W00,2025-07-01,,,\n"
    )
    dirty.write_text(text, encoding="utf-8")
    done = home.hub("directory", "import", dirty, "--lang", "en")
    assert done.status == 1
    assert "dirty.csv" in done.err
    assert "3" in done.err
    assert "H1142" in done.err
    again = home.hub("directory", "export", "--json").out or home.hub("directory", "export").out
    assert again == rows
    assert home.hub("directory", "resolve", "H12.88", "--json").status == 1


def test_good_message_still_passes(home, good: Path, tmp_path: Path) -> None:
    """After all of that the hub is whole: a message, its receipt and its trace."""
    file = signed(home, tmp_path)
    assert home.hub("send", file, "--as", SENDER).status == 0
    assert home.hub("receive", "--as", RECEIVER, "--timeout", 30, "--out", tmp_path,
                    "--receipt").status == 0  # fmt: skip
    deadline = time.monotonic() + 30
    kinds: set[str] = set()
    while "delivered" not in kinds and time.monotonic() < deadline:
        traced = json.loads(home.hub("trace", message_id(file), "--json").out)
        kinds = {event["kind"] for one in traced["messages"] for event in one["events"]}
        time.sleep(0.2)  # the receipt goes through the router in a process of its own
    assert {"arrived", "accepted", "queued", "delivered"} <= kinds
