"""Accounts' passwords in files."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.broker import accounts
from hub.errors import ConfigMissing, HubError, UsageError


def test_made_once_and_kept(tmp_path: Path) -> None:
    """Random, long, readable by its owner only, and the same for everyone who asks."""
    folder = accounts.folder(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _each: accounts.ensure(folder, "H12.01"), range(32)))
    (password,) = found
    assert len(password) >= 32
    assert accounts.password(tmp_path, "H12.01") == password
    assert (folder / "H12.01").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert accounts.names(tmp_path) == ["H12.01"]
    assert accounts.ensure(folder, "H12.02") != password


def test_missing_password_says_what_to_do(tmp_path: Path) -> None:
    """The file and the command that makes it."""
    with pytest.raises(ConfigMissing, match="hub topology apply"):
        accounts.password(tmp_path, "H12.01")
    assert accounts.names(tmp_path) == []


@pytest.mark.parametrize("name", ["../x", "", ".", "a/b", "-x", "x" * 65, "é"])
def test_no_file_outside_the_folder(tmp_path: Path, name: str) -> None:
    """A name that is no account's is refused before any file is touched."""
    with pytest.raises(UsageError):
        accounts.ensure(accounts.folder(tmp_path), name)
    with pytest.raises(HubError):
        accounts.password(tmp_path, name)


@given(st.text(max_size=40), st.text(max_size=40))
def test_hashes_match_their_own_password_only(one: str, other: str) -> None:
    """RabbitMQ's salted SHA-256: the same password twice gives two hashes, both match."""
    first, second = accounts.hashed(one), accounts.hashed(one)
    assert accounts.matches(one, first)
    assert accounts.matches(one, second)
    assert accounts.matches(other, first) == (one == other)


def test_hash_is_rabbitmqs() -> None:
    """The example in RabbitMQ's own guide: password test12, salt 908DC60A."""
    assert accounts.hashed("test12", bytes.fromhex("908DC60A")) == (
        "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"
    )
    assert not accounts.matches("test12", "no base64!")
