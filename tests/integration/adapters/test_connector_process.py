"""A connector's process on a real hub: killed, stopped, paused, cut off, and always exact."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hub.codes import DossierCode
from hub.store import directory
from hub.testing.world import DEPARTMENT, ONE_STOP, OTHER

TOLD = "SELECT what FROM told ORDER BY n"


@pytest.mark.parametrize("moment", ["hang-before", "hang-after"])
def test_killed_in_the_middle_of_apply_there_is_one_effect_and_one_receipt(
    hub, ledger, wait, moment
):
    """SIGKILL before or after the partner's commit: at the next start the sink is asked."""
    raw = hub.message("dossier.submitted", ONE_STOP, DEPARTMENT)
    ledger.set(moment)
    process = ledger.start()
    hub.send(ONE_STOP, raw)
    wait(lambda: ledger.has("hanging"), "the call to apply")
    process.kill()
    assert len(ledger.rows()) == (moment == "hang-after")
    ledger.clear(moment)
    ledger.start()
    wait(lambda: hub.delivery(raw) == "delivered", "delivered at the hub")
    assert len(ledger.rows()) == 1
    assert hub.receipts(raw) == ["receipt.delivered"]
    hub.send(ONE_STOP, raw)
    another = hub.message("dossier.submitted", ONE_STOP, DEPARTMENT)
    hub.send(ONE_STOP, another)
    wait(lambda: hub.delivery(another) == "delivered", "the next message")
    assert len(ledger.rows()) == 2
    assert hub.receipts(raw) == ["receipt.delivered"]


def test_sigterm_finishes_the_item_at_hand(hub, ledger, wait):
    """Exit 0 within 10 s; what was begun is applied, answered and gone from the queue."""
    ledger.set("slow")
    process = ledger.start()
    raws = [hub.message("dossier.submitted", ONE_STOP, DEPARTMENT) for _ in range(5)]
    hub.send(ONE_STOP, *raws)
    wait(ledger.rows, "the first effect")
    assert process.stop() == 0
    done = len(ledger.rows())
    assert done < len(raws)
    states = [hub.delivery(raw) for raw in raws]
    wait(lambda: [hub.delivery(raw) for raw in raws].count("delivered") == done, f"{states}")
    ledger.clear("slow")
    ledger.start()
    wait(lambda: all(hub.delivery(raw) == "delivered" for raw in raws), "the rest")
    assert len(ledger.rows()) == len(set(ledger.rows())) == len(raws)


def test_a_second_process_on_the_same_state_is_refused(hub, ledger, wait):
    """Exit 2 and one sentence naming the file; the first goes on undisturbed."""
    first = ledger.start()
    wait(lambda: '"connected"' in first.said, "the first one's connection")
    second = ledger.start()
    assert second.popen.wait(20) == 2
    assert "ledger.lock" in second.said
    assert "Traceback" not in second.said
    assert first.popen.poll() is None
    first.kill()
    third = ledger.start()
    wait(lambda: '"connected"' in third.said, "a start after the death of the first")


def test_a_busy_partner_defers_and_the_ladder_brings_it_back_in_order(hub, ledger, wait):
    """receipt.deferred, a rung of the hub's ladder, and then both messages by their numbers."""
    ledger.set("busy")
    ledger.start()
    code = DossierCode("HS-ladder")
    first = hub.message("dossier.submitted", ONE_STOP, DEPARTMENT, dossier_code=code)
    second = hub.message("dossier.withdrawn", ONE_STOP, DEPARTMENT, dossier_code=code)
    hub.send(ONE_STOP, first, second)
    wait(lambda: hub.receipts(second), "the second one's deferral")
    ledger.clear("busy")
    wait(lambda: hub.delivery(second) == "delivered", "both delivered", 75)
    assert hub.receipts(first)[0] == "receipt.deferred"
    assert ledger.rows("SELECT type FROM ledger ORDER BY n") == [
        "dossier.submitted",
        "dossier.withdrawn",
    ]


def test_a_recall_in_the_urgent_queue_stops_its_document(hub, ledger, wait):
    """Both wait in the two queues of the inbox: the recall is read first, the document refused."""
    new = hub.message("document.new", DEPARTMENT, OTHER, {"DocumentId": "VB-1"}, document_id="VB-1")
    back = hub.message(
        "document.recall", DEPARTMENT, OTHER, {"TargetDocumentId": "VB-1"}, document_id="VB-1"
    )
    hub.send(DEPARTMENT, new)
    wait(lambda: hub.delivery(new) == "queued", "the document in the inbox")
    hub.send(DEPARTMENT, back)
    wait(lambda: hub.delivery(back) == "queued", "the recall in the inbox")
    hub.configure("ledger", "ledger", OTHER, folder=ledger.folder)
    ledger.start()
    wait(lambda: hub.delivery(new) == "refused", "the refusal of the document")
    assert ledger.rows("SELECT type FROM ledger") == ["document.recall"]
    assert hub.receipts(new) == ["receipt.refused"]
    wait(lambda: hub.delivery(back) == "delivered", "the receipt of the recall")


def test_a_partner_that_is_down_burns_no_attempt(hub, ledger, wait):
    """Reading stops without any receipt, and goes on when the probe says so."""
    ledger.set("down")
    process = ledger.start()
    raw = hub.message("dossier.submitted", ONE_STOP, DEPARTMENT)
    hub.send(ONE_STOP, raw)
    wait(lambda: '"paused"' in process.said, "the pause")
    assert hub.receipts(raw) == []
    ledger.clear("down")
    wait(lambda: hub.delivery(raw) == "delivered", "the delivery after the pause")
    assert hub.receipts(raw) == ["receipt.delivered"]


def test_records_go_out_once_and_hear_what_became_of_them(hub, ledger, make_ledger, wait, tmp_path):
    """From one connector to the other; killed in between, nothing is lost and nothing is twice."""
    other, many = make_ledger(hub, tmp_path / "other", ONE_STOP), 10
    first = ledger.start()
    for number in range(many):
        ledger.set(f"out/{number}.txt", ONE_STOP)
    wait(lambda: ledger.counts().get("outbox.accepted"), "the first acceptance")
    first.kill()
    ledger.start()
    other.start()
    wait(lambda: ledger.counts().get("outbox.delivered") == many, "all delivered")
    assert len(other.rows()) == len(set(other.rows())) == many
    wait(lambda: len(set(ledger.rows(TOLD))) == 3 * many, "everything told")
    assert "0.txt delivered" in ledger.rows(TOLD)


def test_the_brokers_restart_is_waited_out(hub_apart, make_ledger, spare_node, wait, tmp_path):
    """With the node gone the outbox fills; with it back everything goes out, and comes in."""
    ledger = make_ledger(hub_apart, tmp_path / "ledger")
    process = ledger.start()
    wait(lambda: '"connected"' in process.said, "the connection")
    spare_node.stop()
    ledger.set("out/1.txt", OTHER)
    wait(lambda: ledger.counts().get("outbox.new") == 1, "the record in the outbox")
    spare_node.start()
    wait(lambda: ledger.counts().get("outbox.accepted") == 1, "the hub's receipt", 60)
    raw = hub_apart.message("dossier.submitted", ONE_STOP, DEPARTMENT)
    hub_apart.send(ONE_STOP, raw)
    wait(lambda: hub_apart.delivery(raw) == "delivered", "a message after the restart")


def test_a_certificate_that_is_retired_stops_the_connector(hub, ledger, wait):
    """The hub would quarantine what it signs, unanswered: it says so and ends with status 1."""
    process = ledger.start()
    wait(lambda: '"connected"' in process.said, "the connection")
    now = datetime.now(UTC)
    sha256 = hub.keys[DEPARTMENT].certificate_sha256
    directory.retire_certificate(hub.store, sha256, DEPARTMENT, now, "test", now)
    assert process.popen.wait(20) == 1
    assert "ledger: " in process.said
    assert "Traceback" not in process.said
