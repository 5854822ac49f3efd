"""Connects to a database: SQLite's pragmas and transactions, and the file systems that SQLite must not use."""

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from guardian.errors import StoreUnusable, UsageError

BUSY_SECONDS = 30
"""How long a writer waits for another one before it gives up."""

IDLE_SECONDS = 120
"""PostgreSQL ends a connection whose transaction waits so long for its next statement."""

READ_ONLY = "guardian_read_only"
"""The execution option of a connection that only reads."""

CANNOT_WRITE = frozenset(
    {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
)
"""The primary result codes that SQLite gives where it cannot write a file, or one beside it."""

# asyncio.to_thread has up to 32 threads; none should wait for a connection.
_MORE_CONNECTIONS = 32

# Their locks do not reach other machines reliably, and WAL needs memory that all users of the file share.
_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "ncpfs", "ceph", "lustre", "beegfs", "gfs2", "ocfs2"}
    | {"9p", "davfs", "fuse.sshfs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.davfs2", "fuse.ceph"}
)


def read_url(url: str | URL) -> URL:
    """Return the parts of a database URL. Raises UsageError for what is none."""
    try:
        return make_url(url)
    except ArgumentError as error:
        raise UsageError("store.url is not a database URL") from error


def connect(url: str | URL) -> Engine:
    """Return an engine for SQLite (WAL, every commit on disk, foreign keys on) or PostgreSQL, without connecting yet.

    Raises UsageError for a URL of another kind, and StoreUnusable for an SQLite file on a network file system.
    """
    parsed = read_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    if parsed.get_backend_name() != "postgresql":
        raise UsageError(f"store.url: guardian speaks SQLite and PostgreSQL, not {parsed.get_backend_name()}")
    # A URL without a driver would ask for psycopg2, which guardian does not use.
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    try:
        # pool_pre_ping: a server that was restarted must cost no transaction.
        engine = create_engine(parsed, pool_pre_ping=True, max_overflow=_MORE_CONNECTIONS)
    except ImportError as error:
        raise UsageError("a PostgreSQL store needs: pip install 'guardian[postgres]'") from error

    @event.listens_for(engine, "connect")
    def _bound_idling(connection: Any, _record: Any) -> None:
        # A process that is suspended in the midst of a transaction would keep its locks from everybody for hours.
        with connection.cursor() as cursor:
            cursor.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'")
        connection.commit()

    return engine


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise UsageError("an SQLite store needs a file: several threads share it")

    refuse_network_file_system(Path(url.database))
    # isolation_level None: the driver starts no transactions of its own; ours begin in `_begin`.
    engine = create_engine(
        url, connect_args={"timeout": BUSY_SECONDS, "isolation_level": None}, max_overflow=_MORE_CONNECTIONS
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        _switch_to_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    event.listen(engine, "begin", _begin)
    return engine


def connect_for_reading(url: URL) -> Engine:
    """Return an engine for an SQLite file that stands where nothing can be written; see `open_for_reading`."""
    database = Path(url.database or "")
    engine = create_engine(url, creator=lambda: open_for_reading(database), max_overflow=_MORE_CONNECTIONS)
    event.listen(engine, "begin", _begin)
    return engine


def open_for_reading(database: Path) -> sqlite3.Connection:
    """Open an SQLite file without writing anything beside it, if need be. Raises sqlite3.Error.

    WAL mode needs a shared memory file, which cannot be made on a read-only or full disk. Without changes that wait in
    the WAL nobody is writing, and the file can be read as one that does not change.
    """
    address = f"{database.absolute().as_uri()}?mode=ro"
    connection = _open_address(address)
    try:
        connection.execute("PRAGMA schema_version")
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF not in CANNOT_WRITE or has_changes_in_wal(database):
            raise
        connection = _open_address(f"{address}&immutable=1")

    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _open_address(address: str) -> sqlite3.Connection:
    # Threads hand connections on, one at a time; transactions are begun by `_begin`.
    return sqlite3.connect(address, BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=True)


def has_changes_in_wal(database: Path) -> bool:
    """Return whether changes wait beside an SQLite file that are not in the file itself yet."""
    try:
        return database.with_name(f"{database.name}-wal").stat().st_size > 0
    except OSError:
        return False


def _begin(connection: Connection) -> None:
    # IMMEDIATE takes the write lock at once: a transaction that reads first and writes later would fail when
    # another one wrote in between.
    read_only = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql(f"PRAGMA query_only = {int(read_only)}")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Set WAL mode, which the file keeps, so only a new one needs it.

    Raises StoreUnusable when the file system cannot carry it. SQLite does not wait by itself when two processes
    switch at once, so this function does.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                # A file that cannot be written stays as it is, too: then this raises SQLite's own error.
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
                raise StoreUnusable(f"this file system cannot carry an SQLite database in WAL mode (it stays {mode})")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def refuse_network_file_system(database: Path, mounts: Path = Path("/proc/self/mountinfo")) -> None:
    """Raise StoreUnusable when the file would lie on a network file system, where SQLite's locks fail.

    Without a mount table (systems other than Linux) nothing is known, and nothing is refused.
    """
    kind = file_system_of(database, mounts)
    if kind in _NETWORK:
        raise StoreUnusable(
            f"{database} lies on a network file system ({kind}), where SQLite loses data. "
            "Set data_dir to a local disk, or store.url to a PostgreSQL database."
        )


def file_system_of(path: Path, mounts: Path) -> str | None:
    """Return the type of the file system that holds a path (ext4, nfs...), None if unknown.

    `mounts` has the form of /proc/self/mountinfo; the longest mount point above the path decides.
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None

    target = os.path.realpath(path)
    best: tuple[int, str] | None = None
    for line in lines:
        # Columns up to the separator vary in number: the fifth is the mount point. After it comes the type.
        before, _, after = line.partition(" - ")
        columns, kinds = before.split(" "), after.split(" ")
        if len(columns) < 5:
            continue

        # Blanks in a mount point are written as octal escapes.
        point = columns[4].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
        inside = point == "/" or target == point or target.startswith(point + "/")
        # A sandbox may mount its very root by 9p; that is its local disk.
        kind = "root" if point == "/" and kinds[0] == "9p" else kinds[0]
        if inside and (best is None or len(point) >= best[0]):
            best = (len(point), kind)

    return best[1] if best else None
