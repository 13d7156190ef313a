"""The in folder: exactly once for each key, whatever moment a crash chooses."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from connectors.dms import sink as module
from connectors.dms.sink import FolderSink
from hub.adapters.dms.folder import OWN
from hub.errors import SinkUnavailable, SinkUnknown

STEPS = ["write_part", "write_whole", "place"]


@pytest.fixture
def message(author, reader, hub):
    """A document on its way to the reader."""
    author.new("H17.15")
    return hub.inbound(author.items()[0].draft, author.code, reader.code)


def crash_after(monkeypatch, name: str, *, before: bool):
    """Let the process die right before or right after one step."""
    step = getattr(module, name)

    def dying(*args, **given):
        if not before:
            step(*args, **given)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, name, dying)


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_crash_at_any_step_delivers_once(reader, message, monkeypatch, step, before):
    """After a crash the key is looked up and, if need be, applied again: one file, one answer."""
    with monkeypatch.context() as patch:
        crash_after(patch, step, before=before)
        with pytest.raises(KeyboardInterrupt):
            reader.sink.apply(message, message.key)
    reader.start()
    found = reader.sink.lookup(message.key)
    assert (found is not None) is (step == "place" and not before)
    done = found or reader.sink.apply(message, message.key)
    assert reader.files("in") == [done.reference]
    assert (reader.folder("in") / done.reference).read_bytes() == message.attachments[0].content
    assert len(done.replies) == 1


def test_repeat_gives_the_same_answer(reader, message):
    """The same key again writes nothing and replies with the same bytes, even much later."""
    first = reader.sink.apply(message, message.key)
    reader.clock.forward(3600)
    reader.start()
    again = reader.sink.apply(message, message.key)
    assert again.replies[0].attachments == first.replies[0].attachments
    assert (again.reference, reader.files("in")) == (first.reference, [first.reference])


def test_file_that_the_software_took_is_not_delivered_again(reader, message):
    """Once placed it is delivered, even if the software has moved the file away since."""
    done = reader.sink.apply(message, message.key)
    (reader.folder("in") / done.reference).unlink()
    assert reader.sink.lookup(message.key).reference == done.reference
    reader.sink.apply(message, message.key)
    assert reader.files("in") == []


def test_unknown_key(reader, message):
    """What never came is not there."""
    assert reader.sink.lookup("H26.15/x") is None


def test_folder_that_is_away_is_not_made(reader, message):
    """An unmounted folder is waited for: nothing is written into the mount point's place."""
    reader.folder("in").rename(reader.root / "away")
    with pytest.raises(SinkUnavailable):
        reader.sink.apply(message, message.key)
    with pytest.raises(SinkUnavailable):
        reader.sink.lookup(message.key)
    assert not reader.folder("in").exists()


def test_full_disk_is_deferred(reader, message, monkeypatch):
    """No room is transient: nothing is left that looks like a file, and later it goes."""

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_part", full)
        with pytest.raises(SinkUnavailable):
            reader.sink.apply(message, message.key)
    assert reader.files("in") == []
    assert reader.sink.apply(message, message.key).reference in reader.files("in")


def test_damaged_record_is_unknown(reader, message):
    """A record that cannot be read is a person's to judge, never a guess."""
    reader.sink.apply(message, message.key)
    (record,) = (reader.folder("in") / OWN / "keys").glob("*/*")
    assert json.loads(record.read_text())["placed"]
    record.write_text("{")
    with pytest.raises(SinkUnknown):
        reader.sink.lookup(message.key)
    assert isinstance(reader.sink, FolderSink)


def test_unplaced_status_does_not_drop_its_copy(author, reader, hub, message, monkeypatch):
    """A status counts as here only when its file was placed; until then a copy is taken."""
    replies = reader.sink.apply(message, message.key).replies
    first = hub.inbound(replies[0], reader.code, author.code)
    copy = hub.inbound(replies[0], reader.code, author.code)
    with monkeypatch.context() as patch:
        crash_after(patch, "place", before=True)
        with pytest.raises(KeyboardInterrupt):
            author.sink.apply(first, first.key)
    author.start()
    author.sink.apply(copy, copy.key)
    author.sink.apply(first, first.key)
    assert len(author.files("in")) == 1


def test_another_sender_cannot_overwrite_a_file(office, author, reader, hub, message):
    """The same message id and document id from another sender is another file."""
    reader.sink.apply(message, message.key)
    other = office("H26.15")
    data = message.attachments[0].content.replace(b"H13.15", b"H26.15")
    other.put(data)
    draft = other.items()[0].draft
    mine = hub.inbound(draft, other.code, reader.code)
    twin = replace(mine, message_id=message.message_id)
    reader.sink.apply(twin, twin.key)
    assert len(reader.files("in")) == 2
