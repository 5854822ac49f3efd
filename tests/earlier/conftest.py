"""The data of each earlier version in each database, for tests to take over."""

from collections.abc import Callable, Iterator

import pytest

from guardian.store import Store
from tests.earlier.loading import FIXTURES, SITE_PORT, Restored, TakenOver, restored


@pytest.fixture(scope="session")
def restore(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Restored]:
    """Put the data of an earlier version into a new folder, and on PostgreSQL into a new schema."""

    def put_back(fixture: str, site_port: int = SITE_PORT) -> Restored:
        server = request.getfixturevalue("postgresql") if fixture.startswith("postgresql") else None
        return restored(fixture, tmp_path_factory.mktemp("earlier") / "guardian", server, site_port)

    return put_back


@pytest.fixture(params=FIXTURES)
def earlier(request: pytest.FixtureRequest, restore: Callable[..., Restored]) -> Restored:
    """Data as an earlier version left it, for one test alone: nothing of today has opened it."""
    return restore(request.param)


@pytest.fixture(scope="module", params=FIXTURES)
def taken_over(request: pytest.FixtureRequest, restore: Callable[..., Restored]) -> Iterator[TakenOver]:
    """Data that today's guardian has opened. Only for tests that change nothing."""
    data = restore(request.param)
    store = Store(data.database_url)
    yield TakenOver(data, store)
    store.close()
