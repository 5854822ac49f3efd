"""Reads single members of an evidence bundle that was verified before."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from guardian.evidence.manifest import Listed, Manifest

_UNREADABLE = (
    KeyError,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What zipfile raises for members that it cannot read."""


class BundleMembers:
    """The members that the manifest of an opened bundle names. Made by `opened_members`."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self._archive = archive
        self._listed = {member.name: member for member in manifest.members}

    def folders_with(self, name: str) -> list[str]:
        """Return the folders of the captures that hold a member of this name, in the order of their numbers."""
        found = [one.removesuffix(f"/{name}") for one in self._listed if one.endswith(f"/{name}")]
        return sorted(found, key=_by_number)

    def named_by(self, sha256: str, folder: str) -> Listed | None:
        """Return the first member below a folder that has this digest; None when there is none."""
        members = (member for name, member in self._listed.items() if name.startswith(folder))
        return next((member for member in members if member.sha256 == sha256), None)

    def content(self, name: str, max_bytes: int) -> bytes:
        """Return the bytes of a member. Raises ValueError, in words, when it is not there or too large."""
        member = self._listed.get(name)
        if member is None:
            raise ValueError(f"{name} is not in the bundle")
        if member.size_bytes > max_bytes:
            raise ValueError(f"{name} has {member.size_bytes:,} bytes; more than {max_bytes:,} are not read")
        try:
            return self._archive.read(name)
        except _UNREADABLE as error:
            raise ValueError(f"{name} cannot be read ({type(error).__name__})") from error


@contextmanager
def opened_members(path: Path, manifest: Manifest) -> Iterator[BundleMembers]:
    """Open the members of a bundle that has this manifest and was verified: see verifying.verify."""
    with zipfile.ZipFile(path) as archive:
        yield BundleMembers(archive, manifest)


def _by_number(folder: str) -> tuple[int, str]:
    """Return what orders captures by the number before their id: captures/2-... comes before captures/10-..."""
    number = PurePosixPath(folder).name.partition("-")[0]
    return (int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0, folder)
