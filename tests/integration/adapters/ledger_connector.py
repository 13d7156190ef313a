"""A connector whose partner is one SQLite table that takes the same key as often as it is given.

Files in its folder are the partner's moods: ``hang-before`` and ``hang-after`` let ``apply`` stop
for ever around its effect (``hanging`` says that it does), ``busy`` makes it refuse for now,
``down`` takes the whole system away, ``slow`` takes a second; ``out/*.txt`` are records to send,
with the receiver's code inside.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from hub.adapters.contract import Applied, Batch, Draft, Health, Item, Parts
from hub.adapters.runner import main_for
from hub.codes import AgencyCode, DossierCode, Environment, MessageType
from hub.errors import SinkUnavailable
from hub.schemas.example import example_draft


class Ledger:
    """Source, sink and probe."""

    def __init__(self, folder: Path, agency: AgencyCode) -> None:
        self.folder, self.agency = folder, agency
        self.file = folder / "ledger.sqlite"
        with closing(sqlite3.connect(self.file)) as connection, connection:
            columns = "n INTEGER PRIMARY KEY, key TEXT, type TEXT"
            connection.execute(f"CREATE TABLE IF NOT EXISTS ledger ({columns})")
            connection.execute("CREATE TABLE IF NOT EXISTS told (n INTEGER PRIMARY KEY, what TEXT)")

    def flag(self, name: str) -> bool:
        return (self.folder / name).exists()

    def hang(self, name: str) -> None:
        while self.flag(name):
            (self.folder / "hanging").touch()
            time.sleep(0.05)

    def execute(self, statement: str, *values: str) -> list[tuple]:
        if self.flag("down"):
            raise SinkUnavailable
        with closing(sqlite3.connect(self.file, timeout=10)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def apply(self, message, key: str) -> Applied:
        if self.flag("busy"):
            raise SinkUnavailable
        self.hang("hang-before")
        self.execute("INSERT INTO ledger (key, type) VALUES (?, ?)", key, str(message.type))
        self.hang("hang-after")
        if self.flag("slow"):
            time.sleep(1)
        return Applied(key[-12:])

    def lookup(self, key: str) -> Applied | None:
        found = self.execute("SELECT key FROM ledger WHERE key = ?", key)
        return Applied(key[-12:]) if found else None

    def poll(self, checkpoint: str | None, limit: int) -> Batch:
        names = sorted(file.name for file in (self.folder / "out").glob("*.txt"))
        new = [name for name in names if name > (checkpoint or "")][:limit]
        items = tuple(Item(name, self.draft(name), label=name) for name in new)
        return Batch(items, new[-1] if new else checkpoint or "")

    def draft(self, name: str) -> Draft:
        receiver = AgencyCode.parse((self.folder / "out" / name).read_text("utf-8").strip())
        made = example_draft(
            "dossier.received",
            self.agency,
            [receiver],
            now=datetime.now(UTC),
            environment=Environment.TRIAL,
        )
        return Draft(
            MessageType("dossier.received"),
            (receiver,),
            made.payload,
            dossier_code=DossierCode(f"HS-{name}"),
        )

    def confirm(self, key: str, confirmation, receipt) -> None:
        self.execute("INSERT INTO told (what) VALUES (?)", f"{key} {confirmation.value}")

    def probe(self) -> Health:
        return Health(not self.flag("down"))


def factory(settings) -> Parts:
    made = Ledger(Path(str(settings.options["folder"])), settings.agency)
    return Parts(made, made, made, ("dossier.*", "document.*"))


if __name__ == "__main__":
    sys.exit(main_for(factory))
