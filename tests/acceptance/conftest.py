"""What the acceptance tests share: one running hub, driven by the command under test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.testing.home import Home


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A demo's home with a running hub."""
    made = Home(tmp_path_factory.mktemp("acceptance") / "home")
    assert made.hub("init", made.folder, "--demo", "--json").status == 0
    try:
        made.start()
        yield made
    finally:
        made.stop()
