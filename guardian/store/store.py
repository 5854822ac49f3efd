"""The opened database: begins transactions, and explains in plain words when it cannot be used."""

import copy
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import structlog
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from guardian.disk_errors import disk_error_text, refuse_root_in
from guardian.errors import StoreUnusable
from guardian.store.connecting import (
    BUSY_SECONDS,
    CANNOT_WRITE,
    READ_ONLY,
    connect,
    connect_for_reading,
    has_changes_in_wal,
)
from guardian.store.schema import bring_forward, is_brought_forward
from guardian.store.settings import StoreSettings
from guardian.store.sqlite_files import explain_sqlite, find_damage, why_unwritable
from guardian.store.transaction import Transaction

DATABASE_FILE = "guardian.db"

# SQLSTATE classes about the server, not about a statement: connection, a replica that only reads, wrong log-in, disk
# full, shutting down.
_SERVER_STATES = ("08", "25006", "28", "53", "57P", "58", "XX")

_ENDED_FOR_OTHERS = ("40001", "40P01")
"""SQLSTATEs of a transaction that PostgreSQL ended so that another can go on: a failed serialisation, a deadlock."""

_MOST_TRIES = 4
_LONGEST_WAIT = 0.05
"""Seconds before a further try, at most, times two for each try before."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Store:
    """A migrated database. Threads may share it; each transaction belongs to one thread.

    An SQLite file on a read-only or full disk, or in a folder of another user, can be read; `begin` says why nothing
    can be written. Raises StoreUnusable, from here and from every transaction, when the database is damaged, full,
    unreachable, on a network file system, or written by a newer guardian.
    """

    def __init__(self, url: str | URL) -> None:
        self._engine = connect(url)
        self.url = self._engine.url
        self._is_sqlite = self._engine.dialect.name == "sqlite"
        # SQLite lets one connection write at a time, and wakes those that wait in no order; threads queue here instead.
        self._writing = threading.Lock()
        self._condition: Callable[[Transaction], None] = _no_condition
        # Why nothing can be written, in words; None when it can.
        self._unwritable: str | None = None
        try:
            with self._explained():
                self._open()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """Begin a transaction: it is committed at the end of the block, and rolled back if the block raises.

        Never keep one open across an await or a wait for anything else: all other writers wait for it.
        """
        if self._unwritable is not None:
            raise StoreUnusable(self._unwritable)
        with self._explained(), self._turn(), self._engine.connect() as connection, connection.begin():
            transaction = Transaction(connection)
            self._condition(transaction)
            yield transaction
            transaction.audit.write()

    def run(self, work: Callable[[Transaction], T]) -> T:
        """Return what `work` returns for a transaction, which begins anew when PostgreSQL ended it for another one.

        For work that locks several cases, which two transactions may do in different orders. It is called up to four
        times, so it must do nothing outside of the database that may not be done twice. Raises as `begin`, and
        StoreUnusable when the transaction was ended each time.
        """
        for number in range(_MOST_TRIES):
            if number:
                # Of two that begin anew at once, each would take again what the other still needs.
                time.sleep(random.uniform(0, _LONGEST_WAIT * 2**number))
            try:
                with self.begin() as tx:
                    return work(tx)
            except DBAPIError as error:
                state = getattr(error.orig, "sqlstate", None)
                if state not in _ENDED_FOR_OTHERS:
                    raise
                # What this transaction held is free: the other one ends, and at the next try this one waits for it.
                log.info("transaction_begins_anew", sqlstate=state)
                last = error

        raise StoreUnusable(
            f"PostgreSQL ended this transaction {_MOST_TRIES} times, since others that were at work needed what it had "
            f"locked: nothing was changed. Try again, or about fewer cases at once ({one_line(last.orig)})"
        ) from last

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

    def flush(self) -> None:
        """Write what waits in SQLite's WAL into the database file and empty it, so that deleted rows are gone there.

        Where readers still use it, that happens when they are done. PostgreSQL does its own (VACUUM).
        """
        if self._is_sqlite:
            # Below SQLAlchemy, which would begin a transaction: no checkpoint is possible within one.
            with self._explained(), closing(self._engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def backup(self, path: Path) -> None:
        """Write a complete copy to `path` while others go on writing (SQLite only).

        The copy gets its name only when it is complete, sound and on disk. Raises StoreUnusable when it cannot be
        made, and for PostgreSQL, which has pg_dump; UsageError when `path` is something that must not be replaced.
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

    def _open(self) -> None:
        """Migrate the database as needed; where an SQLite file cannot be written, open it for reading alone."""
        try:
            bring_forward(self._engine)
            return
        except DBAPIError as error:
            database = self._database_file()
            refusal = _refusal_to_write(error)
            if refusal is None or not database.is_file() or not database.stat().st_size:
                raise

        why = why_unwritable(database, refusal)
        if has_changes_in_wal(database) and not database.with_name(f"{database.name}-shm").exists():
            raise StoreUnusable(
                f"{why}, and changes wait in {database.name}-wal that can only be read where it can: copy both files "
                "to a folder that can be written"
            )
        self._engine.dispose()
        self._engine = connect_for_reading(self.url)
        self._unwritable = f"{why}: nothing was changed"
        if not is_brought_forward(self._engine):
            raise StoreUnusable(
                f"{database} was written by an earlier guardian and must be migrated first, but {why}. "
                "It is as it was; run the command again where it can be written"
            )

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
            return explain_sqlite(original, self._database_file())

        state = getattr(original, "sqlstate", None)
        # A server that cannot be reached gives no SQLSTATE.
        is_away = state is None and type(original).__name__ == "OperationalError"
        if is_away or error.connection_invalidated or (state or "").startswith(_SERVER_STATES):
            return f"PostgreSQL at {self.url.host or 'the local socket'} cannot be used: {one_line(original)}"
        return None


def one_line(error: object) -> str:
    """Return what a driver says, which may be several lines for a terminal, as one line."""
    return "; ".join(line.strip() for line in str(error).splitlines() if line.strip())


def _no_condition(_: Transaction) -> None:
    """Everybody may write."""


def open_store(settings: StoreSettings, data_dir: Path) -> Store:
    """Return the configured database opened, after creating and migrating it as needed.

    Raises StoreUnusable when it cannot be used, UsageError when the URL makes no sense, or when root would make it in
    the data folder of another user.
    """
    if settings.url is not None:
        return Store(settings.url)

    if not _has_content(data_dir / DATABASE_FILE):
        _refuse_lost(data_dir)
        # SQLite itself gives the files beside a database to whoever owns that.
        refuse_root_in(data_dir)
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnusable(f"cannot make the data folder {data_dir}: {disk_error_text(error)}") from error

    return Store(URL.create("sqlite", database=str(data_dir.absolute() / DATABASE_FILE)))


def _has_content(file: Path) -> bool:
    """Return whether a file is there and not empty. SQLite makes a new database of an empty one."""
    try:
        return file.stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False


def _refuse_lost(data_dir: Path) -> None:
    """Raise StoreUnusable when the database is gone from a data folder that was worked in.

    A new one would know of no asset and no case: what is protected would be missed, and all that was told and decided
    told once more.
    """
    for name in ("originals", "evidence"):
        if next((data_dir / name).glob("*/*"), None) is not None:
            database = data_dir / DATABASE_FILE
            raise StoreUnusable(
                f"the database {database} is missing or empty, while {name}/ beside it holds files: it was lost or "
                f"moved. Copy your latest backup to {database}; to begin anew, move the data folder aside"
            )


def _refusal_to_write(error: BaseException | None) -> sqlite3.Error | None:
    """Return SQLite's error about a file that it cannot write, None when something else went wrong.

    A migration may fail once more while it cleans up: then the first error is the one that counts.
    """
    found = None
    while error is not None:
        original = getattr(error, "orig", None)
        code = getattr(original, "sqlite_errorcode", None) or 0
        if isinstance(original, sqlite3.Error) and code & 0xFF in CANNOT_WRITE:
            found = original
        error = error.__context__
    return found
