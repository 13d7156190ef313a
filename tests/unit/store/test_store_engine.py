"""Opening a store: durability on every connection, one writer at a time, schema versions."""

from __future__ import annotations

import os
import stat
import threading

import pytest
from sqlalchemy import select, text

from hub.errors import ConfigInvalid, StoreSchema, StoreUnavailable
from hub.store import dialect
from hub.store.edge import EdgeStore
from hub.store.engine import Store
from hub.store.tables import meta

DURABLE = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def _pragmas(connection):
    return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in DURABLE}


def test_every_connection_is_durable(store):
    """Write-ahead log and full sync are set on each connection of the pool, old and new."""
    with store.read() as first, store.read() as second, store.read() as third:
        for connection in (first, second, third):
            assert _pragmas(connection) == DURABLE
    store.engine.dispose()
    with store.write() as connection:
        assert _pragmas(connection) == DURABLE


def test_a_file_that_cannot_have_a_log_is_refused(monkeypatch, tmp_path):
    """Where SQLite silently falls back (network drives do), evidence would not be safe."""
    monkeypatch.setattr(dialect, "_PRAGMAS", ("PRAGMA locking_mode=NORMAL",))
    engine = dialect.new_engine("sqlite://")
    with pytest.raises(StoreUnavailable, match="journal_mode=memory"):
        Store(engine).check_version()


def test_readers_cannot_write(store):
    """A read transaction that tries to write fails; the next write on that connection works."""
    with pytest.raises(StoreUnavailable, match="readonly"), store.read() as connection:
        connection.execute(text("INSERT INTO meta VALUES ('x', 1)"))
    with store.write() as connection:
        connection.execute(text("INSERT INTO meta VALUES ('x', 1)"))
    with store.read() as connection:
        assert connection.scalar(select(meta.c.value)) == 1


def test_writers_take_the_lock_when_they_begin(store):
    """A second writer waits at its beginning; it never fails in the middle of its work."""
    order = []
    began = threading.Event()

    def second():
        began.set()
        with store.write() as connection:
            order.append(connection.scalar(select(meta.c.value)))

    with store.write() as connection:
        thread = threading.Thread(target=second)
        thread.start()
        assert began.wait(10)
        connection.execute(text("INSERT INTO meta VALUES ('x', 1)"))
        order.append("first")
    thread.join(20)
    assert order == ["first", 1]


WRITER = """
import sys
from sqlalchemy import text
from hub.store.engine import Store
store = Store.open(f"sqlite:///{sys.argv[1]}")
sys.stdin.readline()
for n in range(int(sys.argv[2])):
    with store.write() as connection:
        connection.execute(text("UPDATE meta SET value = value + 1"))
print("done", flush=True)
"""


def test_two_writer_processes_do_not_lock_each_other_out(store, file, child):
    """Both finish within the busy timeout, no increment is lost, and readers see whole steps."""
    with store.write() as connection:
        connection.execute(text("INSERT INTO meta VALUES ('x', 0)"))
    writers = [child(WRITER, file, 60) for _ in range(2)]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    seen = []
    while any(writer.poll() is None for writer in writers):
        with store.read() as connection:
            seen.append(connection.scalar(select(meta.c.value)))
    assert [writer.wait() for writer in writers] == [0, 0]
    assert seen == sorted(seen)
    with store.read() as connection:
        assert connection.scalar(select(meta.c.value)) == 120


def test_a_reader_sees_one_moment(store):
    """Within a read transaction nothing changes, although a writer commits beside it."""
    with store.read() as reader:
        assert reader.scalar(select(meta.c.value)) is None
        with store.write() as writer:
            writer.execute(text("INSERT INTO meta VALUES ('x', 1)"))
        assert reader.scalar(select(meta.c.value)) is None
    with store.read() as reader:
        assert reader.scalar(select(meta.c.value)) == 1


def test_a_locked_store_is_unavailable_not_a_crash(store, raw_sql):
    """Whoever holds the lock longer than the busy timeout gives the others ``StoreUnavailable``."""
    raw_sql("BEGIN IMMEDIATE")
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=10")
    with pytest.raises(StoreUnavailable, match="locked"), store.write():
        pytest.fail("two writers")
    raw_sql("ROLLBACK")
    with store.write():
        pass


def test_an_exception_undoes_everything(store):
    """What was written before an exception is gone; the exception itself passes unchanged."""

    def fail():
        with store.write() as connection:
            connection.execute(text("INSERT INTO meta VALUES ('x', 1)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.read() as connection:
        assert connection.scalar(select(meta.c.value)) is None


def test_errors_never_quote_parameters(store):
    """Parameters are what citizens wrote; neither the error nor its cause repeats them."""
    statement = text("INSERT INTO blobs VALUES (NULL, 1, 'raw', :data)")
    with pytest.raises(StoreUnavailable) as caught, store.write() as connection:
        connection.execute(statement, {"data": b"Nguyen Van A 001200012345"})
    assert "001200012345" not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_stores_are_private_files(tmp_path, umask):
    """Database, log and index are readable by their owner alone, whatever the umask is."""
    before = os.umask(umask)
    try:
        hub = Store.open(f"sqlite:///{tmp_path}/hub.sqlite", create=True)
        edge = EdgeStore.open(tmp_path / "edge" / "one.sqlite")
        with hub.write() as connection:
            connection.execute(text("INSERT INTO meta VALUES ('x', 1)"))
        files = [*tmp_path.glob("*.sqlite*"), *tmp_path.glob("edge/*")]
        assert len(files) >= 4
        assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}
        hub.close()
        edge.close()
    finally:
        os.umask(before)


def test_a_missing_file_is_not_made_by_opening(tmp_path):
    """Only ``create`` makes a store: a wrong path must not look like an empty hub."""
    with pytest.raises(StoreUnavailable, match="no such file"):
        Store.open(f"sqlite:///{tmp_path}/none.sqlite")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("create", [True, False])
def test_what_is_no_store_is_told(tmp_path, create):
    """Another file, a folder, a missing folder, a file that may not be read."""
    (tmp_path / "text").write_bytes(b"this is no database, by far\n" * 100)
    (tmp_path / "folder").mkdir()
    for name in ("text", "folder", "none/hub.sqlite"):
        with pytest.raises(StoreUnavailable):
            Store.open(f"sqlite:///{tmp_path}/{name}", create=create)
    assert (tmp_path / "text").read_bytes().startswith(b"this is no database")


@pytest.mark.parametrize(
    "url", ["", "nonsense", "oracle-of-delphi://u:hunter2@h", "sqlite+x:///{file}"]
)
def test_what_is_no_url_is_a_wrong_setting(file, url):
    """The setting is named, the URL (it may hold a password) is not."""
    with pytest.raises(ConfigInvalid) as caught:
        Store.open(url.format(file=file))
    assert caught.value.facts["key"] == "store.url"
    assert "hunter2" not in str(caught.value)


def test_an_empty_file_has_no_schema(tmp_path):
    """A database without our tables is told as such, and is not filled by opening."""
    (tmp_path / "empty.sqlite").touch()
    with pytest.raises(StoreSchema, match="version -"):
        Store.open(f"sqlite:///{tmp_path}/empty.sqlite")


@pytest.mark.parametrize("create", [True, False])
def test_a_newer_store_is_refused_and_left_alone(file, raw_sql, create):
    """An older program must not touch what a newer one wrote; there is no downgrade."""
    raw_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreSchema, match="9999"):
        Store.open(f"sqlite:///{file}", create=create)
    assert raw_sql("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]


def test_a_store_with_two_versions_is_refused(file, raw_sql):
    """A damaged version table is told, not guessed at."""
    raw_sql("INSERT INTO alembic_version VALUES ('0000')")
    with pytest.raises(StoreSchema):
        Store.open(f"sqlite:///{file}")


def test_two_processes_may_create_at_once(tmp_path, child):
    """The first one migrates under the write lock, the other finds the work done."""
    code = (
        "import sys; from hub.store.engine import Store; sys.stdin.readline(); "
        "Store.open(f'sqlite:///{sys.argv[1]}', create=True).close()"
    )
    both = [child(code, tmp_path / "hub.sqlite") for _ in range(2)]
    for one in both:
        one.stdin.write("go\n")
        one.stdin.flush()
    assert [one.wait(60) for one in both] == [0, 0]
    Store.open(f"sqlite:///{tmp_path}/hub.sqlite").close()


@pytest.mark.parametrize("name", ["100%41.sqlite", "ệ #.sqlite"])
def test_paths_of_edge_stores_are_taken_as_they_are(tmp_path, name):
    """A connector's store lies where its settings say, whatever characters the path has."""
    EdgeStore.open(tmp_path / "a?b" / name).close()
    assert (tmp_path / "a?b" / name).is_file()


def test_postgresql_is_spoken_with_psycopg():
    """A plain ``postgresql://`` URL means psycopg 3, the one driver that is supported."""
    engine = dialect.new_engine("postgresql://u:p@127.0.0.1:1/x")
    assert engine.dialect.driver == "psycopg"
    with pytest.raises(StoreUnavailable):
        Store(engine).check_version()
