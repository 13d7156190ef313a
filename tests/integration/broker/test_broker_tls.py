"""Connections over TLS: a terminator with a certificate of its own stands before the node."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.broker import inspect
from hub.broker.consumer import WindowConsumer
from hub.broker.ports import Outcome, WindowLimits
from hub.broker.publisher import ConfirmPublisher
from hub.broker.urls import location
from hub.errors import BrokerUnavailable, ConfigInvalid
from tests.integration.broker.conftest import ONE, drained, to_inbox


def certificate(folder: Path, name: str, *, address: str) -> Path:
    """A self-signed certificate for one IP address, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


@contextmanager
def terminator(pem: Path, port: int) -> Iterator[int]:
    """Take TLS connections and carry their bytes to a plain port, until the end."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(raw: socket.socket) -> None:
        with contextlib.suppress(OSError):
            outside = context.wrap_socket(raw, server_side=True)
            inside = socket.create_connection(("127.0.0.1", port))
            threading.Thread(target=carry, args=(inside, outside), daemon=True).start()
            carry(outside, inside)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def carry(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.close()


@pytest.fixture
def secure(broker, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """An ``amqps`` address without TLS options, and the certificate that vouches for it."""
    pem = certificate(tmp_path, "right", address="127.0.0.1")
    place = location(broker.amqp_url)
    with terminator(pem, place.port) as port:
        url = broker.amqp_url.replace("amqp://", "amqps://").replace(f":{place.port}/", f":{port}/")
        yield url, pem


def test_messages_go_over_tls(secure) -> None:
    """Windows of megabytes in both directions, with the broker's certificate checked."""
    url = f"{secure[0]}?cacertfile={secure[1]}"
    sent = [os.urandom(60_000) for _each in range(100)]
    with closing(ConfirmPublisher(url)) as publisher:
        assert set(publisher.publish_window([to_inbox(ONE, raw) for raw in sent])) == {
            Outcome.CONFIRMED
        }
    with closing(WindowConsumer(url, [f"inbox.{ONE}"], WindowLimits())) as consumer:
        assert [one.raw for one in drained(consumer, len(sent))] == sent
    assert inspect.round_trip(url) > 0


def refused(url: str) -> None:
    for attempt in (
        lambda: ConfirmPublisher(url).publish_window([to_inbox(ONE, b"a")]),
        lambda: inspect.round_trip(url),
    ):
        with pytest.raises(BrokerUnavailable):
            attempt()


def test_unknown_certificate_is_refused(secure, tmp_path: Path) -> None:
    """Without the right authority nothing is sent, not even the login."""
    refused(secure[0])
    refused(f"{secure[0]}?cacertfile={certificate(tmp_path, 'wrong', address='127.0.0.1')}")


def test_certificate_of_another_host_is_refused(broker, tmp_path: Path) -> None:
    """A trusted certificate must be for the host that was asked for."""
    pem = certificate(tmp_path, "other", address="127.0.0.9")
    place = location(broker.amqp_url)
    with terminator(pem, place.port) as port:
        url = broker.amqp_url.replace("amqp://", "amqps://").replace(f":{place.port}/", f":{port}/")
        refused(f"{url}?cacertfile={pem}")


def test_missing_authority_file_is_told(secure) -> None:
    """It is the configuration that is wrong, not the network."""
    url = f"{secure[0]}?cacertfile=/nowhere.pem"
    with pytest.raises(ConfigInvalid):
        ConfirmPublisher(url).publish_window([to_inbox(ONE, b"a")])
    with pytest.raises(ConfigInvalid):
        inspect.round_trip(url)
