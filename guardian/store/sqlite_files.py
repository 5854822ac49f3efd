"""What is wrong with an SQLite file, in words for people: damaged, full, locked, or not to be written."""

import os
import shutil
import sqlite3
from pathlib import Path

from guardian.disk_errors import current_user, owner_of
from guardian.store.connecting import BUSY_SECONDS, open_for_reading


def find_damage(database: Path) -> list[str]:
    """Return what PRAGMA quick_check finds wrong with an SQLite file, at most a few lines; empty when all is well."""
    try:
        connection = open_for_reading(database)
        try:
            rows = [str(row[0]) for row in connection.execute("PRAGMA quick_check(5)")]
            # One row may hold several lines, under a head such as "*** in database main ***".
            lines = [line for row in rows for line in row.splitlines() if not line.startswith("***")]
        finally:
            connection.close()
    except sqlite3.Error as error:
        return [str(error)]

    return [] if lines == ["ok"] else lines


def explain_sqlite(error: sqlite3.Error, database: Path) -> str | None:
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
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        if database.exists() and not os.access(database, os.R_OK):
            return f"{database} cannot be read by {current_user()}: it belongs to {owner_of(database)}"
        return f"{why_unwritable(database, error)}: nothing was changed"
    if code == sqlite3.SQLITE_IOERR:
        return f"the disk failed while {database} was read or written: {error}"
    return None


def why_unwritable(database: Path, error: sqlite3.Error) -> str:
    """Return why an SQLite file, or the files that SQLite keeps beside it, cannot be written; `error` is SQLite's."""
    folder = database.absolute().parent
    # The error knows best: what filled the disk was undone, so the disk may have room again by now.
    if (error.sqlite_errorcode or 0) & 0xFF == sqlite3.SQLITE_FULL:
        return f"the folder {folder} lies on a full disk"
    try:
        is_read_only = bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError as error:
        return f"the folder {folder} cannot be used ({error.strerror})"

    if is_read_only:
        return f"the folder {folder} lies on a read-only disk"
    for path in (folder, database):
        if path.exists() and not os.access(path, os.W_OK):
            what = "the folder " if path == folder else ""
            return f"{what}{path} cannot be written by {current_user()}: it belongs to {owner_of(path)}"
    if _is_full(database):
        return f"the folder {folder} lies on a full disk"
    return f"the folder {folder} cannot be written"


def _is_full(database: Path) -> bool:
    """Return whether the database's disk is full: SQLite calls it an I/O error when its shared memory cannot grow."""
    try:
        return shutil.disk_usage(database.parent).free < 64 * 1024
    except OSError:
        return False
