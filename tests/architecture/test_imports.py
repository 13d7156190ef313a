"""Floors: who may import whom, by import-linter and by a second, independent reading."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path, PurePath

FLOORS = [
    {"connectors", "hub.cli", "hub.console"},
    {"hub.adapters", "hub.routing"},
    {"hub.schemas", "hub.broker", "hub.store"},
    {"hub.signing"},
    {"hub.safexml", "hub.settings", "hub.log"},
    {"hub.envelope"},
    {"hub.codes"},
    {"hub.errors"},
]
"""Architecture §3: each floor may import only what stands below it."""
AIDS = ("hub.testing", "connectors.simulators")
CONNECTORS = ("connectors.one_stop", "connectors.dms", "connectors.vnpost")
OWNERS = {
    ("kombu", "amqp", "pika"): ("hub.broker",),
    ("sqlalchemy", "alembic"): ("hub.store", "connectors"),
    ("lxml", "xmlschema"): ("hub.safexml", "hub.signing", "hub.schemas"),
}
"""Libraries and the only packages that may import them (SOAP code would join lxml's)."""


def name_of(path: PurePath) -> str:
    """The dotted name of a module."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST):
    """Every module that a tree imports, those within functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            yield node.module or ""
            yield from (f"{node.module}.{one.name}" for one in node.names)


def below(name: str, *packages: str) -> bool:
    """Whether a module is one of these packages or within one."""
    return any(name == one or name.startswith(f"{one}.") for one in packages)


def production(house):
    """Name and tree of each module that is shipped for work."""
    for path, tree in house.modules.items():
        name = name_of(path)
        if path.parts[0] != "tests" and not below(name, *AIDS):
            yield name, tree


def test_import_linter_keeps_every_contract(house):
    """The contracts of pyproject.toml hold, by the tool itself."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=house.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def test_the_contracts_say_what_the_architecture_says(house):
    """No floor was moved, no exception let in, and test aids are forbidden to all others."""
    contracts = {one["name"]: one for one in house.config["tool"]["importlinter"]["contracts"]}
    layers = contracts["Floors"]["layers"]
    assert [set(layer.split(" | ")) for layer in layers] == FLOORS
    assert not any(one.get("ignore_imports") for one in contracts.values())
    aids = contracts["No production module imports test aids or simulators"]
    assert set(aids["forbidden_modules"]) == set(AIDS)
    packages = set().union(*FLOORS) - {"connectors"}
    assert packages - {"hub.console"} <= set(aids["source_modules"])


def _floor(name):
    for number, floor in enumerate(FLOORS):
        if below(name, *floor):
            return number
    return None


def test_every_floor_imports_only_what_stands_below(house):
    """A second reading of all imports, dynamic ones in functions too: none goes up or sideways."""
    wrong = []
    for name, tree in production(house):
        for other in imports(tree):
            here, there = _floor(name), _floor(other)
            if here is None or there is None:
                continue
            same = any(below(name, one) and below(other, one) for one in FLOORS[here])
            if there < here or (there == here and not same):
                wrong.append(f"{name} imports {other}")
    assert not wrong


def test_the_lowest_floors_know_nothing_of_the_rest(house):
    """Every module of the hub stands on a floor: nothing lives beside the house."""
    strays = [
        name
        for name, _tree in production(house)
        if _floor(name) is None and name not in ("hub", "connectors")
    ]
    assert strays == []


def test_test_aids_are_imported_by_no_production_module(house):
    """Neither by a statement nor by a name handed to ``import_module``."""
    wrong = []
    for name, tree in production(house):
        wrong += [f"{name} imports {one}" for one in imports(tree) if below(one, *AIDS)]
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
                wrong += [
                    f"{name} imports {one.value}"
                    for one in node.args
                    if isinstance(one, ast.Constant) and below(str(one.value), *AIDS)
                ]
    assert not wrong


def test_the_hub_finds_aids_and_connectors_by_entry_points(house):
    """The hub's own code does not even know what they are called."""
    wrong = [
        f"{name} names {node.value}"
        for name, tree in production(house)
        if name.startswith("hub.")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and below(node.value.replace(":", "."), *AIDS, *CONNECTORS)
    ]
    assert not wrong


def test_libraries_have_one_owner(house):
    """AMQP, SQL and XML libraries are imported by their owners alone."""
    wrong = []
    for name, tree in production(house):
        for libraries, owners in OWNERS.items():
            if below(name, *owners):
                continue
            wrong += [f"{name} imports {one}" for one in imports(tree) if below(one, *libraries)]
    assert not wrong


def test_xml_is_parsed_in_one_place(house):
    """No other module makes a parser or reads bytes into a tree: limits hold everywhere."""
    forbidden = {"fromstring", "XML", "XMLParser", "iterparse", "HTMLParser", "XMLPullParser"}
    wrong = []
    for name, tree in production(house):
        if name == "hub.safexml":
            continue
        wrong += [
            f"{name}: etree.{node.attr}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and node.attr in forbidden
            and isinstance(node.value, ast.Name)
            and node.value.id in ("etree", "ElementTree", "ET")
        ]
        wrong += [
            f"{name} imports {one}"
            for one in imports(tree)
            if below(one, "xml.etree", "xml.dom", "xml.sax", "xml.parsers", "defusedxml")
        ]
    assert not wrong
