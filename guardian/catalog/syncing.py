"""Compares a folder with the catalogue: which files are new, which have moved, which are gone."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from guardian.catalog.wanted import as_text
from guardian.model import Asset


@dataclass(frozen=True, slots=True)
class Sync:
    """The differences between a folder and the catalogue."""

    new: tuple[Path, ...]

    moved: tuple[tuple[Asset, Path], ...]
    """Assets whose file is at another path of the folder now, with that path."""

    gone: tuple[Asset, ...]
    """Assets whose file is no longer in the folder."""

    replaced: tuple[Asset, ...]
    """Assets whose file has another picture now, which is among `new`."""

    unchanged: int
    """How many assets have their file where it was."""


def compare_with_folder(
    folder: Path,
    files: Sequence[Path],
    assets: Sequence[Asset],
    max_bytes: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Sync:
    """Return the differences, by content: `files` are those below `folder`, `assets` all that are protected.

    A file that cannot be read, or has more than `max_bytes`, counts as new, so that adding it reports why; its asset
    stays. `progress` is called with the number of files done and of all.
    """
    digests = _digests(files, max_bytes, progress)
    found: dict[str, list[Path]] = {}
    for path, digest in digests.items():
        found.setdefault(digest or f"unreadable {path}", []).append(path)

    known = {asset.sha256 for asset in assets}
    new = sorted(paths[0] for digest, paths in found.items() if digest not in known)
    moved, gone, replaced, unchanged = [], [], [], 0

    # An asset's path may lead to the same file through another symbolic link.
    by_real_path = {_real(Path(as_text(path))): path for path in files}
    for asset in assets:
        noted = Path(asset.path)
        at = by_real_path.get(_real(noted), noted)
        if paths := found.get(asset.sha256):
            # The bytes are in the folder: at the asset's own path, or only at others.
            if at in paths or (at not in digests and _may_exist(at)):
                unchanged += 1
            else:
                moved.append((asset, paths[0]))
        elif at in digests:
            if digests[at] is not None:
                replaced.append(asset)
        elif _real(noted).is_relative_to(_real(folder)) and not _may_exist(noted):
            gone.append(asset)
    return Sync(tuple(new), tuple(moved), tuple(gone), tuple(replaced), unchanged)


def _digests(files: Sequence[Path], max_bytes: int, progress: Callable[[int, int], None]) -> dict[Path, str | None]:
    """Return the SHA-256 of each file; None for one that cannot be read or is too large."""
    digests: dict[Path, str | None] = {}
    for number, path in enumerate(files):
        progress(number, len(files))
        digests[path] = _digest(path, max_bytes)
    progress(len(files), len(files))
    return digests


def _digest(path: Path, max_bytes: int) -> str | None:
    try:
        # Opening a pipe would wait for ever, and a film would be read to its end.
        if not path.is_file() or path.stat().st_size > max_bytes:
            return None
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _may_exist(path: Path) -> bool:
    """Return whether something is there, or might be: a folder that may not be entered hides what it holds."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
