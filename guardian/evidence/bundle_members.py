"""Reads single members of an evidence bundle, each checked against the manifest."""

import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from guardian.errors import UsageError
from guardian.evidence.recorded_comparison import Manifest, parsed_as

MANIFEST = "manifest.json"
BUNDLE_FORMAT = "guardian-evidence/1"
_MAX_MANIFEST = 64 * 1024**2
_PIECE = 1024**2

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
"""What zipfile raises for members that are damaged, encrypted, or packed in a way that it does not know."""


class NotABundle(UsageError):
    """The file is none of guardian's bundles, or holds nothing that is asked for."""


class BundleMembers:
    """The members that the manifest of an opened bundle names. Made by `opened_bundle`."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        content = self._read(MANIFEST, _MAX_MANIFEST)
        if content is None:
            raise NotABundle(f"{path} is no evidence bundle: it has no {MANIFEST} that can be read")
        try:
            manifest = parsed_as(Manifest, content, MANIFEST)
        except ValueError as error:
            raise NotABundle(f"{path} is no evidence bundle: {error}") from error
        if manifest.format != BUNDLE_FORMAT:
            raise NotABundle(f"{path} is of format {manifest.format!r:.80}; this guardian reads {BUNDLE_FORMAT}")
        self._digests = {member.name: member.sha256 for member in manifest.members}

    def folders_with(self, name: str) -> list[str]:
        """Return the folders of the captures that hold a member of this name, in the order of their numbers."""
        found = [one.removesuffix(f"/{name}") for one in self._digests if one.endswith(f"/{name}")]
        return sorted(found, key=_by_number)

    def named_by(self, sha256: str, folder: str) -> str | None:
        """Return the first member below a folder that has this digest in the manifest; None when there is none."""
        return next(
            (name for name, digest in self._digests.items() if digest == sha256 and name.startswith(folder)), None
        )

    def member(self, name: str, max_bytes: int) -> tuple[bytes, str | None]:
        """Return the bytes of a member and what is wrong with it; None when it is as the manifest says."""
        if name not in self._digests:
            return b"", f"{name} is not in the manifest"
        content = self._read(name, max_bytes)
        if content is None:
            return b"", f"{name} is missing, is damaged, or has more than {max_bytes:,} bytes"
        is_whole = hashlib.sha256(content).hexdigest() == self._digests[name]
        return content, None if is_whole else f"{name} is not the file that the manifest names: its bytes were changed"

    def _read(self, name: str, max_bytes: int) -> bytes | None:
        """Return the bytes of a member; None when it cannot be read. No more than the bound is unpacked."""
        content = bytearray()
        try:
            with self._archive.open(name) as member:
                while piece := member.read(_PIECE):
                    content += piece
                    if len(content) > max_bytes:
                        return None
        except _UNREADABLE:
            return None
        return bytes(content)


@contextmanager
def opened_bundle(path: Path) -> Iterator[BundleMembers]:
    """Open a bundle to read members of it. Raises NotABundle."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError) as error:
        raise NotABundle(f"{path} is no evidence bundle: it is no zip file, or its end is missing") from error
    except OSError as error:
        raise NotABundle(f"cannot read {path}: {error.strerror or error}") from error
    with archive:
        yield BundleMembers(path, archive)


def _by_number(folder: str) -> tuple[int, str]:
    """Return what orders captures by the number before their id: captures/2-... comes before captures/10-..."""
    number = PurePosixPath(folder).name.partition("-")[0]
    return (int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0, folder)
