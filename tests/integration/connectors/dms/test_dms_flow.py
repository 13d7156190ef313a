"""Documents between agencies' folders: the bytes that left are the bytes that arrive."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.simulators import dms as clerks
from hub.adapters.contract import Inbound
from hub.adapters.dms.arriving import ACCEPTS
from hub.codes import AgencyCode, Environment
from hub.errors import AttachmentDigest, SinkRefused
from hub.schemas.edxml import BusinessKind
from hub.schemas.example import example_draft

TRIAL = Environment.TRIAL
OLD = "000.00.15.H26"
"""The code in the sample of a .NET system."""


def read_in(office) -> list[bytes]:
    return [(office.folder("in") / name).read_bytes() for name in office.files("in")]


def test_two_receivers_get_the_same_bytes_and_answer_01(office, author, reader, hub):
    """One file, two folders, byte for byte; a status 01 comes back from each, byte for byte too."""
    other = office("H26.15", dialect="net")
    data = author.new("H17.15", "H26.15")
    (item,) = author.items()
    assert item.draft.type.value == "document.new"
    assert [code.value for code in item.draft.recipients] == ["H17.15", "H26.15"]
    replies = hub.carry([item], author, reader, other)
    assert read_in(reader) == read_in(other) == [data]
    assert (author.files("out"), len(author.files("sent"))) == ([], 1)
    assert (author.folder("sent") / author.files("sent")[0]).read_bytes() == data
    assert [draft.recipients[0].value for draft in replies] == ["H13.15", "H13.15"]
    for office_, draft in zip((reader, other), replies, strict=True):
        message = hub.inbound(draft, office_.code, author.code)
        author.sink.apply(message, message.key)
    arrived = clerks.listed(author.folder("in"), author.clock.now)
    assert {(one["kind"], one["status"], one["from"]) for one in arrived} == {
        ("status", "01", "H17.15"),
        ("status", "01", "H26.15"),
    }
    assert sorted(read_in(author)) == sorted(draft.attachments[0].content for draft in replies)


def test_reply_names_its_message(author, reader, hub):
    """The 01 belongs to the conversation of the document and answers its message."""
    author.new("H17.15")
    message = hub.inbound(author.items()[0].draft, author.code, reader.code)
    (reply,) = reader.sink.apply(message, message.key).replies
    assert reply.in_reply_to == message.message_id
    assert reply.conversation_id == message.conversation_id
    assert reply.document_id == message.document_id


@pytest.mark.parametrize(
    ("code", "state"), [("02", "refused"), ("03", "registered"), ("06", "finished")]
)
def test_a_clerks_answer_flows_back(author, reader, hub, code, state):
    """What the receiving clerk's software writes arrives byte-identical at the author's."""
    author.new("H17.15")
    hub.carry(author.items(), author, reader)
    received = reader.folder("in") / reader.files("in")[0]
    made = clerks.status(reader.folder("out"), received, code, "H17.15", reader.clock.now)
    (item,) = reader.items()
    payload = item.draft.payload.fields
    assert item.draft.type.value == "document.status"
    assert [to.value for to in item.draft.recipients] == ["H13.15"]
    assert (payload["StatusCode"], payload["Status"]["Canonical"]) == (code, state)
    assert payload["Status"]["Source"]["Code"] == code
    assert hub.carry([item], reader, author) == []
    (back,) = clerks.listed(author.folder("in"), author.clock.now)
    assert (back["sha256"], back["status"]) == (made["sha256"], code)
    assert f".status-{code}." in back["file"]


def test_the_same_status_again_is_acknowledged_and_dropped(author, reader, hub):
    """A later copy of (document, responder, code) writes no second file, another code does."""
    author.new("H17.15")
    hub.carry(author.items(), author, reader)
    received = reader.folder("in") / reader.files("in")[0]
    for code in ("03", "03", "06"):
        clerks.status(reader.folder("out"), received, code, "H17.15", reader.clock.now)
        reader.clock.forward(60)
        hub.carry(reader.items(), reader, author)
    codes = [one["status"] for one in clerks.listed(author.folder("in"), author.clock.now)]
    assert sorted(codes) == ["03", "06"]


def test_recall_update_and_replace_reach_those_concerned(office, author, hub):
    """A recall keeps its target; an update is told to the removed too; a replacement names many."""
    data = author.new("H17.15")
    (first,) = author.items()
    author.confirm(first.key, "published")
    target = first.draft.document_id
    author.new("H17.15", kind=BusinessKind.RECALL, targets=(target,))
    author.new("H17.15", kind=BusinessKind.UPDATE, targets=(target,), removed=("H26.15",))
    author.new("H17.15", kind=BusinessKind.REPLACE, targets=(target, "X-2"), number="9")
    drafts = {item.draft.type.value: item.draft for item in author.items()}
    assert data
    assert drafts["document.recall"].document_id == target
    assert drafts["document.recall"].payload.fields["TargetDocumentId"] == target
    update = drafts["document.update"]
    assert [to.value for to in update.recipients] == ["H17.15", "H26.15"]
    assert update.payload.fields["Receivers"]["Receiver"] == [
        {"OrganId": "H26.15", "Change": "removed"}
    ]
    assert update.payload.fields["ContentChanged"] == "true"
    targets = drafts["document.replace"].payload.fields["Targets"]["Target"]
    assert [one["DocumentId"] for one in targets] == [target, "X-2"]
    removed = office("H26.15")
    message = hub.inbound(update, author.code, removed.code)
    assert len(removed.sink.apply(message, message.key).replies) == 1


@pytest.mark.parametrize(
    "name", ["valid/new_java", "valid/recall_java", "valid/update_java", "valid/replace_java"]
)
def test_sample_packets_travel_unchanged(office, hub, sample, name):
    """Every acceptable kind of sample passes the schema and arrives as it was."""
    author, reader = office("H12.15"), office("H13.15")
    author.put(sample(name))
    hub.carry(author.items(), author, reader)
    assert read_in(reader) == [sample(name)]


def test_old_codes_of_this_agency_are_its_own(office, hub, sample):
    """With its old code as an alias, a packet that says ``000.00.15.H26`` is this agency's."""
    author, reader = office("H26.15", aliases=["000.00.15.H26"]), office("H12.15")
    author.put(sample("valid/new_dotnet"))
    (item,) = author.items()
    assert [to.value for to in item.draft.recipients] == ["000.00.13.H12", "G06"]
    message = hub.inbound(item.draft, author.code, reader.code)
    (reply,) = reader.sink.apply(message, message.key).replies
    assert b"<edXML:OrganId>000.00.15.H26</edXML:OrganId>" in reply.attachments[0].content
    assert reply.recipients[0].value == "H26.15"


def test_urgent_documents_are_urgent_messages(author):
    """Priority 3 (hỏa tốc) of a packet is the message's priority."""
    author.new("H17.15", priority=3)
    assert author.items()[0].draft.priority == 3


def test_no_automatic_answer_when_it_is_switched_off(office, author, hub):
    """``automatic_01 = false``: the receiving software answers itself."""
    reader = office("H17.15", automatic_01=False)
    author.new("H17.15")
    assert hub.carry(author.items(), author, reader) == []
    assert len(reader.files("in")) == 1


def test_file_that_is_not_the_signed_one_is_not_written(author, reader, hub):
    """A file whose bytes are not those of its digest never reaches the folder."""
    author.new("H17.15")
    message = hub.inbound(author.items()[0].draft, author.code, reader.code)
    (file,) = message.attachments
    changed = replace(file, content=file.content.replace(b"minh", b"MINH"))
    bad = replace(message, attachments=(changed,))
    with pytest.raises(AttachmentDigest):
        reader.sink.apply(bad, bad.key)
    assert reader.files("in") == []


@pytest.mark.parametrize("field", ["DocumentId", "type", "sender", "author"])
def test_file_that_contradicts_its_message_is_refused(author, reader, hub, field):
    """A file of another document, kind or author than the signed message says is refused."""
    author.new("H17.15")
    message = hub.inbound(author.items()[0].draft, author.code, reader.code)
    fields = dict(message.payload.fields)
    if field == "DocumentId":
        fields["DocumentId"] = "other"
    if field == "author":
        fields["Index"] = {**fields["Index"], "From": {"OrganId": "H26.15"}}
    bad = replace(message, payload=replace(message.payload, fields=fields))
    if field == "type":
        bad = replace(bad, type=type(bad.type).parse("document.recall"))
    if field == "sender":
        bad = replace(bad, sender=AgencyCode.parse("H26.15"))
    with pytest.raises(SinkRefused):
        reader.sink.apply(bad, bad.key)
    assert reader.files("in") == []


def test_known_former_code_of_a_sender_is_let_in(office, author, hub):
    """A partner that still writes a former code is let in once ``known_as`` says whose it is."""
    reader = office("H17.15", known_as={"H13.15": "H26.15"})
    author.new("H17.15")
    message = hub.inbound(author.items()[0].draft, author.code, reader.code)
    renamed = replace(message, sender=AgencyCode.parse("H26.15"))
    assert reader.sink.apply(renamed, renamed.key).replies[0].recipients[0].value == "H26.15"


@pytest.mark.parametrize(
    ("options", "sender", "taken"),
    [
        ({}, "H13.15", True),
        ({"known_as": {OLD: "H26.15"}}, "H26.15", True),
        ({"known_as": {OLD: "H26.15"}}, "H13.15", False),
        ({"known_as": {OLD: "H26.15"}, "check_sender": False}, "H13.15", True),
        ({"known_as": {OLD: "H26.15", "000.00.16.H26": "H26.15"}}, "000.00.16.H26", True),
        ({"known_as": {OLD: "H26.15"}}, OLD, True),
        ({"aliases": [OLD]}, "H26.15", False),
    ],
)
def test_older_code_in_the_file_is_compared_as_far_as_settings_tell(
    office, hub, sample, options, sender, taken
):
    """``known_as`` tells whose an older ``From`` is; nobody else sends under our own codes."""
    author, reader = office("H26.15", aliases=[OLD]), office("H12.15", **options)
    author.put(sample("valid/new_dotnet"))
    message = hub.inbound(author.items()[0].draft, AgencyCode.parse(sender), reader.code)
    if taken:
        assert reader.sink.apply(message, message.key).reference in reader.files("in")
        return
    with pytest.raises(SinkRefused):
        reader.sink.apply(message, message.key)
    assert reader.files("in") == []


def test_status_without_a_file_becomes_one(author, reader, hub):
    """A status from a system that speaks no edXML is written as a file for the clerk."""
    author.new("H17.15")
    hub.carry(author.items(), author, reader)
    received = reader.folder("in") / reader.files("in")[0]
    clerks.status(reader.folder("out"), received, "06", "H17.15", reader.clock.now)
    draft = reader.items()[0].draft
    fields = {name: value for name, value in draft.payload.fields.items() if name != "Packet"}
    bare = replace(draft, payload=replace(draft.payload, fields=fields), attachments=())
    message = hub.inbound(bare, reader.code, author.code)
    author.sink.apply(message, message.key)
    (seen,) = clerks.listed(author.folder("in"), author.clock.now)
    assert (seen["status"], seen["from"]) == ("06", "H17.15")
    assert seen["document_id"] == draft.document_id


@pytest.mark.parametrize("name", ACCEPTS)
def test_example_of_each_type_is_taken(office, name):
    """What ``hub example`` prints for a document type is a packet of that kind."""
    author, reader = AgencyCode.parse("H13.15"), office("H17.15")
    made = example_draft(name, author, [reader.code], now=reader.clock.now, environment=TRIAL)
    message = Inbound(
        made.header.message_id, made.header.type, author, reader.code, reader.clock.now,
        made.header.conversation_id, made.payload, made.attachments, "0" * 64,
    )  # fmt: skip
    done = reader.sink.apply(message, message.key)
    assert reader.files("in") == [done.reference]
    assert len(done.replies) == (0 if name == "document.status" else 1)


def test_document_with_overlong_names_is_delivered_and_answered(author, reader, hub):
    """What the reader only notes never keeps a document from arriving, nor its 01 from going."""
    data = author.new("H17.15").replace("Cơ quan H17.15".encode(), "Cơ quan H17.15 ".encode() * 20)
    author.put(data, author.files("out")[0])
    (reply,) = hub.carry(author.items(), author, reader)
    assert read_in(reader) == [data]
    message = hub.inbound(reply, reader.code, author.code)
    author.sink.apply(message, message.key)
    assert len(author.files("in")) == 1
