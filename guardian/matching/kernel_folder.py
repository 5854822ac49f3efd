"""Finds a folder in which compiled kernels can be kept, before numba is loaded, which only looks for one once."""

import os
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

from guardian.disk_errors import refuse_root_in
from guardian.errors import UsageError

_VARIABLE = "NUMBA_CACHE_DIR"


def choose_kernel_folder(data_dir: Path, environment: MutableMapping[str, str]) -> None:
    """Have kernels kept in the data folder when numba finds no other place; child processes inherit the choice.

    By itself numba takes the folder that NUMBA_CACHE_DIR names, else the one of the code, else the user's cache.
    """
    if has_kernel_folder(environment):
        return
    try:
        refuse_root_in(data_dir)
    except UsageError:
        # The command says so itself if it writes. One that only asks compiles its kernels and forgets them.
        return
    if _can_write(data_dir / "kernels"):
        environment[_VARIABLE] = str(data_dir / "kernels")


def has_kernel_folder(environment: MutableMapping[str, str]) -> bool:
    """Return whether numba finds a folder for compiled kernels by itself."""
    chosen = environment.get(_VARIABLE)
    if chosen and _can_write(Path(chosen)):
        return True
    if _can_write(Path(__file__).parent / "__pycache__"):
        return True
    # A user without a home is left as "~", which numba would take for a folder of that name.
    cache = os.path.expanduser(environment.get("XDG_CACHE_HOME") or "~/.cache")  # noqa: PTH111
    return not cache.startswith("~") and _can_write(Path(cache) / "numba")


def _can_write(folder: Path) -> bool:
    """Return whether a file can be written in a folder, which is made if need be; numba asks in the same way."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True
