"""Keeps bytes under their SHA-256: durable before it returns, within a cap, never evicting anything."""

import errno
import fcntl
import hashlib
import os
import re
import secrets
import threading
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import structlog

from guardian.durable import sync_folder
from guardian.errors import GuardianError, VaultFull

COUNT_AGAIN_AFTER = timedelta(minutes=10)
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PART = ".part"

log = structlog.get_logger(__name__)


class Vault:
    """A folder of kept bytes: `folder/ab/<sha256>`, files readable by their owner only.

    Threads may share one Vault. Several processes may share the folder: what the others add is noticed
    by counting again every ten minutes, so the cap may be passed by what they write in between.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder, self.max_bytes = folder, max_bytes
        self._lock = threading.Lock()
        self._used = self._writing = 0
        self._counted_at: float | None = None

    def keep(self, content: bytes) -> str:
        """Keep these bytes and return their lower-case hex SHA-256; they are on disk when this returns.

        Keeping the same bytes again changes nothing. Raises VaultFull when the cap or the disk has no
        room (nothing is left behind then), OSError when the folder cannot be written for other reasons.
        """
        digest = hashlib.sha256(content).hexdigest()
        self.keep_as(self.path_of(digest), content)
        return digest

    def keep_as(self, path: Path, content: bytes) -> None:
        """Keep bytes at a path inside the vault that no other content will ever claim; else as `keep`."""
        if _holds(path, content):
            sync_folder(path.parent)
            return
        self._reserve(len(content))
        written = 0
        try:
            self._make_folder(path.parent)
            _write(path, content)
            written = len(content)
        except OSError as error:
            if error.errno not in _NO_SPACE:
                raise
            raise VaultFull(f"not kept: no room on the disk of {self.folder} ({error.strerror})") from error
        finally:
            with self._lock:
                self._writing -= len(content)
                self._used += written

    def get(self, digest: str) -> bytes:
        """The bytes kept under a digest. Raises GuardianError when they are missing or no longer what they were."""
        try:
            content = self.path_of(digest).read_bytes()
        except FileNotFoundError as error:
            raise GuardianError(f"evidence {digest} is not in {self.folder}") from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise GuardianError(f"evidence {digest} is damaged on disk: restore {self.path_of(digest)} from a backup")
        return content

    def holds(self, digest: str) -> bool:
        """Whether something is kept under this digest; `get` says whether it is intact."""
        return self.path_of(digest).is_file()

    def path_of(self, digest: str) -> Path:
        """Where the bytes with this digest lie, kept or not. Raises ValueError for what is not a digest."""
        if not _DIGEST.fullmatch(digest):
            raise ValueError("not a lower-case hex SHA-256")
        return self.folder / digest[:2] / digest

    def used_bytes(self) -> int:
        """How many bytes the vault holds; counted on disk at first and every ten minutes, else carried forward."""
        with self._lock:
            return self._count()

    def _reserve(self, size: int) -> None:
        with self._lock:
            used = self._count() + self._writing
            if used + size > self.max_bytes:
                raise VaultFull(
                    f"evidence not kept: {size} bytes do not fit, {used} of {self.max_bytes} bytes are used "
                    "(evidence.max_bytes)"
                )
            self._writing += size

    def _count(self) -> int:
        # Elapsed time, not the wall clock, decides here; a clock jump must not stop the counting.
        now = time.monotonic()
        if self._counted_at is None or now - self._counted_at > COUNT_AGAIN_AFTER.total_seconds():
            self._used = _bytes_under(self.folder)
            self._counted_at = now
        return self._used

    def _make_folder(self, folder: Path) -> None:
        """Make a folder inside the vault so that it survives a power cut."""
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for path in reversed(missing):
            path.mkdir(mode=0o700, exist_ok=True)
            sync_folder(path.parent)


def _holds(path: Path, content: bytes) -> bool:
    """Whether exactly these bytes lie there; damaged ones do not count and are written again."""
    try:
        kept = path.read_bytes()
    except FileNotFoundError:
        return False
    if kept != content:
        log.warning("damaged_evidence_replaced", path=str(path))
        return False
    return True


def _write(path: Path, content: bytes) -> None:
    """Write aside, sync, rename, sync the folder. Nothing is left behind by an error."""
    part, handle = _open_part(path)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(handle, view) :]
        os.fsync(handle)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)
    sync_folder(path.parent)


def _open_part(path: Path) -> tuple[Path, int]:
    """A new file beside `path`, locked, so that nobody takes it for the left-over of a killed process."""
    while True:
        part = path.with_name(f".{path.name[:64]}.{secrets.token_hex(8)}{_PART}")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(handle, fcntl.LOCK_SH)
        if os.fstat(handle).st_nlink:
            return part, handle
        os.close(handle)


def _bytes_under(folder: Path) -> int:
    """The sizes of all files below a folder; parts that a killed process left are removed on the way."""
    total = 0
    pending = [folder]
    while pending:
        try:
            entries = list(os.scandir(pending.pop()))
        except FileNotFoundError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                pending.append(Path(entry.path))
            elif entry.name.endswith(_PART) and _removed_as_left_over(Path(entry.path)):
                continue
            else:
                with suppress(FileNotFoundError):
                    total += entry.stat(follow_symlinks=False).st_size
    return total


def _removed_as_left_over(part: Path) -> bool:
    try:
        handle = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        part.unlink()
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True
