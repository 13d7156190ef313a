"""Sizes, docstrings, linters that are not weakened, reasons beside every exception."""

from __future__ import annotations

import ast
import re
import tokenize

import pytest

MAX_FILE = 400
MAX_FUNCTION = 50
IGNORED = {
    "ANN401", "COM812", "CPY001", "D105", "D107", "D203", "D213", "DOC", "EM", "FBT003", "ISC001",
    "N818", "RUF001", "RUF002", "RUF003", "TC", "TRY003", "UP017",
}  # fmt: skip
"""What the linter may leave out of production code; more needs a reason here first."""
EXCEPTED = {
    "hub/errors/__init__.py": {"F403", "PLE0605"},
    "hub/testing/**": {"S", "PLR2004"},
    "hub/cli/commands/*": {"FBT002"},
    "tests/**": {"ANN", "ARG", "D100", "D101", "D102", "D103", "D104", "INP001", "PLR0913",
                 "PLR2004", "S", "SLF001"},
}  # fmt: skip
SUPPRESSED = re.compile(r"#\s*(noqa|type:\s*ignore)\b(.*)")
REASONED = re.compile(r":\s*[A-Z]+[0-9]+(,\s*[A-Z]+[0-9]+)*\s+\S.{3,}|\[[a-z-]+\]\s+#?\s*\S.{3,}")
UNFINISHED = re.compile(r"#\s*(TODO|FIXME|XXX|HACK)\b")


def functions(tree):
    """Every function of a module, methods and nested ones too."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def test_files_and_functions_stay_small(house):
    """400 lines for a file and 50 for a function are hard limits."""
    long = []
    for path, tree in house.modules.items():
        lines = len((house.root / path).read_text("utf-8").splitlines())
        if lines > MAX_FILE:
            long.append(f"{path}: {lines} lines")
        long += [
            f"{path}:{one.lineno} {one.name}: {one.end_lineno - one.lineno + 1} lines"
            for one in functions(tree)
            if one.end_lineno - one.lineno + 1 > MAX_FUNCTION
        ]
    assert not long


def _public(tree):
    yield tree, "module"
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            if node.name.startswith("_"):
                continue
            yield node, node.name
            for one in node.body if isinstance(node, ast.ClassDef) else ():
                method = isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))
                if method and not one.name.startswith("_") and not _overload(one):
                    yield one, f"{node.name}.{one.name}"


def _overload(node):
    """Whether its promise stands elsewhere: an overload, or a setter of a documented property."""
    names = [getattr(one, "id", getattr(one, "attr", "")) for one in node.decorator_list]
    return "overload" in names or "setter" in names


def test_everything_public_says_what_it_promises(house):
    """Each module, class, function and method of hub and connectors has a docstring."""
    silent = []
    for path, tree in house.modules.items():
        if path.parts[0] == "tests":
            continue
        for node, name in _public(tree):
            overload = not isinstance(node, ast.Module) and _overload(node)
            if not overload and not ast.get_docstring(node):
                silent.append(f"{path}: {name}")
    assert not silent


def test_every_test_says_what_it_proves(house):
    """A test's docstring is the promise that it holds the code to."""
    silent = [
        f"{path}:{one.lineno} {one.name}"
        for path, tree in house.modules.items()
        if path.parts[0] == "tests" and path.name.startswith("test_")
        for one in functions(tree)
        if one.name.startswith("test_") and not ast.get_docstring(one)
    ]
    assert not silent


def test_the_linters_are_not_weakened(house):
    """Everything is on; what is off is what this file knows, and types are strict."""
    ruff = house.config["tool"]["ruff"]
    assert ruff["lint"]["select"] == ["ALL"]
    assert set(ruff["lint"]["ignore"]) <= IGNORED
    assert ruff["line-length"] == 100
    assert not {"exclude", "extend-exclude"} & set(ruff)
    assert not {"extend-ignore", "exclude"} & set(ruff["lint"])
    for pattern, codes in ruff["lint"]["per-file-ignores"].items():
        assert set(codes) <= EXCEPTED.get(pattern, set()), pattern
    mypy = house.config["tool"]["mypy"]
    assert mypy["strict"] is True
    assert set(mypy["packages"]) == {"hub", "connectors"}
    allowed = {"module", "ignore_missing_imports"}
    assert all(set(one) <= allowed for one in mypy["overrides"])
    pytest_options = house.config["tool"]["pytest"]["ini_options"]
    assert pytest_options["xfail_strict"] is True
    others = [path for path in house.files if path.name in ("ruff.toml", ".ruff.toml", "mypy.ini")]
    assert others == []


def _comments(path):
    """The comments of a file that has such words at all: reading tokens takes time."""
    text = path.read_text("utf-8")
    if not (SUPPRESSED.search(text) or UNFINISHED.search(text)):
        return
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


def test_every_exception_from_the_linters_has_its_reason(house):
    """``noqa`` and ``type: ignore`` name the rule and say why, on the same line."""
    silent = []
    for path in house.modules:
        for line, text in _comments(house.root / path):
            found = SUPPRESSED.search(text)
            if found and not REASONED.match(found.group(2)):
                silent.append(f"{path}:{line} {text}")
    assert not silent


def test_nothing_is_left_for_later(house):
    """What is not done is an issue, not a remark in the code."""
    left = [
        f"{path}:{line} {text}"
        for path in house.modules
        for line, text in _comments(house.root / path)
        if UNFINISHED.search(text)
    ]
    assert not left


def _calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


AVOIDED = ("pytest.skip", "pytest.xfail", "pytest.importorskip", "pytest.mark.skip",
           "pytest.mark.skipif", "pytest.mark.xfail", "unittest.skip")  # fmt: skip


NOT_RUN = {
    "tests/unit/signing/test_signing_oracles.py": "the JDK is an oracle beside two others; said so"
}
"""Files with a reason: what a machine lacks is reported as not run."""


def test_no_test_skips_or_expects_to_fail(house):
    """A test has what it needs, or fails; and it passes."""
    wrong = [
        f"{path}:{node.lineno} {ast.unparse(node)}"
        for path, tree in house.modules.items()
        if path.parts[0] == "tests" and path.as_posix() not in NOT_RUN
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in AVOIDED
    ]
    assert not wrong


def test_no_test_sleeps_but_to_poll(house):
    """Waiting is asking again, with a deadline: a sleep of a second at most, within a loop."""
    wrong = []
    for path, tree in house.modules.items():
        if path.parts[0] != "tests" or not path.name.startswith(("test_", "conftest")):
            continue
        polled = {
            id(inner)
            for loop in ast.walk(tree)
            if isinstance(loop, (ast.While, ast.For))
            for inner in ast.walk(loop)
        }
        wrong += [
            f"{path}:{node.lineno} {ast.unparse(node)}"
            for node, name in _calls(tree)
            if name in ("time.sleep", "sleep")
            and not (id(node) in polled and ast.literal_eval(node.args[0]) <= 1)
        ]
    assert not wrong


PRINTERS = ("hub/cli/", "hub/testing/", "connectors/simulators/")
"""Where standard output is the result. Elsewhere it belongs to nobody."""


def test_only_the_command_line_writes_to_stdout(house):
    """No ``print`` and no ``sys.stdout`` below the command line: programs read that stream."""
    wrong = []
    for path, tree in house.modules.items():
        if path.parts[0] == "tests" or path.as_posix().startswith(PRINTERS):
            continue
        wrong += [f"{path}:{n.lineno} print" for n, name in _calls(tree) if name == "print"]
        wrong += [
            f"{path}:{node.lineno} sys.stdout"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.stdout"
        ]
    assert not wrong


MAINS = ("hub/adapters/runner.py", "hub/routing/service.py")
"""Entry points of processes beside the command line: they read clock and environment once."""
ENVIRONMENT = {
    "hub/adapters/options.py": "secrets that a connector's settings name instead of holding",
    "hub/broker/node_config.py": "PATH, handed on to the broker's own scripts",
}


@pytest.mark.parametrize("name", ["now", "utcnow", "today"])
def test_time_is_an_argument(house, name):
    """Clocks are handed down from ``main``; library code never reads one (law 7)."""
    wrong = [
        f"{path}:{node.lineno} {called}"
        for path, tree in house.modules.items()
        if path.parts[0] == "hub" and not path.as_posix().startswith((*PRINTERS, *MAINS))
        for node, called in _calls(tree)
        if called in (f"datetime.{name}", f"date.{name}", f"datetime.datetime.{name}")
    ]
    assert not wrong


def test_the_environment_is_read_in_main_only(house):
    """What nobody passed is no setting (law 7); a default argument is read where it is called."""
    allowed = (*PRINTERS, *MAINS, *ENVIRONMENT)
    wrong = []
    for path, tree in house.modules.items():
        if path.parts[0] != "hub" or path.as_posix().startswith(allowed):
            continue
        defaults = {
            id(inner)
            for function in functions(tree)
            for default in (*function.args.defaults, *function.args.kw_defaults)
            if default is not None
            for inner in ast.walk(default)
        }
        wrong += [
            f"{path}:{node.lineno} {ast.unparse(node)}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and ast.unparse(node) in ("os.environ", "os.getenv")
            and id(node) not in defaults
        ]
    assert not wrong
