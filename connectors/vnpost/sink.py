"""Messages for the post → its orders and notices, idempotent by the order number."""

from __future__ import annotations

from connectors.vnpost.client import Ngsp
from connectors.vnpost.config import VnpostConfig
from hub.adapters.contract import Applied, Inbound
from hub.adapters.postal import ngsp
from hub.adapters.postal.orders import customer_of, deliveries, order_number
from hub.errors import SinkRefused


class OrderSink:
    """Sink of the post: result deliveries become orders, refusals cancel the pick-up."""

    def __init__(self, client: Ngsp, config: VnpostConfig) -> None:
        self._client = client
        self._config = config

    def apply(self, message: Inbound, key: str) -> Applied:  # noqa: ARG002 - the port's signature
        """Do at the post what the message asks; ``key`` adds nothing to the order number.

        Raises ``SinkUnavailable`` (no answer: asked again, the post answers 101), ``SinkUnknown``
        (an answer that means nothing, kept raw) and ``SinkRefused``.
        """
        kind = str(message.type)
        if kind == "postal.result_handover":
            found = deliveries(message, self._config)
            for delivery in found:
                self._client.order(ngsp.order(delivery))
            return Applied(found[0].number)
        customer, _ = customer_of(message, self._config)
        number = order_number(message)
        if kind == "postal.return_request":
            self._client.cancel(customer, number)
        elif kind == "dossier.received":
            state = self._config.notice_state
            notice = {"CustomerCode": customer, "OrderNumber": number, "State": state}
            self._client.notice(notice)
        else:
            raise SinkRefused(reason=f"{kind} is not taken here")
        return Applied(number)

    def lookup(self, key: str) -> Applied | None:  # noqa: ARG002 - the port's signature
        """Say *not applied*: the post has no look-up, and doing it again is the same order."""
        return None
