"""The appearances of remembered pictures, as the memory's segments hold them, and their vectors beside them.

Vectors can always be made again from appearances. The name of a file of them holds its checksum: one that was cut off
or damaged is not believed.
"""

import io
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from guardian.durable import write_whole
from guardian.errors import IndexNotReady
from guardian.matching.features.appearance_bytes import can_be_widened
from guardian.memory.reading import MemoryReader, MemorySegment
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
        damaged = [one.reason for one in self.reader.damaged]
        for segment in self.reader.segments:
            try:
                rows = self._rows_of(segment)
            except IndexNotReady as error:
                damaged.append(str(error))
                continue
            if rows is None:
                bare += int(segment.alive.sum())
            else:
                known[segment.name] = rows

        _remove_others(self._derived, {segment.name for segment in self.reader.segments})
        self._known = known
        missing = tuple(f"a damaged part of the memory ({reason})" for reason in damaged)
        if bare:
            missing += (f"{bare} remembered pictures without an appearance",)
        return SeenRows(tuple(known.values()), missing)

    def _rows_of(self, segment: MemorySegment) -> Rows | None:
        """Return the rows of a segment; None when it has no appearances. Raises IndexNotReady for damaged ones."""
        appearance = segment.appearance
        if appearance is None or not can_be_widened(appearance.shape[1]):
            return None
        before = self._known.get(segment.name)
        return Rows(
            segment.numbers,
            segment.alive,
            appearance,
            known_vectors=before.known_vectors if before is not None else {},
            known_signs=before.known_signs if before is not None else None,
            make_vectors=_KeptVectors(self._derived, segment.name),
            has_older_versions=segment.some_lack_parts,
        )

    def previews(self, numbers: Sequence[int]) -> dict[int, bytes]:
        """Return the small JPEGs of remembered pictures, without those that no segment holds or that are damaged."""
        found: dict[int, bytes] = {}
        for segment in self.reader.segments:
            for row in np.flatnonzero(np.isin(segment.numbers, numbers)).tolist():
                try:
                    found.setdefault(int(segment.numbers[row]), segment.preview(row))
                except IndexNotReady as error:
                    # The results are worth having without it.
                    log.warning("memory_segment_damaged", segment=segment.name, reason=str(error))
                    break
        return found


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
    write_whole(folder / f"{prefix}{zlib.crc32(content):08x}.npy", content)


def _remove_others(folder: Path, names: set[str]) -> None:
    """Remove the vectors of segments that are gone, and of earlier versions; what cannot be removed stays."""
    if not folder.is_dir():
        return
    for file in folder.glob("segment-*.npy"):
        segment, _, rest = file.name.partition(".")
        if segment not in names or not rest.startswith(f"{VECTORS}-"):
            with suppress(OSError):
                file.unlink(missing_ok=True)
