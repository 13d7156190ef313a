"""``hub trace``, ``hub parked``, ``hub audit``: what the store knows, for people and programs."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.store import deliveries
from hub.store.edge import EdgeStore
from hub.store.edge_rows import ParkedRow
from hub.store.engine import Store
from hub.store.rows import DeliveryState, WindowRecord
from hub.store.window import WindowStore
from hub.testing import rows

DOSSIER = "000.00.19.H99-260304-0007"


@pytest.fixture
def record(home):
    """Write what a router's windows write."""
    store = Store.open(f"sqlite:///{home / 'hub.sqlite'}")

    def write(record: WindowRecord) -> None:
        with WindowStore(store).window() as window:
            window.record(record)

    yield write
    store.close()


@pytest.fixture
def life(record):
    """A dossier's message that was delivered to one receiver and parked for another."""
    one = rows.message(dossier_code=DOSSIER, document_id="VB-1", type="dossier.submitted")
    there = replace(rows.delivery(one, "H13.15", state=DeliveryState.DELIVERED),
                    confirmed_at=rows.at(1))  # fmt: skip
    parked = rows.delivery(one, "H14.15", state=DeliveryState.PARKED, reason="routing.unroutable",
                           detail="inbox.H14.15", attempts=2)  # fmt: skip
    receipt = replace(rows.receipt(one), confirmed_at=rows.at(1))
    later = replace(rows.event(one, "delivered", receiver="H13.15"), at=rows.at(4))
    record(
        WindowRecord(
            messages=(one,),
            deliveries=(there, parked),
            receipts=(receipt,),
            events=(
                rows.event(one, "arrived", account="H12.15"),
                rows.event(one),
                rows.event(one, "queued", receiver="H13.15", named="H13.15", via="exact"),
                later,
            ),
        )
    )
    return one, there, parked


@pytest.mark.parametrize("by", ["message", "MESSAGE", "dossier", "document"])
def test_trace_finds_the_whole_life(hub, life, by):
    """By message id (in any case), dossier code or document id: arrival to receipt, in order."""
    one = life[0]
    wanted = {"message": one.message_id, "MESSAGE": one.message_id.upper(), "dossier": DOSSIER,
              "document": "VB-1"}[by]  # fmt: skip
    (message,) = hub("trace", wanted, "--json").json["messages"]
    assert message["message_id"] == one.message_id
    assert (message["type"], message["from"]) == ("dossier.submitted", "H12.15")
    assert [event["kind"] for event in message["events"]] == [
        "arrived", "accepted", "queued", "receipt_sent", "confirmed", "receipt_confirmed",
        "delivered",
    ]  # fmt: skip
    times = [event["at"] for event in message["events"]]
    assert times == sorted(times)
    assert all(event.keys() == {"at", "kind", "detail"} for event in message["events"])


def test_people_get_a_line_of_time(hub, life):
    """A row for each step with its mark on the line, further right the later it is."""
    shown = hub("trace", DOSSIER).out
    marks = [line.index("●") for line in shown.splitlines() if "●" in line]
    assert len(marks) == 7
    assert marks == sorted(marks)
    assert marks[0] < marks[-1]
    assert "08:30:00.123" in shown  # 01:30 UTC in Vietnam
    assert "đã giao cho H13.15" in shown
    assert "delivered to H13.15" in hub("trace", DOSSIER, "--lang", "en").out


def test_a_trace_over_days_and_of_one_moment_can_be_drawn(hub, record):
    """The line of time copes with months, and with a life that lasted no time at all."""
    long, short = rows.message(b"<a/>"), rows.message(b"<b/>")
    late = replace(rows.event(long, "delivered"), at=rows.T0 + timedelta(days=90))
    record(WindowRecord(messages=(long, short), events=(rows.event(long), late,
                                                        rows.event(short))))  # fmt: skip
    assert "90.0 d" in hub("trace", long.message_id).out
    assert "●" in hub("trace", short.message_id).out


def test_words_of_strangers_draw_nothing(hub, record):
    """Brackets and escapes in what senders wrote are shown as they are, never obeyed."""
    code = "[/bold][red]x\\"
    one = rows.message(dossier_code=code)
    record(WindowRecord(messages=(one,), events=(rows.event(one, "odd", note="[bold]\x1b[31m"),)))
    shown = hub("trace", code)
    assert shown.status == 0
    assert "[/bold][red]x\\" in shown.out
    assert "note=[bold]" in shown.out
    assert "\x1b" not in shown.out


def test_a_forged_arrival_is_found_by_the_id_it_claimed(hub, record):
    """Quarantined: state and code, nothing that the forger wrote is believed."""
    forged = rows.quarantine(claimed_id="01890000-0000-7000-8000-000000000000")
    record(WindowRecord(quarantined=(forged,),
                        events=(rows.event(forged, "quarantined", code=forged.code),)))  # fmt: skip
    (message,) = hub("trace", forged.claimed_id, "--json").json["messages"]
    assert (message["state"], message["from"], message["type"]) == ("quarantined", "", "")
    assert forged.code in hub("trace", forged.claimed_id).out


@pytest.mark.parametrize("words", [("trace", "nothing"), ("trace", ""), ("parked", "show", "x")])
def test_what_is_not_there_is_told(hub, words):
    """Exit 1 with the code."""
    done = hub(*words)
    assert (done.status, done.out) == (1, "lookup.not_found\n")


def test_parked_is_grouped_and_shown(hub, life):
    """The list by receiver and reason; one by delivery id, message id or receiver."""
    one, _there, parked = life
    listed = hub("parked", "list", "--json").json
    assert listed["count"] == 1
    (group,) = listed["groups"]
    assert (group["receiver"], group["reason"], group["count"]) == (
        "H14.15", "routing.unroutable", 1)  # fmt: skip
    assert "routing.unroutable" in hub("parked", "list").out
    for wanted in (parked.id, one.message_id, "h14.15"):
        (shown,) = hub("parked", "show", wanted, "--json").json["parked"]
        assert shown["delivery"] == parked.id
        assert shown.keys() >= {"message_id", "type", "from", "receiver", "reason", "detail",
                                "since", "attempts"}  # fmt: skip
    assert parked.id in hub("parked", "show", "H14.15").out


def test_nothing_parked_is_said_so(hub):
    """An empty list is an answer, not an error."""
    nothing = {"groups": [], "count": 0, "messages": {}, "quarantined": {}, "connectors": []}
    assert hub("parked", "list", "--json").json == nothing
    assert hub("parked", "list").status == 0


def test_receipts_in_an_inbox_wait_for_nothing(home, record):
    """A forwarded receipt is answered by nobody, so it is no open delivery of its queue."""
    order, receipt = rows.message(b"<a/>"), rows.message(b"<b/>", type="receipt.delivered")
    record(
        WindowRecord(
            messages=(order, receipt),
            deliveries=(rows.delivery(order, "H13.15"), rows.delivery(receipt, "H14.15")),
        )
    )
    store = Store.open(f"sqlite:///{home / 'hub.sqlite'}")
    assert deliveries.open_by_queue(store) == {"inbox.H13.15": 1}
    assert deliveries.oldest_by_queue(store) == {"inbox.H13.15": rows.T0}
    store.close()


def test_the_log_is_whole(hub):
    """A new home's chain holds."""
    done = hub("audit", "verify", "--json")
    assert done.status == 0
    assert done.json == {"ok": True, "entries": done.json["entries"], "first_bad": None}
    assert done.json["entries"] > 10
    assert str(done.json["entries"]) in hub("audit", "verify").out


@pytest.mark.parametrize(
    ("statement", "first_bad"),
    [
        ("update audit set subject = 'x' where seq = 5", 5),
        ("update audit set at_us = at_us + 1 where seq = 1", 1),
        ("update audit set detail = '{}' where seq = 7", None),
        ("delete from audit where seq = 9", 9),
        ("update audit set hash = '" + "0" * 64 + "' where seq = 6", 6),
    ],
)
def test_the_first_bad_entry_is_found(hub, home, statement, first_bad):
    """Whoever has the file can change it, and cannot hide it."""
    with sqlite3.connect(home / "hub.sqlite") as connection:
        guards = connection.execute("select name from sqlite_master where type = 'trigger'")
        for (name,) in guards.fetchall():
            connection.execute(f"drop trigger {name}")
        before = connection.execute("select detail from audit where seq = 7").fetchone()
        connection.execute(statement)
        after = connection.execute("select detail from audit where seq = 7").fetchone()
    connection.close()
    if first_bad is None:
        first_bad = 7 if before != after else None
    done = hub("audit", "verify", "--json")
    assert done.json["first_bad"] == first_bad
    assert done.json["ok"] is (first_bad is None)
    assert done.status == (0 if first_bad is None else 1)


@pytest.mark.parametrize(
    "words",
    [("trace", "x"), ("parked", "list"), ("audit", "verify"), ("directory", "list"),
     ("verify", "x"), ("access", "list"), ("trust", "list")],
)  # fmt: skip
def test_a_store_that_is_broken_or_gone_is_told(hub, home, words):
    """A missing file, one that is no database, one of another version."""
    file = home / "hub.sqlite"
    kept = file.read_bytes()
    file.unlink()
    done = hub(*words)
    assert (done.status, done.out) == (1, "store.unavailable\n")
    assert str(file) in done.err
    file.write_bytes(b"no database " * 1000)
    assert hub(*words).out == "store.unavailable\n"
    file.write_bytes(kept)
    with sqlite3.connect(file) as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    connection.close()
    done = hub(*words)
    assert done.status == 2
    assert "9999" in done.err


def test_what_connectors_keep_is_listed_and_shown(hub, home):
    """A record that could not be sent, by its label and reason; a broken store stops nothing."""
    folder, at = home / "connectors", datetime(2026, 3, 4, tzinfo=UTC)
    row = ParkedRow("hoso:3", "hoso:3", "source.date", "Ngày sai.", "A wrong date.", at)
    edge = EdgeStore.open(folder / "one-stop.sqlite")
    edge.take_batch([], [row], "1")
    edge.close()
    (folder / "torn.sqlite").write_bytes(b"torn")
    torn, found = hub("parked", "list", "--json", "--lang", "en").json["connectors"]
    assert (torn["connector"], torn["kind"]) == ("torn", "store")
    assert torn["code"].startswith("store.")
    assert found["reason"] == "A wrong date."
    assert (found["connector"], found["kind"], found["key"]) == ("one-stop", "record", "hoso:3")
    assert "Ngày sai." in hub("parked", "list").out
    assert hub("parked", "show", "hoso:3", "--json").json["parked"] == [
        found | {"reason": "Ngày sai."}
    ]
