"""Stores bytes under their SHA-256: on disk before the call returns, within a limit of size.

Nothing is evicted here: what may go is worked out in `pruning`.
"""

import errno
import fcntl
import hashlib
import os
import re
import secrets
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import structlog

from guardian.disk_errors import disk_error_text
from guardian.durable import sync_folder
from guardian.errors import GuardianError, VaultFull

COUNT_AGAIN_AFTER = timedelta(minutes=10)
"""How old the count of used bytes may be; other processes add to the folder unseen."""

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PART = ".part"
_PIECE = 1024 * 1024

log = structlog.get_logger(__name__)


class KeptState(StrEnum):
    """What is found under a digest. `unreadable`: the disk or its permissions do not let it be read."""

    WHOLE = "whole"
    MISSING = "missing"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"


class Vault:
    """A content-addressed folder: `folder/ab/<sha256>`, files readable by their owner only.

    Threads may share one Vault, and processes may share its folder. What other processes add is noticed when the
    folder is counted again, every ten minutes, so the limit may be exceeded by what they write in between.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder, self.max_bytes = folder, max_bytes
        self._lock = threading.Lock()
        # Bytes of writes in progress count too, or threads that write at once would exceed the limit together.
        self._used = self._writing = 0
        self._counted_at: float | None = None

    def keep(self, content: bytes) -> str:
        """Keep these bytes and return their lower-case hex SHA-256; they are on disk when this returns.

        Keeping the same bytes again changes nothing. Raises VaultFull when they exceed `max_bytes` or the disk is
        full (nothing is left behind then), OSError when the folder cannot be written for other reasons.
        """
        digest = hashlib.sha256(content).hexdigest()
        self.keep_as(self.path_of(digest), content)
        return digest

    def keep_as(self, path: Path, content: bytes) -> None:
        """Keep bytes at a path inside the vault that no other content will ever have; otherwise as `keep`."""
        if _has_content(path, content):
            # Another process may have written it just now, and not have synced the folder yet.
            sync_folder(path.parent)
            return

        with self._room_for(len(content)):
            self._make_folder(path.parent)
            _write(path, [content])

    def keep_file(self, path: Path) -> str:
        """Keep the bytes of a file, read piece by piece, and return their SHA-256; otherwise as `keep`.

        The file must not change meanwhile.
        """
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        target, size = self.path_of(digest), path.stat().st_size
        state = self.state_of(digest)
        if state is KeptState.WHOLE:
            # Another process may have written it just now, and not have synced the folder yet.
            sync_folder(target.parent)
            return digest
        if state is KeptState.DAMAGED:
            log.warning("damaged_evidence_replaced", path=str(target))

        with self._room_for(size):
            self._make_folder(target.parent)
            with path.open("rb") as file:
                _write(target, iter(lambda: file.read(_PIECE), b""))
        return digest

    def get(self, digest: str) -> bytes:
        """Return the bytes kept under a digest. Raises GuardianError when they are missing, damaged or unreadable."""
        path = self.path_of(digest)
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise GuardianError(f"evidence {digest} is not in {self.folder}") from error
        except OSError as error:
            # Of a disk that fails, for example. What needs these bytes goes on without, as if they were damaged.
            raise GuardianError(f"evidence {digest} cannot be read: {disk_error_text(error)}") from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise GuardianError(f"evidence {digest} is damaged on disk: restore {path} from a backup")
        return content

    def holds(self, digest: str) -> bool:
        """Return whether a file is kept under this digest that can be found; only `get` checks whether it is intact."""
        try:
            return self.path_of(digest).is_file()
        except OSError:
            # Its folder cannot be read, or the disk fails: `state_of` tells that from a file that is not there.
            return False

    def remove(self, digest: str) -> int:
        """Remove the bytes kept under a digest with the records beside them; return how many bytes that freed.

        What is not there counts as removed. Raises OSError when the folder cannot be written.
        """
        path = self.path_of(digest)
        records = records_folder(path)
        paths = [path, *(records.iterdir() if records.is_dir() else ())]
        freed = sum(self.remove_at(one) for one in paths)
        if records.is_dir():
            records.rmdir()
        return freed

    def remove_at(self, path: Path) -> int:
        """Remove one file inside the vault; return its size, 0 when there is none."""
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            return 0

        with self._lock:
            self._used = max(0, self._used - size)
        return size

    def is_whole(self, digest: str) -> bool:
        """Return whether a file is kept under this digest and has the bytes that it stands for; reads all of it."""
        return self.state_of(digest) is KeptState.WHOLE

    def state_of(self, digest: str, *, only_presence: bool = False) -> KeptState:
        """Return whether a file is kept under this digest and has the bytes that it stands for.

        Reads all of it; `only_presence` only asks whether it is there.
        """
        path = self.path_of(digest)
        try:
            if only_presence:
                return KeptState.WHOLE if path.stat().st_size else KeptState.DAMAGED
            with path.open("rb") as file:
                is_whole = hashlib.file_digest(file, "sha256").hexdigest() == digest
        except FileNotFoundError:
            return KeptState.MISSING
        except OSError:
            return KeptState.UNREADABLE
        return KeptState.WHOLE if is_whole else KeptState.DAMAGED

    def path_of(self, digest: str) -> Path:
        """Return the path for the bytes with this digest, kept or not. Raises ValueError for what is no digest."""
        if not _DIGEST.fullmatch(digest):
            raise ValueError("not a lower-case hex SHA-256")
        return self.folder / digest[:2] / digest

    def used_bytes(self) -> int:
        """Return how many bytes the vault holds: counted on disk every ten minutes, plus what was kept since."""
        with self._lock:
            return self._count()

    @contextmanager
    def _room_for(self, size: int) -> Iterator[None]:
        """Set aside bytes while the body writes them. Raises VaultFull when they do not fit, or the disk is full."""
        self._reserve(size)
        written = 0
        try:
            yield
            written = size
        except OSError as error:
            if error.errno not in _NO_SPACE:
                raise
            raise VaultFull(f"not kept: no room on the disk of {self.folder} ({error.strerror})") from error
        finally:
            with self._lock:
                self._writing -= size
                self._used += written

    def _reserve(self, size: int) -> None:
        """Set aside bytes for a write that begins. Raises VaultFull when they do not fit."""
        with self._lock:
            used = self._count() + self._writing
            if used + size > self.max_bytes:
                raise VaultFull(
                    f"evidence not kept: {size} bytes do not fit, {used} of {self.max_bytes} bytes are used "
                    "(evidence.max_bytes)"
                )
            self._writing += size

    def _count(self) -> int:
        """Return the bytes in use. The lock must be held."""
        # Elapsed time, not the wall clock, decides here; a clock jump must not stop the counting.
        now = time.monotonic()
        if self._counted_at is None or now - self._counted_at > COUNT_AGAIN_AFTER.total_seconds():
            self._used = _bytes_under(self.folder)
            self._counted_at = now
        return self._used

    def _make_folder(self, folder: Path) -> None:
        """Make a folder and those above it so that they survive a power cut."""
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for path in reversed(missing):
            # Another process may make it at the same moment.
            path.mkdir(mode=0o700, exist_ok=True)
            sync_folder(path.parent)


def is_digest(text: str) -> bool:
    """Return whether a text is a lower-case hex SHA-256."""
    return _DIGEST.fullmatch(text) is not None


def records_folder(path: Path) -> Path:
    """Return the folder that lies beside some bytes and holds the records of the answers that they came in."""
    return path.with_name(f"{path.name}.answers")


def _has_content(path: Path, content: bytes) -> bool:
    """Return whether a file has exactly these bytes. A damaged or unreadable one does not, and is written again."""
    try:
        kept = path.read_bytes()
    except FileNotFoundError:
        return False
    except OSError as error:
        log.warning("unreadable_evidence_replaced", path=str(path), reason=str(error))
        return False
    if kept != content:
        log.warning("damaged_evidence_replaced", path=str(path))
        return False
    return True


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file atomically: aside, synced, renamed, its folder synced. An error leaves nothing behind."""
    part, handle = _open_part(path)
    try:
        for piece in pieces:
            view = memoryview(piece)
            while view:
                # One write takes at most 2 GiB, and fewer bytes when the disk is nearly full.
                view = view[os.write(handle, view) :]
        os.fsync(handle)
        part.replace(path)
    except BaseException:
        # Also when the task is cancelled or the process is interrupted.
        part.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)
    sync_folder(path.parent)


def _open_part(path: Path) -> tuple[Path, int]:
    """Return the path and descriptor of a new temporary file beside `path`.

    It is locked, so that no other process takes it for the remains of a killed one and removes it.
    """
    while True:
        part = path.with_name(f".{path.name[:64]}.{secrets.token_hex(8)}{_PART}")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(handle, fcntl.LOCK_SH)
        # Between creating and locking it may have been removed by another process that counts.
        if os.fstat(handle).st_nlink:
            return part, handle
        os.close(handle)


def _bytes_under(folder: Path) -> int:
    """Return the total size of all files below a folder. Removes temporary files that a killed process left.

    Folders within that cannot be read hold nothing of the vault, such as `lost+found` on a disk of its own, or nothing
    that can be counted. Raises OSError when the folder itself cannot be read.
    """
    total = 0
    pending = [folder]

    while pending:
        current = pending.pop()
        try:
            entries = list(os.scandir(current))
        except FileNotFoundError:
            continue
        except OSError as error:
            if current == folder:
                raise
            log.warning("evidence_not_counted", path=str(current), reason=disk_error_text(error))
            continue

        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                pending.append(Path(entry.path))
            elif entry.name.endswith(_PART) and _remove_if_abandoned(Path(entry.path)):
                continue
            else:
                with suppress(FileNotFoundError):
                    total += entry.stat(follow_symlinks=False).st_size
    return total


def _remove_if_abandoned(part: Path) -> bool:
    """Remove a temporary file that no process holds a lock on. Returns whether it is gone."""
    try:
        handle = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except OSError:
        # Another user's.
        return False
    try:
        # Removed under its lock: whoever has just made it sees, once it has the lock, that it is gone.
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        part.unlink()
    except OSError:
        # Another process writes it, or the folder is for reading only.
        return False
    finally:
        os.close(handle)
    return True
