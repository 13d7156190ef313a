"""The out folder: files still being written, odd files, and what a poll returns."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys

import pytest

from connectors.dms import app
from connectors.dms.source import FolderSource
from hub.adapters.contract import Confirmation, Reason
from hub.envelope import MAX_INLINE
from hub.errors import SinkUnavailable
from hub.testing.conformance.run import check


def codes(office) -> list[str]:
    return [item.error.code if item.error else "ok" for item in office.items()]


def park(office) -> None:
    for item in office.items():
        if item.error:
            vi, en = item.error.message("vi"), item.error.message("en")
            reason = Reason(item.error.code, vi, en, office.clock.now)
            office.source.confirm_parked(item.key, reason)


def reasons(office) -> str:
    folder = office.folder("failed")
    return "\n".join((folder / n).read_text() for n in office.files("failed") if n.endswith(".txt"))


def test_growing_file_is_waited_for(office, sample):
    """A file is taken when size and time have stood still for ``settle_s``, not before."""
    author = office("H12.15", settle_s=5)
    data = sample("valid/new_java")
    path = author.put(data[:1000])
    assert codes(author) == []
    author.clock.forward(4)
    path.write_bytes(data)
    assert codes(author) == []
    author.clock.forward(4.9)
    assert codes(author) == []
    author.clock.forward(0.2)
    assert codes(author) == ["ok"]


def test_marker_says_that_a_file_is_whole(office, sample):
    """With ``NAME.edxml.ready`` beside it a file is taken at once; the marker goes with it."""
    author = office("H12.15", settle_s=3600)
    path = author.put(sample("valid/new_java"))
    assert codes(author) == []
    path.with_name(path.name + ".ready").touch()
    (item,) = author.items()
    author.confirm(item.key, "published")
    assert list(author.folder("out").iterdir()) == []


def test_truncated_file_is_waited_for_then_set_aside(office, sample):
    """Half a file stops nothing: others go on, and later it lies in failed with its reason."""
    author = office("H12.15", incomplete_after_s=60)
    author.put(sample("valid/new_java")[:2000], "nua.edxml")
    author.put(sample("valid/recall_java"), "tron.edxml")
    assert codes(author) == ["ok"]
    author.clock.forward(61)
    assert sorted(codes(author)) == ["ok", "source.file_incomplete"]
    park(author)
    assert author.files("out") == ["tron.edxml"]
    names = author.files("failed")
    assert len(names) == 2
    assert all(name.startswith("nua.") for name in names)
    assert "source.file_incomplete: Tệp nua.edxml đang được ghi" in reasons(author)
    assert "still being written, locked or truncated" in reasons(author)


def test_truncated_file_that_is_finished_in_time_goes_on(office, sample):
    """What was incomplete is sent as soon as it is whole."""
    author = office("H12.15", incomplete_after_s=60)
    data = sample("valid/new_java")
    path = author.put(data[:2000])
    assert codes(author) == []
    author.clock.forward(59)
    path.write_bytes(data)
    assert codes(author) == ["ok"]


HOLD = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    getattr(fcntl, sys.argv[2])(file, fcntl.LOCK_EX)
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("lock", ["flock", "lockf"])
def test_locked_file_is_waited_for(office, sample, lock):
    """A file that another process has locked is not read; it goes once the lock is gone."""
    author = office("H12.15", incomplete_after_s=60)
    path = author.put(sample("valid/new_java"))
    command = [sys.executable, "-c", HOLD, str(path), lock]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout.readline() == "locked\n"
        assert codes(author) == []
        author.clock.forward(59)
        assert codes(author) == []
        holder.communicate("")
    assert codes(author) == ["ok"]


def test_file_locked_for_ever_is_set_aside(office, sample):
    """A lock that never goes is not waited for beyond ``incomplete_after_s``."""
    author = office("H12.15", incomplete_after_s=60)
    with author.put(sample("valid/new_java")).open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert codes(author) == []
        author.clock.forward(61)
        assert codes(author) == ["source.file_incomplete"]
        park(author)
    assert author.files("out") == []
    assert len(author.files("failed")) == 2


def test_odd_files_are_never_opened(office, sample, tmp_path):
    """Links, folders and pipes are set aside unopened, each with what it is."""
    author = office("H12.15")
    secret = tmp_path / "secret.edxml"
    secret.write_bytes(sample("valid/new_java"))
    out = author.folder("out")
    (out / "lien-ket.edxml").symlink_to(secret)
    (out / "thu-muc.edxml").mkdir()
    os.mkfifo(out / "ong.edxml")
    assert codes(author) == ["source.file_kind"] * 3
    park(author)
    assert author.files("out") == []
    assert secret.exists()
    for word in ("liên kết tượng trưng", "thư mục", "ống dẫn"):
        assert word in reasons(author)


def test_names_of_any_kind(office, sample, hub):
    """Names with blanks, quotes, line breaks, bytes that are no UTF-8, and 255 bytes all go."""
    author, reader = office("H12.15"), office("H13.15")
    data = sample("valid/new_java")
    names = [
        b"  hai  dau.edxml", b'Cong v\xc4\x83n "1".EDXML', b"a\nb.edxml", b"-rf.edxml",
        b"\xff\xfe.edxml", b"x" * 249 + b".edxml", b"%s$(id)`.edxml", b"vanba\xcc\x86n.edxml",
    ]  # fmt: skip
    for number, name in enumerate(names):
        path = os.path.join(os.fsencode(author.folder("out")), name)  # noqa: PTH118 - bytes
        with open(path, "wb") as file:  # noqa: PTH123 - bytes
            file.write(data.replace(b"125/SKHCN", b"%d/SKHCN" % (300 + number)))
    items = author.items()
    assert len(items) == len(names)
    assert all(item.label.isprintable() and len(item.draft.attachments[0].name) for item in items)
    hub.carry(items, author, reader)
    assert author.files("out") == []
    assert len(author.files("sent")) == len(reader.files("in")) == len(names)
    assert all(len(os.fsencode(name)) <= 255 for name in author.files("sent"))


def test_other_files_are_left_alone(office, sample):
    """Temporary, hidden and foreign files are the software's own business."""
    author = office("H12.15")
    for name in (".vb.edxml", "~vb.edxml", "vb.edxml.tmp", "vb.pdf", "vb.xml"):
        author.put(sample("valid/new_java"), name)
    assert codes(author) == []


def test_large_packet_names_the_limit(office, sample):
    """What no envelope can carry is set aside; the text names size, limit and why."""
    author = office("H12.15")
    author.put(sample("valid/new_java") + b" " * MAX_INLINE)
    assert codes(author) == ["attachment.too_large"]
    park(author)
    assert str(MAX_INLINE) in reasons(author)
    assert "claim check" in reasons(author)
    assert "kho tệp" in reasons(author)


def test_packet_beyond_every_limit_is_not_even_digested(office):
    """50 MiB and more are set aside by their size alone."""
    author = office("H12.15")
    with author.put(b"").open("r+b") as file:
        file.truncate(50 * 1024 * 1024 + 1)
    assert codes(author) == ["xml.too_large"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("d01_doubled_from_tag", "edxml.malformed"),
        ("d02_two_from", "edxml.recipient"),
        ("d03_missing_prefix_namespace", "edxml.malformed"),
        ("d05_duplicate_to", "edxml.recipient"),
        ("d07_impossible_date", "edxml.date"),
        ("d09_malformed_code", "edxml.organ_id"),
        ("d13_edoc_vn_namespace", "edxml.namespace"),
        ("d08_closed_code", "ok"),
        ("d14_duplicate_to_by_alias", "ok"),
    ],
)
def test_defective_sample_at_the_source(office, sample, name, code):
    """Malformed packets stop here with their place; closed and aliased codes are the hub's."""
    author = office("H12.15")
    author.put(sample(f"defective/{name}"), f"{name}.edxml")
    assert codes(author) == [code]
    if code != "ok":
        park(author)
        assert f"{code}: " in reasons(author)
        assert author.files("out") == []


def test_packet_of_another_agency_is_not_sent(office, sample):
    """A packet whose ``From`` is not this agency is parked, whoever put it there."""
    author = office("H26.15")
    author.put(sample("valid/new_java"))
    assert codes(author) == ["edxml.not_ours"]


def test_many_waiting_files_do_not_hide_new_ones(author, office):
    """Files that wait for their confirmation do not keep later ones from being read."""
    for number in range(5):
        author.new("H17.15", number=str(number))
    first = {item.key for item in author.items(limit=3)}
    second = {item.key for item in author.items(limit=3)}
    assert len(first | second) == 5


def test_folder_that_is_away(author):
    """An unmounted folder is told as such; the probe names it and its remedy."""
    assert author.probe.probe().ok
    author.folder("out").rename(author.root / "away")
    with pytest.raises(SinkUnavailable):
        author.items()
    health = author.probe.probe()
    assert not health.ok
    assert "out_folder" in health.detail
    assert health.remedy


def test_source_and_confirmations_are_the_contracts(author):
    """Accepted and delivered change nothing in the folders."""
    author.new("H17.15")
    (item,) = author.items()
    for what in (Confirmation.ACCEPTED, Confirmation.DELIVERED):
        author.source.confirm(item.key, what, None)
    assert len(author.files("out")) == 1
    assert isinstance(author.source, FolderSource)


def test_file_moved_in_with_an_older_time(author):
    """A file whose time lies before the checkpoint is found all the same."""
    author.new("H17.15", number="1")
    batch = author.source.poll(None, 10)
    author.start()
    author.new("H17.15", number="2")
    late = next(path for path in author.folder("out").iterdir() if "van-ban-2" in path.name)
    os.utime(late, (1, 1))
    author.start()
    again = author.source.poll(batch.checkpoint, 10)
    assert len(again.items) == 2
    assert again.checkpoint == batch.checkpoint


def test_connector_conforms():
    """The conformance suite that vendors' connectors must pass finds nothing."""
    results = list(check(app))
    assert len(results) > 20
    assert [result for result in results if not result.ok] == []


def test_what_the_outbox_has_is_not_read_again(author):
    """After its batch was committed a file is not returned again, and its bytes are not kept."""
    author.new("H17.15")
    batch = author.source.poll(None, 10)
    assert len(author.source.poll(None, 10).items) == 1
    assert author.source.poll(batch.checkpoint, 10).items == ()
    author.confirm(batch.items[0].key, "published")
    assert author.files("out") == []


def test_clock_that_is_set_back(office, sample):
    """A file does not wait for the hours that the clock lost."""
    author = office("H12.15", settle_s=5)
    author.put(sample("valid/new_java"))
    assert codes(author) == []
    author.clock.forward(-3600)
    assert codes(author) == []
    author.clock.forward(5)
    assert codes(author) == ["ok"]
