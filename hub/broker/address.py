"""Where a home's broker is: the configured one, or the private node of the home."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.broker.node import Node
from hub.broker.urls import management_address
from hub.errors import BrokerUnavailable
from hub.settings import Settings


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is. The URLs hold the hub's own passwords: never print them."""

    amqp_url: str = field(repr=False)
    management_url: str = field(repr=False)
    """With credentials in it and the virtual host as ``?vhost=``."""


def broker_address(settings: Settings) -> BrokerAddress:
    """Return the configured broker, or the private node of this home if it runs.

    Raises ``BrokerUnavailable`` when neither is there.
    """
    if settings.broker.url:
        urls = settings.broker.url
        return BrokerAddress(urls, management_address(urls, settings.broker.management_url))
    info = Node.attach(settings.broker_folder)
    if info is None:
        raise BrokerUnavailable(reason=f"{settings.broker_folder}: hub up?")
    return BrokerAddress(info.amqp_url, info.management_url)
