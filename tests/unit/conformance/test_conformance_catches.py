"""Every case of the conformance suite can fail: the scaffold, broken in one place, fails there."""

from __future__ import annotations

import threading

import pytest

from hub.adapters.contract import Health
from hub.testing.conformance.partner_cases import probed
from hub.testing.conformance.run import check
from hub.testing.conformance.verdict import CASES, Broken
from tests.unit.conformance.breakages import BROKEN, FOUND, POLL, connector


def failing(module, *names, **options):
    """Return the results of some cases that failed, by name."""
    return {one.name: one for one in check(module, only=names, **options) if not one.ok}


def test_every_case_has_a_connector_that_fails_it():
    """No case of the suite is without a test that makes it fail."""
    assert {name for name, _ in BROKEN} == {case.name for case in CASES}


def test_scaffold_passes_every_case():
    """As it is written, the scaffold keeps every promise."""
    assert failing(connector()) == {}


@pytest.mark.parametrize(
    ("name", "changes"), BROKEN, ids=[f"{n}-{name}" for n, (name, _) in enumerate(BROKEN)]
)
def test_broken_connector_fails_the_case_that_looks_at_it(name, changes, tmp_path, monkeypatch):
    """A connector that breaks one promise fails that very case, told in both languages."""
    monkeypatch.chdir(tmp_path)
    found = failing(connector(*changes), name)
    assert set(found) == {name}
    for lang, seen, where in (("vi", "Đã thấy: ", "Xem: "), ("en", "Seen: ", "Look at: ")):
        text = found[name].detail.text(lang)
        assert seen in text
        assert where in text
        assert "Nguyễn Văn Mẫu" not in text


def test_missing_fixture_and_failing_one_are_explained():
    """A fixture that raises fails the cases with its place, and ends nothing else."""
    module = connector(("    options: dict[str, object] = {}\n", "    raise KeyError(folder)\n"))
    found = failing(module, "poll.finds", "confirm", "down.poll")
    assert set(found) == {"poll.finds", "confirm", "down.poll"}
    assert all("KeyError" in one.detail.en for one in found.values())


def test_call_that_hangs_stops_only_its_case():
    """A poll that never returns is given up after the deadline; the next case runs."""
    module = connector((POLL, "        wait.wait()\n" + POLL))
    module.wait = threading.Event()
    found = failing(module, "poll.limit", "lookup.unknown", deadline_s=0.3)
    module.wait.set()
    assert set(found) == {"poll.limit"}
    assert "hangs" in found["poll.limit"].detail.en


def test_probe_that_hangs_is_noticed():
    """A probe that does not answer in time is broken."""
    release = threading.Event()

    class Hanging:
        def probe(self):
            release.wait()
            return Health(ok=True)

    with pytest.raises(Broken, match="no answer"):
        probed(Hanging(), deadline_s=0.1)
    release.set()


def test_part_that_is_not_there_is_not_complained_about():
    """A connector without a source, or without a sink, passes what is not about it."""
    both = (
        "        source=FolderSource(folders, settings.environment, lambda: datetime.now(UTC)),\n"
    )
    only_sink = connector((both, ""))
    assert failing(only_sink, "poll.again", "keys", "confirm", "down.poll", "apply.once") == {}
    only_source = connector(("        sink=FolderSink(folders),\n", ""))
    assert failing(only_source, "apply.once", "down.lookup", "poll.again", "outside") == {}


def test_repeatable_partner_needs_no_lookup():
    """A partner that recognises repeats itself may know nothing at lookup, but not do it twice."""
    nothing = (FOUND, "        return None\n")
    declared = ("ATTACHMENTS = True\n", "ATTACHMENTS = True\nREPEATABLE = True\n")
    assert failing(connector(nothing, declared), "apply.finds", "apply.once") == {}
