"""Checks the vault byte by byte: by the digests that its files are named after, and against another copy of it."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from guardian.evidence.http_records import damaged_records
from guardian.evidence.vault import KeptState, Vault, is_digest


class VaultFault(StrEnum):
    """What is wrong with a file of the vault, or differs between two copies of it.

    `unknown`: a file that no case needs, such as one that a killed process left. `only_here` and `only_there`: one copy
    has it and the other has not. `differs`: both have it, with other bytes.
    """

    MISSING = "missing"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"
    ONLY_HERE = "only here"
    ONLY_THERE = "only there"
    DIFFERS = "differs"

    @property
    def is_loss(self) -> bool:
        """Whether evidence is lost here by it."""
        return self not in (VaultFault.UNKNOWN, VaultFault.ONLY_HERE)


@dataclass(frozen=True, slots=True)
class FaultyFile:
    """A file of the vault with what is wrong with it. `owner`: the finding or capture that needs it, if one does."""

    fault: VaultFault
    path: Path
    owner: str | None = None


def check_vault(vault: Vault, needed: Mapping[str, str]) -> Iterator[FaultyFile]:
    """Yield every file that is not as it was kept; reads all of them.

    `needed`: the digests that must be there, each with the id of what needs it.
    """
    for digest in sorted(needed):
        match vault.state_of(digest, only_presence=True):
            case KeptState.MISSING:
                yield FaultyFile(VaultFault.MISSING, vault.path_of(digest), needed[digest])
            case KeptState.UNREADABLE:
                # Not even its folder can be read, so that it is not among the files below.
                yield FaultyFile(VaultFault.UNREADABLE, vault.path_of(digest), needed[digest])

    for path in _files_of(vault.folder):
        if path.parent.name.endswith(".answers"):
            continue
        if not is_digest(path.name) or path != vault.path_of(path.name):
            yield FaultyFile(VaultFault.UNKNOWN, path)
            continue
        owner = needed.get(path.name)
        match vault.state_of(path.name):
            case KeptState.DAMAGED:
                yield FaultyFile(VaultFault.DAMAGED, path, owner)
            case KeptState.UNREADABLE:
                yield FaultyFile(VaultFault.UNREADABLE, path, owner)
            case KeptState.WHOLE if owner is None:
                yield FaultyFile(VaultFault.UNKNOWN, path)
        for record in damaged_records(vault, path.name):
            yield FaultyFile(VaultFault.DAMAGED, record, owner)


def compare_copies(here: Path, there: Path) -> Iterator[FaultyFile]:
    """Yield every file that two copies of a vault do not have alike; reads all of both."""
    ours = {path.relative_to(here) for path in _files_of(here)}
    theirs = {path.relative_to(there) for path in _files_of(there)}
    for path in sorted(ours | theirs):
        if path not in theirs:
            yield FaultyFile(VaultFault.ONLY_HERE, here / path)
        elif path not in ours:
            yield FaultyFile(VaultFault.ONLY_THERE, there / path)
        else:
            ours_is, theirs_is = _digest(here / path), _digest(there / path)
            unread = next((folder / path for folder, is_ in ((here, ours_is), (there, theirs_is)) if is_ is None), None)
            if unread is not None:
                yield FaultyFile(VaultFault.UNREADABLE, unread)
            elif ours_is != theirs_is:
                yield FaultyFile(VaultFault.DIFFERS, here / path)


def count_files(folder: Path) -> int:
    """Return how many files are below a folder."""
    return sum(1 for _ in _files_of(folder))


def _files_of(folder: Path) -> Iterator[Path]:
    """Yield all files below a folder in the order of their names, but those that are being written."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            yield path


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
