"""An administrator's session with the broker: what is there, and the calls that change it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from hub.broker import accounts, inspect
from hub.broker.management import Management, part
from hub.broker.topology_diff import Actual
from hub.broker.topology_model import (
    Account,
    Binding,
    Exchange,
    Permission,
    Policy,
    Queue,
    pairs,
)
from hub.broker.urls import locations, management_address

IMPORT_S = 300.0
"""A thousand agencies' accounts and queues took 20 s on a busy 2-core machine."""
_TYPE = "x-queue-type"
Named = TypeVar("Named", Exchange, Queue, Policy)


class Admin:
    """Reads and changes one virtual host. Raises ``BrokerUnavailable`` or ``BrokerRefused``."""

    def __init__(self, amqp_url: str, api: Management, home: Path) -> None:
        first = locations(amqp_url)[0]
        self._amqp_url = amqp_url
        self._api = api
        self.vhost = first.vhost
        self.hub_account = first.user
        """The account that the hub itself connects with."""
        self.home = home

    @classmethod
    def open(cls, amqp_url: str, management_url: str, home: Path) -> Admin:
        """Open a session, closed by ``with``; ``home`` holds the accounts' passwords."""
        return cls(amqp_url, Management(management_address(amqp_url, management_url)), home)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._api.close()

    def state(self) -> Actual:
        """Return what is there now."""
        there = self._api.get(f"vhosts/{part(self.vhost)}") is not None
        found = self._api.get(f"definitions/{part(self.vhost)}") if there else {}
        users = {row["name"]: row for row in self._api.get("users")}
        rights = self._api.get(f"vhosts/{part(self.vhost)}/permissions") or []
        return Actual(
            exchanges=_by_name(
                Exchange(row["name"], row["type"]) for row in found.get("exchanges", [])
            ),
            queues=_by_name(_queue(row) for row in found.get("queues", [])),
            bindings=frozenset(
                Binding(row["source"], row["destination"], row["routing_key"])
                for row in found.get("bindings", [])
                if row["destination_type"] == "queue"
            ),
            policies=_by_name(
                Policy(row["name"], row["pattern"], pairs(row["definition"]))
                for row in found.get("policies", [])
            ),
            accounts={name: Account(name, _tags(row["tags"])) for name, row in users.items()},
            password_hashes={name: row["password_hash"] for name, row in users.items()},
            permissions={
                row["user"]: Permission(row["user"], row["configure"], row["write"], row["read"])
                for row in rights
            },
        )

    def password(self, name: str) -> str:
        """Return an account's password, made now if the home has none yet."""
        return accounts.ensure(accounts.folder(self.home), name)

    def known_passwords(self) -> dict[str, str]:
        """Return the passwords that the home has, by account."""
        return {name: accounts.password(self.home, name) for name in accounts.names(self.home)}

    def make_vhost(self) -> None:
        """Make the virtual host if it is missing."""
        if self._api.get(f"vhosts/{part(self.vhost)}") is None:
            self._api.call("PUT", f"vhosts/{part(self.vhost)}", {})

    def import_accounts(self, users: Sequence[str], permissions: Iterable[Permission]) -> None:
        """Make or mend accounts and their rights in this virtual host, many at once."""
        body = {
            "users": [accounts.user(name, self.password(name)) for name in users],
            "permissions": [
                {
                    "user": row.account,
                    "vhost": self.vhost,
                    "configure": row.configure,
                    "write": row.write,
                    "read": row.read,
                }
                for row in permissions
            ],
        }
        self._api.call("POST", "definitions", body, timeout_s=IMPORT_S)

    def import_entities(
        self,
        *,
        exchanges: Iterable[Exchange] = (),
        queues: Iterable[Queue] = (),
        bindings: Iterable[Binding] = (),
        policies: Iterable[Policy] = (),
        priority: int,
    ) -> None:
        """Make what is missing, many at once; what exists is left as it is (policies: replaced)."""
        durable = {"durable": True, "auto_delete": False}
        body = {
            "policies": [
                {
                    "name": row.name,
                    "pattern": row.pattern,
                    "apply-to": "queues",
                    "priority": priority,
                    "definition": dict(row.definition),
                }
                for row in policies
            ],
            "exchanges": [
                {"name": row.name, "type": row.kind, "internal": False, "arguments": {}, **durable}
                for row in exchanges
            ],
            "queues": [
                {"name": row.name, "arguments": dict(row.arguments), **durable} for row in queues
            ],
            "bindings": [
                {
                    "source": row.exchange,
                    "destination": row.queue,
                    "destination_type": "queue",
                    "routing_key": row.key,
                    "arguments": {},
                }
                for row in bindings
            ],
        }
        self._api.call("POST", f"definitions/{part(self.vhost)}", body, timeout_s=IMPORT_S)

    def unbind(self, binding: Binding) -> None:
        """Take a binding away."""
        path = f"bindings/{part(self.vhost)}/e/{part(binding.exchange)}/q/{part(binding.queue)}"
        for row in self._api.get(path) or []:
            if row["routing_key"] == binding.key:
                self._api.call("DELETE", f"{path}/{part(row['properties_key'])}")

    def delete_queue(self, name: str) -> bool:
        """Delete a queue unless it has messages or readers; return whether it is gone.

        Quorum queues know no ``if-empty``. So nothing may lead to it any more, which only the
        caller can know: then a queue that is empty stays empty.
        """
        if inspect.depth(self._amqp_url, name) != (0, 0):
            return False
        self._api.call("DELETE", f"queues/{part(self.vhost)}/{part(name)}")
        return True

    def delete_policy(self, name: str) -> None:
        """Delete a policy."""
        self._api.call("DELETE", f"policies/{part(self.vhost)}/{part(name)}")

    def clear_permission(self, account: str) -> None:
        """Take away all rights of an account in this virtual host."""
        self._api.call("DELETE", f"permissions/{part(self.vhost)}/{part(account)}")

    def in_use(self, queue: str) -> str:
        """Say what keeps a queue from being deleted, or return an empty text."""
        row = self._api.get(f"queues/{part(self.vhost)}/{part(queue)}") or {}
        found = [f"{row[key]} {key}" for key in ("messages", "consumers") if row.get(key)]
        return ", ".join(found)

    def effective(self) -> dict[str, dict[str, object]]:
        """Return what each queue really goes by, as the broker itself tells it.

        They come every few seconds only: a queue or policy younger than that may be missing.
        """
        columns = "name,arguments,effective_policy_definition"
        rows = self._api.get(f"queues/{part(self.vhost)}", columns=columns) or []
        return {row["name"]: _going_by(row) for row in rows}

    def disabled_features(self) -> frozenset[str]:
        """Return the feature flags that this version has and that are off."""
        rows = self._api.get("feature-flags") or []
        return frozenset(row["name"] for row in rows if row.get("state") == "disabled")


def _going_by(row: Mapping[str, Any]) -> dict[str, object]:
    """A queue argument goes before a policy's key of the same meaning."""
    policy = row.get("effective_policy_definition") or {}
    arguments = row.get("arguments") or {}
    own = {name.removeprefix("x-"): value for name, value in arguments.items()}
    return {**dict(policy), **own}


def _queue(row: Mapping[str, Any]) -> Queue:
    """A queue as definitions tell it; newer versions name its type beside the arguments."""
    arguments: dict[str, object] = dict(row.get("arguments") or {})
    if row.get("type"):
        arguments.setdefault(_TYPE, row["type"])
    return Queue(row["name"], pairs(arguments))


def _tags(tags: str | Sequence[str]) -> str:
    """RabbitMQ 3.8 and older told tags as text, newer ones as a list."""
    found = tags.split(",") if isinstance(tags, str) else tags
    return ",".join(sorted(one for one in found if one))


def _by_name(rows: Iterable[Named]) -> dict[str, Named]:
    return {row.name: row for row in rows}
