"""The closed table of message types, read once from ``types.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from hub.codes import MessageType
from hub.errors import ConfigInvalid, UnknownType, UnknownVersion

SENDER_KINDS = frozenset({"agency", "hub", "post", "resident", "portal"})


@dataclass(frozen=True, slots=True)
class TypeSpec:
    """One row of the table: what a message type is, who may send it and what answers it."""

    name: str
    """Dotted lower-case: ``dossier.received``."""
    element: str
    """Local name of the payload's one element; no two types share it."""
    namespace: str
    schema: str
    """Version of the payload's schema, ``"1"``."""
    senders: tuple[str, ...]
    """Kinds out of ``SENDER_KINDS``; ``agency`` is any agency."""
    receipts: tuple[str, ...]
    """Types of the receipts expected when all goes well; empty for receipts themselves."""
    title_vi: str
    title_en: str
    urgent_by_default: bool
    is_status: bool
    """Reports what already happened: a late one is history, not work."""

    @property
    def tag(self) -> str:
        """The payload element's name as lxml writes it: ``{namespace}element``."""
        return f"{{{self.namespace}}}{self.element}"

    def title(self, lang: str) -> str:
        """Return what the type is called in ``vi`` or ``en``."""
        return self.title_vi if lang == "vi" else self.title_en


@cache
def catalogue() -> Mapping[str, TypeSpec]:
    """Return every message type by its name; raises ``ConfigInvalid`` for a damaged table."""
    text = resources.files("hub.schemas").joinpath("types.toml").read_text("utf-8")
    return parse_types(text)


def parse_types(text: str) -> Mapping[str, TypeSpec]:
    """Read a table of message types in TOML; raises ``ConfigInvalid`` naming the type."""
    try:
        rows = tomllib.loads(text)
        table = {name: _spec(name, row) for name, row in rows.items()}
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise ConfigInvalid(key="", file="types.toml", reason=str(error)) from error
    tags = [spec.tag for spec in table.values()]
    shared = {tag for tag in tags if tags.count(tag) > 1}
    if shared:
        reason = f"two types share {sorted(shared)}"
        raise ConfigInvalid(key="element", file="types.toml", reason=reason)
    return MappingProxyType(table)


def _spec(name: str, row: Mapping[str, object]) -> TypeSpec:
    values = {key: tuple(item) if isinstance(item, list) else item for key, item in row.items()}
    spec = TypeSpec(name=name, **values)  # type: ignore[arg-type]  # TOML is untyped
    if not set(spec.senders) <= SENDER_KINDS:
        reason = f"senders are {sorted(SENDER_KINDS)}"
        raise ConfigInvalid(key=f"{name}.senders", file="types.toml", reason=reason)
    return spec


def spec_of(name: str | MessageType, schema: str | None = None) -> TypeSpec:
    """Return the row of a type; raises ``UnknownType``, or ``UnknownVersion`` for its schema."""
    spec = catalogue().get(str(name))
    if spec is None:
        raise UnknownType(value=str(name)[:64])
    if schema is not None and schema != spec.schema:
        raise UnknownVersion(value=f"{spec.name} {schema[:8]}")
    return spec


def schema_file(namespace: str) -> Path:
    """Return the path of the XSD of a payload namespace such as ``urn:lienthong:postal:1``."""
    family, version = namespace.split(":")[-2:]
    return schema_folder(version) / f"{family}.xsd"


def schema_folder(version: str = "1") -> Path:
    """Return the folder of the XSDs of one version of the wire."""
    return Path(str(resources.files("hub.schemas"))) / "xsd" / f"v{version}"
