"""Evidence: compressed without loss, held to its digest on every reading, safe from kill -9."""

from __future__ import annotations

import dataclasses
import os
import signal
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from hub.envelope import sha256_hex
from hub.errors import NotFound, StoreDamaged
from hub.store import blobs, deliveries
from hub.store.rows import WindowRecord
from hub.store.tables import blobs as table
from hub.testing import rows
from hub.testing.rows import whole

SHRINKS = b"<a>" + b"Sao y ban chinh " * 500 + b"</a>"


def _keep(windows, *raws):
    with windows.window() as tx:
        for raw in raws:
            tx.record(whole(raw))
    return [sha256_hex(raw) for raw in raws]


def _rows(store):
    with store.read() as connection:
        return {row.sha256: row for row in connection.execute(select(table))}


def test_compression_keeps_every_byte_and_saves_room(store, windows):
    """After compressing, the same bytes come back and the rows are smaller; once is enough."""
    raws = [SHRINKS, SHRINKS + b"2", b""]
    digests = _keep(windows, *raws)
    assert blobs.compress(store) == 6
    assert blobs.compress(store) == 0
    assert [blobs.raw(store, digest) for digest in digests] == raws
    found = _rows(store)
    assert len(found[digests[0]].data) < len(SHRINKS) / 10
    assert found[digests[0]].size == len(SHRINKS)


def test_what_does_not_shrink_stays_as_it_is(store, windows):
    """Encrypted or packed attachments are not made larger, and are not tried again."""
    noise = os.urandom(5_000)
    (digest,) = _keep(windows, noise)
    blobs.compress(store)
    assert _rows(store)[digest].data == noise
    assert blobs.raw(store, digest) == noise
    assert blobs.compress(store) == 0


def test_compressing_goes_on_in_batches(store, windows):
    """A limit bounds one batch; the next takes the rest."""
    _keep(windows, *[b"%d" % n * 100 for n in range(5)])
    done = [blobs.compress(store, limit=4) for _ in range(4)]
    assert done == [4, 4, 2, 0]


def test_a_batch_is_bounded_by_bytes_too():
    """A batch of envelopes of 8 MiB never takes gigabytes, and one blob is always taken."""
    assert blobs.within([("a", 10), ("b", 10), ("c", 1)], limit=20) == ["a", "b"]
    assert blobs.within([("a", 10**9), ("b", 1)], limit=20) == ["a"]
    assert blobs.within([], limit=20) == []


def test_the_router_is_not_held_up_by_compression(store, windows, monkeypatch):
    """While bytes are being compressed another connection can write: no lock is held."""
    _keep(windows, SHRINKS)
    wrote = []

    def write():
        _keep(windows, b"meanwhile")
        wrote.append(True)

    def slow(data, level):
        thread = threading.Thread(target=write)
        thread.start()
        thread.join(20)
        return real(data, level)

    real = blobs.zlib.compress
    monkeypatch.setattr(blobs.zlib, "compress", slow)
    blobs.compress(store)
    assert wrote


def test_nothing_is_replaced_by_what_does_not_unpack_to_it(store, windows, monkeypatch):
    """A compressor that went wrong costs room, never evidence."""
    (digest,) = _keep(windows, SHRINKS)
    good = blobs.zlib.compress(b"something else")
    monkeypatch.setattr(blobs.zlib, "compress", lambda *_arguments: good)
    blobs.compress(store)
    assert blobs.raw(store, digest) == SHRINKS


COMPRESS = """
import sys, time
from hub.store import blobs
from hub.store.engine import Store
real = blobs.zlib.compress
def told(data, level):
    print("compressing", flush=True)
    return real(data, level)
blobs.zlib.compress = told
store = Store.open(f"sqlite:///{sys.argv[1]}")
while blobs.compress(store, limit=3):
    print("written", flush=True)
print("finished", flush=True)
"""


@pytest.mark.parametrize("after", [1, 4, 7, 10])
def test_kill_9_while_compressing_loses_nothing(store, windows, file, child, after):
    """Killed at any step, every blob still reads as it was, and the work can go on."""
    raws = [b"%d" % n * 20_000 for n in range(6)]
    digests = _keep(windows, *raws)
    process = child(COMPRESS, file)
    for _ in range(after):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert [blobs.raw(store, digest) for digest in digests] == raws
    while blobs.compress(store):
        pass
    assert [blobs.raw(store, digest) for digest in digests] == raws


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        "data = x'00'",
        "data = substr(data, 2)",
        "data = 'text'",
        "data = CAST(data || x'00' AS BLOB)",
        "encoding = 'zlib'",
        "encoding = 'raw'",
    ],
)
def test_damage_is_found_when_it_is_read(store, windows, raw_sql, compressed, change):
    """Changed, cut or mislabelled bytes are never handed out as what an agency signed."""
    (digest,) = _keep(windows, SHRINKS)
    if compressed:
        blobs.compress(store)
    before = _rows(store)[digest]
    raw_sql(f"UPDATE blobs SET {change} WHERE sha256 = ?", (digest,))
    after = _rows(store)[digest]
    if (after.encoding, after.data) == (before.encoding, before.data):
        assert blobs.raw(store, digest) == SHRINKS
        return
    if compressed and "||" in change:  # what follows the end of a packed stream means nothing
        assert blobs.raw(store, digest) == SHRINKS
        return
    with pytest.raises(StoreDamaged, match=digest):
        blobs.raw(store, digest)


def test_damaged_evidence_is_marked_not_packed(store, windows, raw_sql):
    """Compressing meets a blob that is no longer itself: it is left alone, the rest goes on."""
    bad, good = _keep(windows, SHRINKS, SHRINKS + b"2")
    raw_sql("UPDATE blobs SET data = x'00' WHERE sha256 = ?", (bad,))
    blobs.compress(store)
    assert blobs.compress(store) == 0
    found = _rows(store)
    assert (found[bad].encoding, found[bad].data) == (blobs.DAMAGED, b"\x00")
    assert found[good].encoding == blobs.ZLIB
    with pytest.raises(StoreDamaged):
        blobs.raw(store, bad)


def test_one_damaged_message_does_not_keep_others_from_being_swept(store, windows, raw_sql):
    """Deliveries whose bytes are lost are left out, and said so in the log; the others come."""
    records = [whole(b"<a/>"), whole(b"<b/>")]
    with windows.window() as tx:
        for record in records:
            tx.record(record)
    raw_sql("UPDATE blobs SET data = x'00' WHERE sha256 = ?", (sha256_hex(b"<a/>"),))
    raw_sql("UPDATE blobs SET data = x'00' WHERE sha256 = ?", (records[1].receipts[0].digest,))
    found = deliveries.unconfirmed(store, rows.at(61))
    assert {one.raw for one in found} == {b"<b/>"}
    told = deliveries.unconfirmed_receipts(store, rows.at(61))
    assert [one.id for one in told] == [records[0].receipts[0].id]


def test_a_repeat_of_damaged_evidence_is_an_error_not_a_wrong_answer(windows, raw_sql):
    """The stored receipt's bytes are answered again only if they are still those."""
    record = whole()
    with windows.window() as tx:
        tx.record(record)
    raw_sql("UPDATE blobs SET data = x'00' WHERE sha256 = ?", (record.receipts[0].digest,))
    key = (record.messages[0].sender, record.messages[0].message_id)
    with windows.window() as tx, pytest.raises(StoreDamaged):
        tx.priors([key])


def test_unknown_digests_are_told(store):
    """Nothing is known of bytes that never were here."""
    with pytest.raises(NotFound):
        blobs.raw(store, "0" * 64)


@given(st.binary(max_size=2_000) | st.binary(max_size=5).map(lambda part: part * 500))
def test_packing_is_lossless(raw):
    """Whatever the bytes are, each encoding of them reads back as exactly them."""
    digest = sha256_hex(raw)
    for encoding, data in (
        (blobs.RAW, raw),
        (blobs.PLAIN, raw),
        (blobs.ZLIB, blobs.zlib.compress(raw, blobs.LEVEL)),
    ):
        assert blobs.decoded(digest, encoding, data) == raw


def test_sweeping_takes_no_more_than_memory_is_meant_for(store, windows, monkeypatch):
    """Unconfirmed envelopes are read up to a number of bytes; the oldest come first."""
    monkeypatch.setattr(blobs, "BATCH_BYTES", 250)
    with windows.window() as tx:
        for n in range(5):
            record = whole(b"%d" % n * 100)
            tx.record(
                WindowRecord(
                    messages=record.messages,
                    deliveries=(dataclasses.replace(record.deliveries[0], created_at=rows.at(-n)),),
                )
            )
    found = deliveries.unconfirmed(store, rows.at(61))
    assert [one.raw[:1] for one in found] == [b"4", b"3"]
    monkeypatch.setattr(blobs, "BATCH_BYTES", 1)
    assert len(deliveries.unconfirmed(store, rows.at(61))) == 1
