"""A small TCP proxy on loopback that cuts, stalls or delays connections on command.

It stands between a client and a real server, so that a lost network can be had at will:
``cut`` ends connections with a reset, ``stall`` keeps them open and carries nothing (a black hole),
``delay`` carries every piece later.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from types import TracebackType
from typing import Self

_PIECE = 64 * 1024
_TICK_S = 0.05


class FaultProxy:
    """Listens on a free port and forwards to one server. Thread-safe; use it in a ``with``."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self._open = threading.Event()
        self._open.set()
        self._refusing = False
        self._delay_s = 0.0
        self._ended = False
        self.accepted = 0
        """Connections taken so far."""

    @property
    def port(self) -> int:
        """The port that clients connect to."""
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended = True
        self._open.set()
        # Wakes the accepting thread, which a mere close would not do on Linux.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self, *, refuse: bool = False) -> None:
        """Reset all connections; with ``refuse`` also every new one, until ``heal``."""
        self._refusing = refuse
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                _reset(end)

    def stall(self) -> None:
        """Carry nothing in either direction any more; connections stay open, new ones too."""
        self._open.clear()

    def delay(self, seconds: float) -> None:
        """Carry every piece that much later."""
        self._delay_s = seconds

    def heal(self) -> None:
        """Carry everything again, what was stalled included."""
        self._delay_s, self._refusing = 0.0, False
        self._open.set()

    def _accept(self) -> None:
        while not self._ended:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            if self._refusing:
                _reset(client)
                continue
            try:
                server = socket.create_connection(self._target, timeout=5)
            except OSError:
                _reset(client)
                continue
            server.settimeout(None)
            with self._lock:
                self._pairs.append((client, server))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(_PIECE):
                time.sleep(self._delay_s)
                while not self._open.wait(_TICK_S):
                    pass
                sink.sendall(data)
        except OSError:
            _reset(sink)
        else:
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_WR)


def _reset(end: socket.socket) -> None:
    """Close with a reset (RST) instead of an orderly end: socket(7), SO_LINGER 0."""
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        end.close()
