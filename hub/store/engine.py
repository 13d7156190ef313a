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
from alembic.util import CommandError
from sqlalchemy import Engine
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from hub.errors import ConfigInvalid, StoreSchema, StoreUnavailable
from hub.store import dialect

HEAD = "head"
"""How far a store is migrated."""


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


def _revision(connection: Connection, script: ScriptDirectory) -> str | None:
    """The schema version of the store; ``None`` where there is none yet."""
    try:
        return MigrationContext.configure(connection).get_current_revision()
    except CommandError as error:
        raise StoreSchema(str(error), value="?", expected=script.get_current_head()) from error


def _engine(url: str, *, create: bool) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            _find(Path(parsed.database or ""), create=create)
        return dialect.new_engine(parsed)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        # The URL itself is never shown: it may hold a password.
        raise ConfigInvalid(
            file="hub.toml, HUB_STORE_URL",
            key="store.url",
            reason=f"not an SQLAlchemy URL that this program has a driver for ({_kind(error)})",
        ) from error


def _kind(error: Exception) -> str:
    return str(error)[:80] if isinstance(error, ImportError) else type(error).__name__


def _find(file: Path, *, create: bool) -> None:
    if create:
        dialect.make_private(file)
    elif not file.is_file():
        raise StoreUnavailable(reason=f"{file}: no such file")


class Store:
    """One store: a SQLite file or a PostgreSQL database at this program's schema version."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, url: str, *, create: bool = False) -> Store:
        """Open the store at an SQLAlchemy URL; with ``create`` bring it to the newest schema first.

        Raises ``ConfigInvalid`` (no URL, or no driver for it), ``StoreUnavailable`` (a missing file
        too) or ``StoreSchema``.
        """
        with translated():
            store = cls(_engine(url, create=create))
        try:
            if create:
                store.migrate()
            store.check_version()
        except BaseException:
            store.close()
            raise
        return store

    def migrate(self) -> None:
        """Run the migrations that are missing, in one transaction; there is no way back.

        Raises ``StoreSchema``, and changes nothing, when a newer program made the store.
        """
        with as_file(files("hub.store") / "migrations") as folder, self.write() as connection:
            configuration = _configuration(folder, connection)
            script = ScriptDirectory.from_config(configuration)
            found = _revision(connection, script)
            if found not in (None, *[one.revision for one in script.walk_revisions()]):
                raise StoreSchema(value=found, expected=script.get_current_head())
            command.upgrade(configuration, HEAD)

    def check_version(self) -> None:
        """Raise ``StoreSchema`` unless the store is at this program's version."""
        with as_file(files("hub.store") / "migrations") as folder, self.read() as connection:
            script = ScriptDirectory.from_config(_configuration(folder, connection))
            found, expected = _revision(connection, script), script.get_current_head()
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
