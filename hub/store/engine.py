"""Open the store, and the two kinds of transaction on it. Driver errors leave through one door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, inspect
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from hub.errors import ConfigInvalid, StoreSchema, StoreUnavailable
from hub.store import dialect

HEAD = "0002"
"""The schema version of this program: the newest revision in ``hub/store/migrations``."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into ``StoreUnavailable``."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        first = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise StoreUnavailable(reason=first[:200]) from error


def _revision(connection: Connection) -> str:
    """The schema version that a store says it has; empty where there is none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return " ".join(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars())


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
        from hub.store.upgrade import upgrade  # noqa: PLC0415  Alembic takes half a second to load

        with self.write() as connection:
            upgrade(connection, _revision(connection), HEAD)

    def check_version(self) -> None:
        """Raise ``StoreSchema`` unless the store is at this program's version."""
        with self.read() as connection:
            found = _revision(connection)
        if found != HEAD:
            raise StoreSchema(value=found or "-", expected=HEAD)

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
