"""Crash-safe storage of named arrays: immutable segments, and one generation file that lists what counts.

A segment is a folder written aside, fsynced, checksummed and renamed; the generation file is replaced
atomically. Whatever happens in between, readers see the generation before or the one after. The folder
of an index belongs to one recipe. Knows nothing of what the arrays mean.
"""

import contextlib
import fcntl
import json
import shutil
import uuid
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from guardian.disk_errors import disk_error_text, refuse_root_in
from guardian.durable import naming, sync_file, sync_folder
from guardian.errors import IndexNotReady

_GENERATION = "generation.json"
_MANIFEST = "manifest.json"
_MERGE_LOCK = "merge.lock"
_FORMAT = 1
_ASIDE, _MERGING = "aside-", "merging-"
_CHUNK = 1 << 24  # bytes that are written at once


@dataclass(frozen=True, slots=True)
class Generation:
    """What counts at one moment. `withdrawn` are asset numbers that are still in segments but answer no more."""

    number: int
    recipe: str
    segments: tuple[str, ...] = ()
    withdrawn: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Segment:
    """One immutable set of arrays, memory-mapped read-only, and notes that were written with it."""

    name: str
    arrays: Mapping[str, NDArray[Any]]
    notes: Mapping[str, Any]


@contextlib.contextmanager
def publishing(folder: Path) -> Iterator[None]:
    """Hold the one lock under which an index folder is changed. Freed by the kernel when its holder dies.

    What a dead publisher left half done is removed first, and what this one leaves when it fails: a disk
    that is full would otherwise stay so. Raises UsageError for root in the folder of another user.
    """
    refuse_root_in(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "publish.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _remove_leftovers(folder)
        try:
            yield
        except BaseException:
            _remove_leftovers(folder)
            raise


@contextlib.contextmanager
def merging(folder: Path) -> Iterator[bool]:
    """Hold the lock of those who join segments, and say whether it was free. Freed by the kernel when its holder dies.

    Joining may take long, so it is done beside publishers, who wait only while the joined segment takes the place of
    the others. What a dead one left half done is removed first, and what this one leaves.
    """
    refuse_root_in(folder)
    if not folder.is_dir():
        yield False
        return
    with (folder / _MERGE_LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        _remove_merging(folder)
        try:
            yield True
        finally:
            _remove_merging(folder)


def read_generation(folder: Path) -> Generation | None:
    """Return the current generation; None when nothing was ever published. Raises IndexNotReady when it is damaged."""
    path = folder / _GENERATION
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        wrapped = json.loads(text)
        body = wrapped["generation"]
        if wrapped["crc32"] != _crc_of_json(body) or body["format"] != _FORMAT:
            raise ValueError("checksum or format differs")
        return Generation(body["number"], body["recipe"], tuple(body["segments"]), frozenset(body["withdrawn"]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IndexNotReady(f"{path} is damaged; `guardian index rebuild` makes it anew") from error


def write_generation(folder: Path, generation: Generation) -> None:
    """Make this the current generation, durably, and remove segments that no generation names any more.

    Readers that still map a removed segment keep it until they close it: that is how files work on Linux.
    """
    body = {
        "format": _FORMAT,
        "number": generation.number,
        "recipe": generation.recipe,
        "segments": list(generation.segments),
        "withdrawn": sorted(generation.withdrawn),
    }

    aside = folder / f"{_GENERATION}.{uuid.uuid4().hex}"
    try:
        _write_durably(aside, json.dumps({"crc32": _crc_of_json(body), "generation": body}).encode())
        aside.replace(folder / _GENERATION)
    finally:
        aside.unlink(missing_ok=True)

    # The rename itself must be on disk before segments that only the generation before names may go.
    sync_folder(folder)
    _remove_others(folder, generation)


Arrays = Mapping[str, NDArray[Any]] | Iterable[tuple[str, Sequence[NDArray[Any]]]]
"""Arrays by name; or, one after the other, a name and the parts that the array is put together of, row by row.

In parts an array is never in memory as a whole, and no array before it is its turn.
"""


def write_segment(folder: Path, arrays: Arrays, notes: Mapping[str, Any]) -> str:
    """Write one segment and return its name. It counts only when a generation names it.

    Raises OSError (a full disk, for example) with nothing left behind.
    """
    return adopt(folder, write_aside(folder, _ASIDE, arrays, notes))


def write_merged(folder: Path, arrays: Arrays, notes: Mapping[str, Any]) -> Path:
    """Write one segment and return where it lies, for `adopt`; the merge lock must be held, `publishing` need not be.

    Raises OSError with nothing left behind.
    """
    return write_aside(folder, _MERGING, arrays, notes)


def write_aside(folder: Path, prefix: str, arrays: Arrays, notes: Mapping[str, Any]) -> Path:
    """Write one segment into a folder beside the others, whose name begins so, durably; return that folder."""
    aside = folder / f"{prefix}{uuid.uuid4().hex}"
    aside.mkdir(parents=True)
    in_parts = ((key, (array,)) for key, array in arrays.items()) if isinstance(arrays, Mapping) else arrays
    try:
        files = {}
        for key, parts in in_parts:
            path = aside / f"{key}.npy"
            files[path.name] = {"crc32": _write_array(path, parts), "bytes": path.stat().st_size}

        body = {"format": _FORMAT, "facts": dict(notes), "files": files}
        _write_durably(aside / _MANIFEST, json.dumps({"crc32": _crc_of_json(body), "manifest": body}).encode())
        sync_folder(aside)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return aside


def adopt(folder: Path, aside: Path) -> str:
    """Give a segment that was written aside its name, durably, and return it. Raises OSError with nothing left."""
    name = f"segment-{aside.name[-32:]}"
    try:
        aside.replace(folder / name)
        sync_folder(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return name


def open_segment(folder: Path, name: str, only: Collection[str] | None = None) -> Segment:
    """Map one segment, or some of its arrays. Raises IndexNotReady when anything in them is not as it was written.

    Every file is read once through its checksum (about a second for a gigabyte): a flipped bit must be
    noticed before an answer is believed.
    """
    body = verify_segment(folder, name, only)

    try:
        arrays = {
            Path(file).stem: np.asarray(np.load(folder / name / file, mmap_mode="r", allow_pickle=False))
            for file in body["files"]
            if only is None or Path(file).stem in only
        }
    except OSError as error:
        raise IndexNotReady(f"index segment {folder / name} cannot be read: {disk_error_text(error)}") from error
    return Segment(name, arrays, body["facts"])


def verify_segment(folder: Path, name: str, only: Collection[str] | None = None) -> dict[str, Any]:
    """Check every byte of a segment, or of some of its arrays, and return its manifest. Raises IndexNotReady."""
    where = folder / name
    try:
        wrapped = json.loads((where / _MANIFEST).read_bytes())
        body: dict[str, Any] = wrapped["manifest"]
        if wrapped["crc32"] != _crc_of_json(body) or body["format"] != _FORMAT:
            raise _Changed(f"{_MANIFEST} is not as it was written")
        for file, expected in body["files"].items():
            path = where / file
            if only is not None and path.stem not in only:
                continue
            if path.stat().st_size != expected["bytes"] or _crc_of_file(path) != expected["crc32"]:
                raise _Changed(f"{file} is not as it was written")
    except (OSError, _Changed) as error:
        what = disk_error_text(error) if isinstance(error, OSError) else str(error)
        raise IndexNotReady(f"index segment {where} is damaged: {what}; `guardian index rebuild` helps") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        detail = f"{_MANIFEST} cannot be read"
        raise IndexNotReady(f"index segment {where} is damaged: {detail}; `guardian index rebuild` helps") from error
    return body


def _remove_leftovers(folder: Path) -> None:
    # While the list is damaged nobody knows what counts, so everything stays.
    with contextlib.suppress(IndexNotReady):
        _remove_others(folder, read_generation(folder) or Generation(0, ""))
    if any(folder.glob(f"{_MERGING}*")):
        # What somebody is still writing stays: entering removes what a dead one left, if the lock is free.
        with merging(folder):
            pass


def _remove_merging(folder: Path) -> None:
    for path in folder.glob(f"{_MERGING}*"):
        shutil.rmtree(path, ignore_errors=True)


def _remove_others(folder: Path, generation: Generation) -> None:
    for path in folder.iterdir():
        is_segment = path.name.startswith(("segment-", _ASIDE)) and path.name not in generation.segments
        if is_segment or path.name.startswith(f"{_GENERATION}."):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


class _Changed(Exception):
    """A file of a segment has changed since it was written."""


class _Summing:
    """Something to write to that adds up a checksum of what is written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.crc32 = file, 0

    def write(self, content: bytes) -> None:
        """Write all of it."""
        self.crc32 = zlib.crc32(content, self.crc32)
        self._file.write(content)


def _write_array(path: Path, parts: Sequence[NDArray[Any]]) -> int:
    """Write the parts of an array as one, durably, in the form of numpy's files; return the checksum of the file.

    Written by hand, since numpy's own writing hides why a disk refuses.
    """
    dtype, row = parts[0].dtype, parts[0].shape[1:]
    if dtype.hasobject:
        raise ValueError(f"{path.name}: objects are never stored (allow_pickle)")
    shape = (sum(len(part) for part in parts), *row)
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    with naming(path), path.open("wb") as file:
        summing = _Summing(file)
        np.lib.format.write_array_header_1_0(summing, header)
        for part in parts:
            rows = max(1, _CHUNK // max(1, part.itemsize * int(np.prod(row))))
            for begin in range(0, len(part), rows):
                summing.write(part[begin : begin + rows].tobytes())
        sync_file(file)
    return summing.crc32


def _crc_of_json(body: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(body, sort_keys=True).encode())


def _crc_of_file(path: Path) -> int:
    value = 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            value = zlib.crc32(chunk, value)
    return value


def _write_durably(path: Path, content: bytes) -> None:
    with naming(path), path.open("wb") as file:
        file.write(content)
        sync_file(file)
