"""A migrated store on each database."""

from collections.abc import Iterator

import pytest

from guardian.store import Store


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """An opened, migrated store on a new database."""
    opened = Store(database)
    yield opened
    opened.close()
