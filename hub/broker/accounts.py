"""The broker accounts' passwords: random, one 0600 file each under ``home/broker/accounts/``."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
from pathlib import Path

from hub.broker.urls import with_account
from hub.errors import ConfigMissing, UsageError

FOLDER = "accounts"
HUB = "hub"
"""The hub's own account: it routes, and configures nothing."""
ADMIN = "hub-admin"
"""The administrator of a private node; agencies' codes never hold a hyphen."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,63}")
_HASHING = "rabbit_password_hashing_sha256"


def folder(home: Path) -> Path:
    """Return the folder of the password files of a home."""
    return home / "broker" / FOLDER


def password(home: Path, code: str) -> str:
    """Return the password of an account; raises ``ConfigMissing`` when it has none here."""
    return read(folder(home), code)


def agency_url(amqp_url: str, code: str, password: str) -> str:
    """Return the hub's AMQP address for another account."""
    return with_account(amqp_url, code, password)


def read(accounts: Path, name: str) -> str:
    """Return the password of an account in a folder of them; raises ``ConfigMissing``."""
    file = _file(accounts, name)
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise ConfigMissing(file=str(file), reason="hub topology apply") from error


def ensure(accounts: Path, name: str) -> str:
    """Return the password of an account, made now if there is none; two makers get the same."""
    accounts.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = _file(accounts, name)
    if not file.exists():
        # Written whole under another name first: nobody ever reads half a password.
        draft = file.with_name(f".{name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as writer:
            writer.write(secrets.token_urlsafe(24))
            writer.flush()
            os.fsync(writer.fileno())
        try:
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return read(accounts, name)


def names(home: Path) -> list[str]:
    """Return the accounts that this home has passwords of, sorted."""
    if not folder(home).is_dir():
        return []
    return sorted(file.name for file in folder(home).iterdir() if _NAME.fullmatch(file.name))


def hashed(password: str, salt: bytes | None = None) -> str:
    """Return RabbitMQ's salted SHA-256 of a password, as definitions carry it."""
    salt = salt or secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def matches(password: str, password_hash: str) -> bool:
    """Whether a hash that RabbitMQ holds is of this password."""
    try:
        salt = base64.b64decode(password_hash, validate=True)[:4]
    except ValueError:
        return False
    return secrets.compare_digest(hashed(password, salt), password_hash)


def user(name: str, password: str, tags: str = "") -> dict[str, str]:
    """Return a user as RabbitMQ's definitions have it: with the hash, never the password."""
    return {
        "name": name,
        "password_hash": hashed(password),
        "hashing_algorithm": _HASHING,
        "tags": tags,
    }


def _file(accounts: Path, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise UsageError(reason=f"account {name[:64]!r}?")
    return accounts / name
