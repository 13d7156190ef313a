"""Bring a store to a schema version by Alembic; loaded only where that is to be done."""

from __future__ import annotations

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from hub.errors import StoreSchema


def upgrade(connection: Connection, found: str, wanted: str) -> None:
    """Run the migrations from ``found`` (empty: none yet) to ``wanted`` in this transaction.

    Raises ``StoreSchema``, and changes nothing, when a newer program made the store.
    """
    with as_file(files("hub.store") / "migrations") as folder:
        configuration = Config()
        configuration.set_main_option("script_location", str(folder).replace("%", "%%"))
        configuration.attributes["connection"] = connection
        script = ScriptDirectory.from_config(configuration)
        if found and found not in {one.revision for one in script.walk_revisions()}:
            raise StoreSchema(value=found, expected=wanted)
        command.upgrade(configuration, wanted)
