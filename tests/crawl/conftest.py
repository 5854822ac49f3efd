"""Fixtures of crawls: see `tests.crawling`."""

from collections.abc import Iterator

import pytest

from tests.crawling import checkpoints, discovered, page, settings_of, store
from tests.websites import Site, running

__all__ = ["checkpoints", "discovered", "page", "settings_of", "store"]


@pytest.fixture
def web() -> Iterator[Site]:
    """A web site on loopback that answers as it is told."""
    yield from running()
