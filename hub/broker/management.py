"""RabbitMQ's management HTTP API: the operators' and the topology's door to the broker.

Errors never show a URL's account. Source: https://www.rabbitmq.com/docs/management, ``/api`` of the
node itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx2

from hub.broker.urls import Location, locations
from hub.errors import BrokerRefused, BrokerUnavailable

TIMEOUT_S = 20.0


class Management:
    """One session with the first node of an address that answers."""

    def __init__(self, urls: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._places = locations(urls)
        self._timeout_s = timeout_s
        self._client: httpx2.Client | None = None
        self._place: Location = self._places[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def vhost(self) -> str:
        """The virtual host that the address is about."""
        return self._place.vhost

    def get(self, path: str, **query: str | int) -> Any:
        """Return the JSON answer to ``GET /api/<path>``, ``None`` for a thing that is not there.

        Raises ``BrokerUnavailable`` or ``BrokerRefused``.
        """
        return self.call("GET", path, query=query)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, str | int] | None = None,
        timeout_s: float = 0.0,
    ) -> Any:
        """Call any method of the API; ``None`` for an empty answer and for a thing not there.

        ``timeout_s``: for a call that may take longer than others.
        """
        failure: Exception | None = None
        for place in self._places if self._client is None else [self._place]:
            try:
                reply = self._open(place).request(
                    method,
                    f"{place.path}/api/{path}",
                    json=body,
                    params=dict(query or {}),
                    timeout=timeout_s or self._timeout_s,
                )
            except httpx2.HTTPError as error:
                failure = error
                self.close()
                continue
            return _answer(reply, place)
        raise BrokerUnavailable(reason=f"{self._place} {type(failure).__name__}") from None

    def _open(self, place: Location) -> httpx2.Client:
        if self._client is None or place is not self._place:
            self.close()
            self._place = place
            self._client = httpx2.Client(
                base_url=str(place),
                auth=(place.user, place.password),
                timeout=self._timeout_s,
                trust_env=False,
            )
        return self._client

    def close(self) -> None:
        """Close the session; the next call opens another."""
        if self._client is not None:
            self._client.close()
            self._client = None


def _answer(reply: httpx2.Response, place: Location) -> Any:
    call = f"{reply.request.method} {reply.request.url.path}"
    if reply.status_code == httpx2.codes.NOT_FOUND and reply.request.method in ("GET", "DELETE"):
        return None
    if reply.is_server_error:
        raise BrokerUnavailable(_reason(reply), reason=f"{place} {reply.status_code} {call}")
    if reply.is_error:
        raise BrokerRefused(_reason(reply), reason=f"{place} {reply.status_code} {call}")
    return reply.json() if reply.content else None


def _reason(reply: httpx2.Response) -> str:
    try:
        return str(reply.json().get("reason", ""))[:300]
    except (ValueError, AttributeError):
        return ""


def part(name: str) -> str:
    """Return a name as one part of a path."""
    return quote(name, safe="")
