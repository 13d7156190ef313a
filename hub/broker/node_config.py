"""The files and the environment that a private RabbitMQ node is started with.

Nothing of the system's own RabbitMQ is read or touched: every path, port and name that its scripts
would take from ``/etc/rabbitmq`` is given here. Written for RabbitMQ 3.10 to 4.x.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from hub.broker import accounts

PLUGINS = ("rabbitmq_management", "rabbitmq_consistent_hash_exchange")
PID = "beam.pid"
WAL_BYTES = 32 * 1024 * 1024
"""The quorum queues' shared log lies in memory up to a few times this (default: 512 MiB)."""
DISK_FREE_LIMIT = 100 * 1024 * 1024
"""Publishers are blocked when less is free (RabbitMQ's default is 50 MB, and warns of it)."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The node's ports, all on the loopback interface."""

    amqp: int
    management: int
    distribution: int
    epmd: int


def write(folder: Path, ports: Ports) -> None:
    """Write the configuration into the node's folder, readable by its owner only."""
    for name in ("", "data", "log", "config", accounts.FOLDER):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    cookie = folder / ".erlang.cookie"
    if not cookie.exists():
        private(cookie, secrets.token_hex(32))
        cookie.chmod(0o400)
    private(folder / "definitions.json", json.dumps(_definitions(folder / accounts.FOLDER)))
    private(folder / "enabled_plugins", f"[{','.join(PLUGINS)}].\n")
    private(folder / "advanced.config", "[].\n")
    private(folder / "rabbitmq.conf", _settings(ports))


def private(file: Path, text: str) -> None:
    """Write a 0600 file, whole or not at all."""
    draft = file.with_name(f"{file.name}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as writer:
        writer.write(text)
    draft.replace(file)


def _settings(ports: Ports) -> str:
    return "\n".join(
        (
            f"listeners.tcp.1 = 127.0.0.1:{ports.amqp}",
            "management.tcp.ip = 127.0.0.1",
            f"management.tcp.port = {ports.management}",
            "management.rates_mode = basic",
            # Relative to the node's working folder: this file may hold ASCII only, a path anything.
            "load_definitions = definitions.json",
            f"raft.wal_max_size_bytes = {WAL_BYTES}",
            f"disk_free_limit.absolute = {DISK_FREE_LIMIT}",
            "log.console = false",
            "log.file = node.log",
            "log.file.rotation.size = 10485760",
            "log.file.rotation.count = 3",
            "",
        )
    )


def _definitions(passwords: Path) -> dict[str, object]:
    """The two accounts. With definitions to load, RabbitMQ makes no ``guest``."""
    rights = {
        accounts.ADMIN: {"configure": ".*", "write": ".*", "read": ".*"},
        accounts.HUB: HUB_RIGHTS,
    }
    tags = {accounts.ADMIN: "administrator", accounts.HUB: ""}
    return {
        "users": [
            accounts.user(name, accounts.ensure(passwords, name), tags[name]) for name in rights
        ],
        "vhosts": [{"name": "/"}],
        "permissions": [
            {"user": name, "vhost": "/", **patterns} for name, patterns in rights.items()
        ],
    }


HUB_RIGHTS = {"configure": r"^hub\.probe\.", "write": ".*", "read": ".*"}
"""What the hub's account may do: everything but change the topology (probes excepted)."""


def environment(folder: Path, ports: Ports, node: str) -> dict[str, str]:
    """Return the whole environment of the server's script and of ``rabbitmqctl``.

    Both have to run in ``folder``: RabbitMQ's management cannot tell a path with Vietnamese letters
    in it, so such a folder is named by way of the process's own working folder (proc(5)).
    """
    base = str(folder) if str(folder).isascii() else "/proc/self/cwd"
    return {
        "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
        "LANG": "C.UTF-8",
        "HOME": base,
        "ERL_EPMD_PORT": str(ports.epmd),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_CRASH_DUMP": f"{base}/log/erl_crash.dump",
        "ERL_CRASH_DUMP_BYTES": "10000000",
        # Makes the script become the node (exec) instead of standing before it as a second process.
        "RUNNING_UNDER_SYSTEMD": "true",
        "RABBITMQ_NODENAME": node,
        "RABBITMQ_DIST_PORT": str(ports.distribution),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_MNESIA_BASE": f"{base}/data",
        "RABBITMQ_LOG_BASE": f"{base}/log",
        "RABBITMQ_PID_FILE": f"{base}/{PID}",
        "RABBITMQ_CONFIG_FILE": f"{base}/rabbitmq.conf",
        "RABBITMQ_CONFIG_FILES": f"{base}/conf.d",
        "RABBITMQ_ADVANCED_CONFIG_FILE": f"{base}/advanced.config",
        "RABBITMQ_GENERATED_CONFIG_DIR": f"{base}/config",
        "RABBITMQ_SCHEMA_DIR": f"{base}/config",
        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{base}/enabled_plugins",
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
    }
