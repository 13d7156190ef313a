"""A link over a pair of connected sockets; the other end is the test, which speaks raw frames."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.broker import frames
from hub.broker.consumer import WindowConsumer
from hub.broker.link import ChannelClosed, Link, LinkLost
from hub.broker.ports import WindowLimits

MAX = 4096


class Peer:
    """The broker's end."""

    def __init__(self, heartbeat_s: float = 0.0, rest: bytes = b"") -> None:
        mine, self.end = socket.socketpair()
        self.link = Link(mine, rest, frame_max=MAX, heartbeat_s=heartbeat_s)
        self.methods: list[tuple[int, bytes]] = []
        self.contents: list[tuple[int, bytes, bytes, bytes]] = []
        self.link.on_method = lambda *found: self.methods.append(found)
        self.link.on_content = lambda *found: self.contents.append(found)

    def close(self) -> None:
        self.link.drop()
        self.end.close()

    def poll(self, times: int, timeout_s: float) -> None:
        for _each in range(times):
            self.link.poll(timeout_s)


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    yield made
    made.close()


def deliver(tag: int, body: bytes, *, consumer: str = "0", size: int = MAX) -> bytes:
    """A delivery as RabbitMQ sends it."""
    arguments = frames.short(consumer) + pack(">QB", tag, 0) + frames.short("e") + frames.short("k")
    content = pack(">HHQH", 60, 0, len(body), 0)
    pieces = [body[at : at + size - 8] for at in range(0, len(body), size - 8)]
    return b"".join(
        [
            frames.method(frames.BASIC_DELIVER, arguments),
            frames.FRAME.pack(frames.HEADER, 1, len(content)) + content + frames.END,
            *(frames.FRAME.pack(frames.BODY, 1, len(one)) + one + frames.END for one in pieces),
        ]
    )


@given(
    st.lists(st.binary(max_size=3 * MAX), max_size=4),
    st.lists(st.integers(1, 2 * MAX), min_size=1, max_size=6),
    st.integers(0, 20),
)
def test_frames_may_be_cut_anywhere(bodies: list[bytes], cuts: list[int], early: int) -> None:
    """However the stream is cut into pieces, every message comes out whole and in order."""
    data = b"".join(
        deliver(number, body) + frames.HEARTBEAT_FRAME for number, body in enumerate(bodies)
    )
    peer = Peer(rest=data[:early])
    data = data[early:]
    try:
        while data:
            size, *cuts = (*cuts[1:], cuts[0]) if cuts else (1,)
            peer.end.sendall(data[:size])
            data = data[size:]
            peer.link.poll(1)
        assert [body for *_rest, body in peer.contents] == bodies
    finally:
        peer.close()


def test_reasons_of_the_broker_are_kept(peer: Peer) -> None:
    """What the broker said before it closed is told, even if the connection is gone by then."""
    text = "ACCESS_REFUSED - no"
    closing = pack(">H", 403) + frames.short(text) + pack(">HH", 60, 20)
    peer.end.sendall(frames.method(frames.CHANNEL_CLOSE, closing))
    peer.end.close()
    with pytest.raises(ChannelClosed, match=text) as caught:
        peer.link.poll(1)
    assert caught.value.code == 403


def test_end_of_the_connection(peer: Peer) -> None:
    """A closed or nonsensical peer is a lost link."""
    peer.end.close()
    with pytest.raises(LinkLost):
        peer.link.poll(1)


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request\r\n", b"\1\0\1\0\0\0\1xx"])
def test_what_is_no_frame_is_a_lost_link(peer: Peer, data: bytes) -> None:
    """A frame must end with its mark (AMQP 0-9-1 §2.3.5)."""
    peer.end.sendall(data + b"\0" * 100_000)
    with pytest.raises(LinkLost, match="not a frame"):
        peer.poll(10, 1)


def test_alarm_is_seen_and_ends(peer: Peer) -> None:
    """connection.blocked and unblocked."""
    reason = frames.short("low on memory")
    peer.end.sendall(frames.method(frames.CONNECTION_BLOCKED, reason, channel=0))
    peer.link.poll(1)
    assert peer.link.blocked == "low on memory"
    peer.end.sendall(frames.method(frames.CONNECTION_UNBLOCKED, channel=0))
    peer.link.poll(1)
    assert not peer.link.blocked


def test_what_cannot_be_written_waits_in_order(peer: Peer) -> None:
    """A peer that does not read stops nobody; later it gets every byte, in order."""
    pieces = [bytes([number]) * 300_000 for number in range(8)]
    for piece in pieces:
        peer.link.write([piece])
    assert peer.link.unsent > 0
    got = bytearray()
    peer.end.settimeout(5)
    while len(got) < sum(map(len, pieces)):
        got += peer.end.recv(1 << 16)
        peer.link.poll(0)
    assert bytes(got) == b"".join(pieces)
    assert peer.link.unsent == 0


def test_heartbeats_go_on_while_nobody_looks() -> None:
    """The owner may work for longer than a heartbeat without touching the link."""
    peer = Peer(heartbeat_s=0.2)
    try:
        peer.end.settimeout(5)
        got = b""
        while len(got) < 3 * len(frames.HEARTBEAT_FRAME):
            got += peer.end.recv(100)
        assert got.startswith(frames.HEARTBEAT_FRAME * 3)
    finally:
        peer.close()


def test_silence_is_a_lost_link() -> None:
    """Two heartbeats without a byte, and the network counts as lost."""
    peer = Peer(heartbeat_s=0.1)
    try:
        with pytest.raises(LinkLost, match="silent"):
            peer.poll(2, 60)
    finally:
        peer.close()


def test_no_answer_in_time_is_a_lost_link(peer: Peer) -> None:
    """A method that is never answered does not wait for ever."""
    with pytest.raises(LinkLost, match="no answer"):
        peer.link.call(frames.qos(1), frames.BASIC_QOS_OK, 0.2)


def test_close_never_raises(peer: Peer) -> None:
    """Closing a link whose peer says nothing, twice."""
    peer.link.close()
    peer.link.close()


class Filled:
    """A consumer whose connection is a link to the test."""

    def __init__(self, limits: WindowLimits) -> None:
        self.peer = Peer()
        self.consumer = WindowConsumer("amqp://h", ["a", "b"], limits)
        self.consumer._link = self.peer.link
        self.peer.link.on_content = self.consumer._on_content
        self.peer.link.on_method = self.consumer._on_method

    def come(self, *bodies: bytes) -> None:
        first = getattr(self, "next", 1)
        data = [deliver(first + number, body) for number, body in enumerate(bodies)]
        self.next = first + len(bodies)
        self.peer.end.sendall(b"".join(data))

    def come_and_fill(self, times: int) -> None:
        for _each in range(times):
            self.come(b"x" * 60_000)
            self.consumer._guarded(lambda link: self.consumer._fill(link, 0.0, 2))

    def sizes(self, timeout_s: float = 1.0, **options: int) -> list[int]:
        return [len(one.raw) for one in self.consumer.next_window(timeout_s, **options)]


@pytest.fixture
def filled() -> Iterator:
    made: list[Filled] = []

    def make(limits: WindowLimits) -> Filled:
        made.append(Filled(limits))
        return made[-1]

    yield make
    for one in made:
        one.peer.close()


def test_window_is_full_by_count(filled) -> None:
    """Never more than so many; the rest is the next window. A smaller one may be asked for."""
    one = filled(WindowLimits(messages=3, milliseconds=50))
    one.come(*[b"x"] * 8)
    assert [one.sizes(), one.sizes(at_most=1), one.sizes(), one.sizes()] == [
        [1] * 3, [1], [1] * 3, [1]
    ]  # fmt: skip


def test_window_is_full_by_bytes(filled) -> None:
    """No more bytes than allowed, except for a single message that is larger by itself."""
    one = filled(WindowLimits(messages=100, milliseconds=50, bytes=10))
    one.come(b"x" * 4, b"x" * 6, b"x" * 4, b"x" * 40, b"x")
    assert [one.sizes() for _each in range(4)] == [[4, 6], [4], [40], [1]]


def test_window_ends_by_time(filled) -> None:
    """What came within the time after the first arrival is the window."""
    one = filled(WindowLimits(messages=100, milliseconds=20))
    one.come(b"x", b"x")
    assert one.sizes() == [1, 1]
    started = time.monotonic()
    assert one.sizes(timeout_s=0.1) == []
    assert time.monotonic() - started >= 0.1


def test_memory_is_bounded(filled) -> None:
    """With two windows' bytes at hand, the socket is left unread until a window is taken."""
    one = filled(WindowLimits(messages=2, milliseconds=0, bytes=100_000))
    one.peer.end.settimeout(0.2)
    with pytest.raises(TimeoutError):
        one.come_and_fill(200)
    assert one.consumer._bytes <= 200_000 + 4 * 1024 * 1024
