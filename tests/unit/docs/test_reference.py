"""docs/reference is what the code says, and says all of it."""

from __future__ import annotations

import re
from pathlib import Path

from hub.errors import REGISTRY
from hub.schemas.catalog import catalogue
from hub.settings import Settings
from hub.testing import reference
from hub.testing.reference import markdown, settings

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs" / "reference"


def test_committed_pages_are_up_to_date():
    """Whoever changes an error, a setting, a header, a type or an option runs `make docs`."""
    assert reference.stale(FOLDER) == []


def test_pages_do_not_depend_on_the_run():
    """Two runs write the same bytes."""
    assert reference.pages() == reference.pages()


def test_check_names_a_stale_page_and_writes_nothing(tmp_path: Path, capsys):
    """With --check a changed, a missing and a foreign page are named, and nothing is repaired."""
    folder = tmp_path / "reference"
    reference.main([str(folder)])
    capsys.readouterr()
    (folder / "errors.md").write_text("changed", encoding="utf-8")
    (folder / "types.md").unlink()
    (folder / "old.md").write_text("of a page that is no more", encoding="utf-8")
    assert reference.main([str(folder), "--check"]) == 1
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("errors.md", "types.md", "old.md"))
    assert "cli.md" not in shown
    assert (folder / "errors.md").read_text("utf-8") == "changed"


def test_pages_are_written_and_then_up_to_date(tmp_path: Path, capsys):
    """Without --check the pages are written; a second look finds nothing to do."""
    assert reference.main([str(tmp_path / "new")]) == 0
    assert f"{len(reference.PAGES)} pages" in capsys.readouterr().out
    assert reference.main([str(tmp_path / "new"), "--check"]) == 0


def test_every_code_type_and_setting_is_there():
    """No error code, message type or setting is left out."""
    pages = reference.pages()
    assert all(f"`{code}`" in pages["errors.md"] for code in REGISTRY)
    assert all(f"`{name}`" in pages["types.md"] for name in catalogue())
    sections = [name for name in Settings.model_fields if name != "home"]
    assert all(f"## `[{name}]`" in pages["settings.md"] for name in sections)


def test_every_environment_variable_is_told():
    """The settings page names the variables that the hub reads, and no others."""
    code = "".join(
        path.read_text("utf-8")
        for folder in ("hub", "connectors")
        for path in (ROOT / folder).rglob("*.py")
        if "testing" not in path.parts
    )
    read = set(re.findall(r"\"(HUB_[A-Z_]+)\"", code))
    told = {name for name, _meaning, _default in settings.ENVIRONMENT}
    assert told == read


def test_bars_and_breaks_do_not_break_a_table():
    """A cell stays one cell."""
    assert markdown.table(("a",), [("x | y\nz",)]).splitlines()[-1] == "| x \\| y z |"
