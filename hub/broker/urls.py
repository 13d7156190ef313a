"""Broker URLs, taken apart and put together in one place.

An address may list several nodes, ``;``-separated, for fail-over. URLs hold passwords: print
:func:`shown` instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from hub.errors import ConfigInvalid

PORTS = {"amqp": 5672, "amqps": 5671, "http": 15672, "https": 15671}
"""RabbitMQ's ports by scheme, where a URL names none."""
VHOST = "vhost"
"""Query parameter of a management URL: the virtual host that it is about; ``/`` without it."""


@dataclass(frozen=True, slots=True)
class Location:
    """One URL of an AMQP or management address, taken apart."""

    scheme: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    vhost: str
    path: str = ""
    """Of a management URL: the prefix that the plug-in is served under."""
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The query: RabbitMQ's own names (``cacertfile``, ``certfile``, ``keyfile``, …)."""

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme in ("amqps", "https")

    @property
    def netloc(self) -> str:
        """Host and port, with brackets around an IPv6 address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __str__(self) -> str:
        """Return what may be shown and logged: no password, no options."""
        return f"{self.scheme}://{self.netloc}"


def location(url: str) -> Location:
    """Take one URL apart; raises ``ConfigInvalid``, without showing the URL."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port or PORTS[parts.scheme]
    except (ValueError, KeyError) as error:
        raise ConfigInvalid(file="hub.toml", key="broker.url", reason="amqp(s):// URL?") from error
    options = dict(parse_qsl(parts.query))
    path = parts.path.rstrip("/") if parts.scheme.startswith("http") else ""
    vhost = options.pop(VHOST, "/") if parts.scheme.startswith("http") else _vhost(parts.path)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    host = parts.hostname or "127.0.0.1"
    return Location(parts.scheme, host, port, user, password, vhost, path, options)


def _vhost(path: str) -> str:
    """``amqp://h``, ``amqp://h/`` and ``amqp://h/%2F`` all mean the virtual host ``/``."""
    return unquote(path[1:]) or "/"


def locations(urls: str) -> list[Location]:
    """Take a ``;``-separated address apart; raises ``ConfigInvalid``."""
    return [location(url) for url in urls.split(";") if url.strip()]


def shown(urls: str) -> str:
    """Return an address as it may be shown and logged."""
    return ", ".join(str(one) for one in locations(urls))


def with_account(urls: str, user: str, password: str) -> str:
    """Return the same address for another account."""
    made = []
    for url in urls.split(";"):
        parts = urlsplit(url.strip())
        account = f"{quote(user, safe='')}:{quote(password, safe='')}"
        made.append(urlunsplit(parts._replace(netloc=f"{account}@{location(url).netloc}")))
    return ";".join(made)


def with_vhost(urls: str, vhost: str) -> str:
    """Return the same AMQP address for another virtual host."""
    path = "/" + quote(vhost, safe="")
    return ";".join(
        urlunsplit(urlsplit(url.strip())._replace(path=path)) for url in urls.split(";")
    )


def management_address(amqp_urls: str, management_urls: str) -> str:
    """Return the management address of the same virtual host.

    Without ``management_urls`` it is RabbitMQ's usual port on the same hosts; without an account
    in it, it is the one of ``amqp_urls``.
    """
    made = []
    for own in locations(amqp_urls):
        scheme = "https" if own.tls else "http"
        made.append(f"{scheme}://{own.netloc.rsplit(':', 1)[0]}:{PORTS[scheme]}")
    first = locations(amqp_urls)[0]
    urls = management_urls or ";".join(made)
    if not locations(urls)[0].user:
        urls = with_account(urls, first.user, first.password)
    query = urlencode({VHOST: first.vhost})
    return ";".join(
        urlunsplit(urlsplit(one.strip())._replace(query=query)) for one in urls.split(";")
    )
