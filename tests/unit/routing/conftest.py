"""The world of ``hub.testing.world`` with keys that are made once for all tests of the folder."""

from __future__ import annotations

import pytest

from hub.testing.pki import TestPki
from hub.testing.world import World, make_pki


@pytest.fixture(scope="session")
def pki() -> TestPki:
    return make_pki()


@pytest.fixture
def world(pki: TestPki) -> World:
    return World.of(pki)
