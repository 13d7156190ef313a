"""The wheel holds what the code reads at run time, and its entry points lead somewhere."""

from __future__ import annotations

from importlib import import_module
from importlib.resources import files

import pytest
from hatchling.builders.wheel import WheelBuilder

from hub import __version__
from hub.routing import access
from hub.schemas.catalog import catalogue
from hub.store.engine import Store

GROUPS = ("lienthong.connectors", "lienthong.simulators", "lienthong.aids")


@pytest.fixture(scope="module")
def wheel(house):
    """What hatchling puts into the wheel, by its own rules."""
    builder = WheelBuilder(str(house.root))
    return {one.distribution_path for one in builder.recurse_included_files()}


def test_the_wheel_holds_every_file_of_the_packages(house, wheel):
    """Modules, schemas, CSV, SQL, templates, the marker of typed code: all that git has."""
    wanted = {
        path.relative_to(house.root).as_posix()
        for path in house.files
        if path.relative_to(house.root).parts[0] in ("hub", "connectors")
    }
    assert wanted - wheel == set()
    assert any(name.endswith(".xsd") for name in wanted)


def test_the_wheel_holds_nothing_else(house, wheel):
    """No tests, no homes, no caches, no keys."""
    assert {name.split("/")[0] for name in wheel} == {"hub", "connectors"}
    assert not [name for name in wheel if name.endswith((".pyc", ".pem", ".key", ".sqlite"))]
    tracked = {path.relative_to(house.root).as_posix() for path in house.files}
    assert wheel - tracked == set()


def test_data_is_found_by_package_not_by_path(tmp_path, monkeypatch):
    """From any folder the catalogue, the demo's rules and the migrations are there."""
    monkeypatch.chdir(tmp_path)
    assert catalogue()
    assert access.demo_rules()
    Store.open(f"sqlite:///{tmp_path}/hub.sqlite", create=True).close()
    assert files("hub.cli").joinpath("data", "agencies.csv").is_file()
    assert files("hub").joinpath("py.typed").is_file()


def _entry_points(config):
    project = config["project"]
    for group in GROUPS:
        for name, target in project["entry-points"][group].items():
            yield f"{group}:{name}", target
    for name, target in project["scripts"].items():
        yield name, target


def test_every_entry_point_leads_to_a_function(house):
    """Each process that the command line can start exists and can be called."""
    wrong = []
    for name, target in _entry_points(house.config):
        module, _, attribute = target.partition(":")
        try:
            found = getattr(import_module(module), attribute, None)
        except ImportError as error:
            found = error
        if not callable(found):
            wrong.append(f"{name} = {target}: {found!r}")
    assert not wrong


def test_the_installed_entry_points_are_those_of_the_project(house):
    """Connectors, simulators and aids in a table each, and one command."""
    assert set(house.config["project"]["entry-points"]) == set(GROUPS)
    assert house.config["project"]["scripts"] == {"hub": "hub.cli.main:main"}
    connectors = house.config["project"]["entry-points"]["lienthong.connectors"]
    assert all(target == f"connectors.{name}.app:main" for name, target in connectors.items())
    assert __version__.count(".") == 2


def test_dependencies_have_lower_bounds_and_a_lock(house):
    """Each dependency says from which version on, and the lock that plain pip uses names it."""
    project = house.config["project"]
    lock = (house.root / "requirements.lock").read_text("utf-8").lower()
    for requirement in project["dependencies"]:
        name, bound, _version = requirement.partition(">=")
        assert bound, requirement
        assert f"\n{name.lower()}==" in f"\n{lock}", name
    assert project["requires-python"] == ">=3.11"
    assert project["license"] == "Apache-2.0"
