"""Lists the files below a folder in a fixed order, and names a file in one way."""

from collections.abc import Iterator
from pathlib import Path


def files_in(folder: Path) -> Iterator[Path]:
    """Yield every file below a folder, sorted by name in each folder; names with a leading dot are left out.

    Symbolic links are followed, except back to a folder above and to one that another link has led to. A subfolder
    that cannot be listed is yielded itself, so that reading it says why. Raises OSError when the folder itself cannot
    be listed.
    """
    yield from _below(folder, frozenset(), set())


def absolute_path(path: Path) -> Path:
    """Return the path made absolute, links kept as given; a path with `..` is resolved, which follows its links."""
    path = path.absolute()
    return path.resolve() if ".." in path.parts else path


def _below(folder: Path, above: frozenset[tuple[int, int]], linked: set[tuple[int, int]]) -> Iterator[Path]:
    # Device and inode, since a link gives a folder another path.
    facts = folder.stat()
    identity = (facts.st_dev, facts.st_ino)
    if identity in above:
        return

    # Ten folders that link to each other have ten million paths.
    if folder.is_symlink():
        if identity in linked:
            return
        linked.add(identity)

    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        try:
            if not path.is_dir():
                yield path
                continue
            yield from _below(path, above | {identity}, linked)
        except OSError:
            # Named rather than passed over, so that the report shows what was not looked at.
            yield path
