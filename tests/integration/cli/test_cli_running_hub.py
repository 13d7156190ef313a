"""The commands on a running hub: a real private node, router and sweeper under ``hub up``.

Each test sends between agencies of its own, so that none takes another's messages.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from hub.testing.home import COMMAND, Home, environment, eventually

pytestmark = pytest.mark.timeout(300)


def sent(up: Home, file: Path, code: str) -> str:
    """Send one envelope and return its message id."""
    done = up.hub("send", file, "--as", code, "--json")
    assert (done.status, done.json) == (0, {"sent": 1, "confirmed": 1, "unroutable": 0}), done.err
    return str(up.hub("verify", file, "--json").json["message_id"])


def received(up: Home, code: str, folder: Path, *more: object) -> list[dict]:
    """Take one message, waiting for it."""
    done = up.hub("receive", "--as", code, "--timeout", 30, "--out", folder, "--json", *more)
    assert done.status == 0, done.err
    return done.lines


def kinds(up: Home, wanted: str) -> list[str]:
    """The events of the first message of a trace."""
    return [
        event["kind"] for event in up.hub("trace", wanted, "--json").json["messages"][0]["events"]
    ]


def test_doctor_finds_every_part_well(up):
    """Broker round trip, store, keys, trust, topology: all good, and nothing to mend."""
    done = up.hub("doctor", "--json")
    assert done.status == 0
    assert done.json["ok"] is True
    assert all(check["ok"] and not check["remedy"] for check in done.json["checks"])


def test_a_message_goes_round_and_its_receipts_come_back(up, letter, tmp_path):
    """Send → receive --receipt → both receipts → the trace, byte for byte."""
    file = letter("H12.07", "H12.03")
    message_id = sent(up, file, "H12.07")
    (line,) = received(up, "H12.03", tmp_path / "in", "--receipt")
    assert line.keys() >= {"message_id", "type", "from", "file", "redelivered"}
    assert (line["message_id"], line["type"], line["from"], line["redelivered"]) == (
        message_id, "dossier.submitted", "H12.07", False)  # fmt: skip
    assert Path(line["file"]).read_bytes() == file.read_bytes()
    receipts = received(up, "H12.07", tmp_path / "back", "--max", 2, "--receipt")
    assert [one["type"] for one in receipts] == ["receipt.accepted", "receipt.delivered"]
    assert [one["from"] for one in receipts] == ["00.99.W00", "H12.03"]
    assert up.hub("verify", *(one["file"] for one in receipts)).status == 0
    assert eventually(lambda: "confirmed" in kinds(up, message_id))
    seen = kinds(up, message_id)
    assert seen[:3] == ["arrived", "accepted", "queued"]
    assert {"receipt_sent", "confirmed", "receipt_confirmed", "delivered"} <= set(seen)
    shown = up.hub("trace", message_id).out
    assert "đã giao cho H12.03" in shown
    assert shown.count("●") == len(seen)


def test_receipts_are_never_answered(up, letter, tmp_path):
    """``receive --receipt`` on a receipt acknowledges it and says nothing back."""
    sent(up, letter("H13.15", "H13.03"), "H13.15")
    (first,) = received(up, "H13.15", tmp_path, "--receipt")
    assert first["type"] == "receipt.accepted"
    nothing = up.hub("receive", "--as", "00.99.W00", "--timeout", 1, "--out", tmp_path)
    assert nothing.status == 2  # the hub's own code has no account
    events = up.hub("trace", first["message_id"], "--json")
    assert events.status == 1


def test_an_empty_inbox_is_an_answer(up, tmp_path):
    """Nothing there: status 0 after the time-out, and no line."""
    done = up.hub("receive", "--as", "H26.15", "--timeout", 1, "--out", tmp_path, "--json")
    assert (done.status, done.out) == (0, "")


def test_two_senders_may_use_one_message_id(up, letter, tmp_path):
    """Ids are unique for each sender only: neither file overwrites the other."""
    first = letter("H17.20", "H17.15")
    sent(up, first, "H17.20")
    (one,) = received(up, "H17.15", tmp_path / "in")
    kept = Path(one["file"])
    kept.write_bytes(b"somebody else's")
    assert up.hub("send", first, "--as", "H17.20").status == 0
    second = letter("H17.20", "H17.15")
    message_id = sent(up, second, "H17.20")
    (two,) = received(up, "H17.15", tmp_path / "in")
    assert Path(two["file"]).name == f"{message_id}.xml"
    assert kept.read_bytes() == b"somebody else's"


def test_forged_and_hostile_files_are_sent_and_quarantined(up, letter, tmp_path):
    """``hub send`` judges nothing: the hub does. Nothing arrives, the trace says why."""
    file = letter("H26.15", "H19.20")
    forged = tmp_path / "forged.xml"
    forged.write_bytes(file.read_bytes().replace(b">trial<", b">prod <"))
    rubbish = tmp_path / "rubbish.xml"
    rubbish.write_bytes(b"<MessageId>------------------------------------</MessageId>")
    done = up.hub("send", forged, rubbish, "--as", "H26.15", "--json")
    assert (done.status, done.json["confirmed"]) == (0, 2)
    message_id = file.read_text("utf-8").split("<MessageId>")[1][:36]
    assert eventually(lambda: up.hub("trace", message_id).status == 0)
    (message,) = up.hub("trace", message_id, "--json").json["messages"]
    assert message["state"] == "quarantined"
    assert message["events"][0]["detail"]["code"].startswith("signature.")
    empty = up.hub("receive", "--as", "H19.20", "--timeout", 1, "--out", tmp_path, "--json")
    assert empty.out == ""


def test_sending_as_another_is_refused(up, letter):
    """An account sends for its own agency only: quarantined, not delivered."""
    file = letter("H19.20", "H19.15")
    message_id = sent(up, file, "H12.20")
    assert eventually(lambda: up.hub("trace", message_id).status == 0)
    (message,) = up.hub("trace", message_id, "--json").json["messages"]
    assert message["events"][0]["detail"]["code"] == "header.account"


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("send", "absent.xml", "--as", "H12.15"), 2, "absent.xml"),
        (("send", "/", "--as", "H12.15"), 2, "Is a directory"),
        (("send", "{file}", "absent.xml", "--as", "H12.15"), 2, "absent.xml"),
        (("send", "{file}", "--as", "nonsense"), 2, "--as"),
        (("send", "{file}", "--as", "H12.777"), 2, "H12.777"),
        (("receive", "--as", "H12.777"), 2, "H12.777"),
        (("receive", "--as", "H26.20", "--out", "{file}"), 2, "File exists"),
        (("receive", "--as", "H26.20", "--out", "{file}/x"), 2, "Not a directory"),
    ],
)
def test_wrong_words_are_told_before_anything_is_sent(up, letter, words, status, said):
    """Files, codes and folders are checked first; nothing is half-sent."""
    file = letter("H12.15", "H12.05")
    done = up.hub(*(word.format(file=file) for word in words))
    assert (done.status, done.out) == (status, "")
    assert said in done.err
    assert up.hub("trace", file.read_text("utf-8").split("<MessageId>")[1][:36]).status == 1


def test_queues_show_broker_and_store_side_by_side(up, letter, tmp_path):
    """A waiting message is counted by both, with its age; people see no idle queues."""
    sent(up, letter("H13.15", "H13.20"), "H13.15")

    def row() -> dict:
        done = up.hub("queues", "--json")
        assert done.status == 0
        return next(one for one in done.json["queues"] if one["name"] == "inbox.H13.20")

    assert eventually(lambda: row()["ready"] == 1)
    found = row()
    assert found.keys() >= {"name", "agency", "ready", "unacked", "consumers", "oldest_age_s"}
    assert (found["agency"], found["unacked"], found["store_open"]) == ("H13.20", 0, 1)
    assert found["oldest_age_s"] >= 0
    shown, everything = up.hub("queues").out, up.hub("queues", "--all").out
    assert "inbox.H13.20" in shown
    assert "inbox.H99.19.urgent" not in shown
    assert "inbox.H99.19.urgent" in everything
    received(up, "H13.20", tmp_path)


def test_topology_is_as_the_directory_asks(up):
    """After a start nothing differs; a new inbox is planned, applied and there."""
    assert up.hub("topology", "verify", "--json").json == {"ok": True, "changes": []}
    assert up.hub("directory", "attach", "H12.31.22").status == 0
    plan = up.hub("topology", "plan", "--json")
    assert plan.status == 0
    assert any("inbox.H12.31.22" in line for line in plan.json["changes"])
    differs = up.hub("topology", "verify", "--json")
    assert (differs.status, differs.json["ok"]) == (1, False)
    assert up.hub("doctor", "--json").status == 1
    assert up.hub("topology", "apply").status == 0
    assert up.hub("topology", "verify").status == 0


def test_parked_shows_what_no_queue_took(up, letter):
    """A message to an inbox that is gone comes back and waits for a person, with its reason."""
    admin = json.loads((up.folder / "broker" / "node.json").read_text("utf-8"))
    delete_queue(admin["management_url"], "inbox.H26.101")
    message_id = sent(up, letter("H26.15", "H26.101"), "H26.15")
    assert eventually(lambda: up.hub("parked", "list", "--json").json["count"] > 0)
    groups = {
        group["receiver"]: group for group in up.hub("parked", "list", "--json").json["groups"]
    }
    assert groups["H26.101"]["reason"] == "routing.unroutable"
    (shown,) = up.hub("parked", "show", message_id, "--json").json["parked"]
    assert shown["receiver"] == "H26.101"
    assert "returned" in kinds(up, message_id)
    assert "topology" in {
        check["name"] for check in up.hub("doctor", "--json").json["checks"] if not check["ok"]
    }
    assert up.hub("topology", "apply").status == 0
    assert up.hub("doctor").status == 0


def delete_queue(management_url: str, name: str) -> None:
    """What an administrator with rabbitmqadmin might do."""
    from hub.broker.management import Management  # noqa: PLC0415  only here

    with Management(management_url) as management:
        management.call("DELETE", f"queues/%2F/{name}")


def test_console_shows_what_is_stuck_once_where_there_is_no_terminal(up):
    """Counts, queues and parked messages as one document, or as a picture."""
    done = up.hub("console", "--json")
    assert done.status == 0
    assert done.json.keys() == {"messages", "queues", "parked"}
    assert "accepted" in up.hub("console").out


def test_a_second_router_says_why_it_cannot_run(up):
    """SQLite serves one router: status 2 and the way out, and the first is not disturbed."""
    done = up.hub("router")
    assert done.status == 2
    assert "PostgreSQL" in done.err
    assert up.role("router") is not None


def test_a_killed_router_is_started_again(up, letter, tmp_path):
    """Kill -9: the supervisor starts another, and what was sent meanwhile is delivered."""
    before = up.role("router")
    assert before is not None
    os.kill(before, signal.SIGKILL)
    message_id = sent(up, letter("H12.15", "H12.13"), "H12.15")
    assert eventually(lambda: up.role("router") not in (None, before))
    (line,) = received(up, "H12.13", tmp_path)
    assert line["message_id"] == message_id
    assert '"role": "router"' in up.log.read_text("utf-8")


def test_a_broken_connector_stops_nothing(up):
    """Its settings file is named in the log, with status 2, and everything else runs."""
    assert eventually(lambda: "role_misconfigured" in up.log.read_text("utf-8"))
    log = up.log.read_text("utf-8")
    assert "broken.toml" in log
    assert "Traceback" not in log
    assert up.hub("doctor").status == 0


def test_ctrl_c_ends_a_waiting_command_quietly(up, tmp_path):
    """SIGINT while ``receive`` waits: no traceback, and what it had is given back."""
    process = subprocess.Popen(
        [COMMAND, "--home", str(up.folder), "receive", "--as", "H26.20", "--timeout", "60",
         "--out", str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
    )  # fmt: skip

    def waits() -> bool:
        rows = up.hub("queues", "--json").json["queues"]
        return any(row["name"] == "inbox.H26.20" and row["consumers"] for row in rows)

    assert eventually(waits)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert (out, err) == (b"", b"")


def stopped(home: Home) -> None:
    """SIGTERM: ``hub up`` ends with 0, and nothing of it stays, neither role nor node."""
    roles = [home.role("router"), home.role("sweeper")]
    node = json.loads((home.folder / "broker" / "node.json").read_text("utf-8"))
    assert home.stop() == 0
    assert not [pid for pid in (*roles, node["pid"], node["epmd_pid"]) if pid and running(pid)]
    assert not (home.folder / "broker" / "node.json").exists()
    assert '"event": "role_killed"' not in home.log.read_text("utf-8")


def running(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"


def test_a_killed_supervisor_leaves_no_role_behind(own):
    """Killed with -9, its roles end by themselves, and the next one adopts the node."""
    assert own.up is not None
    own.up.kill()
    own.up.wait()
    assert eventually(lambda: own.role("router") is None and own.role("sweeper") is None)
    own.start()
    assert eventually(lambda: "node_adopted" in own.log.read_text("utf-8"))
    assert eventually(lambda: own.role("router") is not None)
    stopped(own)


def test_a_lost_node_is_started_again(own):
    """The private node is killed with -9: a new one, the same queues, roles that find it."""
    facts = own.folder / "broker" / "node.json"
    before = json.loads(facts.read_text("utf-8"))["pid"]
    os.kill(before, signal.SIGKILL)

    def recovered() -> bool:
        again = facts.exists() and json.loads(facts.read_text("utf-8"))["pid"] != before
        return again and own.hub("doctor").status == 0

    assert eventually(recovered, timeout_s=120, every_s=0.5)
    assert eventually(lambda: own.role("router") is not None)
    stopped(own)


def test_sigterm_while_the_node_still_starts(tmp_path):
    """Told to stop before anything runs: it ends at once, with 0, and leaves nothing."""
    home = Home(tmp_path / "own")
    assert home.hub("init", home.folder).status == 0
    with home.log.open("wb") as stream:
        process = subprocess.Popen(
            [COMMAND, "--home", str(home.folder), "up"], stdout=stream, stderr=stream,
            env=environment(),
        )  # fmt: skip
    facts = home.folder / "broker" / "node.json"
    assert eventually(facts.exists)
    node = json.loads(facts.read_text("utf-8"))
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert not running(node["pid"])
