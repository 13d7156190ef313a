"""The post's tracking over NGSP: pages behind an ObjectId, with an overlap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

from connectors.vnpost.client import Ngsp
from connectors.vnpost.config import VnpostConfig
from hub.adapters.contract import Batch, Confirmation, Health, Item
from hub.adapters.postal import ngsp
from hub.adapters.postal.cursor import OverlapCursor
from hub.adapters.postal.tracking import Slip, TrackingEvents
from hub.codes import Environment
from hub.envelope import Receipt
from hub.errors import ConfigInvalid, HubError, SinkUnavailable


class TrackingSource:
    """Source and Probe over the post's order tracking."""

    def __init__(
        self,
        client: Ngsp,
        config: VnpostConfig,
        environment: Environment,
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._config = config
        self._events = TrackingEvents(config, environment, clock, self._slip)
        self._cursor: OverlapCursor[ngsp.Row] = OverlapCursor(
            lambda cursor: ngsp.before(cursor, config.overlap_s)
        )

    def poll(self, checkpoint: str | None, limit: int) -> Batch:
        """Return the rows of the overlap and at most ``limit`` behind the cursor."""
        if checkpoint is not None and not ngsp.OBJECT_ID.fullmatch(checkpoint):
            raise ConfigInvalid(file="checkpoint", key="-", reason=checkpoint[:40])
        rows, highest = self._cursor.read(checkpoint or ngsp.FIRST, limit, self._rows)
        return Batch(tuple(self._item(row) for _, row in rows), highest)

    def confirm(self, key: str, confirmation: Confirmation, receipt: Receipt | None) -> None:  # noqa: ARG002 - the port's signature
        """Note that the outbox has it; the post has no place for what became of its rows."""
        self._cursor.settled(key)

    def probe(self) -> Health:
        """Get a token and an empty page."""
        try:
            self._client.probe()
        except HubError as error:
            detail, remedy = error.message("en"), "kiểm tra NGSP, khóa truy cập"
            return Health(ok=False, detail=detail, remedy=remedy)
        return Health(ok=True, detail=self._config.system)

    def _rows(self, start: str) -> Iterator[tuple[str, ngsp.Row]]:
        last = start
        while True:
            page = self._client.tracking(last, self._config.page_size)
            before = last
            for row in page:
                oid = ngsp.oid_of(row)
                last = max(last, oid)
                yield oid, row
            if len(page) < self._config.page_size:
                return
            if last == before:
                raise SinkUnavailable("order/tracking repeats its page")

    def _item(self, row: ngsp.Row) -> Item:
        make = partial(ngsp.tracked, row)
        return self._events.item(ngsp.key_of(row), "order/tracking", make)

    def _slip(self, customer: str, number: str) -> Slip:
        return ngsp.slip(self._client.info(customer, number))
