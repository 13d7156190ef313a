"""Connectors stay thin: what a second vendor would need too belongs into ``hub.adapters``."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

import pytest

CONNECTORS = Path(__file__).parents[2] / "connectors"
LIMIT = 300
"""Lines of logic of one connector (architecture, folders)."""
BLANK = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE,
    tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER,
}  # fmt: skip
PACKAGES = sorted(
    path.parent.name
    for path in CONNECTORS.glob("*/__init__.py")
    if path.parent.name != "simulators"
)


def _span(node: ast.AST) -> set[int]:
    return set(range(node.lineno, node.end_lineno + 1))


def _logic(source: str) -> int:
    """Count the lines that hold code: no docstring, comment, import or blank line."""
    silent: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.Import | ast.ImportFrom) or text:
            silent |= _span(node)
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in BLANK:
            lines |= set(range(token.start[0], token.end[0] + 1))
    return len(lines - silent)


def test_only_lines_of_logic_are_counted():
    """Docstrings, comments, imports and blank lines are free; a string over lines is logic."""
    source = (
        '"""Doc.\n\nMore."""\n\nimport os\n\n# why\nX = """\na\n"""\n\n\ndef f():\n    """F."""\n'
    )
    assert _logic(source) == 4


@pytest.mark.parametrize("name", PACKAGES)
def test_a_connector_has_at_most_300_lines_of_logic(name):
    """A package that outgrows the limit holds something that other vendors need as well."""
    found = {
        path.relative_to(CONNECTORS).as_posix(): _logic(path.read_text("utf-8"))
        for path in sorted((CONNECTORS / name).rglob("*.py"))
    }
    assert found
    assert sum(found.values()) <= LIMIT, found


def test_the_known_connectors_are_among_those_counted():
    """The list is not empty by a mistake in this test."""
    assert {"dms", "one_stop", "vnpost"} <= set(PACKAGES)
