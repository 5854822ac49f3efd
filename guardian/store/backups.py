"""Backups of an SQLite database that is in use."""

import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from guardian.disk_errors import disk_error_text
from guardian.durable import sync_folder
from guardian.errors import StoreUnusable, UsageError
from guardian.store.connecting import open_for_reading

_MAGIC = b"SQLite format 3\0"
_ENDINGS = (".db", ".sqlite", ".sqlite3", ".bak")


def copy_database(database: Path, target: Path) -> None:
    """Copy a database by SQLite's online backup, check the copy, and only then give it its name.

    Raises StoreUnusable when the target cannot be written or the copy is not sound, UsageError when the target is
    something that a backup must not replace.
    """
    _refuse_to_replace(database, target)
    aside = target.with_name(target.name + ".part")
    if not target.parent.is_dir():
        raise StoreUnusable(f"cannot write the backup {target}: there is no folder {target.parent}")
    # SQLite leaves its journal behind when there was no room for it.
    parts = (aside, aside.with_name(aside.name + "-journal"))
    try:
        _remove(parts)
        _copy(database, aside)
        with aside.open("rb") as written:
            os.fsync(written.fileno())

        aside.replace(target)
        # Without this a power cut may lose the new name although the bytes are on disk.
        sync_folder(target.absolute().parent)
    except OSError as error:
        raise StoreUnusable(f"cannot write the backup {target}: {disk_error_text(error)}") from error
    except sqlite3.OperationalError as error:
        raise StoreUnusable(f"cannot write the backup {target}: {error}") from error
    finally:
        _remove(parts)


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def _refuse_to_replace(database: Path, target: Path) -> None:
    """Raise UsageError unless the target is a new name, or that of an older backup.

    Renaming would put the copy in the place of anything: of the database that others write to, or of a device.
    """
    if not target.name or not str(target).strip():
        raise UsageError("the backup needs the name of a file")

    own = [database.with_name(database.name + ending) for ending in ("", "-wal", "-shm", "-journal")]
    if target.resolve() in [path.resolve() for path in own]:
        raise UsageError(f"{target} is the database itself; name another file for the backup")
    if os.path.lexists(target) and not target.is_file():
        raise UsageError(f"{target} is not a regular file; name another one for the backup")
    try:
        with target.open("rb") as there:
            begin = there.read(len(_MAGIC))
    except OSError:
        return
    # What is called a database may be one that was cut off while it was written.
    if begin and begin != _MAGIC and target.suffix not in _ENDINGS:
        raise UsageError(f"{target} is a file of another kind, which a backup would replace; name another one")


def _copy(database: Path, target: Path) -> None:
    source = open_for_reading(database)
    copy = sqlite3.connect(target)
    try:
        # All pages in one step: a writer in between would make a stepwise copy begin again, maybe for ever.
        source.backup(copy)
        # A file to be moved about should be one file: without WAL there is no second one beside it.
        copy.execute("PRAGMA journal_mode = DELETE")
        (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise StoreUnusable(f"the database {database} is damaged, so this backup was not kept: {verdict}")
    finally:
        copy.close()
        source.close()
