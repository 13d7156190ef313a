"""Messages for a post → what to ask of it: deliveries of results, cancellations, notices."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.adapters.contract import Inbound
from hub.adapters.fields import members, text_at
from hub.adapters.postal.agreement import Agreement, Party
from hub.codes import PostProvince
from hub.errors import CodeMalformed, Place, SinkRefused

ACCEPTS = ("postal.result_handover", "postal.return_request", "dossier.received")


@dataclass(frozen=True, slots=True)
class Delivery:
    """A result to be brought to its receiver, from an agency's desk."""

    number: str
    """The order number: the one it answers behind a fixed prefix, so a repeat is the same order."""
    answers: str
    customer: str
    desk: Party
    name: str = field(repr=False)
    address: str = field(repr=False)
    phone: str = field(repr=False)
    email: str = field(repr=False)
    province: PostProvince
    district: str
    cash: int
    """Whole đồng to collect."""


def customer_of(message: Inbound, agreement: Agreement) -> tuple[str, Party]:
    """Return the sender's customer code and desk; raises ``SinkRefused`` when it has none."""
    known = agreement.customer_of(str(message.sender))
    if known is None:
        raise SinkRefused(reason=f"{message.sender} has no customer code at the post")
    return known


def deliveries(message: Inbound, agreement: Agreement) -> list[Delivery]:
    """Return what a ``postal.result_handover`` asks for: one delivery for each line.

    Raises ``SinkRefused`` before anything is sent when a line or the receiver is incomplete.
    """
    customer, desk = customer_of(message, agreement)
    fields = message.payload.fields
    lines = members(fields, "Items/Item")
    if not lines:
        raise SinkRefused(place=Place(path="Items"), reason="no order")
    return [
        _delivery(message, text_at(line, "OrderNo"), customer, desk, agreement) for line in lines
    ]


def order_number(message: Inbound) -> str:
    """Return the postal order that a message is about; raises ``SinkRefused`` when it has none."""
    fields = message.payload.fields
    number = text_at(fields, "OrderNo")
    aliases = members(fields, "Aliases/Alias")
    postal = (alias for alias in aliases if text_at(alias, "Scheme") == "postal_order")
    number = number or next((text_at(alias, "Value") for alias in postal), "")
    number = number or message.document_id or ""
    if not number:
        raise SinkRefused(place=Place(path="OrderNo"), reason="no postal order")
    return number


def _delivery(
    message: Inbound, number: str, customer: str, desk: Party, agreement: Agreement
) -> Delivery:
    fields = message.payload.fields
    found = {
        "name": text_at(fields, "Receiver/FullName"),
        "address": text_at(fields, "Receiver/Address/Line"),
        "phone": text_at(fields, "Receiver/Phone"),
    }
    for name, value in found.items():
        if not value:
            raise SinkRefused(place=Place(path="Receiver"), reason=f"receiver's {name} is missing")
    return Delivery(
        number=agreement.result_prefix + number,
        answers=number,
        customer=customer,
        desk=desk,
        **found,
        email=text_at(fields, "Receiver/Email"),
        province=_province(text_at(fields, "Receiver/Address/PostProvinceCode"), desk),
        district=text_at(fields, "Receiver/Address/DistrictCode"),
        cash=int(text_at(fields, "CashOnDelivery") or "0"),
    )


def _province(code: str, desk: Party) -> PostProvince:
    """Return the receiver's postal province; without one the result stays in the agency's own."""
    try:
        return PostProvince.parse(code or desk.province)
    except CodeMalformed as error:
        raise SinkRefused(place=Place(path="Receiver/Address"), reason="postal province") from error
