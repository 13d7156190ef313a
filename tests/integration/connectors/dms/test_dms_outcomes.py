"""What becomes of the files: sent, refused, put back, copied, changed, and crashes in between."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from hub.adapters.dms.archive import Archive
from hub.codes import AgencyCode, MessageId, MessageType
from hub.envelope import Receipt, Recipient

NOW = datetime(2026, 3, 20, 2, 0, tzinfo=timezone.utc)


def reasons(office) -> str:
    folder = office.folder("failed")
    return "\n".join((folder / n).read_text() for n in office.files("failed") if n.endswith(".txt"))


def receipt(key: str, type_: str, *recipients: Recipient) -> Receipt:
    made = MessageId.new(1_772_600_000_000, b"0123456789")
    return Receipt(
        MessageType.parse(type_), made, AgencyCode.parse("H13.15"), "0" * 64, NOW,
        recipients, "routing.closed_receiver", "Mã đã đóng", "The code is closed",
    )  # fmt: skip


def test_restart_finds_the_files_again(office, author):
    """After a crash the same file has the same key, and its confirmation still moves it."""
    author.options["settle_s"] = 3600
    author.new("H17.15")
    author.start()
    assert author.items() == ()
    author.options["settle_s"] = 0
    author.start()
    (item,) = author.items()
    author.options["settle_s"] = 3600
    author.start()
    author.confirm(item.key, "published")
    assert (author.files("out"), len(author.files("sent"))) == ([], 1)
    author.confirm(item.key, "published")
    assert len(author.files("sent")) == 1


def test_crash_between_mark_and_move(author, monkeypatch):
    """A file that was published but not moved yet is moved by the next poll, never sent again."""
    author.new("H17.15")
    (item,) = author.items()

    def crash(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Archive, "take", crash)
        with pytest.raises(KeyboardInterrupt):
            author.confirm(item.key, "published")
    author.start()
    assert author.items() == ()
    assert (author.files("out"), len(author.files("sent"))) == ([], 1)


def test_crash_between_move_and_second_mark(author, monkeypatch):
    """A file that was moved stays moved; told again, nothing changes."""
    author.new("H17.15")
    (item,) = author.items()
    mark, calls = Archive.mark, []

    def crash(self, digest, text):
        calls.append(text)
        if len(calls) == 2:
            raise KeyboardInterrupt
        mark(self, digest, text)

    with monkeypatch.context() as patch:
        patch.setattr(Archive, "mark", crash)
        with pytest.raises(KeyboardInterrupt):
            author.confirm(item.key, "published")
    author.start()
    author.confirm(item.key, "published")
    assert author.items() == ()
    assert len(author.files("sent")) == 1


def test_the_same_content_is_sent_once(author):
    """A copy under another name is not sent; it is set aside with the name it was sent under."""
    data = author.new("H17.15")
    author.put(data, "ban-sao.edxml")
    items = author.items()
    assert len({item.key for item in items}) == 1
    author.confirm(items[0].key, "published")
    assert author.items() == ()
    assert author.files("out") == []
    assert len(author.files("sent")) == 1
    assert "source.already_sent" in reasons(author)


def test_other_content_under_the_same_name_stays(author, sample):
    """Content that replaced a file before it was moved is a new file, not the sent one."""
    author.new("H17.15")
    (item,) = author.items()
    path = author.folder("out") / author.files("out")[0]
    path.write_bytes(path.read_bytes().replace(b"minh", b"MINH"))
    author.confirm(item.key, "published")
    assert author.files("out") == [path.name]
    (again,) = author.items()
    assert again.key != item.key


def test_refused_file_comes_to_failed_and_may_go_again(author):
    """Refused as a whole: moved with the receipt's words; put back, it is a new message."""
    author.new("H17.15")
    (item,) = author.items()
    author.confirm(item.key, "published")
    told = receipt(item.key, "receipt.rejected", Recipient(
        AgencyCode.parse("H17.15"), "rejected", reason="routing.closed_receiver",
        detail_vi="Mã đã đóng, nay là H17", detail_en="closed, now H17",
    ))  # fmt: skip
    for _ in range(2):
        author.confirm(item.key, "refused", told)
    assert author.files("sent") == []
    names = author.files("failed")
    assert len(names) == 2
    assert "Mã đã đóng, nay là H17 | closed, now H17" in reasons(author)
    back = next(name for name in names if name.endswith(".edxml"))
    (author.folder("failed") / back).rename(author.folder("out") / back)
    (again,) = author.items()
    assert again.key != item.key
    author.confirm(again.key, "published")
    assert author.files("sent") == [back]


def test_refusal_by_one_of_two_receivers(author):
    """The file stays among the sent ones; a text in failed tells who refused and why."""
    author.new("H17.15", "H26.15")
    (item,) = author.items()
    author.confirm(item.key, "published")
    author.confirm(item.key, "refused", receipt(item.key, "receipt.refused"))
    assert len(author.files("sent")) == 1
    (text,) = author.files("failed")
    assert text.endswith(".edxml.txt")


def test_late_word_of_an_old_key_changes_nothing(author):
    """Told again of a key whose file failed and was put back, the new attempt stays untouched."""
    author.new("H17.15")
    (item,) = author.items()
    author.confirm(item.key, "published")
    author.confirm(item.key, "refused", receipt(item.key, "receipt.rejected"))
    (back,) = [name for name in author.files("failed") if name.endswith(".edxml")]
    (author.folder("failed") / back).rename(author.folder("out") / back)
    author.confirm(item.key, "refused", receipt(item.key, "receipt.rejected"))
    author.confirm(item.key, "published")
    assert author.files("out") == [back]
    assert [again.key for again in author.items()] == [f"{item.key.partition(':')[0]}:1"]
