"""The connector of the post against a post that behaves oddly: pages, tokens, rows, silence."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from connectors.vnpost.client import Ngsp
from connectors.vnpost.config import VnpostConfig
from connectors.vnpost.source import TrackingSource
from hub.adapters.contract import Confirmation
from hub.codes import Environment
from hub.errors import ConfigInvalid, ConfigMissing, SinkRefused, SinkUnavailable

ORDER = "BC-H99.19-260302-0031"
T0 = 1_772_416_800_000
OID = "69a4ef60" + "0" * 15


def row(oid, number=ORDER, **more):
    """Make a tracking row as NGSP writes it."""
    base = {"CustomerCode": "crm", "OrderNumber": number, "EventTime": T0, "StatusCode": 3}
    return {"_id": {"$oid": oid}, **base, "StatusMessage": "", "Notes": "", **more}


class _Handler(BaseHTTPRequestHandler):
    """Answers a token, then whatever the test put on ``server.pages``."""

    def do_POST(self):
        self._answer(self.server.token)

    def do_GET(self):
        self.server.asked.append(self.path)
        pages = self.server.pages
        self._answer(pages.pop(0) if len(pages) > 1 else pages[0])

    def _answer(self, body):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def odd(tmp_path):
    """A post whose pages the test writes itself, behind a real HTTP server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.token, server.asked, server.pages = {"access_token": "t"}, [], [{}]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    file = tmp_path / "secret"
    file.touch(mode=0o600)
    file.write_text("sim-secret")
    options = {
        "url": f"http://127.0.0.1:{server.server_address[1]}",
        "consumer_key": "k", "secret_file": "secret", "timeout_s": 2, "page_size": 2,
        "customers": {"crm": {"code": "H12.15", "name": "Một cửa", "address": "Số 2",
                              "phone": "0240000000", "province": "10"}},
    }  # fmt: skip
    config = VnpostConfig.parse(options, tmp_path)
    client = Ngsp(config)
    now = datetime(2026, 3, 12, tzinfo=timezone.utc)
    server.source = TrackingSource(client, config, Environment.TRIAL, lambda: now)
    server.page = lambda *rows: {"_embedded": {"rh:doc": list(rows)}}
    yield server
    client.close()
    server.shutdown()
    server.server_close()


def test_row_without_an_object_id_is_parked_and_stops_nothing(odd):
    """A row whose id can't be read is one error under a key of its own; the next one goes on."""
    strange = row("zz")
    odd.pages = [odd.page(strange, row(OID + "1")), odd.page()]
    batch = odd.source.poll(None, 10)
    bad, good = batch.items
    assert (bad.error.code, bad.error.place.column) == ("source.mapping", "_id")
    assert bad.key.startswith("row-")
    assert good.key == batch.checkpoint == OID + "1"
    odd.pages = [odd.page(strange, row(OID + "1")), odd.page()]
    assert odd.source.poll(batch.checkpoint, 10).items[0].key == bad.key


@pytest.mark.parametrize(
    "page",
    [
        b"<html>B\xe1\xba\xa3o tr\xc3\xac</html>", b"", b"[]", b"null", {}, {"_embedded": []},
        {"_embedded": {"rh:doc": {}}}, {"_embedded": {"rh:doc": ["x"]}},
    ],
)  # fmt: skip
def test_page_that_means_nothing_is_asked_again(odd, page):
    """A strange page with HTTP 200 changes nothing, so the source waits; it raises nothing else."""
    odd.pages = [page]
    with pytest.raises(SinkUnavailable):
        odd.source.poll(None, 10)
    assert not odd.source.probe().ok


def test_post_that_repeats_its_page_is_not_asked_for_ever(odd):
    """A server that ignores ``lastId`` and sends one full page again and again is noticed."""
    odd.pages = [odd.page(row(OID + "1"), row(OID + "2"))]
    with pytest.raises(SinkUnavailable, match="repeats"):
        odd.source.poll(None, 10)


@pytest.mark.parametrize("checkpoint", ["", "0", "x" * 24, OID])
def test_damaged_cursor_is_refused_and_never_restarts_at_zero(odd, checkpoint):
    """A cursor that is no ObjectId is refused before anything is asked."""
    with pytest.raises(ConfigInvalid, match="checkpoint"):
        odd.source.poll(checkpoint, 10)
    assert odd.asked == []


def test_broken_time_is_one_error_with_its_place(odd):
    """A row whose time is no number of milliseconds is parked; the other one goes."""
    rows = (row(OID + "1", EventTime="hôm qua"), row(OID + "2", EventTime=None), row(OID + "3"))
    odd.pages = [odd.page(*rows[:2]), odd.page(rows[2])]
    first, second, third = odd.source.poll(None, 10).items
    assert [first.error.code, second.error.code] == ["source.date", "source.mapping"]
    assert {first.error.place.column, second.error.place.column} == {"EventTime"}
    assert third.draft is not None


@pytest.mark.parametrize("token", [b"<html></html>", {}, {"access_token": 7}, b"", []])
def test_login_that_means_nothing_is_waited_out(odd, token):
    """Without a token nothing was sent, so nothing is unknown: it is tried again."""
    odd.token = token
    with pytest.raises(SinkUnavailable, match="no token"):
        odd.source.poll(None, 10)


def test_row_is_offered_until_the_outbox_says_so(post):
    """A late row that did not make it into the outbox comes again, until it is confirmed."""
    made = {"CustomerCode": "crm", "OrderNumber": ORDER, "StatusCode": 3}
    post.do("track", **made, EventTime=T0, IdTime=T0)
    mark = post.source.poll(None, 10).checkpoint
    late = post.do("track", **made, EventTime=T0, IdTime=T0 - 60_000)["id"]
    for _ in range(2):
        assert late in [item.key for item in post.source.poll(mark, 10).items]
    post.source.confirm(late, Confirmation.PUBLISHED, None)
    assert late not in [item.key for item in post.source.poll(mark, 10).items]


def test_strange_look_up_of_a_slip_is_asked_again_not_parked(post):
    """HTML in place of a slip is the post's trouble, not the row's: the poll waits and goes on."""
    post.do(
        "accept", CustomerCode="crm", OrderNumber=ORDER, EventTime=T0, IdTime=T0,
        Procedure={"Code": "9.999999", "Title": "Thủ tục", "Elements": "Tờ khai"},
        DocumentSender={"Name": "Nguyễn Văn Mẫu"},
    )  # fmt: skip
    post.do("fault", path="order/info", kind="html")
    with pytest.raises(SinkUnavailable):
        post.source.poll(None, 10)
    (item,) = post.source.poll(None, 10).items
    assert item.error is None


def test_slip_that_the_post_does_not_have_is_one_error(post):
    """An accepted order without a parts list is parked at its column; the next row goes on."""
    made = {"CustomerCode": "crm", "EventTime": T0}
    post.do("track", **made, OrderNumber="BC-0", StatusCode=1, IdTime=T0)
    post.do("track", **made, OrderNumber=ORDER, StatusCode=3, IdTime=T0 + 1000)
    bad, good = post.source.poll(None, 10).items
    assert (bad.error.code, bad.error.place.column) == ("source.mapping", "Procedure.Elements")
    assert good.draft is not None


def test_expired_token_is_renewed_once_for_all(post):
    """Eight calls at once meet an expired token: one of them renews it, all of them succeed."""
    calls = 8
    post.client.probe()
    before = [one["path"] for one in post.see("requests")].count("/token")
    post.do("fault", path="order/tracking", kind="401")
    start = threading.Barrier(calls)

    def call(_):
        start.wait(10)
        return post.client.tracking("0" * 24, 1)

    with ThreadPoolExecutor(calls) as pool:
        assert list(pool.map(call, range(calls))) == [[]] * calls
    after = [one["path"] for one in post.see("requests")].count("/token")
    assert after - before == 1


def test_silent_post_is_given_up_on(post):
    """A post that does not answer within the time-out is unavailable, for source and probe."""
    post.do("fault", path="order/tracking", kind="timeout_after", value="4", times=2)
    with pytest.raises(SinkUnavailable, match="Timeout"):
        post.source.poll(None, 10)
    assert not post.source.probe().ok


def test_cancelled_number_is_refused_with_its_status(post, carrier):
    """An order that answers 110 was cancelled: refused, and told by that status."""
    body = {
        "CustomerCode": "crm", "OrderNumber": "KQ-1", "SenderProvince": 10, "SenderAddress": "a",
        "SenderName": "a", "SenderTel": "0", "ReceiverName": "a", "ReceiverAddress": "a",
        "ReceiverTel": "0", "ReceiverProvince": 10,
    }  # fmt: skip
    assert post.client.order(body) == 100
    assert post.client.cancel("crm", "KQ-1") == 110
    with pytest.raises(SinkRefused, match="110"):
        post.client.order(body)


def test_secret_is_looked_at_before_anything_runs(tmp_path):
    """A missing secret and one that others may read are told at the start."""
    options = {"url": "http://127.0.0.1:9", "consumer_key": "k", "customers": {}}
    with pytest.raises(ConfigMissing, match="secret"):
        VnpostConfig.parse({**options, "secret_file": "secret"}, tmp_path).secret()
    (tmp_path / "secret").write_text("x")
    (tmp_path / "secret").chmod(0o644)
    with pytest.raises(ConfigInvalid, match="chmod 600"):
        VnpostConfig.parse({**options, "secret_file": "secret"}, tmp_path).secret()
