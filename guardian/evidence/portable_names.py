"""Names for files that Linux, macOS and Windows can all have side by side in one folder."""

import re
from collections.abc import Sequence

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 80

_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))]
)
"""What Windows takes for a device, whatever ending follows (Microsoft, "Naming Files, Paths, and Namespaces")."""


def portable_names(files: Sequence[tuple[str, str]]) -> list[str]:
    """Return a name for each file, in the order given: ASCII, and no two alike where capitals do not count.

    `files`: the name and the id of each file; ids are such names themselves, and distinct. A name that an earlier file
    has taken begins with the id of its own file.
    """
    names: list[str] = []
    taken: set[str] = set()
    for original, file_id in files:
        name = _portable(original)
        while name.lower() in taken:
            name = f"{file_id}-{name}"
        names.append(name)
        taken.add(name.lower())
    return names


def _portable(name: str) -> str:
    """Return a name without what some system refuses, at most _LONGEST letters and perhaps one more."""
    # Windows drops dots at the end; a dot at the beginning hides a file.
    safe = _UNSAFE.sub("_", name)[-_LONGEST:].strip(".") or "picture"
    is_device = safe.partition(".")[0].lower() in _DEVICES
    return f"_{safe}" if is_device else safe
