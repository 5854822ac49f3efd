"""Appearances on disk, in crash-safe segments: those of assets, written as they are added; and reading any."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guardian.errors import IndexNotReady
from guardian.matching.features.appearance_bytes import APPEARANCE_BYTES, APPEARANCE_VERSION, widened
from guardian.matching.index import segments
from guardian.matching.index.segments import Generation
from guardian.search.aspects import VECTORS, Aspect, vectors_of
from guardian.search.nearest import SIGNS_FROM, signs_of

MAX_SEGMENTS = 8
_RECIPE = f"appearance-{APPEARANCE_VERSION}"

AppearanceEntry = tuple[int, NDArray[np.uint8]]
"""The number of an asset, and the appearance of one of its frames, uint8 [APPEARANCE_BYTES]."""


@dataclass(slots=True)
class Rows:
    """Some pictures that can be ranked, one a row."""

    numbers: NDArray[np.int64]
    """The numbers of the pictures, int64 [n]."""

    alive: NDArray[np.bool_]
    """Which of them may be found, bool [n]."""

    appearances: NDArray[np.uint8]
    """uint8 [n, bytes], mapped from disk."""

    known_vectors: dict[Aspect, NDArray[np.int8]] = field(default_factory=dict)
    """The vectors that were kept, or were asked for before."""

    known_signs: NDArray[np.uint64] | None = None
    """The signs of the vectors of the look, when they were asked for before."""

    make_vectors: Callable[[NDArray[np.uint8], Aspect], NDArray[np.int8]] = vectors_of

    has_older_versions: bool = False
    """Whether some appearances have only the parts of an earlier version; all may then have only its bytes."""

    def appearances_at(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the appearances of some rows, uint8 [n, APPEARANCE_BYTES]."""
        return widened(self.appearances[rows])

    def vectors(self, aspect: Aspect) -> NDArray[np.int8]:
        """Return the vectors of one aspect, int8 [n, d]: kept ones, or made on first use."""
        if aspect not in self.known_vectors:
            self.known_vectors[aspect] = self.make_vectors(self.appearances, aspect)
        return self.known_vectors[aspect]

    def signs(self, aspect: Aspect) -> NDArray[np.uint64] | None:
        """Return the signs of the vectors of one aspect, made on first use; None where they would save little.

        That is so for few rows, and for all aspects but the look, whose vectors are short.
        """
        if aspect is not Aspect.LOOK or len(self.numbers) < SIGNS_FROM:
            return None
        if self.known_signs is None:
            self.known_signs = signs_of(self.vectors(aspect))
        return self.known_signs


class AssetRows:
    """The appearances of assets, in a folder of their own beside the index: no recipe of matching changes them.

    Several processes may write: each change holds the folder's lock. Whatever is interrupted, readers see the rows
    before or the ones after.
    """

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "appearance"

    def generation(self) -> int:
        """Return the number of what is published now; 0 when that is nothing. Raises IndexNotReady when damaged."""
        found = segments.read_generation(self._folder)
        return found.number if found is not None else 0

    def numbers(self) -> set[int]:
        """Return the numbers of assets that have rows; none when they are damaged, so that they are made anew."""
        try:
            generation = segments.read_generation(self._folder)
            if generation is None or generation.recipe != _RECIPE:
                return set()
            found = [segments.open_segment(self._folder, name, ("numbers",)) for name in generation.segments]
        except IndexNotReady:
            return set()
        return {int(number) for one in found for number in one.arrays["numbers"]} - generation.withdrawn

    def publish(self, entries: Sequence[AppearanceEntry]) -> None:
        """Add rows as one new segment, durably. Damaged rows, and those of another version, are dropped first.

        Raises OSError (a full disk: the rows before stay).
        """
        if not entries:
            return
        with segments.publishing(self._folder):
            generation = self._usable()
            names = (*generation.segments, self._write(entries))
            if len(names) > MAX_SEGMENTS:
                names = self._compacted(names, generation.withdrawn)
            segments.write_generation(self._folder, replace(generation, number=generation.number + 1, segments=names))

    def withdraw(self, numbers: Collection[int]) -> None:
        """Take assets out; their rows go when segments are compacted."""
        with segments.publishing(self._folder):
            generation = self._usable()
            withdrawn = generation.withdrawn.union(numbers)
            segments.write_generation(
                self._folder, replace(generation, number=generation.number + 1, withdrawn=withdrawn)
            )

    def open(self) -> list[Rows]:
        """Map all rows. Raises IndexNotReady when they are damaged: `publish` makes them anew from the originals."""
        generation = segments.read_generation(self._folder)
        while generation is not None and generation.recipe == _RECIPE:
            try:
                return [_opened(self._folder, name, generation.withdrawn) for name in generation.segments]
            except IndexNotReady:
                # A writer may have merged segments away meanwhile, which is no damage.
                following = segments.read_generation(self._folder)
                if following == generation:
                    raise
                generation = following
        return []

    def _usable(self) -> Generation:
        try:
            generation = segments.read_generation(self._folder)
            if generation is not None and generation.recipe == _RECIPE:
                for name in generation.segments:
                    segments.verify_segment(self._folder, name, ("numbers",))
                return generation
            number = generation.number if generation is not None else 0
        except IndexNotReady:
            number = 0
        return Generation(number, _RECIPE)

    def _write(self, entries: Sequence[AppearanceEntry]) -> str:
        numbers = np.array([number for number, _ in entries], dtype=np.int64)
        return self._write_arrays(numbers, np.stack([appearance for _, appearance in entries]))

    def _write_arrays(self, numbers: NDArray[np.int64], appearances: NDArray[np.uint8]) -> str:
        arrays: dict[str, NDArray[Any]] = {"numbers": numbers, "appearances": appearances}
        for aspect in Aspect:
            arrays[aspect.value] = vectors_of(appearances, aspect)
        return segments.write_segment(self._folder, arrays, {"pictures": len(numbers), "vectors": VECTORS})

    def _compacted(self, names: Sequence[str], withdrawn: frozenset[int]) -> tuple[str, ...]:
        """Join small segments into one, without withdrawn assets; one larger than the others together stays."""
        opened = {name: _opened(self._folder, name, withdrawn) for name in names}
        total = sum(len(rows.numbers) for rows in opened.values())
        large = tuple(name for name, rows in opened.items() if len(rows.numbers) * 2 > total)

        small = [rows for name, rows in opened.items() if name not in large]
        numbers = np.concatenate([rows.numbers[rows.alive] for rows in small])
        appearances = np.concatenate([rows.appearances[rows.alive] for rows in small])
        return (*large, self._write_arrays(numbers, appearances)) if len(numbers) else large


def _opened(folder: Path, name: str, withdrawn: frozenset[int]) -> Rows:
    segment = segments.open_segment(folder, name)
    arrays = segment.arrays
    numbers = arrays["numbers"]
    kept = {aspect: arrays[aspect.value] for aspect in Aspect} if segment.notes.get("vectors") == VECTORS else {}
    if arrays["appearances"].shape != (len(numbers), APPEARANCE_BYTES):
        raise IndexNotReady(f"the appearances in {folder / name} are not those of this version")
    return Rows(numbers, ~np.isin(numbers, list(withdrawn)), arrays["appearances"], kept)
