"""Operators' eyes on the broker, by pika and the management API: not the hot path's client.

URLs carry passwords: they are never logged, and errors show host and port only.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import (
    AMQPError,
    ChannelClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)

from hub.broker import tls
from hub.broker.management import Management, part
from hub.broker.topology_model import PROBE
from hub.broker.urls import Location, locations
from hub.errors import BrokerRefused, BrokerUnavailable

ALARMS = {"mem_alarm": "memory", "disk_free_alarm": "disk"}
"""The management API's names of what blocks publishers, and ours."""
ROUND_TRIP_S = 10.0
# pika logs every refusal at length; here each is told once, by the error that is raised.
logging.getLogger("pika").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class QueueInfo:
    """One queue as the broker counts it (its statistics may be 5 s old)."""

    name: str
    ready: int
    unacked: int
    consumers: int
    rate_in: float
    """Messages a second."""
    rate_out: float


@dataclass(frozen=True, slots=True)
class Overview:
    """The broker as a whole."""

    version: str
    alarms: tuple[str, ...]
    """``memory (node)``, ``disk (node)``: publishers are blocked while one stands."""
    exchange_types: tuple[str, ...]


def queues(management_url: str) -> list[QueueInfo]:
    """Return the queues of the hub's virtual host by name.

    Raises ``BrokerUnavailable`` or ``BrokerRefused``.
    """
    with Management(management_url) as api:
        columns = (
            "name,messages_ready,messages_unacknowledged,consumers,"
            "message_stats.publish_details.rate,message_stats.deliver_get_details.rate"
        )
        rows = api.get(f"queues/{part(api.vhost)}", columns=columns) or []
    return sorted((_queue(row) for row in rows), key=lambda row: row.name)


def overview(management_url: str) -> Overview:
    """Return version, standing alarms and exchange types.

    Raises ``BrokerUnavailable`` or ``BrokerRefused``.
    """
    with Management(management_url) as api:
        found = api.get("overview", columns="rabbitmq_version,exchange_types.name")
        nodes = api.get("nodes", columns="name,mem_alarm,disk_free_alarm")
    return Overview(
        version=found["rabbitmq_version"],
        alarms=tuple(
            f"{told} ({node['name']})" for node in nodes for name, told in ALARMS.items()
            if node.get(name)
        ),
        exchange_types=tuple(sorted(row["name"] for row in found["exchange_types"])),
    )  # fmt: skip


def _queue(row: Mapping[str, Any]) -> QueueInfo:
    stats = row.get("message_stats") or {}
    return QueueInfo(
        name=row["name"],
        ready=row.get("messages_ready", 0),
        unacked=row.get("messages_unacknowledged", 0),
        consumers=row.get("consumers", 0),
        rate_in=_rate(stats, "publish_details"),
        rate_out=_rate(stats, "deliver_get_details"),
    )


def _rate(stats: Mapping[str, Any], name: str) -> float:
    return float((stats.get(name) or {}).get("rate", 0.0))


def round_trip(amqp_url: str) -> float:
    """Send a message through a queue of its own, confirmed both ways; return the seconds it took.

    Raises ``BrokerUnavailable`` or ``BrokerRefused``.
    """
    with _channel(amqp_url) as channel:
        return _there_and_back(channel)


def depth(amqp_url: str, queue: str) -> tuple[int, int]:
    """Return a queue's ready messages and consumers, as it counts them at this moment.

    Raises ``BrokerUnavailable`` or ``BrokerRefused`` (also for a queue that is not there).
    """
    with _channel(amqp_url) as channel:
        found = channel.queue_declare(queue, passive=True).method
        return found.message_count, found.consumer_count


@contextmanager
def _channel(amqp_url: str) -> Iterator[BlockingChannel]:
    """Open a channel to the first node that answers; pika's errors leave as the hub's."""
    connection, place = _connection(amqp_url)
    try:
        yield connection.channel()
    except ChannelClosedByBroker as error:
        raise BrokerRefused(reason=f"{place} {error.reply_code} {error.reply_text}") from None
    except AMQPError as error:
        raise BrokerUnavailable(reason=f"{place} {type(error).__name__}") from None
    finally:
        if connection.is_open:
            connection.close()


def _connection(amqp_url: str) -> tuple[pika.BlockingConnection, Location]:
    failure = ""
    for place in locations(amqp_url):
        try:
            return pika.BlockingConnection(_parameters(place)), place
        except (ProbableAuthenticationError, ProbableAccessDeniedError) as error:
            raise BrokerRefused(reason=f"{place} {type(error).__name__}") from None
        except (AMQPError, OSError) as error:
            failure = f"{place} {type(error).__name__}"
    raise BrokerUnavailable(reason=failure)


def _there_and_back(channel: BlockingChannel) -> float:
    started = time.perf_counter()
    name, body = f"{PROBE}{secrets.token_hex(8)}", secrets.token_bytes(32)
    channel.queue_declare(name, exclusive=True, auto_delete=True)
    channel.confirm_delivery()
    channel.basic_publish("", name, body, mandatory=True)
    for method, _properties, found in channel.consume(name, inactivity_timeout=ROUND_TRIP_S):
        if method is None or found != body:
            raise BrokerUnavailable(reason=f"{ROUND_TRIP_S:.0f} s")
        channel.basic_ack(method.delivery_tag)
        break
    channel.cancel()
    channel.queue_delete(name)
    return time.perf_counter() - started


def _parameters(place: Location) -> pika.ConnectionParameters:
    return pika.ConnectionParameters(
        host=place.host,
        port=place.port,
        virtual_host=place.vhost,
        credentials=pika.PlainCredentials(place.user, place.password),
        socket_timeout=ROUND_TRIP_S,
        blocked_connection_timeout=ROUND_TRIP_S,
        ssl_options=pika.SSLOptions(tls.context(place), place.host) if place.tls else None,
    )
