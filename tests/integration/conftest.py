"""One private RabbitMQ node for all integration tests, and a virtual host of its own for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hub.broker.node import Node, NodeInfo
from hub.testing.broker import Broker, fresh_vhost, private_node


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeInfo]:
    """A running node that every test shares and none disturbs.

    Without RabbitMQ on this machine this fails, and says what to install.
    """
    with private_node(tmp_path_factory.mktemp("home")) as broker:
        yield broker.node


@pytest.fixture(scope="session")
def _spare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    started = Node(tmp_path_factory.mktemp("spare") / "broker")
    try:
        started.start()
        yield started
    finally:
        started.stop()


@pytest.fixture
def spare_node(_spare: Node) -> Node:
    """A node that the test may stop, kill and start again."""
    _spare.start()
    return _spare


@pytest.fixture
def make_broker(node: NodeInfo, tmp_path: Path) -> Iterator[Callable[..., Broker]]:
    """Make virtual hosts with a topology: ``make_broker(agencies, centres=…, shards=…)``.

    ``on`` is another node than the shared one, ``home`` another folder than a fresh one.
    """
    with ExitStack() as stack:
        made = 0

        def make(agencies, *, on: NodeInfo = node, home: Path | None = None, **options) -> Broker:
            nonlocal made
            made += 1
            folder = home or tmp_path / f"home{made}"
            return stack.enter_context(fresh_vhost(on, folder, agencies, **options))

        yield make
