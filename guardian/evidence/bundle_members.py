"""Reads single members of an evidence bundle, where the check of it has found them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from guardian.evidence.manifest import Listed
from guardian.evidence.verifying import Verified


class LostBefore(Exception):
    """A member is not in the bundle, which says itself that its file was lost before."""


class BundleMembers:
    """The members that the manifest of an opened bundle names. Made by `opened_members`."""

    def __init__(self, file: IO[bytes], verified: Verified) -> None:
        self._file = file
        self._listed = {member.name: member for member in (verified.manifest.members if verified.manifest else ())}
        self._places = {place.name: place for place in verified.places}
        self._lost = {member.name: member for member in verified.lost}

    def folders_with(self, name: str) -> list[str]:
        """Return the folders of the captures that hold a member of this name, in the order of their numbers."""
        found = [one.removesuffix(f"/{name}") for one in self._listed if one.endswith(f"/{name}")]
        return sorted(found, key=_by_number)

    def folders_without(self, name: str) -> list[str]:
        """Return the folders of the captures whose member of this name was lost before the bundle was made."""
        found = [one.removesuffix(f"/{name}") for one in self._lost if one.endswith(f"/{name}")]
        return sorted(found, key=_by_number)

    def named_by(self, sha256: str, folder: str) -> Listed | None:
        """Return the first member below a folder that has this digest; None when there is none."""
        members = (member for name, member in self._listed.items() if name.startswith(folder))
        return next((member for member in members if member.sha256 == sha256), None)

    def is_lost(self, sha256: str) -> bool:
        """Return whether the file with this digest was lost before the bundle was made."""
        return any(member.sha256 == sha256 for member in self._lost.values())

    def content(self, name: str, max_bytes: int) -> bytes:
        """Return the bytes of a member.

        Raises LostBefore for one that was lost before the bundle was made; ValueError, in words, when it is not there,
        too large or changed.
        """
        lost = self._lost.get(name)
        if lost is not None:
            raise LostBefore(f"{name} was {lost.state.value} already when the bundle was made, which it says itself")
        member, place = self._listed.get(name), self._places.get(name)
        if member is None or place is None:
            raise ValueError(f"{name} is not in the bundle")
        if member.size_bytes > max_bytes:
            raise ValueError(f"{name} has {member.size_bytes:,} bytes; more than {max_bytes:,} are not read")

        self._file.seek(place.content_offset)
        content = self._file.read(member.size_bytes)
        # Somebody may have put another file in its place since it was checked.
        if hashlib.sha256(content).hexdigest() != member.sha256:
            raise ValueError(f"{name} was changed while the bundle was read")
        return content


@contextmanager
def opened_members(path: Path, verified: Verified) -> Iterator[BundleMembers]:
    """Open the members of a bundle that was verified, and is whole. Raises OSError."""
    with path.open("rb") as file:
        yield BundleMembers(file, verified)


def _by_number(folder: str) -> tuple[int, str]:
    """Return what orders captures by the number before their id: captures/2-... comes before captures/10-..."""
    number = PurePosixPath(folder).name.partition("-")[0]
    return (int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0, folder)
