"""Messages for the post → its orders and notices, idempotent by the order number."""

from __future__ import annotations

from typing import Any

from connectors.vnpost.client import Ngsp
from connectors.vnpost.config import Party, VnpostConfig
from hub.adapters.contract import Applied, Inbound
from hub.codes import PostProvince
from hub.envelope import Value
from hub.errors import Place, SinkRefused

ACCEPTS = (
    "postal.result_handover",
    "postal.return_request",
    "dossier.received",
)


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
        known = self._config.customer_of(str(message.sender))
        if known is None:
            raise SinkRefused(reason=f"{message.sender} has no customer code at the post")
        customer, party = known
        kind = str(message.type)
        if kind == "postal.result_handover":
            return self._deliver(message.payload.fields, customer, party)
        number = _order_number(message)
        if kind == "postal.return_request":
            self._client.cancel(customer, number)
        elif kind == "dossier.received":
            self._client.notice(
                {
                    "CustomerCode": customer,
                    "OrderNumber": number,
                    "State": self._config.notice_state,
                }
            )
        else:
            raise SinkRefused(reason=f"{kind} is not taken here")
        return Applied(number)

    def lookup(self, key: str) -> Applied | None:  # noqa: ARG002 - the port's signature
        """Say *not applied*: the post has no look-up, and doing it again is the same order."""
        return None

    def _deliver(self, fields: Value, customer: str, party: Party) -> Applied:
        items = _node(fields, "Items", "Item")
        lines = items if isinstance(items, list | tuple) else ()
        numbers = [_text(item, "OrderNo") for item in lines]
        if not numbers:
            raise SinkRefused(place=Place(path="Items"), reason="no order")
        for number in numbers:
            self._client.order(self._order(fields, number, customer, party))
        return Applied(self._config.result_prefix + numbers[0])

    def _order(self, fields: Value, number: str, customer: str, party: Party) -> dict[str, Any]:
        receiver = _node(fields, "Receiver")
        body: dict[str, Any] = {
            "CustomerCode": customer,
            "OrderNumber": self._config.result_prefix + number,
            "CODAmount": float(_text(fields, "CashOnDelivery") or "0"),
            "SenderProvince": int(party.province),
            "SenderDistrict": _district(party.district),
            "SenderAddress": party.address,
            "SenderName": party.name,
            "SenderEmail": party.email,
            "SenderTel": party.phone,
            "SenderDesc": "Kết quả giải quyết thủ tục hành chính",
            "Description": f"Trả kết quả hồ sơ của đơn {number}",
            "ReceiverName": _text(receiver, "FullName"),
            "ReceiverAddress": _text(receiver, "Address", "Line"),
            "ReceiverTel": _text(receiver, "Phone"),
            "ReceiverProvince": _province(receiver, party),
            "ReceiverDistrict": _district(_text(receiver, "Address", "DistrictCode")),
            "ReceiverEmail": _text(receiver, "Email"),
        }
        for name in ("ReceiverName", "ReceiverAddress", "ReceiverTel"):
            if not body[name]:
                raise SinkRefused(place=Place(path="Receiver"), reason=f"{name} is missing")
        return body


def _province(receiver: Value, party: Party) -> int:
    """Return the receiver's postal province; without one the result stays in the agency's own."""
    code = _text(receiver, "Address", "PostProvinceCode") or party.province
    return int(PostProvince.parse(code).value)


def _district(code: str) -> int:
    """Return a postal district code as NGSP wants it; 0 when it is not known."""
    return int(code) if code.isascii() and code.isdigit() else 0


def _order_number(message: Inbound) -> str:
    fields = message.payload.fields
    number = _text(fields, "OrderNo") or message.document_id or ""
    aliases = _node(fields, "Aliases", "Alias")
    if not number and isinstance(aliases, list | tuple):
        postal = (a for a in aliases if _text(a, "Scheme") == "postal_order")
        number = next((_text(alias, "Value") for alias in postal), "")
    if not number:
        raise SinkRefused(place=Place(path="OrderNo"), reason="no postal order")
    return number


def _node(fields: Value, *path: str) -> Value:
    here = fields
    for name in path:
        if isinstance(here, str) or not hasattr(here, "get"):
            return ""
        here = here.get(name, "")
    return here


def _text(fields: Value, *path: str) -> str:
    found = _node(fields, *path)
    return found if isinstance(found, str) else ""
