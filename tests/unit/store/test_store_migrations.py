"""Migrations lead to exactly the tables that the code uses, forward, whole or not at all."""

from __future__ import annotations

import importlib
import pkgutil
import sqlite3
import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event, inspect, text

from hub.errors import StoreSchema, StoreUnavailable
from hub.store import blobs, dialect, engine, migrations
from hub.store.engine import Store
from hub.store.migrations import versions
from hub.store.tables import metadata
from hub.testing import rows

MODULES = [
    importlib.import_module(f"{versions.__name__}.{one.name}")
    for one in pkgutil.iter_modules(versions.__path__)
]
NAMES = "SELECT name, type, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"


def _schema(file):
    """What SQLite itself says: columns with type and place in the key, indexes, foreign keys."""
    connection = sqlite3.connect(file)
    found = {}
    for name, kind, sql in connection.execute(NAMES).fetchall():
        if kind == "index":
            condition = sql.partition(" WHERE ")[2]
            found[name] = connection.execute(f"PRAGMA index_info({name})").fetchall(), condition
        elif kind == "table" and name != "alembic_version":
            columns = connection.execute(f"PRAGMA table_info({name})").fetchall()
            keys = connection.execute(f"PRAGMA foreign_key_list({name})").fetchall()
            found[name] = sorted(one[1:] for one in columns), keys
    connection.close()
    return found


def test_migrations_and_tables_agree(store):
    """Alembic finds no difference between what the migrations made and ``tables.py``."""
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrations_and_tables_make_the_same_sql(file, tmp_path):
    """An independent judge, SQLite's own catalogue: columns, keys, partial indexes."""
    direct = Store(dialect.new_engine(f"sqlite:///{tmp_path}/direct.sqlite"))
    with direct.write() as connection:
        metadata.create_all(connection)
    direct.close()
    assert _schema(file) == _schema(tmp_path / "direct.sqlite")


def test_revisions_are_one_line():
    """Each migration follows the one before it; their names sort in their order."""
    for before, after in zip([None, *MODULES], MODULES, strict=False):
        assert after.down_revision == (before.revision if before else None)
        assert after.__name__.rsplit(".", 1)[1].startswith(f"v{after.revision}_")


def test_the_program_names_the_newest_revision():
    """What a store is compared with is the last migration."""
    assert MODULES[-1].revision == engine.HEAD


def test_opening_loads_no_migrations(file):
    """Every command opens the store; Alembic is loaded only by what makes or upgrades one."""
    program = (
        "import sys; from hub.store.engine import Store; "
        f"Store.open('sqlite:///{file}').close(); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_there_is_no_way_back():
    """No migration forgets evidence; the docs say what to do instead."""
    assert not any(hasattr(module, "downgrade") for module in MODULES)
    assert "no downgrade" in migrations.__doc__


@pytest.fixture
def first_version(tmp_path, monkeypatch):
    """A store as the first version of the program left it, with evidence in it."""
    path = tmp_path / "old.sqlite"
    monkeypatch.setattr("hub.store.engine.HEAD", "0001")
    store = Store(dialect.new_engine(f"sqlite:///{path}"))
    store.migrate()
    with store.write() as connection:
        connection.execute(
            text("INSERT INTO blobs VALUES (:d, 2, 'raw', :b)"), {"d": "d", "b": b"ab"}
        )
        connection.execute(text("INSERT INTO audit VALUES (1, 2, 'a', 'b', 'c', '{}', 'h')"))
    store.close()
    monkeypatch.undo()
    return path


def test_an_older_store_is_refused_until_it_is_migrated(first_version):
    """Opening tells both versions and changes nothing; migrating keeps every row."""
    url = f"sqlite:///{first_version}"
    with pytest.raises(StoreSchema, match="version 0001; this program needs 0002"):
        Store.open(url)
    store = Store.open(url, create=True)
    with store.read() as connection:
        assert connection.execute(text("SELECT * FROM blobs")).one() == ("d", 2, "raw", b"ab")
        assert connection.execute(text("SELECT seq FROM audit")).scalar_one() == 1
    store.close()


def test_a_migration_that_fails_leaves_nothing(first_version, monkeypatch):
    """Half a migration never stays: the store is at the old version with the old tables."""
    before = _schema(first_version)
    last = importlib.import_module("hub.store.migrations.versions.v0002_guards")
    store = Store(dialect.new_engine(f"sqlite:///{first_version}"))
    monkeypatch.setattr("alembic.operations.Operations.execute", _fail)
    with pytest.raises(StoreUnavailable):
        store.migrate()
    monkeypatch.undo()
    assert _schema(first_version) == before
    with pytest.raises(StoreSchema, match=last.down_revision):
        store.check_version()
    store.close()


def _fail(*_arguments, **_names):
    raise OSError("disk full")


def test_opening_again_migrates_nothing(file):
    """``create`` on a store at the newest schema changes not a byte of the schema."""
    before = _schema(file)
    Store.open(f"sqlite:///{file}", create=True).close()
    assert _schema(file) == before


def _plan(store, statement):
    with store.read() as connection:
        found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")
        return " ".join(row[3] for row in found)


def test_hot_look_ups_use_an_index(store):
    """With 400 days of messages these queries must not read the whole table."""
    for statement, index in (
        ("SELECT id FROM messages WHERE dossier_code = 'x'", "ix_messages_dossier_code"),
        ("SELECT sha256, size FROM blobs WHERE encoding = 'raw' LIMIT 5", "ix_blobs_raw"),
        ("SELECT id FROM quarantine WHERE claimed_id = 'x'", "ix_quarantine_claimed_id"),
        (
            "SELECT id FROM deliveries WHERE confirmed_us IS NULL AND created_us < 5",
            "ix_deliveries_confirmed_us_created_us",
        ),
    ):
        assert index in _plan(store, statement)


def test_every_foreign_key_has_an_index(store):
    """Looking for a message's deliveries and receipts never reads all of them."""
    with store.read() as connection:
        found = inspect(connection)
        for table in found.get_table_names():
            leading = {tuple(one["column_names"])[:1] for one in found.get_indexes(table)}
            for key in found.get_foreign_keys(table):
                assert tuple(key["constrained_columns"]) in leading


@pytest.fixture
def statements(store):
    """The SELECTs that the code sends (the log's last entry aside), with literals in them."""
    seen = []

    def note(_connection, _cursor, statement, *_rest):
        if statement.startswith("SELECT") and "FROM audit" not in statement:
            seen.append(statement.replace("?", "5"))

    event.listen(store.engine, "before_cursor_execute", note)
    yield seen
    event.remove(store.engine, "before_cursor_execute", note)


def test_a_window_reads_no_whole_table(store, windows, statements):
    """Dedupe and numbering must cost the same with a day of messages and with 400 days."""
    with windows.window() as tx:
        tx.record(rows.whole())
        tx.priors([("H12.15", rows.new_id()), ("H13.15", rows.new_id())])
        tx.next_seqs([("H12.15", "H13.15", "dossier:1"), ("H12.15", "H13.15", "dossier:2")])
        tx.still_open([rows.new_id(), rows.new_id()])
    assert len(statements) == 3
    for statement in statements:
        assert "SCAN" not in _plan(store, statement), statement


def test_the_index_of_waiting_blobs_is_used_by_the_code(store, windows, statements):
    """The compressor's own statement goes by the partial index, not over all evidence."""
    with windows.window() as tx:
        tx.record(rows.whole())
    statements.clear()
    blobs.compress(store)
    assert "ix_blobs_raw" in _plan(store, statements[0])
