"""Whatever a one-stop or a post can tell is a valid message, from full records and bare ones."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from hub.adapters.contract import Draft
from hub.adapters.one_stop.payloads import TYPES, Happening, payload
from hub.adapters.one_stop.record import Record
from hub.adapters.postal.agreement import Agreement, Code
from hub.adapters.postal.replies import Reply, ReplyTable
from hub.adapters.postal.tracking import Slip, Tracked, TrackingEvents
from hub.adapters.redaction import complaint
from hub.codes import AgencyCode, DossierCode, Environment, MessageId, MessageType
from hub.envelope import EnvelopeDraft, Header
from hub.errors import RowUnmappable, SinkRefused, SinkUnknown
from hub.schemas.compose import compose
from hub.schemas.documents import Status
from hub.schemas.validate import Validator

NOW = datetime(2026, 3, 12, 9, 0, tzinfo=timezone(timedelta(hours=7)))
HERE, THERE = AgencyCode.parse("H12.101"), AgencyCode.parse("H12.15")
STEP = {
    "id": "10", "at": NOW, "name": "Thẩm định", "person": "Trần Thị Ví Dụ",
    "section": "Phòng chuyên môn", "status": "4", "due": NOW, "finished": NOW,
}  # fmt: skip
FULL = Record(
    code="H12.15-260304-0007",
    aliases=(("postal_order", "BC-1"), ("local_no", "MC-7")),
    fields={
        "order_no": "BC-1", "procedure": "9.999999", "procedure_name": "Thủ tục",
        "applicant": "Nguyễn Văn Mẫu", "applicant_kind": "citizen", "phone": "0900000000",
        "personal_number": "000000000001", "email": "mau@example.invalid", "summary": "Hồ sơ",
        "channel": "post", "delivery": "post", "delivery_place": "Số 1", "origin": "H12.101",
        "result_files": "/a/kq1.pdf##/a/kq2.pdf", "submitted": NOW, "post_accepted": NOW,
        "handed_over": NOW, "received": NOW, "due": NOW, "resolved": NOW, "returned": NOW,
    },
    parts=({"name": "Tờ khai", "originals": "1", "copies": "2", "digitised": "yes"},),
    fees=({"name": "Lệ phí", "amount": "30000", "state": "paid"},),
    steps=(STEP,),
    deleted=False,
)  # fmt: skip
BARE = Record("A-1", (), {"procedure": "9.999999"}, (), (), (), deleted=False)
NEEDS_MORE = {
    "step.started", "step.finished", "dossier.payment_requested", "result.issued",
    "postal.result_handover", "postal.return_request",
}  # fmt: skip
"""Types that a dossier without lists, trace and postal order cannot give."""


def valid(draft: Draft) -> None:
    """Hold a draft to the schema; raises what a receiver would."""
    made = MessageId.new(1, bytes(10))
    header = Header(
        made, Environment.TRIAL, draft.type, HERE, draft.recipients, made, NOW,
        dossier_code=draft.dossier_code, document_id=draft.document_id,
    )  # fmt: skip
    Validator().check_draft(compose(EnvelopeDraft(header, draft.payload)))


def happening(type_: str, record: Record, step) -> Draft:
    """Return the draft of a happening at a one-stop."""
    status = Status("motcua", "4", "processing", "Đang xử lý", "4")
    event = Happening(
        type_, "5d0f4b0e-6f0a-5b57-9a53-0f6a4d1a7c11", record, status, 7, HERE, THERE, NOW, NOW,
        step,
    )  # fmt: skip
    kind, code = MessageType.parse(type_), DossierCode.parse(record.code)
    return Draft(kind, (THERE,), payload(event), dossier_code=code)


@pytest.mark.parametrize("type_", sorted(TYPES))
def test_every_event_of_a_one_stop_is_valid(type_):
    """Each type from a full record carries both statuses and fits the schema."""
    draft = happening(type_, FULL, STEP)
    valid(draft)
    source = draft.payload.fields["Status"]["Source"]
    assert source == {"System": "motcua", "Code": "4", "Text": "Đang xử lý"}
    assert draft.payload.fields["Status"]["Canonical"]


@pytest.mark.parametrize("type_", sorted(set(TYPES) - NEEDS_MORE))
def test_bare_dossier_is_told_without_inventing_anything(type_):
    """A dossier with nothing but its codes makes a valid message too: absent stays absent."""
    valid(happening(type_, BARE, None))


@pytest.mark.parametrize(
    "type_", ["step.started", "postal.return_request", "postal.result_handover"]
)
def test_slip_without_its_order_or_step_is_an_error(type_):
    """What needs a line of the trace or a postal order is refused without one."""
    with pytest.raises(RowUnmappable):
        happening(type_, BARE, None)


def test_three_times_of_a_postal_dossier_stay_apart():
    """Accepted by the post, handed over and received are three dates of the dossier."""
    dates = happening("dossier.submitted", FULL, None).payload.fields["Dossier"]["Dates"]
    assert {"PostAccepted", "HandedOver", "Received", "Submitted"} <= set(dates)


AGREEMENT = Agreement.model_validate(
    {
        "system": "buudien",
        "customers": {
            "crm": {"code": "H12.15", "name": "Một cửa", "address": "Số 2", "phone": "0240000000",
                    "province": "10"},
        },
        "codes": {
            "1": {"event": "postal.accepted", "canonical": "accepted"},
            "2": {"event": "postal.handover", "canonical": "handed_over",
                  "notes": r"biên bản (?P<manifest>\S+), người nhận (?P<signed_by>.+)"},
            "4": {"event": "postal.delivered", "canonical": "delivered"},
            "5": {"event": "postal.fee_collected",
                  "notes": r"biên lai (?P<receipt>\S+), số tiền (?P<amount>\S+)"},
            "6": {"event": "postal.undelivered", "canonical": "undelivered",
                  "notes": "(?P<reason>.+)"},
            "7": {"event": "postal.returned", "canonical": "returned", "notes": "(?P<reason>.+)"},
        },
    }
)  # fmt: skip
SLIP = Slip(
    "9.999999", "Thủ tục", ("Tờ khai",), sender={"FullName": "Nguyễn Văn Mẫu"}, cash="30000"
)


def tracked(code: str, notes: str = "", slip: Slip = SLIP):
    """Return the item of a tracking row."""
    events = TrackingEvents(AGREEMENT, Environment.TRIAL, lambda: NOW, lambda *_: slip)
    row = Tracked(
        "69a4ef60" + "0" * 16, 1, "crm", "KQ-BC-1", NOW, code, "Chữ", notes, "100000", "RX1"
    )
    return events.item(row.id, "tracking", lambda: row)


@pytest.mark.parametrize(
    ("code", "notes", "type_"),
    [
        ("1", "", "postal.accepted"),
        ("2", "biên bản BK-01, người nhận Trần Thị Ví Dụ", "postal.handover"),
        ("2", "không rõ", "postal.handover"),
        ("4", "", "postal.delivered"),
        ("5", "biên lai BL-1, số tiền 030000", "postal.fee_collected"),
        ("5", "đã thu", "postal.tracking"),
        ("6", "không có người nhận", "postal.undelivered"),
        ("6", "", "postal.tracking"),
        ("7", "hết hạn lưu giữ", "postal.returned"),
        ("77", "gì đó", "postal.tracking"),
    ],
)
def test_every_tracking_code_is_valid_and_kept_raw(code, notes, type_):
    """Each code gives a valid event of its type; a note without what it needs is plain tracking."""
    draft = tracked(code, notes).draft
    assert str(draft.type) == type_
    valid(draft)
    assert draft.payload.fields["Status"]["Source"]["Code"] == code
    assert draft.payload.fields["OrderNo"] == draft.document_id == "BC-1"


def test_amount_that_is_no_number_and_slip_without_parts_are_errors():
    """A broken amount and an empty parts list are told at their columns, never guessed."""
    assert tracked("5", "biên lai BL-1, số tiền 30.000").error.place.column == "Notes"
    empty = tracked("1", slip=Slip())
    assert empty.error.place.column == "Procedure.Elements"


@pytest.mark.parametrize(
    ("sends", "receives", "service"),
    [(True, True, "both"), (True, False, "send_dossier"), (False, True, "receive_result")],
)
def test_slip_names_one_of_the_three_services(sends, receives, service):
    """QĐ 45/2016 has three options: send, receive, or both."""
    slip = Slip("9.999999", "x", ("Tờ khai",), sends=sends, receives=receives)
    draft = tracked("1", slip=slip).draft
    valid(draft)
    assert draft.payload.fields["Service"] == service


def test_code_outside_the_table_means_nothing():
    """A code without an entry is unknown, whatever a neighbouring code means."""
    assert tracked("8").draft.payload.fields["Status"]["Canonical"] == "unknown"
    assert Code().event == "postal.tracking"


TABLE = ReplyTable("Status", (100, 101), refused=(110,))


@pytest.mark.parametrize("body", ['{"Status": 100}', '{"Status": 101, "Message": "x"}'])
def test_known_success_is_a_success(body):
    """Created and already there are the same success."""
    assert TABLE.judge(Reply(200, body)) in (100, 101)


@pytest.mark.parametrize(
    "body",
    ["", "null", "[]", "<html></html>", '{"Status": true}', '{"Status": "100"}', '{"Status": 999}',
     '{"Status": 100.0}', "{}", '"thành công"'],
)  # fmt: skip
def test_anything_else_is_unknown_with_its_raw_text(body):
    """HTTP 200 proves nothing: an unknown reply is kept for a person, shortened and redacted."""
    with pytest.raises(SinkUnknown) as unknown:
        TABLE.judge(Reply(200, body))
    assert "HTTP 200" in str(unknown.value)
    long = Reply(200, "000000000001" + "x" * 10_000)
    with pytest.raises(SinkUnknown) as unknown:
        TABLE.judge(long)
    assert "000000000001" not in str(unknown.value)
    assert len(str(unknown.value)) < 700


def test_known_refusal_is_a_refusal():
    """A status that the table names as a refusal refuses."""
    with pytest.raises(SinkRefused, match="110"):
        TABLE.judge(Reply(200, '{"Status": 110}'))


@pytest.mark.parametrize(
    ("words", "kept", "gone"),
    [
        ("Duplicate entry 'Nguyễn Văn Mẫu' for key 'hoso.uq_ten'", "'hoso.uq_ten'", "Mẫu"),
        ("duplicate key value is (000000000001).", "duplicate key", "000000000001"),
        ('invalid input syntax for type integer: "mười"', "integer", "mười"),
        ("UNIQUE constraint failed: LtHoSoDen.Khoa", "LtHoSoDen.Khoa", "\n"),
        ("khong co ho so\nDETAIL: Key (ten)=(Mẫu)", "khong co ho so", "Mẫu"),
        ("số 000 000 000 001 đã có", "đã có", "001"),
    ],
)
def test_complaint_of_a_database_keeps_names_and_drops_values(words, kept, gone):
    """Tables, columns and constraints stay; quoted values and personal numbers go."""
    found = complaint(words)
    assert kept in found
    assert gone not in found
    assert len(complaint("x" * 500)) <= 120
