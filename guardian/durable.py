"""Makes what was written to a disk outlive a power cut."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Flush a folder to disk: only then does a file that was renamed into it stay there after a crash.

    Raises OSError when there is no such folder or the disk fails.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
