"""The files below a folder, in one fixed order."""

from collections.abc import Iterator
from pathlib import Path


def files_in(folder: Path) -> Iterator[Path]:
    """Yield every file below a folder, sorted by name in each folder, links followed, names with a leading dot left out.

    A link back to a folder above is not entered again. A subfolder that cannot be listed comes as itself,
    so that reading it says why. Raises OSError when the folder itself cannot be listed.
    """
    yield from _below(folder, frozenset())


def _below(folder: Path, above: frozenset[tuple[int, int]]) -> Iterator[Path]:
    facts = folder.stat()
    me = (facts.st_dev, facts.st_ino)
    if me in above:
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if not path.is_dir():
            yield path
            continue
        try:
            yield from _below(path, above | {me})
        except PermissionError:
            yield path
