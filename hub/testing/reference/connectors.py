"""docs/reference/connectors.md: the settings files of the connectors that are shipped."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from connectors.dms.config import DmsOptions
from connectors.one_stop.app import OneStopOptions
from connectors.vnpost.config import VnpostConfig
from hub.adapters.edge_settings import _Connector
from hub.testing.reference.markdown import NOTE
from hub.testing.reference.models import inner, model_table, plain

CONNECTORS_INTRO = f"""# Settings of connectors · Thiết lập của đầu nối

{NOTE}
One file for each connector, `connectors/NAME.toml` in the home; its state lies beside it in
`NAME.sqlite`. The runner reads `[connector]`; `[options]` is the connector's own. Relative paths
start from the file. An unknown key ends the connector with status 2, naming file and key. Passwords
are `env:NAME` or a file that its owner alone can read (0600).

## `[connector]`
"""
KINDS: dict[str, type[BaseModel]] = {
    "one_stop": OneStopOptions,
    "dms": DmsOptions,
    "vnpost": VnpostConfig,
}
"""Kind → its options."""
INTERNAL = ("folder",)
"""Filled in by the connector, not by the file."""


def page() -> str:
    """What every connector's file holds, then the options of each kind."""
    parts = [CONNECTORS_INTRO, model_table(_Connector)]
    for name, model in KINDS.items():
        parts += [f"## Kind `{name}`\n", *_tables("options", model)]
    return "\n".join(parts)


def _tables(path: str, model: type[BaseModel]) -> Iterator[str]:
    said = plain(model.__doc__ or "").removeprefix("`[options]`; ").partition(": ")
    said_of_it = said[2] or said[0]
    yield f"**`[{path}]`** {said_of_it[:1].upper()}{said_of_it[1:]}\n"
    yield model_table(model, without=INTERNAL)
    for key, part in inner(model):
        yield from _tables(f"{path}.{key}", part)
