"""Gathers the files of one capture in a folder of their own, until all of them go into the vault together."""

import errno
import hashlib
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from guardian.errors import CaptureFull, VaultFull
from guardian.file_locks import is_locked, locked
from guardian.model import EvidenceFile

_FOLDER = "captures-in-hand"
_LOCK = ".lock"
_SCRATCH = ".scratch"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")
_PIECE = 1024 * 1024
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class CaptureFolder:
    """The files of one capture. One thread at a time may add to it.

    Files are of no use to anybody else before the capture is settled: a process that is killed leaves none of them.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path, self.max_bytes = path, max_bytes
        self._files: dict[str, EvidenceFile] = {}
        self._used = self._reserved = 0

    @property
    def files(self) -> tuple[EvidenceFile, ...]:
        """All files, in the order in which they were added."""
        return tuple(self._files.values())

    @property
    def free_bytes(self) -> int:
        """How many bytes more the capture may hold."""
        return max(0, self.max_bytes - self._used - self._reserved)

    def reserve(self, size: int) -> None:
        """Leave room of so many bytes for what is added last; 0 gives it back."""
        self._reserved = size

    def add(self, name: str, content: bytes, media_type: str, about: str) -> EvidenceFile:
        """Add a file with these bytes.

        Raises CaptureFull when the capture holds as much as it may, VaultFull when the disk is full, ValueError for a
        name that is not like "page.wacz" or "comparison/overlay.png", or that is taken.
        """
        return self._add(name, [content], len(content), media_type, about)

    def add_file(self, name: str, path: Path, media_type: str, about: str) -> EvidenceFile:
        """Add a copy of a file, read piece by piece; otherwise as `add`."""
        with path.open("rb") as file:
            pieces = iter(lambda: file.read(_PIECE), b"")
            return self._add(name, pieces, path.stat().st_size, media_type, about)

    def path_of(self, file: EvidenceFile) -> Path:
        """Return where the bytes of a file of this capture are, until the capture is settled."""
        return self.path / file.name

    def temporary_path(self, name: str) -> Path:
        """Return a path beside the files of the capture, for what is written in pieces before it becomes one of them.

        It is on the same disk, and removed with the capture.
        """
        folder = self.path / _SCRATCH
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / name

    def _add(self, name: str, pieces: Iterable[bytes], size: int, media_type: str, about: str) -> EvidenceFile:
        if not _NAME.fullmatch(name) or name in self._files:
            raise ValueError(f"no name for another file of this capture: {name}")
        if size > self.free_bytes:
            raise CaptureFull(
                f"its {size} bytes do not fit: {self._used} of the {self.max_bytes} bytes that one capture may hold "
                "are used (evidence.capture.max_bytes)"
            )

        path, digest, written = self.path / name, hashlib.sha256(), 0
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with path.open("wb") as file:
                for piece in pieces:
                    digest.update(piece)
                    written += file.write(piece)
        except OSError as error:
            path.unlink(missing_ok=True)
            if error.errno not in _NO_SPACE:
                raise
            raise VaultFull(f"not captured: no room on the disk of {self.path} ({error.strerror})") from error

        added = EvidenceFile(name, digest.hexdigest(), written, media_type, about)
        self._files[name] = added
        self._used += written
        return added


@contextmanager
def opened_capture_folder(data_dir: Path, max_bytes: int) -> Iterator[CaptureFolder]:
    """Open the folder of one capture below a data folder; it is removed after the body.

    What killed processes left of theirs is removed before. Raises VaultFull when the disk is full, else OSError.
    """
    parent = data_dir / _FOLDER
    with ExitStack() as locks:
        try:
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Nobody clears away a folder that is just being made.
            with locked(parent / _LOCK):
                _remove_abandoned(parent)
                folder = parent / secrets.token_hex(8)
                folder.mkdir(mode=0o700)
                locks.enter_context(locked(folder / _LOCK))
        except OSError as error:
            if error.errno not in _NO_SPACE:
                raise
            raise VaultFull(f"not captured: no room on the disk of {parent} ({error.strerror})") from error

        try:
            yield CaptureFolder(folder, max_bytes)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(parent: Path) -> None:
    """Remove the folders of captures whose process no longer lives. The lock of `parent` must be held."""
    for folder in parent.iterdir():
        if folder.is_dir() and not is_locked(folder / _LOCK):
            shutil.rmtree(folder, ignore_errors=True)
