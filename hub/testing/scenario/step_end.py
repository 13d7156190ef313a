"""The first and the last step: the system answers; nothing is left over and the log holds."""

from __future__ import annotations

from hub.errors import HubError
from hub.store import audit
from hub.testing.scenario import cast
from hub.testing.scenario.stage import NotSeen, Stage, Step, until

SETTLED = frozenset({"delivered", "queued"})
"""``queued``: in the inbox of an agency that no connector reads for."""


def ready(stage: Stage) -> str:
    """Wait until the broker takes an agency's connection: the private node is up, accounts made."""

    def look() -> bool:
        try:
            stage.agency(cast.CLERK).nothing_more()
        except HubError:
            return False
        return True

    until(look, "broker")
    return f"inbox.{cast.CLERK}"


def settled(stage: Stage) -> str:
    """No delivery is parked, deferred or unconfirmed, and the hash chain of the log is whole."""
    with stage.store.read() as connection:
        found = connection.exec_driver_sql("select state, count(*) from deliveries group by 1")
        states = {str(state): int(count) for state, count in found}
    if not set(states) <= SETTLED:
        raise NotSeen(f"deliveries: {states}")
    until(lambda: _confirmed(stage), "confirmed_us")
    report = audit.verify(stage.store)
    if not report.ok:
        raise NotSeen(f"audit: {report.first_bad}")
    return f"{states}; {report.entries} mục / entries"


def _confirmed(stage: Stage) -> bool:
    with stage.store.read() as connection:
        left = connection.exec_driver_sql(
            "select (select count(*) from deliveries where confirmed_us is null)"
            " + (select count(*) from receipts where confirmed_us is null)"
        ).scalar()
    return left == 0


READY = Step(
    ("Khởi động", "Start"),
    ("nút RabbitMQ riêng, kho, bộ định tuyến, đầu nối", "private RabbitMQ node, store, router, …"),
    ready,
)
SETTLED_STEP = Step(
    ("Kết thúc: không gì thất lạc", "End: nothing is lost"),
    ("mọi bản giao đã xong, nhật ký nối băm nguyên vẹn", "every delivery done, the log unbroken"),
    settled,
)
