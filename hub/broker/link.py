"""One connection with one channel, driven by its owner: bytes out, frames in, heartbeats beside.

The socket never blocks. What cannot be written yet waits in order, so that a broker under alarm,
which stops reading, never leaves half a frame behind. A thread of its own sends heartbeats, so that
the owner may work on a message for as long as it likes.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress

from hub.broker import frames

READ_BYTES = 256 * 1024
READ_AT_ONCE = 4 * 1024 * 1024
"""Bytes taken before the owner may look at what came."""
CLOSE_TIMEOUT_S = 1.0
"""For each of the two polite words at the end."""
_AGAIN = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError, InterruptedError)

OnMethod = Callable[[int, bytes], None]
"""Called with a method's signature and its whole payload (arguments from offset 4)."""
OnContent = Callable[[int, bytes, bytes, bytes], None]
"""Called with a signature (deliver or return), the method's, the header's payload, the body."""


class LinkLost(OSError):
    """The connection is gone: closed, broken, or silent for two heartbeats."""


class ChannelClosed(LinkLost):
    """The broker closed the channel or the connection with a reason."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        """AMQP reply code (§1.2): 403 refused, 404 not found, 406 precondition failed, …"""
        super().__init__(f"{code} {text}")


class Link:
    """An open connection after its handshake. One thread at a time, heartbeats excepted."""

    def __init__(
        self,
        sock: socket.socket,
        rest: bytes,
        *,
        frame_max: int,
        heartbeat_s: float,
    ) -> None:
        """``rest``: bytes read behind the handshake. ``heartbeat_s``: as agreed, 0 without."""
        self.frame_max = frame_max
        self.blocked = ""
        """Why the broker takes nothing now (a memory or disk alarm); empty when it does."""
        self.on_method: OnMethod = _ignore_method
        self.on_content: OnContent = _ignore_content
        self._sock = sock
        self._rest = rest
        self._out: deque[memoryview] = deque()
        self._lock = threading.Lock()
        """Held for each call on the socket: TLS allows one at a time, and frames are whole."""
        self._content: tuple[int, bytes] | None = None
        self._header = b""
        self._missing = 0
        self._pieces: list[bytes] = []
        self._closed = threading.Event()
        # Not select(2), which knows no descriptor above 1023.
        self._poller = select.poll()
        self._silent_s = 2 * heartbeat_s
        self._heard = time.monotonic()
        sock.settimeout(0)
        if heartbeat_s:
            beat = threading.Thread(target=self._beat, args=(heartbeat_s / 2,), daemon=True)
            beat.name = "heartbeat"
            beat.start()

    # Out

    def write(self, pieces: Iterable[bytes]) -> None:
        """Send bytes, now or as soon as the broker reads again; raises ``LinkLost``."""
        data = b"".join(pieces)
        with self._lock:
            self._out.append(memoryview(data))
            self._flush()

    @property
    def unsent(self) -> int:
        """Bytes that wait for the broker to read again."""
        return sum(map(len, self._out))

    def _flush(self) -> None:
        """Send what can be sent. The lock is held."""
        try:
            while self._out:
                sent = self._sock.send(self._out[0])
                if sent == len(self._out[0]):
                    self._out.popleft()
                else:
                    self._out[0] = self._out[0][sent:]
        except _AGAIN:
            return
        except (OSError, ValueError) as error:
            raise LinkLost(type(error).__name__) from error

    def _beat(self, every_s: float) -> None:
        """Send a heartbeat whenever nothing else waits to be sent."""
        while not self._closed.wait(every_s):
            with self._lock, suppress(LinkLost):
                if not self._out and not self._closed.is_set():
                    self._out.append(memoryview(frames.HEARTBEAT_FRAME))
                    self._flush()

    # In

    def poll(self, timeout_s: float) -> bool:
        """Wait for something to come, handle it, and return whether anything came.

        May return earlier than ``timeout_s`` without anything. Raises ``LinkLost``, or
        ``ChannelClosed`` with the broker's reason.
        """
        data = self._read()
        if not data and timeout_s > 0:
            events = select.POLLIN | (select.POLLOUT if self._out else 0)
            try:
                self._poller.register(self._sock, events)
                self._poller.poll(self._bounded(timeout_s) * 1000)
            except (OSError, ValueError) as error:
                raise LinkLost(type(error).__name__) from error
            data = self._read()
        if not data:
            if self._silent_s and time.monotonic() >= self._heard + self._silent_s:
                raise LinkLost(f"silent for {self._silent_s:.0f} s")
            return False
        self._heard = time.monotonic()
        self._parse(data)
        return True

    def _bounded(self, timeout_s: float) -> float:
        """Wait no longer than until the silence would be too long."""
        if not self._silent_s:
            return timeout_s
        return max(0.0, min(timeout_s, self._heard + self._silent_s - time.monotonic()))

    def _read(self) -> bytes:
        """Take what has come, a bounded amount; send what waits."""
        pieces, size, ended = [], 0, ""
        with self._lock:
            if self._out:
                self._flush()
            try:
                while size < READ_AT_ONCE:
                    piece = self._sock.recv(READ_BYTES)
                    if not piece:
                        ended = "closed by the broker"
                        break
                    pieces.append(piece)
                    size += len(piece)
            except _AGAIN:
                pass
            except (OSError, ValueError) as error:
                ended = type(error).__name__
        # What the broker said before the end tells why it ended: that is handled first.
        if ended and not pieces:
            raise LinkLost(ended)
        return b"".join(pieces)

    def _parse(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        offset, end = 0, len(data)
        while end - offset >= frames.OVERHEAD:
            kind, channel, size = frames.FRAME.unpack_from(data, offset)
            if size > self.frame_max:
                raise LinkLost("not a frame")
            start = offset + frames.FRAME.size
            offset = start + size + 1
            if offset > end:
                offset = start - frames.FRAME.size
                break
            if data[offset - 1] != frames.END[0]:
                raise LinkLost("not a frame")
            self._frame(kind, channel, data[start : offset - 1])
        self._rest = data[offset:]

    def _frame(self, kind: int, channel: int, payload: bytes) -> None:
        if kind == frames.METHOD:
            signature = int.from_bytes(payload[:4], "big")
            if signature in (frames.BASIC_DELIVER, frames.BASIC_RETURN):
                self._content, self._pieces = (signature, payload), []
            elif channel == 0 or signature in (frames.CHANNEL_CLOSE, frames.CHANNEL_OPEN_OK):
                self._control(signature, payload)
            else:
                self.on_method(signature, payload)
        elif kind == frames.HEADER:
            self._header = payload
            self._missing = int.from_bytes(payload[4:12], "big")
            self._complete()
        elif kind == frames.BODY:
            self._pieces.append(payload)
            self._missing -= len(payload)
            self._complete()

    def _complete(self) -> None:
        if self._missing or self._content is None:
            return
        signature, payload = self._content
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._content, self._pieces = None, []
        self.on_content(signature, payload, self._header, body)

    def _control(self, signature: int, payload: bytes) -> None:
        if signature == frames.CONNECTION_BLOCKED:
            self.blocked = frames.text_at(payload, 4)[0] or "alarm"
        elif signature == frames.CONNECTION_UNBLOCKED:
            self.blocked = ""
        elif signature in (frames.CONNECTION_CLOSE, frames.CHANNEL_CLOSE):
            code = int.from_bytes(payload[4:6], "big")
            raise ChannelClosed(code, frames.text_at(payload, 6)[0][:200])
        else:
            self.on_method(signature, payload)

    # Together

    def call(self, frame: bytes, answer: int, timeout_s: float) -> None:
        """Send a method and wait for its answer; raises ``LinkLost`` when none comes in time.

        Meanwhile everything else is handled as always.
        """
        found: list[int] = []
        before = self.on_method

        def watch(signature: int, payload: bytes) -> None:
            if signature == answer:
                found.append(signature)
            else:
                before(signature, payload)

        self.on_method = watch
        try:
            self.write([frame])
            deadline = time.monotonic() + timeout_s
            while not found:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise LinkLost("no answer")
                self.poll(left)
        finally:
            self.on_method = before

    def close(self) -> None:
        """Close channel and connection, politely as far as the broker takes part; never raises."""
        if self._closed.is_set():
            return
        with suppress(LinkLost):
            if not self._out:
                channel = frames.close(frames.CHANNEL_CLOSE, frames.CHANNEL)
                self.call(channel, frames.CHANNEL_CLOSE_OK, CLOSE_TIMEOUT_S)
                connection = frames.close(frames.CONNECTION_CLOSE, 0)
                self.call(connection, frames.CONNECTION_CLOSE_OK, CLOSE_TIMEOUT_S)
        self.drop()

    def drop(self) -> None:
        """Let go of the connection at once; never raises."""
        self._closed.set()
        with self._lock, suppress(OSError, ValueError):
            self._sock.close()


def _ignore_method(_signature: int, _payload: bytes) -> None:
    """Nobody listens yet."""


def _ignore_content(_signature: int, _payload: bytes, _header: bytes, _body: bytes) -> None:
    """Nobody listens yet."""
