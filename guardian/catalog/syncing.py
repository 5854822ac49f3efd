"""A folder beside what the catalogue knows of it: what is new, what moved, what is gone."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from guardian.model import Asset


@dataclass(frozen=True, slots=True)
class Sync:
    """What it takes to bring the catalogue in line with a folder.

    `gone` are assets whose file left the folder, or holds another picture now; `unchanged` counts the rest.
    """

    new: tuple[Path, ...]
    moved: tuple[tuple[Asset, Path], ...]
    gone: tuple[Asset, ...]
    unchanged: int


def compare_with_folder(folder: Path, files: Sequence[Path], assets: Sequence[Asset]) -> Sync:
    """Compare by content: `files` are those below `folder`, `assets` the protected ones of all collections."""
    by_digest = {asset.sha256: asset for asset in assets}
    found: dict[str, list[Path]] = {}
    for path, digest in _digests(files):
        found.setdefault(digest, []).append(path)
    new, moved, unchanged = [], [], 0
    for digest, paths in found.items():
        asset = by_digest.get(digest)
        if asset is None:
            new.append(paths[0])
        elif Path(asset.path) not in paths and not Path(asset.path).exists():
            moved.append((asset, paths[0]))
        else:
            unchanged += 1
    gone = [asset for asset in assets if Path(asset.path).is_relative_to(folder) and asset.sha256 not in found]
    return Sync(tuple(sorted(new)), tuple(moved), tuple(gone), unchanged)


def _digests(files: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    for path in files:
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            # Adding it will say why it cannot be read.
            digest = f"unreadable {path}"
        yield path, digest
