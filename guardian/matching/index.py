"""The protected-asset index: what the arrays of a segment mean, publishing them, and searching them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.errors import IndexNotReady
from guardian.matching import segments, votes
from guardian.matching.alignment import Pyramid
from guardian.matching.fingerprint import Fingerprint
from guardian.matching.keypoints import Keypoints
from guardian.matching.segments import Generation, Segment
from guardian.matching.votes import Votes

MAX_SEGMENTS = 8
"""More segments than this are merged at the next publishing: each costs every search a little."""

R = TypeVar("R")

Entry = tuple[int, str, Fingerprint]
"""Asset number, asset id, fingerprint."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What an index holds, without its large arrays: number, id and hash (uint8 [n, 32]) of what answers.

    `withdrawn` are numbers that do not answer, whether or not they are still on disk.
    """

    numbers: tuple[int, ...]
    ids: tuple[str, ...]
    hashes: NDArray[np.uint8]
    withdrawn: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class IndexedAsset:
    """One asset as the index keeps it. `points` are in pixels of the full upright picture."""

    number: int
    id: str
    width: int
    height: int
    points: Keypoints
    words: NDArray[np.uint64]
    preview: Pyramid
    embedding: NDArray[np.float32] | None


class IndexSegment:
    """One open segment: search it, and read its assets."""

    def __init__(self, segment: Segment, withdrawn: frozenset[int]) -> None:
        self._segment, self._arrays, self.name = segment, segment.arrays, segment.name
        self.numbers = np.asarray(segment.arrays["numbers"])
        self.hashes = np.asarray(segment.arrays["hashes"])
        self.alive = ~np.isin(self.numbers, list(withdrawn)) if withdrawn else np.ones(len(self.numbers), dtype=bool)
        self._tables = votes.VoteTables(segment.arrays["offsets"], segment.arrays["rows"])
        self._words = segment.arrays["descriptors"].view(np.uint64).reshape(-1, 4)
        self._owners = segment.arrays["owners"]
        self._starts = segment.arrays["starts"]

    def __len__(self) -> int:
        return len(self.numbers)

    def without(self, withdrawn: frozenset[int]) -> "IndexSegment":
        """The same mapped segment, with other assets taken out."""
        return IndexSegment(self._segment, withdrawn)

    @property
    def vectors(self) -> NDArray[np.float16] | None:
        """float16 [n, d] unit vectors; None when the recipe has no descriptor."""
        return self._arrays.get("vectors")

    def vote(self, descriptors: NDArray[np.uint8]) -> tuple[Votes, NDArray[np.uint32]]:
        """Votes of uint8 [m, 32] and the row of the asset that each vote is for."""
        found = votes.collect(descriptors, self._tables, self._words, self._owners)
        return found, self._owners[found.row]

    def points_at(self, rows: NDArray[np.int32], owners: NDArray[np.uint32]) -> Keypoints:
        """Keypoints of descriptor rows, in pixels of their assets."""
        arrays = self._arrays
        sizes = arrays["sizes"][owners].astype(np.float32)
        places = arrays["places"][rows].astype(np.float32) / np.float32(65535)
        return Keypoints(
            x=places[:, 0] * sizes[:, 0],
            y=places[:, 1] * sizes[:, 1],
            size=arrays["spans"][rows].astype(np.float32),
            angle=arrays["angles"][rows].astype(np.float32) * np.float32(360 / 256),
            descriptors=arrays["descriptors"][rows],
        )

    def asset(self, row: int) -> IndexedAsset:
        """Everything about one asset, its preview decoded."""
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
            words=self._words[int(self._starts[row]) : int(self._starts[row + 1])],
            preview=Pyramid(np.asarray(grey, dtype=np.uint8), width, height),
            embedding=self._embedding(row),
        )

    def points(self, row: int) -> Keypoints:
        """Keypoints of one asset, in pixels of its full upright picture."""
        rows = np.arange(int(self._starts[row]), int(self._starts[row + 1]), dtype=np.int32)
        return self.points_at(rows, np.full(len(rows), row, dtype=np.uint32))

    def _preview(self, row: int) -> NDArray[np.uint8]:
        begin, end = (int(at) for at in self._arrays["preview_starts"][row : row + 2])
        preview: NDArray[np.uint8] = self._arrays["previews"][begin:end]
        return preview

    def _embedding(self, row: int) -> NDArray[np.float32] | None:
        return None if self.vectors is None else self.vectors[row].astype(np.float32)

    def entries(self, recipe: str) -> list[Entry]:
        """The assets that still answer, as they were published."""
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
        )
        return int(self.numbers[row]), self.id(row), fingerprint

    def size(self, row: int) -> tuple[int, int]:
        """Width and height of an asset's full upright picture."""
        width, height = self._arrays["sizes"][row]
        return int(width), int(height)

    def id(self, row: int) -> str:
        """The asset id of a row."""
        return bytes(self._arrays["ids"][row]).decode("ascii")


class Index:
    """All segments of one generation, opened for reading."""

    def __init__(self, generation: Generation | None, opened: Sequence[IndexSegment]) -> None:
        self.generation = generation
        self.segments = tuple(opened)

    @cached_property
    def assets(self) -> int:
        """How many assets answer."""
        return int(sum(segment.alive.sum() for segment in self.segments))

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

    def opened(generation: Generation) -> Index:
        if before is not None and generation == before.generation:
            return before
        _refuse_other_recipe(folder, generation, recipe)
        return Index(
            generation,
            [
                known[name].without(generation.withdrawn)
                if name in known
                else IndexSegment(segments.open_segment(folder, name), generation.withdrawn)
                for name in generation.segments
            ],
        )

    return _settled(folder, opened) or Index(None, ())


def _settled(folder: Path, read: Callable[[Generation], R]) -> R | None:
    """What `read` makes of the current generation; None when there is none.

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


def _refuse_other_recipe(folder: Path, generation: Generation, recipe: str) -> None:
    if generation.recipe != recipe:
        raise IndexNotReady(
            f"the index in {folder} was made by recipe {generation.recipe}, matching now uses {recipe}: "
            "run `guardian index rebuild`"
        )


def publish(folder: Path, recipe: str, entries: Sequence[Entry]) -> None:
    """Add assets as one new segment, durably. Publishing a number again replaces nothing and is refused.

    Raises IndexNotReady (another recipe, damage), OSError (a full disk: the generation before stays).
    """
    if not entries:
        return
    with segments.publishing(folder):
        generation = segments.read_generation(folder) or Generation(0, recipe)
        _refuse_other_recipe(folder, generation, recipe)
        name = segments.write_segment(folder, _arrays(entries), {"assets": len(entries)})
        names = (*generation.segments, name)
        if len(names) > MAX_SEGMENTS:
            names = _merged(folder, names, generation)
        segments.write_generation(folder, Generation(generation.number + 1, recipe, names, generation.withdrawn))


def contents(folder: Path, recipe: str, *, every_byte: bool) -> Contents:
    """What the index says of itself; empty when nothing was ever published.

    `every_byte`: read all of it through its checksums, else only what is returned. Raises IndexNotReady
    when it is damaged or was made by another recipe.
    """

    def read(generation: Generation) -> Contents:
        _refuse_other_recipe(folder, generation, recipe)
        only = None if every_byte else ("numbers", "ids", "hashes")
        arrays = [segments.open_segment(folder, name, only).arrays for name in generation.segments]
        alive = [~np.isin(one["numbers"], list(generation.withdrawn)) for one in arrays]
        pairs = list(zip(arrays, alive, strict=True))
        return Contents(
            numbers=tuple(int(number) for one, rows in pairs for number in one["numbers"][rows]),
            ids=tuple(bytes(identity).decode("ascii") for one, rows in pairs for identity in one["ids"][rows]),
            hashes=np.concatenate([*(one["hashes"][rows] for one, rows in pairs), np.empty((0, 32), np.uint8)]),
            withdrawn=generation.withdrawn,
        )

    return _settled(folder, read) or Contents((), (), np.empty((0, 32), np.uint8))


def _arrays(entries: Sequence[Entry]) -> dict[str, NDArray[Any]]:
    fingerprints = [fingerprint for _, _, fingerprint in entries]
    counts = [len(fingerprint.points) for fingerprint in fingerprints]
    sizes = np.array([(f.width, f.height) for f in fingerprints], dtype=np.int32)
    owners = np.repeat(np.arange(len(entries), dtype=np.uint32), counts)
    points = [f.points for f in fingerprints]
    x, y = np.concatenate([p.x for p in points]), np.concatenate([p.y for p in points])
    places = np.stack([x, y], axis=1) / sizes[owners] * 65535
    arrays = {
        "numbers": np.array([number for number, _, _ in entries], dtype=np.int64),
        "ids": np.array([identity.encode("ascii") for _, identity, _ in entries], dtype="S32"),
        "sizes": sizes,
        "hashes": np.stack([f.hash for f in fingerprints]),
        "starts": np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32),
        "owners": owners,
        "places": np.round(places).clip(0, 65535).astype(np.uint16),
        "spans": np.concatenate([p.size for p in points]).clip(0, 60000).astype(np.float16),
        "angles": (np.round(np.concatenate([p.angle for p in points]) * (256 / 360)) % 256).astype(np.uint8),
        "descriptors": np.concatenate([p.descriptors for p in points]).reshape(-1, 32),
        "previews": np.frombuffer(b"".join(f.preview for f in fingerprints), dtype=np.uint8),
        "preview_starts": np.concatenate([[0], np.cumsum([len(f.preview) for f in fingerprints])]).astype(np.uint64),
    }
    embeddings = [f.embedding for f in fingerprints if f.embedding is not None]
    if len(embeddings) == len(entries):
        arrays["vectors"] = np.stack(embeddings).astype(np.float16)
    return {**arrays, **_vote_arrays(arrays["descriptors"])}


def _vote_arrays(descriptors: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    tables = votes.build_tables(descriptors)
    return {"offsets": tables.offsets, "rows": tables.rows}


def _merged(folder: Path, names: Sequence[str], generation: Generation) -> tuple[str, ...]:
    """Join small segments into one, leaving out withdrawn assets; a segment larger than the others together stays."""
    opened = [IndexSegment(segments.open_segment(folder, name), generation.withdrawn) for name in names]
    total = sum(len(segment) for segment in opened)
    kept = [name for name, segment in zip(names, opened, strict=True) if len(segment) * 2 > total]
    small = [segment for name, segment in zip(names, opened, strict=True) if name not in kept]
    entries = [entry for segment in small for entry in segment.entries(generation.recipe)]
    if not entries:
        return tuple(kept)
    return (*kept, segments.write_segment(folder, _arrays(entries), {"assets": len(entries)}))


@contextmanager
def replacing(folder: Path, recipe: str) -> Iterator[Callable[[Sequence[Entry]], None]]:
    """Write a whole new index; the body is given a function that takes its assets, batch by batch.

    It counts when the body ends without an error; until then the index before stays, damaged or not.
    """
    with segments.publishing(folder):
        try:
            before = segments.read_generation(folder)
        except IndexNotReady:
            before = None
        names: list[str] = []

        def add(entries: Sequence[Entry]) -> None:
            if entries:
                names.append(segments.write_segment(folder, _arrays(entries), {"assets": len(entries)}))

        yield add
        segments.write_generation(folder, Generation(before.number + 1 if before else 1, recipe, tuple(names)))
