"""Backups of an SQLite database that is in use."""

import os
import sqlite3
from pathlib import Path

from guardian.disk_errors import disk_error_text
from guardian.durable import sync_folder
from guardian.errors import StoreUnusable
from guardian.store.connecting import open_for_reading


def copy_database(database: Path, target: Path) -> None:
    """Copy a database by SQLite's online backup, check the copy, and only then give it its name.

    Raises StoreUnusable when the target cannot be written or the copy is not sound.
    """
    aside = target.with_name(target.name + ".part")
    if not target.parent.is_dir():
        raise StoreUnusable(f"cannot write the backup {target}: there is no folder {target.parent}")
    try:
        aside.unlink(missing_ok=True)
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
        aside.unlink(missing_ok=True)


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
