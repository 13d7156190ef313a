"""Bytes on the wire, judged by two independent clients: py-amqp's codec and pika's."""

from __future__ import annotations

import pika
from amqp.serialization import dumps, loads
from hypothesis import given
from hypothesis import strategies as st
from pika import spec
from pika.data import encode_table
from pika.frame import decode_frame

from hub.broker import frames, tables

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
SHORT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
WHOLE = st.integers(-(2**63), 2**63 - 1)
FLAT = st.dictionaries(TEXT, st.one_of(TEXT, WHOLE), max_size=5)
SCALAR = st.one_of(TEXT, WHOLE, st.booleans(), st.none())


def tables_of(scalars: st.SearchStrategy) -> st.SearchStrategy:
    values = st.recursive(
        scalars,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)
        ),
        max_leaves=8,
    )
    return st.dictionaries(TEXT, values, max_size=5)


FOREIGN = tables_of(SCALAR)
PUBLICATIONS = st.builds(
    frames.Publication,
    exchange=SHORT,
    routing_key=SHORT,
    message_id=SHORT,
    priority=st.integers(0, 255),
    headers=FLAT,
    user_id=SHORT,
    body=st.binary(max_size=9000),
)


@given(FLAT)
def test_tables_are_what_another_client_reads(values) -> None:
    """py-amqp reads the tables that we write."""
    assert loads("F", tables.encode(values), 0)[0] == [values]


@given(FOREIGN)
def test_tables_of_other_clients_are_read(values) -> None:
    """We read what pika writes: nested tables, arrays, nothing at all."""
    pieces: list[bytes] = []
    encode_table(pieces, values)
    data = b"".join(pieces)
    assert tables.decode(b"head" + data, 4) == (values, 4 + len(data))


@given(tables_of(st.one_of(SCALAR, st.floats(allow_nan=False))))
def test_tables_of_py_amqp_are_read(values) -> None:
    """We read what py-amqp writes."""
    assert tables.decode(dumps("F", [values]))[0] == values


@given(st.binary(max_size=200))
def test_damaged_tables_are_an_error_and_nothing_else(data: bytes) -> None:
    """Arbitrary bytes either are a table or raise ValueError."""
    try:
        tables.decode(data)
    except ValueError:
        return


@given(st.binary(max_size=300))
def test_damaged_properties_are_no_error(data: bytes) -> None:
    """A header frame that cannot be read gives empty properties: the message still arrives."""
    frames.properties(data)


def test_deep_tables_are_refused() -> None:
    """A table of a thousand levels is refused, not followed."""
    values: dict[str, object] = {}
    for _level in range(100):
        values = {"a": values}
    try:
        tables.decode(dumps("F", [values]))
    except ValueError:
        return
    raise AssertionError


def decoded(data: bytes) -> list:
    found = []
    while data:
        used, frame = decode_frame(data)
        assert frame is not None
        found.append(frame)
        data = data[used:]
    return found


@given(PUBLICATIONS)
def test_publications_are_what_another_client_reads(message: frames.Publication) -> None:
    """Pika decodes every frame of a publication: route, mandatory, properties and body."""
    frame_max = 4096
    method, header, *bodies = decoded(b"".join(frames.publish(message, frame_max)))
    assert isinstance(method.method, spec.Basic.Publish)
    assert (method.method.exchange, method.method.routing_key) == (
        message.exchange,
        message.routing_key,
    )
    assert method.method.mandatory
    assert not method.method.immediate
    assert header.body_size == len(message.body)
    properties = header.properties
    assert properties.content_type == "application/xml"
    assert properties.delivery_mode == pika.DeliveryMode.Persistent.value
    assert properties.priority == message.priority
    assert (properties.message_id or "") == message.message_id
    assert (properties.user_id or "") == message.user_id
    assert (properties.headers or {}) == message.headers
    assert b"".join(body.fragment for body in bodies) == message.body
    assert all(len(body.fragment) <= frame_max - frames.OVERHEAD for body in bodies)


@given(
    values=FOREIGN,
    message_id=SHORT,
    user_id=SHORT,
    other=SHORT,
    when=st.integers(0, 2**31),
    full=st.booleans(),
)
def test_properties_of_other_clients_are_read(
    *, values, message_id: str, user_id: str, other: str, when: int, full: bool
) -> None:
    """Message id, account and headers are found among all the properties that pika can write."""
    rest = {
        "content_type": other, "content_encoding": other, "delivery_mode": 2, "priority": 3,
        "correlation_id": other, "reply_to": other, "expiration": other, "timestamp": when,
        "type": other, "app_id": other, "cluster_id": other,
    }  # fmt: skip
    made = pika.BasicProperties(
        headers=values, message_id=message_id, user_id=user_id, **(rest if full else {})
    )
    payload = b"\x00\x3c\x00\x00" + b"\0" * 8 + b"".join(made.encode())
    assert frames.properties(payload) == frames.Properties(values, message_id, user_id)


def test_methods_are_what_another_client_reads() -> None:
    """consume, qos, ack, nack and close mean to pika what they mean to us."""
    consume, qos, ack, nack, close = (
        frame.method
        for frame in decoded(
            frames.consume("inbox.H12.01", "3")
            + frames.qos(200)
            + frames.ack(7, multiple=True)
            + frames.nack(9, multiple=False, requeue=True)
            + frames.close(frames.CHANNEL_CLOSE, 1)
        )
    )
    assert (consume.queue, consume.consumer_tag) == ("inbox.H12.01", "3")
    assert not any((consume.no_ack, consume.exclusive, consume.nowait))
    assert (qos.prefetch_count, qos.global_qos) == (200, False)
    assert (ack.delivery_tag, ack.multiple) == (7, True)
    assert (nack.delivery_tag, nack.multiple, nack.requeue) == (9, False, True)
    assert close.reply_code == 200
