"""A connector's store: each step whole, states that never go back, every key once."""

from __future__ import annotations

import dataclasses
import signal
import sqlite3
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.envelope import sha256_hex
from hub.errors import StoreSchema, StoreUnavailable
from hub.store.edge import EdgeStore
from hub.store.edge_inbox import Consequences
from hub.store.edge_rows import (
    AnswerRow,
    InboxRow,
    InboxState,
    KeptRow,
    OutboxRow,
    OutboxState,
    ParkedRow,
    RecallRow,
    StreamRow,
)
from hub.testing import rows
from hub.testing.rows import at


@pytest.fixture
def path(tmp_path):
    return tmp_path / "one.sqlite"


@pytest.fixture
def edge(path):
    found = EdgeStore.open(path)
    yield found
    found.close()


def out(key="row:1", raw=b"<a/>", **changes):
    """A signed message on its way out."""
    row = OutboxRow(key, rows.new_id(), "dossier.received", sha256_hex(raw), raw, at())
    return dataclasses.replace(row, **changes)


def record(key="row:9", **changes):
    """A record that waits for a person."""
    row = ParkedRow(key, "row 9", "source.mapping", "vi", "en", at())
    return dataclasses.replace(row, **changes)


def answer(subject, kind="receipt.accepted", **changes):
    """A receipt that was believed."""
    row = AnswerRow(subject, rows.new_id(), kind, "00.99.W00", at(), "told", b"<r/>")
    return dataclasses.replace(row, **changes)


def came(key="m:1", state=InboxState.TAKEN, **changes):
    """An incoming message as it stands."""
    return dataclasses.replace(InboxRow(key, "d" * 64, state, at()), **changes)


def _all(path):
    """Every row of every table, by another program."""
    connection = sqlite3.connect(path)
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    found = {
        name: connection.execute(f"SELECT * FROM {name}").fetchall()
        for (name,) in names
        if not name.startswith("sqlite_")
    }
    connection.close()
    return found


# --- outbound -------------------------------------------------------------------------------------


def test_a_batch_and_its_checkpoint_are_one_step(edge):
    """Messages, parked records, their notices and the place to go on come together."""
    assert edge.checkpoint() is None
    one = out()
    edge.take_batch([one], [record()], "after 9")
    assert edge.checkpoint() == "after 9"
    assert edge.unpublished() == [one]
    assert edge.parked() == [record()]
    assert edge.known(["row:1", "row:9", "row:5"]) == {"row:1", "row:9"}
    (notice,) = edge.notices()
    assert (notice.key, notice.confirmation) == ("row:9", "parked")


def test_a_key_is_taken_once(edge):
    """A row that is read again keeps its first message; its parked record is told of once."""
    first = out()
    edge.take_batch([first], [record()], "1")
    edge.take_batch([out(raw=b"<other/>")], [record(label="other")], "2")
    assert edge.unpublished() == [first]
    assert edge.parked() == [record()]
    assert len(edge.notices()) == 1
    assert edge.checkpoint() == "2"


def test_a_message_is_never_dropped_for_an_id_that_is_taken(edge, path):
    """Two keys with one message id are a fault, told as one: nothing of the batch is kept."""
    first = out()
    edge.take_batch([first], [], "1")
    before = _all(path)
    twin = out("row:2", message_id=first.message_id)
    with pytest.raises(StoreUnavailable):
        edge.take_batch([out("row:3"), twin], [record()], "2")
    assert _all(path) == before


def test_a_batch_that_fails_leaves_the_checkpoint(edge, path):
    """Whatever breaks a step, the next poll starts where the last whole one ended."""
    edge.take_batch([], [], "1")
    before = _all(path)
    with pytest.raises(StoreUnavailable):
        edge.take_batch([out("row:1"), out("row:2", type=None)], [record()], "2")
    assert _all(path) == before


def test_unpublished_bytes_come_in_the_order_in_which_they_were_taken(edge):
    """Up to a number and up to an amount of bytes; one is always read."""
    taken = [out(f"row:{n}", raw=b"x" * 100) for n in range(5)]
    for one in taken:
        edge.take_batch([one], [], "")
    assert edge.unpublished() == taken
    assert edge.unpublished(limit=2) == taken[:2]
    assert edge.unpublished(max_bytes=250) == taken[:2]
    assert edge.unpublished(max_bytes=1) == taken[:1]
    edge.mark_published([one.key for one in taken[:4]], at(1))
    assert edge.unpublished() == taken[4:]


def test_a_confirm_is_noted_and_told_once(edge):
    """Only what was waiting moves; a source that does not want to hear is not told."""
    edge.take_batch([out("row:1"), out("row:2", source=False)], [], "")
    for _ in range(2):
        edge.mark_published(["row:1", "row:2", "row:3"], at(1))
    assert [(one.key, one.confirmation) for one in edge.notices()] == [("row:1", "published")]
    assert edge.counts()["outbox.published"] == 2


ORDER = list(OutboxState)


@pytest.mark.parametrize("before", OutboxState)
@pytest.mark.parametrize("after", OutboxState)
def test_states_never_go_back(edge, before, after):
    """A late or repeated receipt is kept and changes nothing; a later state wins in any order."""
    one = out(state=before)
    edge.take_batch([one], [], "")
    moved = edge.record_answer(answer(one.message_id), after, "why")
    assert moved is (ORDER.index(after) > ORDER.index(before))
    found = edge.find_by_message_id(one.message_id)
    assert found.state is (after if moved else before)
    assert found.reason == ("why" if moved else "")
    assert [note.confirmation for note in edge.notices()] == ([after.value] if moved else [])
    assert len(edge.answers(one.message_id)) == 1
    assert found.raw == one.raw


@given(st.permutations([OutboxState.PUBLISHED, OutboxState.ACCEPTED, OutboxState.DELIVERED]))
@settings(max_examples=6, deadline=None)
def test_receipts_may_come_in_any_order(tmp_path_factory, order):
    """Whatever overtakes whatever, the message ends in the last of its states."""
    edge = EdgeStore.open(tmp_path_factory.mktemp("edge") / "one.sqlite")
    one = out()
    edge.take_batch([one], [], "")
    for state in order:
        if state is OutboxState.PUBLISHED:
            edge.mark_published([one.key], at(1))
        else:
            edge.record_answer(answer(one.message_id), state)
    assert edge.find_by_message_id(one.message_id).state is OutboxState.DELIVERED
    ranks = [OutboxState(note.confirmation).rank for note in edge.notices()]
    assert ranks == sorted(ranks)
    edge.close()


def test_a_receipt_is_kept_once_and_about_what_is_known(edge):
    """The same receipt again is the same row; one about nothing of ours moves nothing."""
    one = out()
    edge.take_batch([one], [], "")
    told = answer(one.message_id)
    edge.record_answer(told)
    edge.record_answer(dataclasses.replace(told, told="other"))
    assert edge.answers(one.message_id) == [told]
    assert edge.record_answer(answer(rows.new_id()), OutboxState.DELIVERED) is False
    assert edge.find_by_message_id(rows.new_id()) is None


def test_a_notice_stays_until_it_was_told(edge):
    """Taking it away and parking what failed for good is one step."""
    edge.take_batch([out()], [], "")
    edge.mark_published(["row:1"], at(1))
    (notice,) = edge.notices()
    assert edge.notices() == [notice]
    edge.told(notice, failed=record("notice:1"))
    assert edge.notices() == []
    assert [one.key for one in edge.parked()] == ["notice:1"]
    edge.told(notice)


# --- inbound --------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", InboxState)
@pytest.mark.parametrize("after", InboxState)
def test_what_is_done_stays_done(edge, path, before, after):
    """The receipt that was given once is the one that is given again; nothing else is written."""
    first = came(state=before, receipt_id="r1", receipt=b"<first/>", reference="no 1")
    assert edge.put_inbox(first)
    later = came(state=after, receipt_id="r2", receipt=b"<second/>", at=at(5))
    snapshot = _all(path)
    written = edge.put_inbox(later, Consequences(replies=[out("reply:1")], parked=[record()]))
    assert written is (before is not InboxState.DONE)
    assert edge.inbox("m:1") == (later if written else first)
    if not written:
        assert _all(path) == snapshot


def test_a_message_and_everything_it_causes_are_one_step(edge, path):
    """State, receipt, replies, stream, recall: a fault in the last undoes the first."""
    more = Consequences(
        replies=[out("reply:1")],
        parked=[record("reply:2")],
        stream=StreamRow("H12.15 dossier:1", "7"),
        recall=RecallRow("H12.15", "D1", at()),
    )
    done = came(state=InboxState.DONE, receipt_id="r", receipt=b"<r/>")
    before = _all(path)
    broken = dataclasses.replace(more, stream=StreamRow("H12.15 dossier:1", None))
    with pytest.raises(StoreUnavailable):
        edge.put_inbox(done, broken)
    assert _all(path) == before
    edge.put_inbox(done, more)
    assert edge.inbox("m:1") == done
    assert [one.key for one in edge.unpublished()] == ["reply:1"]
    assert edge.stream("H12.15 dossier:1") == "7"
    assert edge.recalled_at("H12.15", "D1") == at()
    assert edge.inbox("m:2") is None
    assert edge.stream("other") is None
    assert edge.recalled_at("H13.15", "D1") is None


def test_bytes_of_parked_messages_are_kept_until_they_are_not_parked(edge):
    """A person can look at them; quarantined ones stay, the same bytes once."""
    kept = KeptRow("d" * 64, "sink.unknown", at(), b"<a/>", "m:1")
    strange = KeptRow("e" * 64, "signature.digest_mismatch", at(1), b"forged", "")
    edge.put_inbox(came(state=InboxState.PARKED), Consequences(kept=kept))
    edge.keep(strange)
    edge.keep(dataclasses.replace(strange, at=at(2)))
    assert edge.kept() == [kept, dataclasses.replace(strange, at=at(2))]
    assert edge.counts() == {"inbox.parked": 1, "parked": 0, "quarantined": 1}
    edge.put_inbox(came(state=InboxState.DONE))
    assert [one.digest for one in edge.kept()] == ["e" * 64]


def test_the_latest_recall_counts(edge):
    """A recall that arrives late does not take a later one back."""
    for second in (5, 3):
        edge.put_inbox(
            came(f"m:{second}"), Consequences(recall=RecallRow("H12.15", "D1", at(second)))
        )
    assert edge.recalled_at("H12.15", "D1") == at(5)
    edge.put_inbox(came("m:9"), Consequences(recall=RecallRow("H12.15", "D1", at(9))))
    assert edge.recalled_at("H12.15", "D1") == at(9)


@given(st.integers(-(10**15), 10**15))
@settings(max_examples=20, deadline=None)
def test_times_are_exact(tmp_path_factory, microseconds):
    """What is written in microseconds is read in microseconds."""
    edge = EdgeStore.open(tmp_path_factory.mktemp("edge") / "one.sqlite")
    moment = at() + timedelta(microseconds=microseconds)
    edge.put_inbox(came(at=moment))
    assert edge.inbox("m:1").at == moment
    edge.close()


# --- the file -------------------------------------------------------------------------------------


def test_everything_is_there_after_a_restart(path):
    """Closing and opening again changes nothing."""
    edge = EdgeStore.open(path)
    edge.take_batch([out()], [record()], "1")
    edge.put_inbox(came())
    before = _all(path)
    edge.close()
    again = EdgeStore.open(path)
    assert _all(path) == before
    assert again.counts() == {
        "outbox.new": 1, "inbox.taken": 1, "parked": 1, "quarantined": 0,
    }  # fmt: skip
    again.close()


def test_another_version_is_refused_and_left_alone(path):
    """A newer connector's file is not touched by an older one."""
    EdgeStore.open(path).close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA user_version=99")
    connection.execute("DROP TABLE notices")
    connection.close()
    with pytest.raises(StoreSchema, match="99"):
        EdgeStore.open(path)
    assert "notices" not in _all(path)


def test_what_cannot_be_a_store_is_told(tmp_path):
    """A folder that cannot be made, a file that is something else."""
    (tmp_path / "file").write_bytes(b"no database\n" * 500)
    for path in (tmp_path / "file" / "one.sqlite", tmp_path / "file", tmp_path):
        with pytest.raises(StoreUnavailable):
            EdgeStore.open(path)


CHILD = """
import sys
from pathlib import Path
from hub.store.edge import EdgeStore
from hub.store.edge_inbox import Consequences
from hub.store.edge_rows import InboxRow, InboxState, OutboxRow, StreamRow
from hub.testing import rows
edge = EdgeStore.open(Path(sys.argv[1]))
for n in range(1, 100_000):
    out = OutboxRow(f"row:{n}", rows.new_id(), "t.x", "d", b"x" * 50_000, rows.T0)
    edge.take_batch([out], [], str(n))
    reply = OutboxRow(f"reply:{n}", rows.new_id(), "t.x", "d", b"y", rows.T0, source=False)
    done = InboxRow(f"m:{n}", "d", InboxState.DONE, rows.T0, f"r{n}", b"<r/>")
    edge.put_inbox(done, Consequences(replies=[reply], stream=StreamRow("s", str(n))))
    print(n, flush=True)
"""


@pytest.mark.parametrize("steps", [1, 7, 20])
def test_kill_9_leaves_whole_steps(path, child, steps):
    """After a kill the checkpoint matches the outbox, and each done message has its reply."""
    process = child(CHILD, path)
    for _ in range(steps):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    edge = EdgeStore.open(path)
    taken = int(edge.checkpoint())
    done = int(edge.stream("s") or 0)
    assert taken >= done >= steps
    assert taken - done <= 1
    keys = {f"row:{n}" for n in range(1, taken + 1)} | {f"reply:{n}" for n in range(1, done + 1)}
    assert {row.key for row in edge.unpublished(limit=10_000, max_bytes=10**12)} == keys
    assert edge.counts()["inbox.done"] == done
    edge.close()
