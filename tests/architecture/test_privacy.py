"""No secret and no path of a developer's machine in the repository; no person outside envelopes."""

from __future__ import annotations

import ast
import math
import re
from collections import Counter

import pytest

from hub.broker import headers
from hub.codes import AgencyCode
from hub.routing.decision import Send
from hub.routing.outgoing import outgoing
from hub.routing.table import queue_name
from hub.store.tables import metadata

PRIVATE_KEY = re.compile(
    rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+(?:[A-Za-z0-9+/=]{20,}\s*){2,}"
)
"""With its contents: tests and docs may name the header line."""
TOKENS = re.compile(
    rb"AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|xox[abp]-[0-9A-Za-z-]{20,}|eyJ[\w-]{20,}\.eyJ[\w-]{20,}"
)
MACHINE = re.compile(rb"(?<![\w.])/(?:work|root|home/[a-z]+|Users/[A-Za-z]+)/[\w.]")
"""Paths that exist on one machine only."""
VECTORS = "tests/vectors/"
PERSONAL = {
    "name", "full_name", "fullname", "ho_ten", "citizen", "applicant", "owner_name", "person",
    "phone", "tel", "mobile", "email", "address", "dia_chi", "birth", "birthday", "dob", "cccd",
    "cmnd", "id_number", "personal_id", "tax_code", "text", "body", "payload", "raw", "content",
    "title", "summary", "values", "row_values", "password", "secret", "token", "url",
}  # fmt: skip
"""What a log call must not carry, by the name that it would have there."""


def _texts(house):
    for path in house.files:
        yield path.relative_to(house.root).as_posix(), path.read_bytes()


def test_no_private_key_and_no_token_is_committed(house):
    """Test keys are made when the tests run; vectors hold certificates and signatures only."""
    wrong = [
        name for name, data in _texts(house) if PRIVATE_KEY.search(data) or TOKENS.search(data)
    ]
    assert not wrong
    binary = [name for name, _data in _texts(house) if name.endswith((".p12", ".pfx", ".key"))]
    assert not binary


def _entropy(text):
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


ASSIGNED = re.compile(
    r"(?i)(?:password|passwd|secret|api_?key|token)\"?\s*[=:]\s*[\"']([^\"'\s]{12,})"
)


def test_no_password_is_written_down(house):
    """An assignment of a long random text to a secret's name would be one; test words are not."""
    wrong = []
    for name, data in _texts(house):
        if name.endswith((".py", ".toml", ".yaml", ".yml", ".json", ".md", ".cfg", ".sh")):
            found = ASSIGNED.findall(data.decode("utf-8", "replace"))
            wrong += [
                f"{name}: {one[:4]}…" for one in found if _entropy(one) > 3.5 and "{" not in one
            ]
    assert not wrong


def test_no_file_names_a_place_on_one_machine(house):
    """Nothing depends on, or gives away, where it was written."""
    wrong = []
    for name, data in _texts(house):
        found = MACHINE.search(data)
        if found and not name.startswith((VECTORS, "tests/architecture/")):
            wrong.append(f"{name}: {found.group(0)!r}")
    assert not wrong


def test_headers_carry_ids_and_numbers_only():
    """The transport's headers are three: which delivery, which number, which attempt."""
    assert set(headers.FIELDS) == {"delivery", "seq", "attempt"}
    for name, value in (("name", "Nguyễn Văn A"), ("delivery", "x" * 101), ("seq", "7")):
        with pytest.raises(ValueError, match=name):
            headers.encode({name: value})


@pytest.mark.parametrize("rung_s", [0, 60])
def test_nothing_of_a_message_reaches_its_transport(rung_s):
    """Exchange, key, properties and headers are made of codes, ids and numbers alone."""
    raw = "<a>Nguyễn Văn A, 001200012345, 0912345678</a>".encode()
    queue = queue_name(AgencyCode.parse("H12.15").value, urgent=False)
    send = Send(
        queue=queue, message_id="0198c2a4-7b3d-7f00-8000-00000000000a", sender="H12.15", raw=raw,
        digest="d" * 64, delivery="0198c2a4-7b3d-7f00-8000-00000000000b", message="m", seq=3,
        attempt=1, rung_s=rung_s,
    )  # fmt: skip
    made = outgoing(send, raw, queue)
    facts = [made.exchange, made.routing_key, made.message_id, made.delivery_id]
    facts += [*made.headers, *map(str, made.headers.values())]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]*", fact) for fact in facts), facts
    assert not [fact for fact in facts if "Nguy" in fact or "0912" in fact]


def _plain_word(arguments):
    """Whether an event is one word, by itself or chosen among words; never a text with values."""
    event = arguments[0] if arguments else None
    if isinstance(event, ast.Constant):
        return re.fullmatch("[a-z_0-9]+", event.value) is not None
    return isinstance(event, ast.Name)


def test_log_calls_carry_no_names_of_people_or_contents(house):
    """Codes, counts, ids and durations: the names of what a log call carries are checked."""
    wrong = []
    for path, tree in house.modules.items():
        if path.parts[0] == "tests" or path.as_posix().startswith("hub/testing/"):
            continue
        for node in ast.walk(tree):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if re.search(r"(^|\.)_?log\.(debug|info|warning|error|exception|critical)$", called):
                wrong += [
                    f"{path}:{node.lineno} {w.arg}" for w in node.keywords if w.arg in PERSONAL
                ]
                if not _plain_word(node.args):
                    wrong.append(f"{path}:{node.lineno} the event is not a plain word")
    assert not wrong


def test_nothing_forgets_evidence(house):
    """Repeats are known for at least 400 days: no code deletes evidence, verdicts or the log."""
    kept = set(metadata.tables) - {"access_rules", "leases", "meta", "agencies", "represents"}
    wrong = []
    for path, tree in house.modules.items():
        if path.parts[:2] != ("hub", "store") or path.name.startswith("edge"):
            continue
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called in ("delete", "sa.delete") and ast.unparse(node.args[0]) in kept:
                wrong.append(f"{path}:{node.lineno} {ast.unparse(node)}")
            if called.endswith(("exec_driver_sql", "text", "op.execute")) and node.args:
                statement = ast.unparse(node.args[0]).upper()
                if re.search(r"\b(DELETE\s+FROM|TRUNCATE\s+TABLE|DROP\s+TABLE)\b", statement):
                    wrong.append(f"{path}:{node.lineno} {statement}")
    assert not wrong
