"""New databases for tests, copied from one that was migrated once in this process.

All migrations one after the other take a tenth of a second on SQLite, three on PostgreSQL; a copy takes milliseconds.
"""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy.engine import make_url

from guardian.store import Store, StoreSettings, open_store
from guardian.store.store import DATABASE_FILE

_TEMPLATE = "guardian_template"
_numbers = itertools.count()


def store_in(folder: Path) -> Store:
    """Return the opened database of a data folder, made as `place_database` does where there is none."""
    place_database(folder)
    return open_store(StoreSettings(), folder)


def place_database(folder: Path) -> None:
    """Put a migrated, empty SQLite database into a data folder that has none."""
    file = folder / DATABASE_FILE
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(Path(_migrated().name) / DATABASE_FILE, file)


@lru_cache(maxsize=1)
def _migrated() -> "tempfile.TemporaryDirectory[str]":
    """Return a folder with a migrated database, which is deleted at the end of this process."""
    holder = tempfile.TemporaryDirectory(prefix="guardian-tests-")
    open_store(StoreSettings(), Path(holder.name)).close()
    return holder


class PostgresDatabases:
    """The databases of one server. `connection` commits each statement, as making databases wants it."""

    def __init__(self, server: str, connection: psycopg.Connection) -> None:
        self._server, self._connection = make_url(server), connection
        self._connection.execute(SQL("CREATE DATABASE {}").format(Identifier(_TEMPLATE)))
        Store(self._url(_TEMPLATE)).close()

    @contextmanager
    def new(self, *, is_empty: bool = False) -> Iterator[str]:
        """Make a migrated or an empty database, give its URL, and drop it whoever is still connected."""
        name, template = f"guardian_{next(_numbers)}", "template1" if is_empty else _TEMPLATE
        made = SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template))
        self._connection.execute(made)
        try:
            yield self._url(name)
        finally:
            self._connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))

    def _url(self, name: str) -> str:
        return self._server.set(database=name).render_as_string(hide_password=False)
