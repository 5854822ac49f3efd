"""Changes an index, which nothing else does: publishes assets, withdraws them, makes the whole anew."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from guardian.errors import IndexNotReady
from guardian.matching.index import reader, segments
from guardian.matching.index.joining import due, joined, thinned
from guardian.matching.index.layout import Entry, arrays_of
from guardian.matching.index.reader import Contents, IndexSegment
from guardian.matching.index.segments import Generation


class IndexWriter:
    """Changes the index of one recipe. Whatever is interrupted, readers see the index before or the one after.

    Several processes may write: each change holds the folder's lock. An index that lies elsewhere, or is spread over
    several machines, is another class with these methods.
    """

    def __init__(self, folder: Path, recipe: str) -> None:
        self._folder, self._recipe = folder, recipe

    def contents(self, *, every_byte: bool) -> Contents:
        """Return what is published: see reader.contents."""
        return reader.contents(self._folder, self._recipe, every_byte=every_byte)

    def publish(self, entries: Sequence[Entry]) -> None:
        """Add assets as one new segment, durably. Publishing a number again replaces nothing.

        Raises IndexNotReady (another recipe, damage), OSError (a full disk: the generation before stays).
        """
        if not entries:
            return
        with segments.publishing(self._folder):
            generation = segments.read_generation(self._folder) or Generation(0, self._recipe)
            reader.refuse_other_recipe(self._folder, generation, self._recipe)
            names = (*generation.segments, self._write(entries))
            segments.write_generation(self._folder, replace(generation, number=generation.number + 1, segments=names))

    def withdraw(self, numbers: Collection[int]) -> None:
        """Take assets out of all answers at once; their arrays leave the disk by `merge`.

        Raises IndexNotReady when the index is damaged.
        """
        with segments.publishing(self._folder):
            generation = segments.read_generation(self._folder)
            if generation is not None:
                withdrawn = generation.withdrawn.union(numbers)
                segments.write_generation(
                    self._folder, replace(generation, number=generation.number + 1, withdrawn=withdrawn)
                )

    def merge(self, *, erase: bool = False) -> bool:
        """Join segments that have become many, or write again what much is withdrawn of; return whether any was due.

        With `erase` a segment is written again when anything of it is withdrawn: once there is nothing more to do,
        nothing of these assets is left on this disk. A segment of which all is withdrawn disappears.

        May take long (a minute for 100,000 assets), and others may publish and search meanwhile. Does nothing while
        another process does it. Raises IndexNotReady (damage), OSError (a full disk: the generation before stays).
        """
        with segments.merging(self._folder) as is_free:
            generation = segments.read_generation(self._folder) if is_free else None
            if generation is None or generation.recipe != self._recipe:
                return False
            sizes, withdrawn = self._sizes(generation)
            places = due(sizes) or thinned(sizes, withdrawn, erase=erase)
            names = [generation.segments[place] for place in places]
            if not names:
                return False

            # Every byte is checked, or damage would be given a new checksum.
            opened = [IndexSegment(segments.open_segment(self._folder, name), generation.withdrawn) for name in names]
            assets = sum(int(segment.alive.sum()) for segment in opened)
            aside = segments.write_merged(self._folder, joined(opened), {"assets": assets}) if assets else None
            return self._replace(names, aside)

    @contextmanager
    def rebuild(self) -> Iterator[Callable[[Sequence[Entry]], None]]:
        """Write a whole new index; the body is given a function that takes its assets, batch by batch.

        It counts when the body ends without an error; until then the index before stays, damaged or not.
        """
        with segments.publishing(self._folder):
            try:
                before = segments.read_generation(self._folder)
            except IndexNotReady:
                before = None
            names: list[str] = []

            def add(entries: Sequence[Entry]) -> None:
                if entries:
                    names.append(self._write(entries))

            yield add
            number = before.number + 1 if before else 1
            segments.write_generation(self._folder, Generation(number, self._recipe, tuple(names)))

    def _sizes(self, generation: Generation) -> tuple[list[int], list[int]]:
        """Return how many assets of each segment answer, and how many are withdrawn."""
        out, sizes, withdrawn = list(generation.withdrawn), list[int](), list[int]()
        for name in generation.segments:
            numbers = segments.open_segment(self._folder, name, ("numbers",)).arrays["numbers"]
            gone = int(np.isin(numbers, out).sum())
            sizes.append(len(numbers) - gone)
            withdrawn.append(gone)
        return sizes, withdrawn

    def _replace(self, names: Sequence[str], aside: Path | None) -> bool:
        """Put a joined segment in the place of those that it was made of; False when these do not count any more."""
        with segments.publishing(self._folder):
            generation = segments.read_generation(self._folder)
            if generation is None or not set(names) <= set(generation.segments):
                return False
            kept = [name for name in generation.segments if name not in names]
            new = [] if aside is None else [segments.adopt(self._folder, aside)]
            after = replace(generation, number=generation.number + 1, segments=(*new, *kept))
            segments.write_generation(self._folder, after)
            return True

    def _write(self, entries: Sequence[Entry]) -> str:
        return segments.write_segment(self._folder, arrays_of(entries), {"assets": len(entries)})
