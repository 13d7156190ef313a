"""The connector of the post against the simulated post: a real server process on loopback."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest

from connectors.vnpost.config import VnpostConfig
from hub.adapters.contract import Draft
from hub.codes import AgencyCode, DossierCode, Environment, MessageType
from hub.envelope import Payload
from hub.errors import ConfigInvalid, SinkRefused, SinkUnavailable, SinkUnknown

TRIAL = Environment.TRIAL
DEPARTMENT = AgencyCode.parse("H12.15", TRIAL)
ORDER = "BC-H99.19-260302-0031"
NOW = datetime(2026, 3, 12, 2, 0, tzinfo=timezone.utc)
T0 = 1_772_416_800_000
DESK = {
    "code": "H12.15",
    "name": "Bộ phận Một cửa minh họa",
    "address": "Số 2 đường Minh Họa",
    "phone": "0240000000",
    "province": "10",
}
SLIP = {
    "CustomerCode": "crm",
    "OrderNumber": ORDER,
    "Procedure": {
        "Code": "9.999999",
        "Title": "Thủ tục minh họa",
        "Elements": "Tờ khai; bản chính giấy tờ",
    },
    "IsSendDocument": True,
    "IsReceiveResult": True,
    "DocumentSender": {"Name": "Nguyễn Văn Mẫu", "Phone": "0900000000", "ProvinceCode": "10"},
    "CODAmount": 30000.0,
}


def track(post, code, *, at=T0, **more):
    """Insert a tracking row whose id and event time are ``at``."""
    row = {"CustomerCode": "crm", "OrderNumber": ORDER, "StatusCode": code}
    return post.do("track", **row, EventTime=at, IdTime=at, **more)["id"]


def handover(number=ORDER, **receiver):
    """Make the message by which an agency hands a result to the post."""
    person = {
        "FullName": "Nguyễn Văn Mẫu",
        "Phone": "0900000000",
        "Address": {"Line": "Số 1 đường Minh Họa", "PostProvinceCode": "16"},
        **receiver,
    }
    fields = {
        "EventId": "0b8c2f36-2a68-5c3f-9b4e-8f6d0c8a7f21",
        "ManifestNo": "BG-1",
        "OrderNo": number,
        "OccurredAt": NOW.isoformat(),
        "RecordedAt": NOW.isoformat(),
        "SourceSystem": "motcua-so",
        "SourceSequence": "7",
        "SignedAt": NOW.isoformat(),
        "SignedBy": {"Kind": "officer"},
        "Receiver": person,
        "Items": {"Item": [{"OrderNo": number}]},
    }
    post = AgencyCode.parse("0100000000", TRIAL)
    code = DossierCode.parse("H12.15-260310-0001")
    kind = MessageType.parse("postal.result_handover")
    return Draft(kind, (post,), Payload("PostalResultHandover", fields), dossier_code=code)


@pytest.fixture
def message(carrier):
    """A result hand-over as the sink gets it."""
    return carrier.inbound(handover(), DEPARTMENT)


def test_three_times_stay_apart(post, carrier):
    """Accepted, handed over and delivered are three events with three times, each valid."""
    post.do("accept", **SLIP, EventTime=T0, IdTime=T0)
    track(post, 2, at=T0 + 86_400_000, Notes="biên bản BK-01, người nhận Trần Thị Ví Dụ")
    track(post, 4, at=T0 + 9 * 86_400_000)
    batch = post.source.poll(None, 100)
    found = [
        carrier.inbound(item.draft, AgencyCode.parse("0100000000", TRIAL)) for item in batch.items
    ]
    assert [str(m.type) for m in found] == [
        "postal.accepted",
        "postal.handover",
        "postal.delivered",
    ]
    accepted, handed, delivered = (m.payload.fields for m in found)
    assert accepted["AcceptedAt"] == "2026-03-02T09:00:00+07:00"
    assert [p["Name"] for p in accepted["Parts"]["Part"]] == ["Tờ khai", "bản chính giấy tờ"]
    assert handed["SignedAt"] == "2026-03-03T09:00:00+07:00"
    assert (handed["ManifestNo"], handed["SignedBy"]["Name"]) == ("BK-01", "Trần Thị Ví Dụ")
    assert delivered["DeliveredAt"] == "2026-03-11T09:00:00+07:00"
    assert {m.document_id for m in found} == {ORDER}


def test_unknown_code_is_tracking_with_raw_code_and_text(post, carrier):
    """A code that the contract's table lacks keeps its raw code and text and means nothing."""
    track(post, 77, StatusMessage="Đang chờ")
    draft = post.source.poll(None, 10).items[0].draft
    status = carrier.inbound(draft, DEPARTMENT).payload.fields["Status"]
    assert str(draft.type) == "postal.tracking"
    assert status == {
        "Source": {"System": "vnpost", "Code": "77", "Text": "Đang chờ"},
        "Canonical": "unknown",
    }


def test_late_row_with_older_id_is_found(post):
    """A row that sorts before the cursor is found in the overlap, and the others are not new."""
    for n in range(5):
        track(post, 3, at=T0 + n * 60_000)
    first = post.source.poll(None, 100)
    assert len({item.key for item in first.items}) == 5
    late = track(post, 4, at=T0 + 90_000)
    second = post.source.poll(first.checkpoint, 100)
    assert [item.key for item in second.items] == [late]
    assert second.checkpoint == first.checkpoint


def test_cursor_survives_a_restart_of_both(tmp_path, running):
    """After a restart of post and connector the cursor goes on from where it was."""
    data = tmp_path / "post.sqlite"
    with running(data, tmp_path) as post:
        track(post, 3)
        cursor = post.source.poll(None, 100).checkpoint
    with running(data, tmp_path, overlap_s=0) as post:
        new = track(post, 4, at=T0 + 7_200_000)
        batch = post.source.poll(cursor, 100)
        assert [item.key for item in batch.items][-1] == new
        asked = [r["query"] for r in post.see("requests") if r["path"].endswith("tracking")][1:]
        assert not any("lastId=" + "0" * 24 in query for query in asked)


def test_limit_bounds_the_new_rows_and_loses_none(post):
    """At most ``limit`` new rows come in one poll; the rest come with the next checkpoint."""
    made = [track(post, 3, at=T0 + n * 3_600_000) for n in range(5)]
    got, checkpoint = [], None
    for _ in range(4):
        batch = post.source.poll(checkpoint, 2)
        checkpoint = batch.checkpoint
        got += [item.key for item in batch.items]
    assert sorted(set(got)) == made


def test_row_of_an_unknown_customer_stops_nothing(post):
    """A row of a customer nobody configured is one error, with its place; the next one goes on."""
    post.do("track", CustomerCode="other", OrderNumber="x", StatusCode=3, IdTime=T0, EventTime=T0)
    track(post, 3, at=T0 + 1000)
    bad, good = post.source.poll(None, 10).items
    assert bad.error.code == "source.mapping"
    assert bad.error.place.column == "CustomerCode"
    assert good.draft is not None


def test_time_out_that_took_effect_makes_one_order(post, message):
    """The first try takes effect but times out; the retry is answered 101: one order."""
    post.do("fault", path="order/post", kind="timeout_after", value="2")
    with pytest.raises(SinkUnavailable):
        post.sink.apply(message, message.key)
    assert post.sink.lookup(message.key) is None
    assert post.sink.apply(message, message.key).reference == "KQ-" + ORDER
    assert post.sink.apply(message, message.key).reference == "KQ-" + ORDER
    orders = [o for o in post.see("orders") if o["OrderNumber"] == "KQ-" + ORDER]
    assert len(orders) == 1
    assert (orders[0]["SenderProvince"], orders[0]["ReceiverProvince"]) == (10, 16)


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [("status", "999", "999"), ("empty", "", "HTTP 200"), ("html", "", "Bảo trì")],
)
def test_reply_that_means_nothing_is_parked_with_its_raw_text(post, message, kind, value, kept):
    """200 with another Status, an empty and an HTML reply are unknown, the raw reply kept."""
    post.do("fault", path="order/post", kind=kind, value=value)
    with pytest.raises(SinkUnknown, match=kept):
        post.sink.apply(message, message.key)


def test_server_error_is_transient(post, message):
    """A 500 is tried again later; the order number makes that safe."""
    post.do("fault", path="order/post", kind="500")
    with pytest.raises(SinkUnavailable):
        post.sink.apply(message, message.key)
    assert post.sink.apply(message, message.key).reference == "KQ-" + ORDER


def test_one_401_is_one_renewal(post, message):
    """An expired token is renewed once; a second refusal in a row is not tried for ever."""
    post.sink.apply(message, message.key)
    post.do("fault", path="order/post", kind="401")
    assert post.sink.apply(message, message.key).reference == "KQ-" + ORDER
    post.do("fault", path="order/post", kind="401", times=2)
    with pytest.raises(SinkUnavailable, match="token refused"):
        post.sink.apply(message, message.key)


def test_cancelled_order_is_refused_when_ordered_again(post, message):
    """A number that was cancelled (110) is no success of an order."""
    post.sink.apply(message, message.key)
    assert post.client.cancel("crm", "KQ-" + ORDER) == 110
    assert post.client.cancel("crm", "KQ-" + ORDER) == 110
    with pytest.raises(SinkRefused):
        post.sink.apply(message, message.key)


def test_cancel_of_an_unknown_order_is_parked(post):
    """A cancel that the post does not confirm with 110 is unknown, not done."""
    with pytest.raises(SinkUnknown):
        post.client.cancel("crm", "never")


def test_receiver_without_address_is_refused_before_anything_is_sent(post, carrier):
    """What the post requires is checked first; nothing half-filled leaves."""
    draft = handover(Phone="", Address={"Line": "Số 1"})
    draft.payload.fields["Receiver"].pop("Phone")
    message = carrier.inbound(draft, DEPARTMENT)
    with pytest.raises(SinkRefused, match="phone"):
        post.sink.apply(message, message.key)
    assert post.see("orders") == []


def test_personal_numbers_do_not_leave_in_descriptions(post, carrier):
    """A personal number in a description is stripped before it leaves; phones stay."""
    body = json.loads((Path(__file__).parent / "order_post.json").read_text("utf-8"))
    body |= {"SenderDesc": "CCCD 000000000001, CMND 000 000 001", "Description": "gọi 0900000000"}
    assert post.client.order(body) == 100
    assert post.client.order(body) == 101
    sent = next(r["body"] for r in post.see("requests") if r["path"].endswith("order/post"))
    assert "000000000001" not in sent
    assert "000 000 001" not in sent
    assert "0900000000" in json.loads(sent)["Description"]


def test_statistical_province_of_five_digits_is_no_postal_code():
    """Province codes are typed: anything but two digits is refused when the settings are read."""
    with pytest.raises(ConfigInvalid, match="postal province"):
        VnpostConfig.parse(
            {
                "url": "http://127.0.0.1:9",
                "consumer_key": "k",
                "secret_file": "s",
                "customers": {"crm": {**DESK, "province": "001"}},
            }
        )


def test_post_that_is_down_is_transient_and_seen_by_the_probe(post, message):
    """No server: the sink says unavailable, the probe says so with a remedy."""
    assert post.source.probe().ok
    post.stop()
    with pytest.raises(SinkUnavailable):
        post.sink.apply(message, message.key)
    health = post.source.probe()
    assert not health.ok
    assert health.remedy
