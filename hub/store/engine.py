"""Open the store, and the two kinds of transaction on it. Driver errors leave through one door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import SQLAlchemyError

from hub.errors import ConfigInvalid, StoreSchema, StoreUnavailable
from hub.store import dialect


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into ``StoreUnavailable``."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        first = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise StoreUnavailable(reason=first[:200]) from error


def _configuration(folder: Path, connection: Connection) -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(folder).replace("%", "%%"))
    configuration.attributes["connection"] = connection
    return configuration


def _sqlite_file(url: str) -> str | None:
    """The file of a SQLite URL; the URL itself is never shown, it may hold a password."""
    try:
        parsed = make_url(url)
        return parsed.database if parsed.get_backend_name() == "sqlite" else None
    except (SQLAlchemyError, ValueError) as error:
        raise _no_url("not an SQLAlchemy URL") from error


def _engine(url: str) -> Engine:
    try:
        return dialect.new_engine(url)
    except (SQLAlchemyError, ImportError) as error:
        raise _no_url(str(error)[:120]) from error


def _no_url(reason: str) -> ConfigInvalid:
    return ConfigInvalid(file="hub.toml, HUB_STORE_URL", key="store.url", reason=reason)


class Store:
    """One store: a SQLite file or a PostgreSQL database at this program's schema version."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, url: str, *, create: bool = False) -> Store:
        """Open the store at an SQLAlchemy URL; with ``create`` bring it to the newest schema first.

        Raises ``ConfigInvalid`` for what is no such URL or lacks its driver, ``StoreUnavailable``
        (a missing file too) or ``StoreSchema``.
        """
        file = _sqlite_file(url)
        if file and not create and not Path(file).exists():
            raise StoreUnavailable(reason=f"{file}: no such file")
        store = cls(_engine(url))
        try:
            if create:
                store.migrate()
            store.check_version()
        except BaseException:
            store.close()
            raise
        return store

    def migrate(self) -> None:
        """Run the migrations that are missing, in one transaction."""
        with as_file(files("hub.store") / "migrations") as folder, self.write() as connection:
            command.upgrade(_configuration(folder, connection), "head")

    def check_version(self) -> None:
        """Raise ``StoreSchema`` unless the store is at this program's version."""
        with as_file(files("hub.store") / "migrations") as folder, self.read() as connection:
            script = ScriptDirectory.from_config(_configuration(folder, connection))
            found = MigrationContext.configure(connection).get_current_revision()
            expected = script.get_current_head()
        if found != expected:
            raise StoreSchema(value=found or "-", expected=expected)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded store, which serves one router."""
        return dialect.is_sqlite(self.engine)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A short read-only transaction; raises ``StoreUnavailable``."""
        with translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A write transaction: everything or, after an exception, nothing of it."""
        with (
            translated(),
            self.engine.connect().execution_options(hub_writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
