"""Reads what is remembered: segments mapped from disk, each array checked when it is first used."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guardian.errors import IndexNotReady
from guardian.matching.features.appearance_bytes import APPEARANCE_BYTES
from guardian.matching.features.small import SmallFingerprint
from guardian.matching.index import segments
from guardian.matching.index.reader import Index, IndexSegment
from guardian.matching.index.segments import Generation, Segment


class MemorySegment:
    """Some remembered pictures, a row for each. Raises IndexNotReady where an array is not as it was written.

    `numbers` int64 [n] name the pictures in the database (`tx.seen.pictures`): a number that is not known there was
    forgotten, whatever the segment still holds. `alive` bool [n]: False for rows that were given up already.
    """

    def __init__(self, folder: Path, name: str, withdrawn: frozenset[int]) -> None:
        self.name, self._withdrawn = name, withdrawn
        self._arrays = _CheckedArrays(folder, name)
        self.numbers: NDArray[np.int64] = self._arrays["numbers"]
        self.alive = _alive(self.numbers, withdrawn)

    def __len__(self) -> int:
        return len(self.numbers)

    def without(self, withdrawn: frozenset[int]) -> "MemorySegment":
        """Return the same segment with other rows given up; what was checked of its arrays is not read again."""
        other = copy.copy(self)
        other.__dict__.pop("indexed", None)
        other._withdrawn = withdrawn
        other.alive = _alive(self.numbers, withdrawn)
        return other

    @property
    def hashes(self) -> NDArray[np.uint8]:
        """uint8 [n, 32]: what guardian searches by (see hashing.py)."""
        return self._arrays["hashes"]

    @property
    def perceptual_hashes(self) -> NDArray[np.uint8]:
        """uint8 [n, 8]: the published hash (see phash.py)."""
        return self._arrays["phashes"]

    @property
    def sizes(self) -> NDArray[np.int32]:
        """int32 [n, 2]: width and height of the full upright pictures."""
        return self._arrays["sizes"]

    @property
    def appearance(self) -> NDArray[np.uint8] | None:
        """uint8 [n, bytes]: packed appearance features; None when this segment has none."""
        return self._arrays.get("appearance")

    @property
    def some_lack_parts(self) -> bool:
        """Whether some of its appearances have only the parts of an earlier version."""
        return self.appearance is not None and bool(self.lack_parts.any())

    @property
    def lack_parts(self) -> NDArray[np.bool_]:
        """bool [n]: which pictures have no appearance, or only one of an earlier version."""
        if self.appearance is None or self.appearance.shape[1] != APPEARANCE_BYTES:
            return np.ones(len(self), dtype=bool)
        lacking = self._arrays.get("lacking")
        return np.zeros(len(self), dtype=bool) if lacking is None else np.asarray(lacking, dtype=bool)

    @property
    def vectors(self) -> NDArray[np.float16] | None:
        """float16 [n, d]: unit vectors of the descriptor; None without weights."""
        return self._arrays.get("vectors")

    def id(self, row: int) -> str:
        """Return the id of a picture."""
        return bytes(self._arrays["ids"][row]).decode("ascii")

    def preview(self, row: int) -> bytes:
        """Return the preview of a picture: a colour JPEG of at most 160 pixels."""
        begin, end = (int(at) for at in self._arrays["preview_starts"][row : row + 2])
        return self._arrays["previews"][begin:end].tobytes()

    @cached_property
    def indexed(self) -> IndexSegment:
        """The same pictures as a segment of an index, for search by keypoints and hashes."""
        return IndexSegment(Segment(self.name, self._arrays, {}), self._withdrawn)

    def fingerprint(self, row: int) -> SmallFingerprint:
        """Return the fingerprint of a picture as it was published; its format is not kept."""
        width, height = self.indexed.size(row)
        appearance, vectors = self.appearance, self.vectors
        return SmallFingerprint(
            width=width,
            height=height,
            format="",
            hash=np.array(self.hashes[row]),
            perceptual_hash=np.array(self.perceptual_hashes[row]),
            points=self.indexed.points(row),
            preview=self.preview(row),
            appearance=b"" if appearance is None else appearance[row].tobytes(),
            embedding=None if vectors is None else np.array(vectors[row]),
        )

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return all arrays, each checked when it is looked up."""
        return self._arrays

    def open(self) -> None:
        """Map all arrays, so that they can be read even after the segment was merged away. Raises IndexNotReady."""
        for name in self._arrays:
            self._arrays[name]

    def verify(self) -> None:
        """Read every byte through its checksum. Raises IndexNotReady."""
        self._arrays.verify()


def _alive(numbers: NDArray[np.int64], withdrawn: frozenset[int]) -> NDArray[np.bool_]:
    return ~np.isin(numbers, list(withdrawn)) if withdrawn else np.ones(len(numbers), dtype=bool)


@dataclass(frozen=True, slots=True)
class DamagedSegment:
    """A segment that cannot be read, and why."""

    name: str
    reason: str


class MemoryReader:
    """What one memory folder holds, opened for search; empty until `refresh`.

    `damaged` segments are left out: an answer that is given without them did not see everything.
    """

    def __init__(self, folder: Path, recipe: str) -> None:
        self._folder, self._recipe = folder / recipe, recipe
        self.generation: Generation | None = None
        self.segments: tuple[MemorySegment, ...] = ()
        self.damaged: tuple[DamagedSegment, ...] = ()

    def __len__(self) -> int:
        return sum(int(segment.alive.sum()) for segment in self.segments)

    def refresh(self) -> None:
        """Follow the folder to its current generation. Raises IndexNotReady when the list of segments is damaged."""
        generation = segments.read_generation(self._folder)
        while generation is not None and generation != self.generation:
            self._open(generation)
            # While it was opened, a writer may have merged segments away; the next generation is read then.
            following = segments.read_generation(self._folder)
            if following == generation or not self.damaged:
                return
            generation = following

    def _open(self, generation: Generation) -> None:
        is_same = self.generation is not None and self.generation.withdrawn == generation.withdrawn
        known = {one.name: one if is_same else one.without(generation.withdrawn) for one in self.segments}
        opened: list[MemorySegment] = []
        damaged: list[DamagedSegment] = []
        for name in generation.segments:
            try:
                opened.append(known.get(name) or MemorySegment(self._folder, name, generation.withdrawn))
            except IndexNotReady as error:
                damaged.append(DamagedSegment(name, str(error)))
        self.generation, self.segments, self.damaged = generation, tuple(opened), tuple(damaged)

    def row_of(self, number: int) -> tuple[MemorySegment, int] | None:
        """Return where a picture lies; None when no segment here holds it."""
        for segment in self.segments:
            rows = np.flatnonzero(segment.numbers == number)
            if len(rows):
                return segment, int(rows[0])
        return None

    def as_index(self) -> Index:
        """Return all of it as one index, for search by keypoints and hashes. Raises IndexNotReady."""
        return Index(self.generation, [segment.indexed for segment in self.segments])


@lru_cache(maxsize=1)
def opened_reader(folder: Path, recipe: str) -> MemoryReader:
    """Return the memory of this worker process, opened once; `refresh` follows it to what it holds now."""
    return MemoryReader(folder, recipe)


class _CheckedArrays(Mapping[str, NDArray[Any]]):
    """The arrays of one segment: each is read through its checksum and mapped when it is first asked for."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        body = segments.verify_segment(folder, name, only=())
        self._names = tuple(Path(file).stem for file in body["files"])
        self._opened: dict[str, NDArray[Any]] = {}

    def __getitem__(self, key: str) -> NDArray[Any]:
        if key not in self._names:
            raise KeyError(key)
        if key not in self._opened:
            self._opened[key] = segments.open_segment(self._folder, self._name, (key,)).arrays[key]
        return self._opened[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def verify(self) -> None:
        segments.verify_segment(self._folder, self._name)
