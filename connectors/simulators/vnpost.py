"""A stand-in for Vietnam Post behind NGSP: a real HTTP server on loopback, with its quirks.

``python -m connectors.simulators.vnpost --port 0 --data FILE`` prints one JSON line with its URL.
Under ``/_sim/`` lie the post's own hands, for demo and tests: ``accept``, ``handover``, ``track``,
``deliver``, ``fault``, ``orders``, ``documents``, ``requests``.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import binascii
import json
import secrets
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from connectors.simulators.post_office import (
    ACCEPTED,
    DELIVERED,
    FIRST_ID,
    HANDED_OVER,
    MAX_PAGE,
    PostOffice,
)

BASE = "/apiVNPostNGSP/p1.0"
KEY, SECRET = "sim-key", "sim-secret"
REQUIRED = (
    "CustomerCode",
    "OrderNumber",
    "SenderProvince",
    "SenderAddress",
    "SenderName",
    "SenderTel",
    "ReceiverName",
    "ReceiverAddress",
    "ReceiverTel",
    "ReceiverProvince",
)
_HTML = "<html><body><h1>Bảo trì hệ thống</h1></body></html>"
Handler = Callable[[Request], Awaitable[Response]]


def app(office: PostOffice) -> Starlette:
    """Return the post's web application over its books."""
    api = _Api(office)
    sim = _Sim(office)
    routes = [
        Route("/token", api.token, methods=["POST"]),
        Route(f"{BASE}/order/post", api.guarded(api.order_post), methods=["POST"]),
        Route(f"{BASE}/order/cancel", api.guarded(api.order_cancel)),
        Route(f"{BASE}/order/tracking", api.guarded(api.tracking)),
        Route(f"{BASE}/order/info", api.guarded(api.info)),
        Route(f"{BASE}/document/post", api.guarded(api.document_post), methods=["POST"]),
        Route(f"{BASE}/price", api.guarded(api.price), methods=["POST"]),
        Route("/_sim/{action}", sim.act, methods=["GET", "POST"]),
    ]
    return Starlette(routes=routes)


class _Api:
    """What partners call."""

    def __init__(self, office: PostOffice) -> None:
        self._office = office

    async def token(self, request: Request) -> Response:
        """Answer the client-credentials grant."""
        kind = request.headers.get("authorization", "").removeprefix("Basic ")
        try:
            given = base64.b64decode(kind, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            given = ""
        form = (await request.body()).decode()
        self._office.note("POST", "/token", "", "")
        if given != f"{KEY}:{SECRET}" or "grant_type=client_credentials" not in form:
            return JSONResponse({"error": "invalid_client"}, 401)
        token = secrets.token_hex(16)
        self._office.grant(token)
        return JSONResponse(
            {
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": 3600,
                "scope": "am_application_scope default",
            }
        )

    def guarded(self, handler: Handler) -> Handler:
        """Let only a living token in, and apply the fault that is due."""

        async def answer(request: Request) -> Response:
            body = (await request.body()).decode("utf-8", "replace")
            self._office.note(request.method, request.url.path, request.url.query, body)
            kind, value = self._office.next_fault(request.url.path)
            if kind == "401":
                self._office.revoke()
            bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
            if not self._office.knows(bearer):
                return JSONResponse({"error": "invalid_token"}, 401)
            if kind in _BEFORE:
                return _BEFORE[kind](value)
            reply = await handler(request)
            if kind == "timeout_after":
                await asyncio.sleep(float(value or 3))
            return PlainTextResponse("") if kind == "empty_after" else reply

        return answer

    async def order_post(self, request: Request) -> Response:
        """Book an order: 100, then 101 for ever."""
        body = await _object(request)
        missing = [name for name in REQUIRED if not body.get(name)]
        if missing or not isinstance(body.get("SenderProvince"), int):
            return JSONResponse({"Status": 400, "Message": f"thiếu {', '.join(missing)}"})
        return JSONResponse({"Status": self._office.order(body), "Message": "..."})

    async def order_cancel(self, request: Request) -> Response:
        """Cancel an order: 110."""
        query = request.query_params
        status = self._office.cancel(query.get("CustomerCode", ""), query.get("OrderNumber", ""))
        return JSONResponse({"Status": status, "Message": "..."})

    async def tracking(self, request: Request) -> Response:
        """Return a page after ``lastId``; a missing one means from the start."""
        query = request.query_params
        size = query.get("pagesize", "100")
        if not size.isdigit() or int(size) > MAX_PAGE:
            return JSONResponse({"Status": 400, "Message": "pagesize"}, 400)
        return JSONResponse(self._office.page(query.get("lastId", FIRST_ID), int(size)))

    async def info(self, request: Request) -> Response:
        """Return what the post holds on an order."""
        query = request.query_params
        return JSONResponse(
            self._office.info(query.get("CustomerCode", ""), query.get("OrderNumber", ""))
        )

    async def document_post(self, request: Request) -> Response:
        """Take a dossier notice."""
        body = await _object(request)
        if not body.get("CustomerCode") or not body.get("OrderNumber"):
            return JSONResponse({"Status": 400, "Message": "thiếu mã"})
        return JSONResponse({"Status": self._office.notice(body), "Message": "..."})

    async def price(self, request: Request) -> Response:
        """Quote the tariff: inside one province, or between two."""
        body = await _object(request)
        ends = [body.get(name, {}).get("provCode") for name in ("sender", "receiver")]
        return JSONResponse({"content": {"price": 22000 if ends[0] == ends[1] else 33000}})


class _Sim:
    """The post's own hands; loopback only, because the server listens nowhere else."""

    def __init__(self, office: PostOffice) -> None:
        self._office = office

    async def act(self, request: Request) -> Response:
        """Do one thing at the post: the last part of the path names it."""
        action = request.path_params["action"]
        if action in ("orders", "documents", "requests"):
            return JSONResponse(getattr(self._office, action)())
        body = await _object(request)
        if action == "fault":
            self._office.inject(
                str(body.get("path", "")),
                str(body["kind"]),
                str(body.get("value", "")),
                int(body.get("times", 1)),
            )
            return JSONResponse({"ok": True})
        codes = {"accept": ACCEPTED, "handover": HANDED_OVER, "deliver": DELIVERED}
        if action not in (*codes, "track"):
            return JSONResponse({"ok": False}, 404)
        if action == "accept":
            self._office.notice(body)
            self._office.order(body)
        code = int(body.get("StatusCode", codes.get(action, 0)))
        return JSONResponse({"ok": True, "id": self._track(body, code)})

    def _track(self, body: dict[str, Any], code: int) -> str:
        return self._office.track(
            str(body["CustomerCode"]),
            str(body["OrderNumber"]),
            code,
            at_ms=body.get("EventTime"),
            id_ms=body.get("IdTime"),
            message=str(body.get("StatusMessage", "")),
            notes=str(body.get("Notes", "")),
        )


def _fault_status(value: str) -> Response:
    return JSONResponse({"Status": int(value or 999), "Message": "lỗi khác"})


_BEFORE: dict[str, Callable[[str], Response]] = {
    "500": lambda _: PlainTextResponse("Internal Server Error", 500),
    "html": lambda _: HTMLResponse(_HTML),
    "empty": lambda _: PlainTextResponse(""),
    "status": _fault_status,
}


async def _object(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; prints ``{"url": …}`` once the port is open."""
    parser = argparse.ArgumentParser(prog="vnpost-simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--data", type=Path, required=True, help="SQLite file that keeps the state")
    args = parser.parse_args(argv)
    office = PostOffice(args.data, lambda: time.time_ns() // 1_000_000)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", args.port))
    listener.listen()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn stops first, then raises it once more
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}"}) + "\n")
    sys.stdout.flush()
    config = uvicorn.Config(
        app(office), log_level="warning", access_log=False, timeout_graceful_shutdown=3
    )
    uvicorn.Server(config).run(sockets=[listener])
    office.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
