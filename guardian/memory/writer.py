"""Changes the memory's folder, alone: fingerprints into segments, and out of them when they are forgotten.

What counts is what the database knows: a row of a segment whose number is not there was forgotten, whenever that was.
So whatever is interrupted between the two, the next call goes on from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from guardian.errors import IndexNotReady
from guardian.matching.features.small import unpacked
from guardian.matching.index import segments
from guardian.matching.index.segments import Generation
from guardian.memory import layout
from guardian.memory.joining import find_joined
from guardian.memory.reading import MemoryReader, MemorySegment
from guardian.memory.shards import DERIVED, shard_of
from guardian.store import Store

WRITTEN_AT_ONCE = 256
"""Fingerprints of one new segment at most; larger ones come of merging."""

MOST_PICTURES = 262_144
"""Of one segment. A search looks into each, so few large ones cost it less; merging into one takes 200 MB of memory."""

MERGED_AT_ONCE = 4
"""Segments of about one size that are merged into one: each picture is written again a handful of times in all."""

_DEAD_SHARE = 0.2
"""Of a segment's rows: from here on it is written anew without those that were forgotten."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WrittenCounts:
    """How many fingerprints were written into a segment, and how many were joined to one that is nearly the same."""

    written: int = 0
    joined: int = 0


class MemoryWriter:
    """Changes one memory folder. Several processes may: each change holds the folder's lock."""

    def __init__(self, store: Store, folder: Path, recipe: str) -> None:
        self._store, self._recipe = store, recipe
        self._folder = folder / recipe
        self._reader = MemoryReader(folder, recipe)
        self.shard = shard_of(folder)

    def write_waiting(self, *, at_least: int = 1) -> WrittenCounts:
        """Write fingerprints that wait in the database into segments, once `at_least` so many wait.

        Near-identical pictures are joined. Raises OSError (a full disk: they wait on), IndexNotReady when the list of
        segments is damaged, StoreUnusable.
        """
        with self._store.read() as tx:
            if tx.fingerprints.count_pending(self.shard) < at_least:
                return WrittenCounts()

        total = WrittenCounts()
        with segments.publishing(self._folder):
            while counts := self._write_some():
                total = WrittenCounts(total.written + counts.written, total.joined + counts.joined)
            self._merge()
        return total

    def _write_some(self) -> WrittenCounts | None:
        """Write one segment; return None when nothing waits."""
        with self._store.read() as tx:
            waiting = tx.fingerprints.pending(self.shard, WRITTEN_AT_ONCE)
        if not waiting:
            return None

        reader = self._opened()
        # A process that was killed after a segment was written and before the database heard of it.
        there = _present(reader, list(waiting))
        entries = [
            (number, id_, unpacked(content)) for number, (id_, content) in waiting.items() if number not in there
        ]
        joined = find_joined(reader.segments, entries)
        own = [entry for entry in entries if entry[0] not in joined]

        sizes = dict.fromkeys(there, 0)
        if own:
            arrays = layout.arrays_of(own, self._recipe)
            self._add(arrays)
            sizes |= dict(zip((number for number, _, _ in own), layout.bytes_of_each(arrays), strict=True))
        with self._store.begin() as tx:
            tx.fingerprints.settle(sizes, joined)
        return WrittenCounts(len(own), len(joined))

    def _add(self, arrays: layout.Arrays) -> None:
        generation = segments.read_generation(self._folder) or Generation(0, self._recipe)
        name = segments.write_segment(self._folder, arrays, {"pictures": len(arrays["numbers"])})
        self._write(generation, (*generation.segments, name), generation.withdrawn)

    def _write(self, generation: Generation, names: Sequence[str], withdrawn: frozenset[int]) -> None:
        changed = replace(generation, number=generation.number + 1, segments=tuple(names), withdrawn=withdrawn)
        segments.write_generation(self._folder, changed)

    def _opened(self) -> MemoryReader:
        self._reader.refresh()
        return self._reader

    def _is_known(self, segment: MemorySegment) -> NDArray[np.bool_]:
        """Return which rows of a segment the database still knows: bool [n]."""
        with self._store.read() as tx:
            known = tx.fingerprints.numbers_of_shard(self.shard, int(segment.numbers.min()), int(segment.numbers.max()))
        return np.isin(segment.numbers, np.array(sorted(known), np.int64))

    # Merging and forgetting.

    def _merge(self) -> None:
        """Merge segments of about one size, until no size has many."""
        while group := self._to_merge():
            self._replace(group)

    def _to_merge(self) -> list[MemorySegment]:
        by_class: dict[int, list[MemorySegment]] = {}
        for segment in self._opened().segments:
            size = max(1, len(segment) // WRITTEN_AT_ONCE)
            group = by_class.setdefault(int(np.log(size) / np.log(MERGED_AT_ONCE)), [])
            group.append(segment)
            if len(group) == MERGED_AT_ONCE and sum(len(one) for one in group) <= MOST_PICTURES:
                return group
        return []

    def _replace(self, group: Sequence[MemorySegment]) -> None:
        """Write some segments as one, without what was forgotten; without anything left they are taken out."""
        generation = segments.read_generation(self._folder)
        if generation is None:
            return
        parts = [(segment.arrays(), self._is_known(segment)) for segment in group]
        names = [name for name in generation.segments if name not in {segment.name for segment in group}]
        living = [(arrays, kept) for arrays, kept in parts if kept.any()]
        if living:
            pictures = sum(int(kept.sum()) for _, kept in living)
            names.append(segments.write_segment(self._folder, layout.joined(living), {"pictures": pictures}))
        gone = {int(number) for segment in group for number in segment.numbers}
        self._write(generation, names, generation.withdrawn - gone)

    def tidy(self, *, erase: bool = False) -> int:
        """Bring the folder to what the database knows; return how many rows were given up.

        A segment is written anew when a fifth of it was forgotten, with `erase` when any of it was: then nothing of
        what was forgotten is left on this disk. Raises OSError, IndexNotReady, StoreUnusable.
        """
        if not self._folder.exists():
            return 0
        with segments.publishing(self._folder):
            return self._tidy(erase=erase)

    def _tidy(self, *, erase: bool) -> int:
        reader = self._opened()
        withdrawn: set[int] = set()
        given_up = 0
        rewritten = []
        for segment in reader.segments:
            dead = ~self._is_known(segment)
            given_up += int((dead & segment.alive).sum())
            if dead.any() and (erase or dead.mean() >= _DEAD_SHARE):
                rewritten.append(segment)
            withdrawn.update(int(number) for number in segment.numbers[dead])
        generation = reader.generation
        if generation is not None and withdrawn != generation.withdrawn:
            # They answer no more from here on, whatever becomes of the rewriting.
            self._write(generation, generation.segments, frozenset(withdrawn))
        for segment in rewritten:
            self._replace([segment])
            if erase:
                for file in (self._folder.parent / DERIVED).glob(f"{segment.name}.*"):
                    file.unlink(missing_ok=True)
        return given_up

    def repair(self) -> int:
        """Take out damaged segments; return how many pictures lost their fingerprint, until they are next met.

        Reads every byte. A damaged list of segments is made anew of the segments that are there.
        """
        if not self._folder.exists():
            return 0
        with segments.publishing(self._folder):
            try:
                generation = segments.read_generation(self._folder)
            except IndexNotReady as error:
                log.warning("memory_list_damaged", reason=str(error))
                names = sorted(path.name for path in self._folder.glob("segment-*"))
                generation = Generation(0, self._recipe, tuple(names))
            if generation is None:
                return 0

            intact, present = [], set[int]()
            for name in generation.segments:
                try:
                    segment = MemorySegment(self._folder, name, frozenset())
                    segment.verify()
                except IndexNotReady as error:
                    log.warning("memory_segment_damaged", segment=name, reason=str(error))
                    continue
                numbers = {int(number) for number in segment.numbers}
                # A list that was made anew may name what was merged, and what it was merged into.
                if not numbers <= present:
                    intact.append(name)
                    present |= numbers
            self._write(generation, intact, generation.withdrawn & frozenset(present))
            with self._store.begin() as tx:
                return tx.fingerprints.lose(self.shard, present, self._recipe)


def _present(reader: MemoryReader, numbers: Sequence[int]) -> set[int]:
    """Return which of some numbers the segments hold already."""
    found: set[int] = set()
    for segment in reader.segments:
        found.update(int(number) for number in segment.numbers[np.isin(segment.numbers, numbers)])
    return found
