"""The appearances of remembered pictures, as the memory's segments hold them, and their vectors beside them.

Vectors can always be made again from appearances. A file of them is written aside, fsynced and renamed, and its name
holds its checksum: one that was cut off or damaged is not believed.
"""

import io
import os
import uuid
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from guardian.durable import sync_folder
from guardian.matching.features.appearance import can_be_widened
from guardian.memory.reading import MemoryReader
from guardian.memory.shards import DERIVED
from guardian.search.aspects import VECTORS, Aspect, vectors_of
from guardian.search.rows import Rows

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SeenRows:
    """The rows of all segments, and what could not be read, in words."""

    rows: Sequence[Rows]
    not_searched: tuple[str, ...]


class SeenPictures:
    """What one memory folder holds, followed from question to question."""

    def __init__(self, folder: Path, recipe: str) -> None:
        self.reader = MemoryReader(folder, recipe)
        self._derived = folder / DERIVED
        self._known: dict[str, Rows] = {}

    def rows(self) -> SeenRows:
        """Return the rows of the newest generation. Raises IndexNotReady when the list of segments is damaged."""
        self.reader.refresh()
        known: dict[str, Rows] = {}
        bare = 0
        for segment in self.reader.segments:
            appearance = segment.appearance
            if appearance is None or not can_be_widened(appearance.shape[1]):
                bare += int(segment.alive.sum())
                continue
            before = self._known.get(segment.name)
            made = _KeptVectors(self._derived, segment.name)
            vectors = before.opened if before is not None else {}
            known[segment.name] = Rows(
                segment.numbers, segment.alive, appearance, vectors, made, segment.some_lack_parts
            )

        _remove_others(self._derived, {segment.name for segment in self.reader.segments})
        self._known = known
        missing = tuple(f"a damaged part of the memory ({one.reason})" for one in self.reader.damaged)
        if bare:
            missing += (f"{bare} remembered pictures without an appearance",)
        return SeenRows(tuple(known.values()), missing)

    def preview(self, number: int) -> bytes | None:
        """Return the small JPEG of a remembered picture; None when no segment holds it."""
        place = self.reader.row_of(number)
        return place[0].preview(place[1]) if place is not None else None


@dataclass(frozen=True, slots=True)
class _KeptVectors:
    """The vectors of one segment: mapped from the files of earlier questions, or made and kept."""

    folder: Path
    segment: str

    def __call__(self, appearances: NDArray[np.uint8], aspect: Aspect) -> NDArray[np.int8]:
        prefix = f"{self.segment}.{VECTORS}-{aspect.value}."
        for file in self.folder.glob(f"{prefix}*.npy"):
            try:
                if file.name == f"{prefix}{zlib.crc32(file.read_bytes()):08x}.npy":
                    found: NDArray[np.int8] = np.load(file, mmap_mode="r", allow_pickle=False)
                    return found
                log.warning("vectors_damaged", file=str(file), now="they are made again")
                file.unlink()
            except OSError as error:
                log.warning("vectors_not_read", file=str(file), reason=str(error))

        vectors = vectors_of(appearances, aspect)
        try:
            _keep(self.folder, prefix, vectors)
        except OSError as error:
            # A full disk, or one that may not be written: they are made again for the next question.
            log.warning("vectors_not_kept", folder=str(self.folder), reason=str(error))
        return vectors


def _keep(folder: Path, prefix: str, vectors: NDArray[np.int8]) -> None:
    """Write vectors durably, under a name that ends with their checksum."""
    folder.mkdir(parents=True, exist_ok=True)
    encoded = io.BytesIO()
    np.save(encoded, vectors, allow_pickle=False)
    content = encoded.getvalue()

    aside = folder / f"aside-{uuid.uuid4().hex}"
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(folder / f"{prefix}{zlib.crc32(content):08x}.npy")
    finally:
        aside.unlink(missing_ok=True)
    sync_folder(folder)


def _remove_others(folder: Path, names: set[str]) -> None:
    """Remove the vectors of segments that are gone, and of earlier versions; what cannot be removed stays."""
    if not folder.is_dir():
        return
    for file in folder.glob("segment-*.npy"):
        segment, _, rest = file.name.partition(".")
        if segment not in names or not rest.startswith(f"{VECTORS}-"):
            with suppress(OSError):
                file.unlink(missing_ok=True)
