"""Finds a folder in which compiled kernels can be kept, before numba is loaded, which only looks for one once."""

import os
import tempfile
from collections.abc import Mapping, MutableMapping
from itertools import chain
from pathlib import Path

from guardian.disk_errors import refuse_root_in
from guardian.errors import UsageError

_VARIABLE = "NUMBA_CACHE_DIR"

_WITH_KERNELS = (
    *("consensus.py", "geometry.py", "guided_matching.py"),
    *("features/appearance.py", "features/colour_shares.py", "features/corners.py", "features/descriptors.py"),
    *("features/hashing.py", "features/local_shapes.py", "features/patterns.py", "features/resizing.py"),
    *("index/layout.py", "index/votes.py"),
    *("verify/cells.py", "verify/confidence.py", "verify/core_rectangle.py", "verify/detail.py"),
    *("verify/outlines.py", "verify/upright.py"),
)
"""The modules that have kernels; a test compares them with the code."""


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
    cache = _user_cache(environment)
    return cache is not None and _can_write(cache / "numba")


def are_kernels_kept(environment: Mapping[str, str]) -> bool:
    """Return whether kernels were compiled for this version of the code before, as far as file names and times tell."""
    chosen, cache = environment.get(_VARIABLE), _user_cache(environment)
    # The folder that is named comes first, and what lies elsewhere is then not used.
    elsewhere = [Path(chosen)] if chosen else [cache / "numba"] if cache else []

    for module in _WITH_KERNELS:
        source = Path(__file__).parent / module
        # Numba names its files by module and function: geometry._refine-165.py311.nbi
        name = f"{source.stem}.*.nbi"
        beside = () if chosen else (source.parent / "__pycache__").glob(name)
        kept = chain(beside, *(folder.rglob(name) for folder in elsewhere))
        if not any(file.stat().st_mtime >= source.stat().st_mtime for file in kept):
            return False
    return True


def _user_cache(environment: Mapping[str, str]) -> Path | None:
    """Return the user's cache folder; None for a user without a home, whom numba takes for one with a folder "~"."""
    cache = os.path.expanduser(environment.get("XDG_CACHE_HOME") or "~/.cache")  # noqa: PTH111
    return None if cache.startswith("~") else Path(cache)


def _can_write(folder: Path) -> bool:
    """Return whether a file can be written in a folder, which is made if need be; numba asks in the same way."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True
