"""Every error that is raised tells its whole sentence: the facts are those that it names."""

from __future__ import annotations

import ast
import string

from hub import errors
from hub.errors import REGISTRY, HubError
from hub.errors.edge import DirectoryRefused

OWN = {"detail", "place"}


def _facts(leaf):
    return {name for _, name, _, _ in string.Formatter().parse(leaf.en) if name is not None}


def _raised(tree):
    """Calls of, and bare references to, an error's class in a ``raise``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            leaf = getattr(errors, node.func.id, None)
            if isinstance(leaf, type) and issubclass(leaf, HubError):
                given = None
                if not any(word.arg is None for word in node.keywords):
                    given = {word.arg for word in node.keywords}
                yield node.lineno, leaf, given
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Name):
            leaf = getattr(errors, node.exc.id, None)
            if isinstance(leaf, type) and issubclass(leaf, HubError):
                yield node.lineno, leaf, set()


def _raises(house):
    for path, tree in house.modules.items():
        if path.parts[0] != "tests" and "errors" not in path.parts:
            yield from ((f"{path}:{line}", leaf, given) for line, leaf, given in _raised(tree))


def test_no_sentence_is_left_with_a_question_mark(house):
    """Whoever raises an error gives every fact that its sentence names."""
    wrong = [
        f"{where} {leaf.__name__} lacks {sorted(_facts(leaf) - given)}"
        for where, leaf, given in _raises(house)
        if given is not None and leaf is not DirectoryRefused and _facts(leaf) - given
    ]
    assert not wrong


def test_no_fact_is_given_that_nobody_will_read(house):
    """A fact that no sentence names is a misspelt one."""
    wrong = []
    for where, leaf, given in _raises(house):
        known = _facts(leaf)
        known |= {f"{name}_vi" for name in known} | OWN
        if given is not None and leaf is not DirectoryRefused and given - known:
            wrong.append(f"{where} {leaf.__name__}: {sorted(given - known)}")
    assert not wrong


def test_a_leaf_is_raised_never_a_family(house):
    """A family has no code: nobody could tell what happened."""
    wrong = [f"{where} {leaf.__name__}" for where, leaf, _given in _raises(house) if not leaf.code]
    assert not wrong


def test_every_code_is_raised_somewhere(house):
    """A code that nothing raises is a promise that nobody keeps, one apart.

    A repeat is no refusal: it is answered by what the first was answered (architecture §8), so
    ``duplicate.same`` stands for partners who would name it.
    """
    named = set()
    for path, tree in house.modules.items():
        if path.parts[0] != "tests" and "errors" not in path.parts:
            named |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
            named |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    idle = {leaf.code for leaf in REGISTRY.values() if leaf.__name__ not in named}
    assert idle <= {"duplicate.same"}
