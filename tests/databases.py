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

_RESTART = "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"
"""Has every table count its rows from one again."""

_MOST_BYTES = 20_000_000
"""Of a database that serves again: rows that were deleted take their room on, and time. A new one has half of it."""

_SCHEMA = """
    SELECT relname::text, relkind::text, relnatts::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT tgname::text, tgenabled::text, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT proname::text, md5(prosrc), '' FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1
"""
"""What the tables, indexes, triggers and functions of a database are."""

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
    """The databases of one server. `connection` commits each statement, as making databases wants it.

    PostgreSQL copies hundreds of files for a database. So one that a test is done with is emptied for a later test: it
    gets another name, under which nobody knows it who may have been left over, and the rows of a new one.
    """

    def __init__(self, server: str, connection: psycopg.Connection) -> None:
        self._server, self._connection = make_url(server), connection
        self._connection.execute(SQL("CREATE DATABASE {}").format(Identifier(_TEMPLATE)))
        Store(self._url(_TEMPLATE)).close()
        with psycopg.connect(self._url(_TEMPLATE), autocommit=True) as template:
            self._schema = template.execute(_SCHEMA).fetchall()
            self._rows = {table: _rows_of(template, table) for table in _filled(template)}
        self._empty: list[str] = []

    @contextmanager
    def new(self, *, is_empty: bool = False) -> Iterator[str]:
        """Make a migrated or an empty database, give its URL, and take it away whoever is still connected."""
        name = self._empty.pop() if self._empty and not is_empty else self._made("template1" if is_empty else _TEMPLATE)
        try:
            yield self._url(name)
        finally:
            if is_empty or not self._keep(name):
                self._drop(name)

    def _made(self, template: str) -> str:
        name = f"guardian_{next(_numbers)}"
        made = SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template))
        self._connection.execute(made)
        return name

    def _drop(self, name: str) -> None:
        self._connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))

    def _keep(self, name: str) -> bool:
        """Keep a database for a later test, as a new one would be; return False where it must be dropped."""
        renamed = f"guardian_{next(_numbers)}"
        connected = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = %s"
        self._connection.execute(connected, [name])
        renaming = SQL("ALTER DATABASE {} RENAME TO {}").format(Identifier(name), Identifier(renamed))
        try:
            self._connection.execute(renaming)
        except psycopg.errors.ObjectInUse:
            # Somebody has connected again meanwhile.
            return False
        if self._has_rows_of_a_new_one(renamed):
            self._empty.append(renamed)
        else:
            self._drop(renamed)
        return True

    def _has_rows_of_a_new_one(self, name: str) -> bool:
        """Give a database the rows of a new one; return False where a test has changed its tables, or filled them."""
        with psycopg.connect(self._url(name), autocommit=True) as database:
            (size,) = database.execute("SELECT pg_database_size(current_database())").fetchone() or (0,)
            if size > _MOST_BYTES or database.execute(_SCHEMA).fetchall() != self._schema:
                return False
            # Without foreign keys and triggers. TRUNCATE would make new files for each table and all that refer to it.
            emptying = [SQL("DELETE FROM {}").format(Identifier(table)) for table in _filled(database)]
            database.execute(SQL("; ").join([SQL("SET session_replication_role = replica"), *emptying, SQL(_RESTART)]))
            for table, rows in self._rows.items():
                with database.cursor().copy(SQL("COPY {} FROM STDIN").format(Identifier(table))) as copy:
                    copy.write(rows)
        return True

    def _url(self, name: str) -> str:
        return self._server.set(database=name).render_as_string(hide_password=False)


def _filled(connection: psycopg.Connection) -> list[str]:
    """Return the tables that have or had rows."""
    query = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' "
    return [name for (name,) in connection.execute(query + "AND pg_relation_size(oid) > 0 ORDER BY relname")]


def _rows_of(connection: psycopg.Connection, table: str) -> bytes:
    with connection.cursor().copy(SQL("COPY {} TO STDOUT").format(Identifier(table))) as rows:
        return b"".join(rows)
