"""The log: append-only, and whatever was done to it is found, with the first bad entry."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import AuditBroken, StoreUnavailable
from hub.store import audit
from hub.store.engine import Store
from hub.store.rows import AuditEntry
from hub.testing import rows
from hub.testing.rows import entry

COLUMNS = ("seq", "at_us", "actor", "action", "subject", "detail", "hash")


def _entries(count):
    return [entry(f"subject {n}", n=str(n), vi="Hà Nội") for n in range(1, count + 1)]


def _unguarded(file):
    """The file as an intruder has it who knows SQL: without the guards."""
    connection = sqlite3.connect(file, isolation_level=None)
    triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    for (name,) in triggers.fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    return contextlib.closing(connection)


def test_an_untouched_log_is_whole(store):
    """Entries of many transactions chain; progress is told and ends at their number."""
    assert audit.verify(store) == audit.AuditReport(ok=True, entries=0)
    audit.append(store, [])
    for part in range(3):
        audit.append(store, _entries(part + 1))
    assert audit.checkpoint(store, rows.T0) == 6
    assert audit.checkpoint(store, rows.T0) == 6
    audit.append(store, _entries(1))
    told = []
    assert audit.verify(store, lambda done, of: told.append((done, of))) == audit.AuditReport(
        ok=True, entries=7
    )
    assert told[-1] == (7, 7)


def test_the_chain_is_what_the_docstring_says(store, raw_sql):
    """An independent computation from the columns gives the same hashes."""
    audit.append(store, _entries(5))
    previous = "0" * 64
    found = raw_sql(f"SELECT {', '.join(COLUMNS)} FROM audit ORDER BY seq").fetchall()
    for number, (seq, at_us, actor, action, subject, detail, kept) in enumerate(found, 1):
        body = json.dumps([seq, at_us, actor, action, subject, detail], ensure_ascii=False,
                          separators=(",", ":"))  # fmt: skip
        previous = hashlib.sha256(previous.encode() + body.encode()).hexdigest()
        assert (seq, kept) == (number, previous)
        assert at_us == 1_772_587_800_123_456


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET subject = 'x' WHERE seq = 2",
        "UPDATE audit SET hash = hash",
        "DELETE FROM audit WHERE seq = 3",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit SELECT seq, 0, 'a', 'b', 'c', '{}', hash FROM audit",
        "REPLACE INTO audit VALUES (2, 0, 'a', 'b', 'c', '{}', 'h')",
        "INSERT INTO audit VALUES (9, 0, 'a', 'b', 'c', '{}', 'h')",
        "INSERT INTO audit VALUES (0, 0, 'a', 'b', 'c', '{}', 'h')",
        "UPDATE audit_checkpoints SET hash = 'x'",
        "DELETE FROM audit_checkpoints",
    ],
)
def test_the_database_itself_refuses_changes(store, raw_sql, statement):
    """Any program that speaks SQL to the file is refused, not only this one."""
    audit.append(store, _entries(3))
    audit.checkpoint(store, rows.T0)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw_sql(statement)
    assert audit.verify(store) == audit.AuditReport(ok=True, entries=3)


def test_our_own_programs_cannot_change_it_either(store):
    """Within a write transaction of the hub the guards hold as well."""
    audit.append(store, _entries(3))
    with pytest.raises(StoreUnavailable, match="append-only"), store.write() as connection:
        connection.exec_driver_sql("UPDATE audit SET actor = 'x'")


TAMPERED = [
    # what was done to entries 1 to 9 (a checkpoint at 6), the first bad entry
    ("UPDATE audit SET subject = 'x' WHERE seq = 4", 4),
    ("UPDATE audit SET at_us = at_us + 1 WHERE seq = 1", 1),
    ("UPDATE audit SET detail = '{}' WHERE seq = 9", 9),
    ("UPDATE audit SET actor = actor || ' ' WHERE seq = 2", 2),
    ("UPDATE audit SET hash = upper(hash) WHERE seq = 5", 5),
    ("UPDATE audit SET detail = CAST(x'ff' AS TEXT) WHERE seq = 5", 5),
    ("UPDATE audit SET detail = x'7b7d' WHERE seq = 5", 5),
    ("UPDATE audit SET at_us = 'soon' WHERE seq = 5", 5),
    ("UPDATE audit SET at_us = 1e300 WHERE seq = 5", 5),
    ("DELETE FROM audit WHERE seq = 1", 1),
    ("DELETE FROM audit WHERE seq = 5", 5),
    ("DELETE FROM audit WHERE seq <= 3", 1),
    ("DELETE FROM audit", 1),
    ("DELETE FROM audit WHERE seq >= 5", 5),
    (f"INSERT INTO audit SELECT 10, {', '.join(COLUMNS[1:])} FROM audit WHERE seq = 9", 10),
    ("INSERT INTO audit VALUES (0, 0, 'a', 'b', 'c', '{}', 'h')", 1),
    ("INSERT INTO audit VALUES (-5, 0, 'a', 'b', 'c', '{}', 'h')", 1),
    ("UPDATE audit SET seq = seq + 100 WHERE seq > 7", 8),
    ("UPDATE audit_checkpoints SET hash = 'x'", 6),
    ("INSERT INTO audit_checkpoints VALUES (12, 'h', 0)", 10),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "first_bad"), TAMPERED)
def test_tampering_is_found_at_its_place(store, file, statement, first_bad):
    """Changed, removed, inserted and renumbered entries, a cut tail, a forged checkpoint."""
    audit.append(store, _entries(6))
    audit.checkpoint(store, rows.T0)
    audit.append(store, _entries(3))
    with _unguarded(file) as connection:
        connection.execute(statement)
    report = audit.verify(store)
    assert (report.ok, report.first_bad) == (False, first_bad)


def test_a_renumbered_gap_is_found(store, file):
    """Removing an entry and moving up the rest breaks the chain where it was."""
    audit.append(store, _entries(6))
    with _unguarded(file) as connection:
        connection.execute("DELETE FROM audit WHERE seq = 3")
        connection.execute("UPDATE audit SET seq = seq - 1 WHERE seq > 3")
    assert audit.verify(store).first_bad == 3


def _rewritten(connection, first):
    """Compute the chain anew from ``first`` on, as an intruder would who read this source."""
    previous = connection.execute("SELECT hash FROM audit WHERE seq = ?", (first - 1,)).fetchone()
    previous = previous[0] if previous else audit.START
    query = "SELECT seq, at_us, actor, action, subject, detail FROM audit WHERE seq >= ?"
    for seq, at_us, *fields in connection.execute(query, (first,)).fetchall():
        previous = audit.link(previous, seq, at_us, fields)
        connection.execute("UPDATE audit SET hash = ? WHERE seq = ?", (previous, seq))
    return previous


def test_a_chain_that_was_computed_anew_is_found_by_the_checkpoint(store, file):
    """A rewritten past does not meet the hash that was noted at the time."""
    audit.append(store, _entries(6))
    audit.checkpoint(store, rows.T0)
    with _unguarded(file) as connection:
        connection.execute("UPDATE audit SET subject = 'x' WHERE seq = 2")
        _rewritten(connection, 2)
    assert audit.verify(store).first_bad == 6


def test_a_note_kept_elsewhere_finds_rewritten_checkpoints_too(store, file, raw_sql):
    """Whoever rewrites the log and its checkpoints cannot rewrite an operator's notebook."""
    audit.append(store, _entries(6))
    audit.checkpoint(store, rows.T0)
    noted = dict(raw_sql("SELECT seq, hash FROM audit_checkpoints").fetchall())
    with _unguarded(file) as connection:
        connection.execute("UPDATE audit SET subject = 'x' WHERE seq = 2")
        connection.execute("UPDATE audit_checkpoints SET hash = ?", (_rewritten(connection, 2),))
    assert audit.verify(store).ok
    assert audit.verify(store, noted=noted).first_bad == 6
    assert audit.verify(store, noted={7: "0" * 64}).first_bad == 7


@pytest.mark.parametrize("cut", [5, 6])
def test_a_cut_end_is_alarmed_when_the_next_checkpoint_is_due(store, file, cut):
    """The sweeper does not note a shorter log; what was noted stays, also once it grew again."""
    audit.append(store, _entries(6))
    audit.checkpoint(store, rows.T0)
    with _unguarded(file) as connection:
        connection.execute("DELETE FROM audit WHERE seq >= ?", (cut,))
    with pytest.raises(AuditBroken) as caught:
        audit.checkpoint(store, rows.T0)
    assert caught.value.facts["value"] == cut
    audit.append(store, _entries(5))
    with pytest.raises(AuditBroken):
        audit.checkpoint(store, rows.T0)
    assert audit.verify(store).first_bad == 6


def test_pages_do_not_matter(store, monkeypatch):
    """A log of many pages is checked like one page, each in a short transaction of its own."""
    monkeypatch.setattr(audit, "PAGE", 3)
    audit.append(store, _entries(10))
    seen = []

    def grow(done, _of):
        seen.append(done)
        if done == 3:
            audit.append(store, _entries(1))

    assert audit.verify(store, grow) == audit.AuditReport(ok=True, entries=11)
    assert seen == [3, 6, 9, 11]


def test_long_and_odd_texts_are_kept_within_their_columns(store):
    """An entry is cut to its columns before it is hashed, so that it verifies as it stands."""
    odd = AuditEntry(rows.T0, "a" * 500, "b" * 500, "c\x00\ud800" * 500, {"d": "\ud800", "e": "ệ"})
    audit.append(store, [odd])
    assert audit.verify(store).ok


columns = st.sampled_from(COLUMNS[1:])
operations = st.one_of(
    st.tuples(st.just("change"), st.integers(1, 12), columns, st.text(max_size=3)),
    st.tuples(st.just("delete"), st.integers(1, 12), st.integers(1, 12), st.none()),
    st.tuples(st.just("insert"), st.integers(1, 13), st.text(max_size=3), st.none()),
    st.tuples(st.just("swap"), st.integers(1, 12), st.integers(1, 12), st.none()),
)  # fmt: skip


def _tamper(connection, operation):
    kind, one, two, value = operation
    if kind == "change":
        connection.execute(f"UPDATE audit SET {two} = ? WHERE seq = ?", (value, one))
    elif kind == "delete":
        connection.execute("DELETE FROM audit WHERE seq BETWEEN ? AND ?", sorted((one, two)))
    elif kind == "insert":
        connection.execute("UPDATE audit SET seq = -seq - 1 WHERE seq >= ?", (one,))
        connection.execute("UPDATE audit SET seq = -seq WHERE seq < 0")
        row = (one, 0, "a", "b", two, "{}", "0" * 64)
        connection.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    else:
        for seq, number in ((one, -1), (two, one), (-1, two)):
            connection.execute("UPDATE audit SET seq = ? WHERE seq = ?", (number, seq))


@settings(max_examples=60, deadline=None)
@given(done=st.lists(operations, min_size=1, max_size=3))
def test_any_tampering_is_found_at_the_first_entry_that_changed(done, tmp_path_factory, fresh):
    """Whatever was done: either every entry is as it was, or the first one that is not is told."""
    file = tmp_path_factory.mktemp("log") / "hub.sqlite"
    file.write_bytes(fresh.read_bytes())
    store = Store.open(f"sqlite:///{file}")
    audit.append(store, _entries(12))
    audit.checkpoint(store, rows.T0)
    query = f"SELECT {', '.join(COLUMNS)} FROM audit ORDER BY seq"
    with _unguarded(file) as connection:
        before = connection.execute(query).fetchall()
        for operation in done:
            _tamper(connection, operation)
        after = connection.execute(query).fetchall()
    report = audit.verify(store)
    store.close()
    if after == before:
        assert report.ok
        return
    different = [
        n for n, pair in enumerate(zip(before, after, strict=False), 1) if len(set(pair)) > 1
    ]
    first = different[0] if different else min(len(before), len(after)) + 1
    assert (report.ok, report.first_bad) == (False, first)


def test_the_log_is_written_with_what_it_logs(store, windows):
    """A window that fails logs nothing; one that commits logs exactly its entries."""
    record = rows.whole()
    broken = dataclasses.replace(record, deliveries=(rows.delivery(rows.message()),))
    with pytest.raises(StoreUnavailable), windows.window() as tx:
        tx.record(broken)
    assert audit.verify(store).entries == 0
    with windows.window() as tx:
        tx.record(record)
    assert audit.verify(store) == audit.AuditReport(ok=True, entries=1)
