"""Reads an index: opened for search, or asked what it holds. Nothing here changes a file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.errors import IndexNotReady
from guardian.matching.features.fingerprint import Fingerprint
from guardian.matching.features.keypoints import Keypoints, OrientedPoints
from guardian.matching.features.pyramid import Pyramid
from guardian.matching.index import segments, votes
from guardian.matching.index.layout import Entry, tables_in, unpacked
from guardian.matching.index.segments import Generation, Segment
from guardian.matching.index.votes import Votes

R = TypeVar("R")

IndexSlot = tuple[int, int]
"""Where an asset lies in an opened index: which segment, and which row of it."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What an index holds, without its large arrays: number, id and hash (uint8 [n, 32]) of each frame that answers.

    `withdrawn` are numbers that do not answer, whether or not they are still on disk.
    """

    numbers: tuple[int, ...]
    ids: tuple[str, ...]
    hashes: NDArray[np.uint8]
    withdrawn: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class PreviewedAsset:
    """An asset as it can be looked at: `preview` stands for a full upright picture of `width` x `height` pixels.

    `frame`: which one of its file's frames this is, counted from 1; None where the file has only one. Pickles; refers
    to no mapped file.
    """

    number: int
    id: str
    width: int
    height: int
    preview: Pyramid
    frame: int | None


@dataclass(frozen=True, slots=True)
class IndexedAsset(PreviewedAsset):
    """All that the index keeps of one asset. `points` are in pixels of the full upright picture.

    `words` are the descriptors, uint64 [n, 4], mapped from the index.
    """

    points: Keypoints
    words: NDArray[np.uint64]
    embedding: NDArray[np.float32] | None

    @property
    def previewed(self) -> PreviewedAsset:
        """The asset without what is mapped."""
        return PreviewedAsset(self.number, self.id, self.width, self.height, self.preview, self.frame)


class IndexSegment:
    """One open segment: search it, and read its assets. A row is one frame of an asset; most have only one."""

    def __init__(self, segment: Segment, withdrawn: frozenset[int]) -> None:
        self._segment, self._arrays, self.name = segment, segment.arrays, segment.name
        self.numbers = np.asarray(segment.arrays["numbers"])
        self.hashes = np.asarray(segment.arrays["hashes"])
        self.alive = ~np.isin(self.numbers, list(withdrawn)) if withdrawn else np.ones(len(self.numbers), dtype=bool)
        self._tables = tables_in(segment.arrays)
        self._words = segment.arrays["descriptors"].view(np.uint64).reshape(-1, 4)
        self._starts = segment.arrays["starts"]

    def __len__(self) -> int:
        return len(self.numbers)

    @cached_property
    def assets(self) -> int:
        """How many assets of it answer."""
        return len(np.unique(self.numbers[self.alive]))

    @cached_property
    def has_frames(self) -> bool:
        """Whether some asset has more than one row."""
        return len(np.unique(self.numbers)) < len(self.numbers)

    def without(self, withdrawn: frozenset[int]) -> "IndexSegment":
        """Return the same mapped segment with other assets taken out."""
        return IndexSegment(self._segment, withdrawn)

    @property
    def vectors(self) -> NDArray[np.float16] | None:
        """float16 [n, d] unit vectors; None when the recipe has no descriptor."""
        return self._arrays.get("vectors")

    @property
    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """The arrays as they are mapped: see layout.arrays_of."""
        return self._arrays

    def vote(self, descriptors: NDArray[np.uint8]) -> Votes:
        """Collect the votes of uint8 [m, 32]; their owners are rows of assets."""
        return votes.collect(descriptors, self._tables, self._words, self._starts)

    def points_at(self, rows: NDArray[np.integer], owners: NDArray[np.integer]) -> OrientedPoints:
        """Return the keypoints of descriptor rows, in pixels of their assets."""
        return unpacked(self._arrays["points"][rows], self._arrays["sizes"][owners])

    def asset(self, row: int) -> IndexedAsset:
        """Return everything about one asset, its preview decoded. Raises IndexNotReady when that cannot be read."""
        width, height = self.size(row)
        grey = cv2.imdecode(self._preview(row), cv2.IMREAD_GRAYSCALE)
        if grey is None:
            raise IndexNotReady("a preview in the index cannot be decoded; `guardian index rebuild` makes it anew")

        return IndexedAsset(
            number=int(self.numbers[row]),
            id=self.id(row),
            width=width,
            height=height,
            points=self.points(row),
            words=self.words(row),
            preview=Pyramid(np.asarray(grey, dtype=np.uint8), width, height),
            frame=self.frame(row),
            embedding=self._embedding(row),
        )

    def points(self, row: int) -> Keypoints:
        """Return the keypoints of one asset, in pixels of its full upright picture."""
        mine = slice(int(self._starts[row]), int(self._starts[row + 1]))
        points = unpacked(self._arrays["points"][mine], self._arrays["sizes"][row])
        return Keypoints(points.x, points.y, points.size, points.angle, np.array(self._arrays["descriptors"][mine]))

    def words(self, row: int) -> NDArray[np.uint64]:
        """Return the descriptors of one asset, uint64 [n, 4], mapped from the index."""
        return self._words[int(self._starts[row]) : int(self._starts[row + 1])]

    def _preview(self, row: int) -> NDArray[np.uint8]:
        begin, end = (int(at) for at in self._arrays["preview_starts"][row : row + 2])
        preview: NDArray[np.uint8] = self._arrays["previews"][begin:end]
        return preview

    def _embedding(self, row: int) -> NDArray[np.float32] | None:
        return None if self.vectors is None else self.vectors[row].astype(np.float32)

    def entries(self, recipe: str) -> list[Entry]:
        """Return the assets that still answer, as they were published."""
        return [self._entry(int(row), recipe) for row in np.flatnonzero(self.alive)]

    def _entry(self, row: int, recipe: str) -> Entry:
        width, height = self.size(row)
        fingerprint = Fingerprint(
            recipe=recipe,
            width=width,
            height=height,
            hash=np.array(self.hashes[row]),
            points=self.points(row),
            preview=self._preview(row).tobytes(),
            embedding=self._embedding(row),
            frame=self.frame(row),
        )
        return int(self.numbers[row]), self.id(row), fingerprint

    def size(self, row: int) -> tuple[int, int]:
        """Return width and height of an asset's full upright picture."""
        width, height = self._arrays["sizes"][row]
        return int(width), int(height)

    def frame(self, row: int) -> int | None:
        """Return which frame of its asset's file a row is, counted from 1; None where the file has only one."""
        frames = self._arrays.get("frames")
        return int(frames[row]) or None if frames is not None else None

    def id(self, row: int) -> str:
        """Return the asset id of a row."""
        return bytes(self._arrays["ids"][row]).decode("ascii")


class Index:
    """All segments of one generation, opened for reading."""

    def __init__(self, generation: Generation | None, opened: Sequence[IndexSegment]) -> None:
        self.generation = generation
        self.segments = tuple(opened)

    @cached_property
    def assets(self) -> int:
        """How many assets answer."""
        return sum(segment.assets for segment in self.segments)

    @cached_property
    def latest_number(self) -> int:
        """The newest asset number in the index; 0 when it is empty."""
        return max((int(segment.numbers.max()) for segment in self.segments if len(segment)), default=0)


def open_index(folder: Path, recipe: str, before: Index | None = None) -> Index:
    """Open the current generation; an index that was never published is empty.

    `before` is handed back when nothing changed, and its segments are not checked and mapped again.
    Raises IndexNotReady when it is damaged or was made by another recipe.
    """
    known = {segment.name: segment for segment in before.segments} if before is not None else {}

    def segment(name: str, generation: Generation) -> IndexSegment:
        if name in known:
            return known[name].without(generation.withdrawn)
        return IndexSegment(segments.open_segment(folder, name), generation.withdrawn)

    def opened(generation: Generation) -> Index:
        if before is not None and generation == before.generation:
            return before
        refuse_other_recipe(folder, generation, recipe)
        return Index(generation, [segment(name, generation) for name in generation.segments])

    return _settled(folder, opened) or Index(None, ())


def _settled(folder: Path, read: Callable[[Generation], R]) -> R | None:
    """Return what `read` makes of the current generation; None when there is none.

    While it reads, a publisher may merge segments away. That is no damage: the next generation is read then.
    """
    generation = segments.read_generation(folder)
    while generation is not None:
        try:
            return read(generation)
        except IndexNotReady:
            following = segments.read_generation(folder)
            if following == generation:
                raise
            generation = following
    return None


def refuse_other_recipe(folder: Path, generation: Generation, recipe: str) -> None:
    """Raise IndexNotReady when the generation was made by another recipe: its arrays mean something else."""
    if generation.recipe != recipe:
        raise IndexNotReady(
            f"the index in {folder} was made by recipe {generation.recipe}, matching now uses {recipe}: "
            "run `guardian index rebuild`"
        )


def contents(folder: Path, recipe: str, *, every_byte: bool) -> Contents:
    """Return what the index says of itself; empty when nothing was ever published.

    `every_byte`: read all of it through its checksums, else only what is returned. Raises IndexNotReady
    when it is damaged or was made by another recipe.
    """

    def read(generation: Generation) -> Contents:
        refuse_other_recipe(folder, generation, recipe)
        only = None if every_byte else ("numbers", "ids", "hashes")
        numbers: list[int] = []
        ids: list[str] = []
        hashes = [np.empty((0, 32), np.uint8)]
        for name in generation.segments:
            arrays = segments.open_segment(folder, name, only).arrays
            alive = ~np.isin(arrays["numbers"], list(generation.withdrawn))
            numbers += [int(number) for number in arrays["numbers"][alive]]
            ids += [bytes(identity).decode("ascii") for identity in arrays["ids"][alive]]
            hashes.append(arrays["hashes"][alive])
        return Contents(tuple(numbers), tuple(ids), np.concatenate(hashes), generation.withdrawn)

    return _settled(folder, read) or Contents((), (), np.empty((0, 32), np.uint8))
