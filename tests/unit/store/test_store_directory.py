"""Directory, rules and certificates: each change is whole, logged and announced."""

from __future__ import annotations

from datetime import date

import pytest

from hub.errors import NotFound
from hub.store import audit, directory
from hub.store.rows import AccessRow, AgencyRow, CertificateRow, RepresentsRow
from hub.testing import rows
from hub.testing.rows import at

SINCE = date(2025, 7, 1)
ONE = AgencyRow("H12.15", "Sở Tư pháp", "department", "H12", None, SINCE, None, ("H13.15", "H14"),
                "auto", ("000.00.15.H12", "15.H12"))  # fmt: skip
TWO = AgencyRow("H13.15", "Sở Tư pháp", "department", None, "00.13.W00", SINCE, date(2026, 1, 1))
CERTIFICATE = CertificateRow("c" * 64, "H12.15", b"DER", at(0), at(100), None, "first")


def _import(store, *agencies):
    directory.replace_agencies(store, agencies, actor="operator", at=rows.T0)


def test_agencies_come_back_as_they_went_in(store):
    """Every field, aliases and successors in their order, sorted by code."""
    _import(store, TWO, ONE)
    assert directory.agencies(store) == [ONE, TWO]


def test_importing_again_replaces_and_deletes_nobody(store):
    """A shorter list leaves the others; what is attached stays attached."""
    _import(store, ONE, TWO)
    directory.set_attached(store, ["H12.15"], actor="operator", at=rows.T0)
    renamed = AgencyRow(**{**{k: getattr(ONE, k) for k in ONE.__slots__}, "name": "Tên mới"})
    _import(store, renamed)
    first, second = directory.agencies(store)
    assert (first.name, first.attached) == ("Tên mới", True)
    assert second == TWO
    directory.set_attached(store, ["H12.15"], actor="operator", at=rows.T0, attached=False)
    assert not directory.agencies(store)[0].attached


def test_rules_are_kept_in_the_order_of_their_making(store):
    """Later rules have higher ids, and ids are not used again."""
    for sender in ("H12.*", "H13.*"):
        directory.add_rule(store, AccessRow(0, sender, "*", "dossier.*", allow=True), "op", at(0))
    first, second = directory.rules(store)
    assert (first.sender, second.sender) == ("H12.*", "H13.*")
    directory.remove_rule(store, first.id, "op", at(0))
    assert directory.rules(store) == [second]


def test_certificates_may_overlap_and_end(store):
    """Several for one agency; a registration's end is a date, not a deletion."""
    other = CertificateRow("d" * 64, "H12.15", b"DER2", at(50), None)
    directory.add_certificate(store, CERTIFICATE, "op", at(0))
    directory.add_certificate(store, other, "op", at(0))
    directory.retire_certificate(store, CERTIFICATE.sha256, "H12.15", at(60), "op", at(1))
    first, second = directory.certificates(store, "H12.15")
    assert (first.sha256, first.retired_at) == (CERTIFICATE.sha256, at(60))
    assert second == other
    assert directory.certificates(store, "H13.15") == []
    assert len(directory.certificates(store)) == 2


def test_who_represents_whom(store):
    """Effective-dated, several periods for one pair."""
    for start in (0, 100):
        row = RepresentsRow("00.12.W00", "H12.15", at(start), at(start + 50))
        directory.add_represents(store, row, "op", at(0))
    assert [one.valid_from for one in directory.represents(store)] == [at(0), at(100)]


CHANGES = {
    "directory.import": lambda store: _import(store, ONE),
    "directory.attach": lambda store: directory.set_attached(store, [], actor="op", at=at(0)),
    "access.add": lambda store: directory.add_rule(
        store, AccessRow(0, "*", "*", "*", allow=False), "op", at(0)
    ),
    "trust.add": lambda store: directory.add_certificate(store, CERTIFICATE, "op", at(0)),
    "trust.represents": lambda store: directory.add_represents(
        store, RepresentsRow("00.12.W00", "H12.15", at(0)), "op", at(0)
    ),
}


@pytest.mark.parametrize("action", CHANGES)
def test_every_change_is_logged_and_announced(store, raw_sql, action):
    """One entry of the log and the next revision, in the transaction of the change itself."""
    before = directory.revision(store)
    CHANGES[action](store)
    assert directory.revision(store) == before + 1
    assert raw_sql("SELECT action FROM audit").fetchall() == [(action,)]
    assert audit.verify(store).ok


@pytest.mark.parametrize(
    "change",
    [
        lambda store: directory.remove_rule(store, 7, "op", at(0)),
        lambda store: directory.retire_certificate(store, "e" * 64, "H12.15", at(0), "op", at(0)),
        lambda store: directory.set_attached(store, ["H12.15", "H99"], actor="op", at=at(0)),
    ],
    ids=["rule", "certificate", "attach"],
)
def test_what_is_not_there_is_told_and_not_logged(store, change):
    """The log never tells of a change that did not happen; nothing of it is kept."""
    _import(store, ONE)
    before = directory.revision(store), audit.verify(store), directory.agencies(store)
    with pytest.raises(NotFound):
        change(store)
    assert (directory.revision(store), audit.verify(store), directory.agencies(store)) == before
