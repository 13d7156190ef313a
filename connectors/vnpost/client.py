"""The post's HTTP interface (NGSP): one pooled client, token with one renewal, strict replies.

Orders are idempotent by their number (100, then 101), so a time-out is answered by asking again.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import httpx2

from connectors.vnpost.config import VnpostConfig
from hub.adapters.postal import ngsp
from hub.adapters.postal.replies import Reply
from hub.errors import RowUnmappable, SinkUnavailable, SinkUnknown

PROBE_S = 3.0


class Ngsp:
    """One contract's connection; safe for concurrent use."""

    def __init__(self, config: VnpostConfig) -> None:
        self._config = config
        self._token = ""
        self._renewal = threading.Lock()
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
        clean = ngsp.without_numbers(dict(body))
        return ngsp.ORDER.judge(self._call("POST", "order/post", json=clean))

    def cancel(self, customer: str, number: str) -> int:
        """Cancel an order: 110, also for a repeat; anything else is ``SinkUnknown``."""
        params = {"CustomerCode": customer, "OrderNumber": number}
        return ngsp.CANCEL.judge(self._call("GET", "order/cancel", params=params))

    def notice(self, body: Mapping[str, Any]) -> int:
        """Send a dossier notice: 100 or 101."""
        return ngsp.NOTICE.judge(self._call("POST", "document/post", json=dict(body)))

    def tracking(self, last_id: str, size: int, timeout_s: float = 0) -> list[dict[str, Any]]:
        """Return the tracking rows after ``last_id``.

        Raises ``SinkUnavailable`` for a strange page too: nothing changed, so it is asked again.
        """
        params = {"pagesize": size, "lastId": last_id}
        wait = {"timeout": timeout_s} if timeout_s else {}
        try:
            reply = self._call("GET", "order/tracking", params=params, **wait)
            rows = reply.document().get("_embedded", {}).get("rh:doc")
        except (SinkUnknown, AttributeError) as error:
            raise SinkUnavailable(str(error)) from error
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise SinkUnavailable(reply.raw)
        return rows

    def info(self, customer: str, number: str) -> dict[str, Any]:
        """Return the notice that belongs to an order; empty when the post offers no look-up.

        Raises ``RowUnmappable`` when the post has none, ``SinkUnavailable`` for a strange page.
        """
        if not self._config.info_path:
            return {}
        params = {"CustomerCode": customer, "OrderNumber": number}
        try:
            reply = self._call("GET", self._config.info_path, params=params)
        except SinkUnknown as error:  # a 4xx is about this order alone
            raise RowUnmappable(row=number, reason=f"order/info: {error.detail}") from error
        try:
            return reply.document()
        except SinkUnknown as error:
            raise SinkUnavailable(error.detail) from error

    def probe(self) -> None:
        """Get a token if there is none, and ask for one tracking row; raises when that fails."""
        self.tracking("f" * 24, 1, min(self._config.timeout_s, PROBE_S))

    def _call(self, method: str, path: str, **kwargs: Any) -> Reply:
        token = self._token or self._renewed("")
        reply = self._send(method, path, token, **kwargs)
        if reply.http == httpx2.codes.UNAUTHORIZED:
            reply = self._send(method, path, self._renewed(token), **kwargs)
        if reply.http == httpx2.codes.UNAUTHORIZED:
            raise SinkUnavailable("token refused")
        if reply.http == httpx2.codes.TOO_MANY_REQUESTS or httpx2.codes.is_server_error(reply.http):
            raise SinkUnavailable(reply.raw)
        if not httpx2.codes.is_success(reply.http):
            raise SinkUnknown(reply.raw)
        return reply

    def _send(self, method: str, path: str, token: str, **kwargs: Any) -> Reply:
        headers = {"Authorization": f"Bearer {token}"}
        return self._request(method, f"{self._config.base_path}/{path}", headers=headers, **kwargs)

    def _request(self, method: str, url: str, **kwargs: Any) -> Reply:
        try:
            got = self._http.request(method, url, **kwargs)
            return Reply(got.status_code, got.text)
        except httpx2.HTTPError as error:
            raise SinkUnavailable(type(error).__name__) from error

    def _renewed(self, stale: str) -> str:
        """Return a token that is not ``stale``; who comes first renews it for all (one flight)."""
        with self._renewal:
            if self._token in ("", stale):
                self._token = self._login()
            return self._token

    def _login(self) -> str:
        who = (self._config.consumer_key, self._config.secret())
        form = {"grant_type": "client_credentials"}
        reply = self._request("POST", "/token", data=form, auth=who)
        try:
            token = reply.document().get("access_token") if reply.http == httpx2.codes.OK else None
        except SinkUnknown:
            token = None
        if not isinstance(token, str) or not token:  # the reply may hold a secret: it is not kept
            raise SinkUnavailable(f"no token: HTTP {reply.http}")
        return token
