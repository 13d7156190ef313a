"""Open connections: kombu and py-amqp for address, TLS and handshake, then a bare :class:`Link`.

Every error of the libraries leaves through this door as ``BrokerUnavailable`` or ``BrokerRefused``.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from typing import Any

from amqp.exceptions import AccessRefused, AMQPError, NotAllowed
from kombu.connection import Connection

from hub.broker import frames, tls
from hub.broker.link import Link, LinkLost
from hub.broker.urls import Location, locations
from hub.errors import BrokerRefused, BrokerUnavailable

CONNECT_TIMEOUT_S = 5.0
HEARTBEAT_S = 30
_REFUSED = (AccessRefused, NotAllowed)
_Connection: Any = Connection  # kombu has no types


@dataclass(slots=True)
class Dialer:
    """Opens links to the first node of an address that takes part, the last good one first."""

    urls: str = field(repr=False)
    name: str = "hub"
    """Shown to operators as the connection's name."""
    heartbeat_s: int = HEARTBEAT_S
    timeout_s: float = CONNECT_TIMEOUT_S
    """For each node: to connect, and to agree on everything."""
    _first: int = field(default=0, init=False)

    def open(self) -> Link:
        """Return a link with an open channel.

        Raises ``BrokerRefused`` for a wrong password or virtual host, else ``BrokerUnavailable``.
        """
        places = locations(self.urls)
        failures = []
        for step in range(len(places)):
            number = (self._first + step) % len(places)
            try:
                link = self._open(places[number])
            except _REFUSED as error:
                raise BrokerRefused(reason=f"{places[number]} {_told(error)}") from None
            except (AMQPError, OSError) as error:
                failures.append(f"{places[number]} {_told(error)}")
                continue
            self._first = number
            return link
        raise BrokerUnavailable(reason="; ".join(failures))

    def _open(self, place: Location) -> Link:
        # One node at a time: over several, kombu would check each against the first one's name.
        connection = _Connection(
            transport="amqp",
            hostname=place.host,
            port=place.port,
            userid=place.user,
            password=place.password,
            virtual_host=place.vhost,
            login_method="PLAIN",
            ssl=_tls(place),
            connect_timeout=self.timeout_s,
            heartbeat=self.heartbeat_s,
            transport_options={
                "client_properties": {"connection_name": self.name},
                # py-amqp's 1 s would end every connection that an alarm makes wait; heartbeats and
                # confirm time-outs find a lost network.
                "socket_settings": {socket.TCP_USER_TIMEOUT: 0},
            },
        )
        lower = connection.connect()
        transport = lower.transport
        link = Link(
            transport.sock,
            bytes(transport._read_buffer),  # noqa: SLF001  bytes that came behind the handshake
            frame_max=lower.frame_max,
            heartbeat_s=float(lower.heartbeat),
        )
        try:
            opening = frames.method(frames.CHANNEL_OPEN, b"\0")
            link.call(opening, frames.CHANNEL_OPEN_OK, self.timeout_s)
        except LinkLost:
            link.drop()
            raise
        return link


def _tls(place: Location) -> dict[str, Any] | bool:
    """TLS options as py-amqp takes them: certificate and name of the broker are always checked.

    Raises ``ConfigInvalid`` for a file that cannot be used.
    """
    if not place.tls:
        return False
    tls.context(place)
    return {
        "cert_reqs": ssl.CERT_REQUIRED,
        "server_hostname": place.host,
        "ca_certs": place.options.get("cacertfile"),
        "certfile": place.options.get("certfile"),
        "keyfile": place.options.get("keyfile"),
    }


def _told(error: AMQPError | OSError) -> str:
    """Return the kind of an error and the broker's words, which hold no password."""
    words = error.strerror or error if isinstance(error, OSError) else error.reply_text
    return f"{type(error).__name__} {words or ''}".strip()[:200]
