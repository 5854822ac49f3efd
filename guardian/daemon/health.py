"""Finds out whether this process can work right now: its database, its disk and its schedule. /ready asks."""

import shutil
from pathlib import Path

from guardian.disk_errors import disk_error_text
from guardian.errors import GuardianError
from guardian.schedule import Schedule
from guardian.store import Store
from guardian.views.counting import size_text

LEAST_FREE = 10_000_000
"""Bytes: with less free space than this a scan may fail half-way through."""


def find_problems(store: Store, data_dir: Path, schedule: Schedule) -> dict[str, str]:
    """Return why this process cannot work, in words, by part ("store", "disk", "schedule"); empty when all is well."""
    problems = {}
    try:
        # Any small query will do: it fails when the database is away, locked or damaged.
        with store.read() as tx:
            tx.assets.count()
    except GuardianError as error:
        problems["store"] = str(error)

    if too_full := disk_problem(data_dir):
        problems["disk"] = too_full
    if not schedule.running:
        problems["schedule"] = "not running"
    return problems


def disk_problem(data_dir: Path, least_free: int = LEAST_FREE) -> str | None:
    """Return a sentence when fewer than `least_free` bytes are free on the disk of a data folder, else None.

    A folder that is not there, or on a disk that fails, is such a problem too.
    """
    try:
        free = shutil.disk_usage(data_dir).free
    except OSError as error:
        return disk_error_text(error)
    return f"only {size_text(free)} are free in {data_dir}" if free < least_free else None
