"""The one door for changing an index: publish assets, withdraw them, make the whole anew."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from guardian.errors import IndexNotReady
from guardian.matching.index import reader, segments
from guardian.matching.index.layout import Entry, arrays_of
from guardian.matching.index.reader import Contents, IndexSegment
from guardian.matching.index.segments import Generation

MAX_SEGMENTS = 8
"""More segments than this are compacted at the next publishing: each costs every search a little."""


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
            if len(names) > MAX_SEGMENTS:
                names = self._compacted(names, generation)
            segments.write_generation(self._folder, replace(generation, number=generation.number + 1, segments=names))

    def withdraw(self, numbers: Collection[int]) -> None:
        """Take assets out of all answers at once; their arrays go when segments are compacted.

        Raises IndexNotReady when the index is damaged.
        """
        with segments.publishing(self._folder):
            generation = segments.read_generation(self._folder)
            if generation is not None:
                withdrawn = generation.withdrawn.union(numbers)
                segments.write_generation(
                    self._folder, replace(generation, number=generation.number + 1, withdrawn=withdrawn)
                )

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

    def _compacted(self, names: Sequence[str], generation: Generation) -> tuple[str, ...]:
        """Join small segments into one, without withdrawn assets; one larger than the others together stays."""
        opened = [IndexSegment(segments.open_segment(self._folder, name), generation.withdrawn) for name in names]
        total = sum(len(segment) for segment in opened)
        # Rewriting the large one each time would cost as much as the whole index, for every few assets.
        small = [segment for segment in opened if len(segment) * 2 <= total]
        kept = tuple(segment.name for segment in opened if len(segment) * 2 > total)

        entries = [entry for segment in small for entry in segment.entries(self._recipe)]
        return (*kept, self._write(entries)) if entries else kept

    def _write(self, entries: Sequence[Entry]) -> str:
        return segments.write_segment(self._folder, arrays_of(entries), {"assets": len(entries)})
