"""Writes files whole or not at all, so that they outlive a power cut; errors of writing name their file."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Have every OSError of the body name a file: those of writing to an open file (a full disk) name none."""
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def sync_folder(folder: Path) -> None:
    """Flush a folder to disk: only then does a file that was renamed into it stay there after a crash.

    Raises OSError when there is no such folder or the disk fails.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_file(file: IO[bytes]) -> None:
    """Return when all that was written to an open file outlives a power cut. Raises OSError (a full disk)."""
    file.flush()
    os.fsync(file.fileno())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, all of it or nothing; an earlier file of this name stays until the new one is whole.

    A pipe or a device is written to as it is. Raises OSError that names `path`.
    """
    if path.exists() and not path.is_file():
        with naming(path):
            path.write_bytes(content)
        return

    # A link stays, and the file that it leads to is replaced.
    target = Path(os.path.realpath(path))
    part = _part_of(target)
    try:
        with part.open("wb") as file:
            file.write(content)
            sync_file(file)
        if target.exists():
            part.chmod(target.stat().st_mode & 0o777)
        part.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        # The user knows nothing of the file beside it.
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with suppress(OSError):
            part.unlink()


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that appears at `path` after the body, which writes it and calls `sync_file`; readable by its owner.

    An error in the body leaves nothing. Where the file system can, the file has no name before, so that not even a
    killed process leaves something. Raises FileExistsError, OSError that names `path`.
    """
    part: Path | None = None
    with naming(path):
        try:
            handle = os.open(path.parent, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError:
            part = _part_of(path)
            handle = _opened_part(part, path)
        try:
            with os.fdopen(handle, "w+b") as file:
                yield file
                if part is None:
                    _link_open_file(handle, path)
                else:
                    _rename(part, path)
        finally:
            if part is not None:
                part.unlink(missing_ok=True)
        sync_folder(path.parent)


def _part_of(path: Path) -> Path:
    return path.with_name(f".{path.name[:64]}.{secrets.token_hex(8)}.part")


def _opened_part(part: Path, path: Path) -> int:
    """Return the descriptor of a new file. An error names the file that it would become, which the user asked for."""
    try:
        return os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _link_open_file(handle: int, path: Path) -> None:
    """Give an open file without a name a name. Raises FileExistsError."""
    folder = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # What lies in this folder are links; they are followed only when the folder is named by its descriptor.
        os.link(str(handle), path, src_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def _rename(part: Path, path: Path) -> None:
    """Give a written file its name. Raises FileExistsError."""
    try:
        # Unlike renaming, linking sees that the name is taken.
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:
        # Sticks with FAT or exFAT know no links.
        if path.exists():
            raise FileExistsError(path) from None
        part.rename(path)
