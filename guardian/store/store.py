"""The opened database: begins transactions, and explains in plain words when it cannot be used."""

import copy
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from guardian.errors import StoreUnusable
from guardian.store.connecting import BUSY_SECONDS, READ_ONLY, connect
from guardian.store.schema import bring_forward
from guardian.store.settings import StoreSettings
from guardian.store.transaction import Transaction

DATABASE_FILE = "guardian.db"

# SQLSTATE classes about the server, not about a statement: connection, disk full, shutting down, wrong log-in.
_SERVER_STATES = ("08", "28", "53", "57P", "58", "XX")


class Store:
    """A migrated database. Threads may share it; each transaction belongs to one thread.

    Raises StoreUnusable, from here and from every transaction, when the database is damaged, full,
    unreachable, on a network file system, or written by a newer guardian.
    """

    def __init__(self, url: str | URL) -> None:
        self._engine = connect(url)
        self.url = self._engine.url
        self._is_sqlite = self._engine.dialect.name == "sqlite"
        # SQLite lets one connection write at a time, and wakes those that wait in no order; threads queue here instead.
        self._writing = threading.Lock()
        self._condition: Callable[[Transaction], None] = _no_condition
        try:
            with self._explained():
                bring_forward(self._engine)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """Begin a transaction: it is committed at the end of the block, and rolled back if the block raises.

        Never keep one open across an await or a wait for anything else: all other writers wait for it.
        """
        with self._explained(), self._turn(), self._engine.connect() as connection, connection.begin():
            transaction = Transaction(connection)
            self._condition(transaction)
            yield transaction

    def under(self, condition: Callable[[Transaction], None]) -> "Store":
        """Return this same store, but every transaction that may write begins with `condition`, which may raise.

        It shares the connections; closing either closes both.
        """
        conditional = copy.copy(self)
        conditional._condition = condition
        return conditional

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Begin a transaction that only reads: a consistent snapshot, which does not block writers."""
        with self._explained(), self._engine.connect() as connection:
            reading = connection.execution_options(**{READ_ONLY: True})
            # PostgreSQL's default shows each statement another state; SQLite's WAL gives a snapshot anyway.
            if not self._is_sqlite:
                reading = reading.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with reading.begin():
                yield Transaction(reading)

    def backup(self, path: Path) -> None:
        """Write a complete copy to `path` while others go on writing (SQLite only).

        The copy gets its name only when it is complete, sound and on disk. Raises StoreUnusable when it cannot be
        made, and for PostgreSQL, which has pg_dump.
        """
        if not self._is_sqlite:
            raise StoreUnusable("this store is PostgreSQL: back it up with pg_dump")

        from guardian.store.backups import copy_database

        with self._explained():
            copy_database(self._database_file(), path)

    def problems(self) -> list[str]:
        """Return what SQLite's own check finds wrong, one line for each fault; empty for PostgreSQL.

        Reads the whole file.
        """
        if not self._is_sqlite:
            return []
        return find_damage(self._database_file())

    def close(self) -> None:
        """Close all connections. The store cannot be used afterwards."""
        self._engine.dispose()

    def _database_file(self) -> Path:
        return Path(self.url.database or "")

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._is_sqlite:
            yield
            return
        if not self._writing.acquire(timeout=BUSY_SECONDS):
            raise StoreUnusable(f"another thread kept a transaction open for {BUSY_SECONDS} s")
        try:
            yield
        finally:
            self._writing.release()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn a driver's errors about the database, not those about a statement, into StoreUnusable."""
        try:
            yield
        except DBAPIError as error:
            explanation = self._explanation(error)
            if explanation is None:
                raise
            raise StoreUnusable(explanation) from error

    def _explanation(self, error: DBAPIError) -> str | None:
        """Return what is wrong with the database, for people; None when the statement is at fault."""
        original = error.orig
        if isinstance(original, sqlite3.Error):
            return _explain_sqlite(original, self._database_file())

        state = getattr(original, "sqlstate", None)
        # A server that cannot be reached gives no SQLSTATE.
        is_away = state is None and type(original).__name__ == "OperationalError"
        if is_away or error.connection_invalidated or (state or "").startswith(_SERVER_STATES):
            return f"PostgreSQL at {self.url.host or 'the local socket'} cannot be used: {original}"
        return None


def _no_condition(_: Transaction) -> None:
    """Everybody may write."""


def open_store(settings: StoreSettings, data_dir: Path) -> Store:
    """Return the configured database opened, after creating and migrating it as needed.

    Raises StoreUnusable when it cannot be used, UsageError when the URL makes no sense.
    """
    if settings.url is not None:
        return Store(settings.url)

    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnusable(f"cannot make the data folder {data_dir}: {error.strerror}") from error

    return Store(URL.create("sqlite", database=str(data_dir.absolute() / DATABASE_FILE)))


def find_damage(database: Path) -> list[str]:
    """Return what PRAGMA quick_check finds wrong with an SQLite file, at most a few lines; empty when all is well."""
    try:
        connection = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)
        try:
            rows = [str(row[0]) for row in connection.execute("PRAGMA quick_check(5)")]
            # One row may hold several lines, under a head such as "*** in database main ***".
            lines = [line for row in rows for line in row.splitlines() if not line.startswith("***")]
        finally:
            connection.close()
    except sqlite3.Error as error:
        return [str(error)]

    return [] if lines == ["ok"] else lines


def _is_full(database: Path) -> bool:
    """Return whether the database's disk is full: SQLite calls it an I/O error when its shared memory cannot grow."""
    try:
        return shutil.disk_usage(database.parent).free < 64 * 1024
    except OSError:
        return False


def _explain_sqlite(error: sqlite3.Error, database: Path) -> str | None:
    """Return what is wrong with the database, for people; None when the statement is at fault."""
    # The low byte is the primary result code; the others say more than is needed here.
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        found = "".join(f" ({line})" for line in find_damage(database)[:1])
        return (
            f"the database {database} is damaged{found}. Stop guardian, move {database.name} and its -wal and -shm "
            f"files aside, copy your latest backup to {database}, and start again; "
            "without a backup try: sqlite3 DAMAGED .recover | sqlite3 guardian.db"
        )
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(database)):
        return f"no room left to write {database}: nothing of this step was kept, everything before it is safe"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"another process kept {database} locked for {BUSY_SECONDS} s"
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return f"cannot read or write {database}: {error}"
    return None
