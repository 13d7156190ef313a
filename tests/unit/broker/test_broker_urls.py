"""Broker URLs: taken apart, put together, and never shown with a password."""

from __future__ import annotations

import pika
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.broker import urls
from hub.broker.accounts import agency_url
from hub.broker.address import BrokerAddress
from hub.errors import ConfigInvalid

TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=0x1F0), min_size=1, max_size=20)


@given(TEXT, TEXT, TEXT)
def test_any_account_and_virtual_host_survive(user: str, password: str, vhost: str) -> None:
    """Special characters are quoted; pika, another reader of such URLs, understands the same."""
    url = urls.with_vhost(urls.with_account("amqp://h:1/%2F", user, password), vhost)
    found = urls.location(url)
    assert (found.user, found.password, found.vhost) == (user, password, vhost)
    other = pika.URLParameters(url)
    assert (other.credentials.username, other.credentials.password) == (user, password)
    assert (other.host, other.port, other.virtual_host) == ("h", 1, vhost)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("amqp://h", ("h", 5672, "/")),
        ("amqp://h/", ("h", 5672, "/")),
        ("amqp://h//", ("h", 5672, "/")),
        ("amqps://h/%2F", ("h", 5671, "/")),
        ("amqp://u:p@h:7/trial", ("h", 7, "trial")),
        ("amqp://[::1]:7/a%2Fb", ("::1", 7, "a/b")),
        ("http://h?vhost=a%2Fb", ("h", 15672, "a/b")),
        ("https://h/prefix", ("h", 15671, "/")),
    ],
)
def test_ports_and_virtual_hosts(url: str, expected: tuple[str, int, str]) -> None:
    """RabbitMQ's usual ports by scheme; every spelling of the virtual host ``/``."""
    found = urls.location(url)
    assert (found.host, found.port, found.vhost) == expected


@pytest.mark.parametrize("url", ["", "h:5672", "redis://u:geheim@h", "amqp://u:geheim@h:x"])
def test_bad_urls_are_refused_without_showing_them(url: str) -> None:
    """The sentence names the setting, and holds no password."""
    with pytest.raises(ConfigInvalid) as caught:
        urls.location(url)
    assert "broker.url" in str(caught.value)
    assert "geheim" not in caught.value.message("vi") + caught.value.message("en")


def test_agencies_take_the_hubs_address_on_all_nodes() -> None:
    """Every node of the list, the same virtual host and TLS options, another account."""
    found = agency_url(
        "amqps://hub:x@a:1/v?cacertfile=/ca.pem;amqps://hub:x@b/v", "H12.01", "p/w;d@"
    )
    assert found == (
        "amqps://H12.01:p%2Fw%3Bd%40@a:1/v?cacertfile=/ca.pem;amqps://H12.01:p%2Fw%3Bd%40@b:5671/v"
    )
    assert [one.password for one in urls.locations(found)] == ["p/w;d@"] * 2


@pytest.mark.parametrize(
    ("amqp", "management", "expected"),
    [
        ("amqp://u:p@h/v", "", "http://u:p@h:15672?vhost=v"),
        ("amqps://u:p@h/v", "", "https://u:p@h:15671?vhost=v"),
        ("amqp://u:p@a;amqp://u:p@b", "", "http://u:p@a:15672?vhost=%2F;http://u:p@b:15672?vhost=%2F"),
        ("amqp://u:p@h", "http://m:9/x", "http://u:p@m:9/x?vhost=%2F"),
        ("amqp://u:p@h", "https://adm:q@m", "https://adm:q@m?vhost=%2F"),
    ],
)  # fmt: skip
def test_management_address_follows_the_amqp_address(
    amqp: str, management: str, expected: str
) -> None:
    """Host, account and virtual host are taken over where the setting leaves them out."""
    assert urls.management_address(amqp, management) == expected


def test_nothing_shows_a_password() -> None:
    """Repr and str of everything that holds a URL."""
    url = "amqp://hub:geheim@h:1/v?certfile=geheim"
    address = BrokerAddress(url, url)
    found = urls.location(url)
    for text in (repr(address), str(address), repr(found), str(found), urls.shown(url)):
        assert "geheim" not in text.replace(repr(found.options), "")
    assert urls.shown(url) == "amqp://h:1"
