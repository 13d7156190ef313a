"""The post's HTTP interface (NGSP): one pooled client, token with one renewal, strict replies.

HTTP 200 proves nothing: only a JSON object with a known ``Status`` is a success. Orders are
idempotent by their number (100, then 101), so a time-out is answered by asking again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx2

from connectors.vnpost.config import VnpostConfig
from hub.errors import SinkRefused, SinkUnavailable, SinkUnknown

CREATED, REPEATED, CANCELLED = 100, 101, 110
_PERSONAL = re.compile(r"(?<!\d)(?:(?:\d[ .]?){11}\d|(?:\d[ .]?){8}\d)(?!\d)")
_RAW_KEPT = 400
"""Characters of a strange reply that are kept with the parked message."""


def redact(text: str) -> str:
    """Replace personal numbers (12 or 9 digits, also with blanks or dots) by a mark."""
    return _PERSONAL.sub("[…]", text)


class Ngsp:
    """One contract's connection. Not for concurrent use."""

    def __init__(self, config: VnpostConfig) -> None:
        self._config = config
        self._token = ""
        self._http = httpx2.Client(
            base_url=config.url,
            timeout=config.timeout_s,
            verify=config.ca_file or True,
            trust_env=False,
        )

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()

    def order(self, body: Mapping[str, Any]) -> int:
        """Book an order: 100 or 101; a cancelled number is ``SinkRefused``."""
        clean = {
            name: redact(value) if name in ("SenderDesc", "Description") else value
            for name, value in body.items()
        }
        good = (CREATED, REPEATED, CANCELLED)
        status = self._status(good, "POST", "order/post", json=clean)
        if status == CANCELLED:
            raise SinkRefused(reason="order number was cancelled")
        return status

    def cancel(self, customer: str, number: str) -> int:
        """Cancel an order: 110, also for a repeat; anything else is ``SinkUnknown``."""
        params = {"CustomerCode": customer, "OrderNumber": number}
        return self._status((CANCELLED,), "GET", "order/cancel", params=params)

    def notice(self, body: Mapping[str, Any]) -> int:
        """Send a dossier notice: 100 or 101."""
        return self._status((CREATED, REPEATED), "POST", "document/post", json=dict(body))

    def tracking(self, last_id: str, size: int) -> list[dict[str, Any]]:
        """Return the tracking rows after ``last_id``; raises ``SinkUnknown`` for a strange page."""
        reply = self._call("GET", "order/tracking", params={"pagesize": size, "lastId": last_id})
        page = _object(reply)
        try:
            rows = page["_embedded"]["rh:doc"]
        except (KeyError, TypeError) as error:
            raise SinkUnknown(_raw(reply)) from error
        if not isinstance(rows, list):
            raise SinkUnknown(_raw(reply))
        return rows

    def info(self, customer: str, number: str) -> dict[str, Any]:
        """Return the notice that belongs to an order; empty when the post offers no look-up."""
        if not self._config.info_path:
            return {}
        params = {"CustomerCode": customer, "OrderNumber": number}
        return _object(self._call("GET", self._config.info_path, params=params))

    def probe(self) -> None:
        """Get a token if there is none, and ask for one tracking row; raises when that fails."""
        self.tracking("f" * 24, 1)

    def _status(self, good: tuple[int, ...], method: str, path: str, **kwargs: Any) -> int:
        """Return the reply's ``Status`` if it is one of ``good``; else ``SinkUnknown``."""
        reply = self._call(method, path, **kwargs)
        status = _object(reply).get("Status")
        if not isinstance(status, int) or isinstance(status, bool) or status not in good:
            raise SinkUnknown(_raw(reply))
        return status

    def _call(self, method: str, path: str, **kwargs: Any) -> httpx2.Response:
        reply = self._send(method, path, **kwargs)
        if reply.status_code == httpx2.codes.UNAUTHORIZED:
            self._token = ""
            reply = self._send(method, path, **kwargs)
        if reply.status_code == httpx2.codes.UNAUTHORIZED:
            raise SinkUnavailable("token refused")
        if reply.status_code == httpx2.codes.TOO_MANY_REQUESTS or reply.is_server_error:
            raise SinkUnavailable(f"HTTP {reply.status_code}")
        if not reply.is_success:
            raise SinkUnknown(_raw(reply))
        return reply

    def _send(self, method: str, path: str, **kwargs: Any) -> httpx2.Response:
        try:
            self._token = self._token or self._login()
            headers = {"Authorization": f"Bearer {self._token}"}
            url = f"{self._config.base_path}/{path}"
            return self._http.request(method, url, headers=headers, **kwargs)
        except httpx2.TransportError as error:
            raise SinkUnavailable(type(error).__name__) from error

    def _login(self) -> str:
        reply = self._http.post(
            "/token",
            data={"grant_type": "client_credentials"},
            auth=(self._config.consumer_key, self._config.secret()),
        )
        token = _object(reply).get("access_token") if reply.is_success else None
        if not isinstance(token, str) or not token:
            raise SinkUnavailable(f"no token: HTTP {reply.status_code}")
        return token


def _object(reply: httpx2.Response) -> dict[str, Any]:
    try:
        found = reply.json()
    except ValueError as error:
        raise SinkUnknown(_raw(reply)) from error
    if not isinstance(found, dict):
        raise SinkUnknown(_raw(reply))
    return found


def _raw(reply: httpx2.Response) -> str:
    """Return the reply as it came, shortened and without personal numbers."""
    return f"HTTP {reply.status_code}: {redact(reply.text[:_RAW_KEPT])!r}"
