"""The doctor's checks: each does the real thing once and returns what it saw, or raises."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from errno import ENOSPC
from importlib.metadata import version

from cryptography import x509

import hub
from hub.broker import inspect, topology
from hub.broker.address import broker_address
from hub.cli.context import Invocation, now
from hub.cli.judgement import identity
from hub.cli.parts import opened
from hub.cli.wiring import administration, desired_topology
from hub.errors import (
    ConfigInvalid,
    ConfigMissing,
    NotInDate,
    TopologyDiffers,
)
from hub.signing.trust import material_from_folder
from hub.store import health, messages
from hub.store.trust import load_trust

FREE_BYTES = 1024**3
"""Below one free gibibyte the store and the broker are in danger."""
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
"""A clock before the day this program was written is wrong."""
SOON = timedelta(days=30)
LIBRARIES = ("kombu", "amqp", "pika", "lxml", "xmlschema", "cryptography", "sqlalchemy", "pydantic")


def settings(call: Invocation) -> str:
    """``hub.toml`` is there and every key in it is known and acceptable."""
    found = call.settings
    return f"{found.home / 'hub.toml'}: {found.hub.code}, {found.hub.environment.value}"


def clock(_call: Invocation) -> str:
    """The clock is not obviously wrong (signatures and deadlines hang on it)."""
    moment = now()
    if moment < EARLIEST:
        raise ConfigInvalid(file="system", key="clock", reason=moment.isoformat())
    return moment.astimezone().isoformat(timespec="seconds")


def disk(call: Invocation) -> str:
    """There is room for the store, the broker and the logs."""
    usage = shutil.disk_usage(call.settings.home)
    free = usage.free // 1024**2
    if usage.free < FREE_BYTES:
        raise OSError(ENOSPC, f"{free} MiB", str(call.settings.home))
    return f"{free} MiB"


def store(call: Invocation) -> str:
    """The store opens at this program's schema version and takes a write, durably."""
    with opened(call.settings) as found:
        health.write(found, now())
        counts = messages.counts(found)
    accepted = counts["accepted"]
    where = call.settings.store.url.rsplit("@", 1)[-1]
    return call.text(f"{where}, {accepted} thông điệp", f"{where}, {accepted} messages")


def key(call: Invocation) -> str:
    """The hub's own key is there, belongs to its certificate and is in date."""
    certificate = identity(call.settings, call.settings.hub.code).certificate
    until = _in_date(certificate)
    return call.text(f"{call.settings.hub.code}, đến {until}", f"{call.settings.hub.code}, {until}")


def _in_date(certificate: x509.Certificate) -> str:
    moment = now()
    if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
        raise NotInDate(certificate.subject.rfc4514_string())
    return certificate.not_valid_after_utc.date().isoformat()


def trust(call: Invocation) -> str:
    """Anchors are there and in date, and the hub's own certificate is trusted by them."""
    anchors, _, lists = material_from_folder(call.settings.pki)
    if not anchors:
        raise ConfigMissing(file=str(call.settings.pki / "anchors"), reason="*.pem")
    until = min(_in_date(x509.load_der_x509_certificate(der)) for der in anchors)
    with opened(call.settings) as found:
        own = identity(call.settings, call.settings.hub.code)
        load_trust(found, call.settings).judge(own.certificate_der, now())
    return call.text(
        f"{len(anchors)} gốc đến {until}, {len(lists)} danh sách thu hồi",
        f"{len(anchors)} anchors until {until}, {len(lists)} revocation lists",
    )


def revocation(call: Invocation) -> str:
    """Every revocation list is fresh enough to be believed for another month."""
    lists = material_from_folder(call.settings.pki)[2]
    if not lists:
        raise ConfigMissing(file=str(call.settings.pki / "crls"), reason="CRL")
    ends = [x509.load_der_x509_crl(der).next_update_utc for der in lists]
    first = min(end for end in ends if end) if any(ends) else None
    if first is None or first < now():
        raise NotInDate(f"CRL nextUpdate {first}")
    until = first.date().isoformat()
    soon = call.text(" (sắp hết hạn)", " (soon)") if first - now() < SOON else ""
    return call.text(f"đến {until}{soon}", f"until {until}{soon}")


def broker(call: Invocation) -> str:
    """A message goes through the broker and comes back, confirmed both ways."""
    address = broker_address(call.settings)
    seconds = inspect.round_trip(address.amqp_url)
    found = inspect.overview(address.management_url)
    alarms = f", ALARM {', '.join(found.alarms)}" if found.alarms else ""
    return f"RabbitMQ {found.version}, {seconds * 1000:.0f} ms{alarms}"


def plugins(call: Invocation) -> str:
    """The consistent-hash exchange and the management interface are there."""
    found = inspect.overview(broker_address(call.settings).management_url)
    if "x-consistent-hash" not in found.exchange_types:
        raise TopologyDiffers(reason="rabbitmq_consistent_hash_exchange")
    return "x-consistent-hash, management"


def queues(call: Invocation) -> str:
    """Every exchange, queue, policy and account is as the directory asks."""
    wanted = desired_topology(call.settings)
    with administration(call.settings) as admin:
        differences = topology.verify(wanted, admin)
    if differences:
        raise TopologyDiffers(reason=f"{len(differences)}: {differences[0]}")
    count = len(wanted.queues)
    return call.text(f"{count} hàng đợi", f"{count} queues")


def versions(_call: Invocation) -> str:
    """The libraries that the wire hangs on, by version."""
    found = [f"{name} {version(name)}" for name in LIBRARIES]
    return ", ".join((f"hub {hub.__version__}", f"Python {platform.python_version()}", *found))


Remedy = tuple[str, str]
"""What to do, in Vietnamese and in English."""
OLD_STORE: Remedy = (
    "Chạy hub up: kho cũ được nâng cấp; kho mới hơn cần chương trình mới hơn",
    "Run hub up, which brings an old store up to date; a newer one needs a newer program",
)
ALL: dict[str, tuple[Callable[[Invocation], str], Remedy]] = {
    "settings": (
        settings,
        ("hub init DIR, hoặc sửa khóa nêu trên", "hub init DIR, or mend that key"),
    ),
    "clock": (clock, ("Bật đồng bộ giờ (chrony)", "Switch time synchronisation on (chrony)")),
    "disk": (disk, ("Giải phóng hoặc thêm đĩa", "Free some disk or add one")),
    "store": (
        store,
        ("Xem quyền và đường dẫn của [store] url", "Check [store] url and its rights"),
    ),
    "key": (key, ("Đặt key.pem và cert.pem vào pki/agencies/<mã>", "Put key.pem, cert.pem there")),
    "trust": (trust, ("Nạp gốc tin cậy vào pki/anchors", "Put the anchors into pki/anchors")),
    "revocation": (revocation, ("Cập nhật CRL trong pki/crls", "Refresh the CRL in pki/crls")),
    "broker": (broker, ("hub up, hoặc sửa [broker] url", "hub up, or mend [broker] url")),
    "plugins": (plugins, ("rabbitmq-plugins enable …", "rabbitmq-plugins enable …")),
    "topology": (queues, ("hub topology apply", "hub topology apply")),
    "versions": (versions, ("make install", "make install")),
}
"""Name → the check, and what to do when it fails in Vietnamese and English."""
