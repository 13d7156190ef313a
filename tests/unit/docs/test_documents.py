"""README, SECURITY and docs/ hold: links, command lines, make targets, codes and test names."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from hub.adapters import contract
from hub.cli.context import Invocation, split_globals
from hub.codes import AgencyCode, Environment, MessageId
from hub.envelope import EnvelopeDraft, Header
from hub.errors import REGISTRY
from hub.schemas.catalog import catalogue
from hub.schemas.compose import compose
from hub.schemas.validate import Validator
from hub.testing import reference
from hub.testing.reference import cli

ROOT = Path(__file__).parents[3]
PAGES = sorted(
    path.relative_to(ROOT)
    for pattern in ("*.md", "docs/**/*.md", "docker/**/*.md")
    for path in ROOT.glob(pattern)
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|\b(?:src|srcset|href)=\"([^\"]+)\"")
FENCE = re.compile(r"^ *```[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
SHELL = re.compile(r"^ *```sh\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
TEST_NAME = re.compile(r"(?<![.\w])test_[a-z0-9_]+\b")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
NOW = datetime(2026, 3, 4, 1, 30, tzinfo=UTC)
SENDER = AgencyCode.parse("H12.101.01")
MESSAGE = MessageId.new(1_772_587_800_000, bytes(range(10)))
NOT_CODES = frozenset({"toml", "pem", "py", "xsd", "csv", "crl", "md", "json", "log", "sqlite"})

every_page = pytest.mark.parametrize("page", PAGES, ids=str)


command_tree = cache(cli.command_tree)


@cache
def text_of(page: Path) -> str:
    """The text of a page of the project."""
    return (ROOT / page).read_text("utf-8")


def anchors(page: Path) -> set[str]:
    """Heading anchors as GitHub makes them: lower case, blanks as hyphens, no punctuation."""
    names = [re.sub(r"[`*]", "", head).strip().lower() for head in HEADING.findall(text_of(page))]
    return {re.sub(r"[^\w\- ]", "", name).replace(" ", "-") for name in names}


@every_page
def test_relative_links_resolve(page: Path):
    """Every link to a file or heading of the project leads somewhere."""
    for one, other in LINK.findall(text_of(page)):
        target, _, anchor = (one or other).partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        where = (ROOT / page.parent / target).resolve() if target else ROOT / page
        assert where.exists(), f"{page}: {target}"
        assert where.is_relative_to(ROOT), f"{page}: {target} leaves the project"
        if anchor and where.suffix == ".md":
            assert anchor in anchors(where.relative_to(ROOT)), f"{page}: #{anchor}"


def command_lines(text: str) -> Iterator[str]:
    """Every ``hub …`` line of the shell blocks, joined over line ends and cut at pipes."""
    for block in SHELL.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            words = line.strip().removeprefix("$ ").removeprefix(".venv/bin/")
            words = re.sub(r"^(?:[A-Z_]+=\S+ )+(?:\.venv/bin/)?", "", words)
            for part in re.split(r"\s(?:\||&&|;|>|2>|<|#)\s?", words):
                cleaned = part.strip().removeprefix("sudo ")
                if re.match(r"hub [a-z]", cleaned):
                    yield cleaned


def resolve(line: str) -> tuple[Any, list[str]]:
    """Return the command that a line calls and the words that are left for it."""
    call = Invocation()
    split_globals(shlex.split(line)[1:], call)
    words = call.rest
    command = command_tree()
    while hasattr(command, "commands"):
        assert words, f"{line}: a group of commands"
        assert words[0] in command.commands, f"{line}: no command {words[0]}"
        command = command.commands[words.pop(0)]
    return command, words


@every_page
def test_command_lines_parse(page: Path):
    """Every command line in a block of a document parses: command, arguments and options exist."""
    for line in command_lines(text_of(page)):
        command, words = resolve(line)
        command.make_context("hub", words)


@every_page
def test_commands_named_in_sentences_exist(page: Path):
    """A command named in a sentence exists, as far as it is spelled out."""
    for name in INLINE.findall(FENCE.sub("", text_of(page))):
        found = re.match(r"hub ((?:[a-z-]+ ?)+)", name)
        command = command_tree()
        for word in found.group(1).split() if found else ():
            if not hasattr(command, "commands"):
                break
            assert word in command.commands, f"{page}: {name}"
            command = command.commands[word]


@every_page
def test_make_targets_exist(page: Path):
    """A make target that a document names is one of the Makefile's."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = re.findall(r"(?:`|^|\n)make ([a-z-]+)", text_of(page))
    assert set(named) <= targets, f"{page}: {set(named) - targets}"


@every_page
def test_codes_exist(page: Path):
    """What reads like an error code in a document is one, or a message type."""
    families = {code.split(".")[0] for code in REGISTRY}
    known = {*REGISTRY, *catalogue()}
    for name in INLINE.findall(FENCE.sub("", text_of(page))):
        if re.fullmatch(r"[a-z]+\.[a-z_]+", name) and name.split(".")[0] in families:
            assert name in known or name.split(".")[1] in NOT_CODES, f"{page}: {name}"


@cache
def names_of_tests() -> frozenset[str]:
    """The names of all tests."""
    return frozenset(
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(
            r"^\s*(?:async )?def (test_\w+)", path.read_text("utf-8"), re.MULTILINE
        )
    )


@every_page
def test_named_tests_exist(page: Path):
    """A test that a document names as its proof exists."""
    named = set(TEST_NAME.findall(text_of(page)))
    files = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    assert named <= names_of_tests() | files, f"{page}: {named - names_of_tests()}"


def test_every_threat_has_a_test_and_real_codes():
    """Each row of the threat model names at least one test; a code in it is a code of the hub."""
    table = text_of(Path("SECURITY.md")).split("## Threat model", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    assert len(rows) > 20
    for row in rows:
        assert TEST_NAME.search(row), f"no test: {row[:60]}"


def test_every_howto_and_decision_is_linked():
    """Nothing lies in docs/ that its index does not name."""
    for folder in ("docs/howto", "docs/adr"):
        index = text_of(Path(folder) / "README.md")
        for path in (ROOT / folder).glob("*.md"):
            assert path.name == "README.md" or path.name in index, path.name


def test_reference_pages_are_linked_from_the_readme():
    """A reader finds the generated pages from the front page."""
    text = text_of(Path("README.md"))
    assert all(f"docs/reference/{name}" in text for name in reference.PAGES)


def test_documents_that_the_code_names_exist():
    """Whoever follows a comment into docs/ finds the page."""
    files = [ROOT / "pyproject.toml"]
    files += [path for name in ("hub", "connectors") for path in (ROOT / name).rglob("*.py")]
    for path in files:
        text = path.read_text("utf-8")
        for name in re.findall(r"(?<![\w/.])docs/[\w./-]+\.md\b", text):
            assert (ROOT / name).exists(), f"{path.relative_to(ROOT)}: {name}"


def test_no_document_names_a_place_of_its_author():
    """No path of the machine on which a page was written stands in it."""
    for page in PAGES:
        assert not re.search(r"/work/|/root/|/home/[a-z]+/", text_of(page)), page


def python_blocks(page: str) -> list[str]:
    """The Python of a page."""
    return re.findall(r"^```python\n(.*?)^```", text_of(Path(page)), re.MULTILINE | re.DOTALL)


def test_connector_of_the_howto_keeps_the_contract():
    """The example of the how-to has all parts, drafts what is valid, parks a bad row, repeats."""
    names: dict[str, Any] = {}
    for block in python_blocks("docs/howto/write-a-connector.md"):
        exec(compile(block, "write-a-connector.md", "exec"), names)
    register = names["Register"]({1: "H12.15", 2: ""})
    parts = contract.Parts(probe=register, source=register, sink=register)
    assert all(isinstance(register, part) for part in (contract.Source, contract.Sink))
    assert parts.probe.probe().ok
    batch = register.poll(None, 10)
    good, bad = batch.items
    assert (bad.draft, bad.error.code) == (None, "source.mapping")
    assert register.poll(batch.checkpoint, 10).items == ()
    header = Validator().check_draft(envelope_of(good.draft))
    assert header.recipients == good.draft.recipients
    message = received(good.draft)
    assert register.lookup(message.key) is None
    assert register.apply(message, message.key) == register.lookup(message.key)


def envelope_of(draft: contract.Draft) -> bytes:
    """The unsigned XML of a draft, sent by some agency."""
    header = Header(
        MESSAGE, Environment.TRIAL, draft.type, SENDER, draft.recipients, MESSAGE, NOW
    )  # fmt: skip
    return compose(EnvelopeDraft(header, draft.payload))


def received(draft: contract.Draft) -> contract.Inbound:
    """The draft as its receiver gets it."""
    (receiver,) = draft.recipients
    return contract.Inbound(
        MESSAGE, draft.type, SENDER, receiver, NOW, MESSAGE, draft.payload, (), "0" * 64
    )


def test_readme_names_every_debian_package():
    """What the two commands install stands in the README."""
    packages = re.findall(r"^\s+(?:provides)?\[([a-z0-9-]+)\]=", bootstrap(), re.MULTILINE)
    packages += re.findall(r"provides\[([a-z0-9-]+)\]=", bootstrap())
    assert len(set(packages)) > 4
    assert [name for name in set(packages) if f"`{name}`" not in text_of(Path("README.md"))] == []


def bootstrap() -> str:
    """The script that installs Debian packages."""
    return (ROOT / ".ci" / "bootstrap").read_text("utf-8")
