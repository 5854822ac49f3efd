"""Makes fingerprints anew after a change of recipe (an upgrade, another descriptor), of what is still there.

Evidence has the bytes of some pictures; of all others only the preview is left: its fingerprint is coarse, marked, and
made again in full when a scan next meets the picture. One of today's recipe, whose appearance is of an earlier version,
keeps all that it has, and gets the parts that it lacks.
"""

import asyncio
import contextlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import structlog

from guardian.errors import GuardianError, IndexNotReady, Unmatchable
from guardian.evidence import Vault
from guardian.matching.features.appearance import appearance_of
from guardian.matching.features.small import SmallFingerprint, small_fingerprint, with_appearance
from guardian.matching.matcher import Matcher
from guardian.matching.workers import Workers
from guardian.memory.reading import MemoryReader, MemorySegment
from guardian.memory.remembering import WRITTEN_FROM, Memory
from guardian.model import DescribedPicture
from guardian.store import Store
from guardian.store.fingerprints import coarse

_AT_ONCE = 64
"""Pictures that a worker makes fingerprints of in one job: a fraction of a second."""


log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RebuildSource:
    """What is left of a picture, to make its fingerprint anew. Pickles."""

    number: int

    content: bytes
    """Its bytes, or its preview."""

    is_whole: bool
    """Whether `content` are its bytes."""

    width: int
    """Pixels of the full picture, as `height`."""

    height: int

    published_hash: str

    recipe: str
    """What the fingerprint that is made of it is marked with."""

    known: SmallFingerprint | None = None
    """A fingerprint that lacks no more than its appearance, where there is one."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many fingerprints were made anew of the bytes that evidence has, and of previews; and of how many none was.

    `appearances`: pictures of which only the appearance was made anew, of the preview. `lost`: pictures of earlier
    recipes whose segment is damaged, or whose preview shows too little; they keep their places.
    """

    whole: int = 0
    coarse: int = 0
    appearances: int = 0
    lost: int = 0

    def __add__(self, other: "Rebuilt") -> "Rebuilt":
        return Rebuilt(
            self.whole + other.whole,
            self.coarse + other.coarse,
            self.appearances + other.appearances,
            self.lost + other.lost,
        )


def earlier_appearances(memory: Memory) -> int:
    """Return of how many pictures of today's recipe the appearance lacks parts, or is missing.

    Damaged segments are not counted.
    """
    return sum(len(rows) for _, rows in _lacking_parts(memory))


def _lacking_parts(memory: Memory) -> Iterator[tuple[MemorySegment, list[int]]]:
    """Yield the segments of today's recipe with the rows whose appearance lacks parts, where there are any."""
    reader = MemoryReader(memory.folder, memory.recipe)
    try:
        reader.refresh()
    except IndexNotReady as error:
        log.warning("memory_damaged", reason=str(error))
    for segment in reader.segments:
        try:
            rows = np.flatnonzero(segment.lack_parts & segment.alive).tolist()
        except IndexNotReady as error:
            log.warning("memory_segment_damaged", segment=segment.name, reason=str(error))
            continue
        if rows:
            yield segment, rows


async def rebuild(store: Store, memory: Memory, workers: Workers, vault: Vault) -> Rebuilt:
    """Make the fingerprints of earlier recipes anew, and appearances that lack parts.

    Segments of an earlier recipe go when nothing of them is needed. Safe to interrupt: what is done stays done. Raises
    WorkerLost, WorkersUnavailable, StoreUnusable, OSError.
    """
    anew = _Rebuilding(store, memory, workers, vault)
    total = Rebuilt()
    for recipe in memory.earlier_recipes():
        reader = MemoryReader(memory.folder, recipe)
        with contextlib.suppress(IndexNotReady):
            # While its list is damaged nobody knows what counts: then all are lost, as those of damaged segments are.
            reader.refresh()
        _open(reader.segments)
        for segment in reader.segments:
            total += await anew.segment(segment, range(len(segment)), keeps_points=False)
        lost = await asyncio.to_thread(_drop_recipe, store, memory.shard, recipe)
        total = replace(total, lost=total.lost + lost)
        shutil.rmtree(memory.folder / recipe)
    memory.write_waiting()

    lacking = list(_lacking_parts(memory))
    _open([segment for segment, _ in lacking])
    for segment, rows in lacking:
        total += await anew.segment(segment, rows, keeps_points=True)
    if lacking:
        memory.write_waiting()
        # What was made anew is not to answer twice.
        memory.writer.tidy()
    return total


def _drop_recipe(store: Store, shard: str, recipe: str) -> int:
    with store.begin() as tx:
        return tx.fingerprints.drop_recipe(shard, recipe)


def _open(several: Sequence[MemorySegment]) -> None:
    """Open segments before the first is made anew: meanwhile a writer may merge or tidy away those still to come."""
    for segment in several:
        with contextlib.suppress(IndexNotReady):
            segment.open()


@dataclass(frozen=True, slots=True)
class _Rebuilding:
    """Makes what segments hold anew. `keeps_points`: all but the appearance is as today's recipe has it."""

    store: Store
    memory: Memory
    workers: Workers
    vault: Vault

    async def segment(self, segment: MemorySegment, rows: Sequence[int], *, keeps_points: bool) -> Rebuilt:
        """Make the fingerprints of some rows of a segment anew; what cannot be read of it is left as it is."""
        total = Rebuilt()
        try:
            # Meanwhile a writer may merge the segment away.
            segment.open()
            for start in range(0, len(rows), _AT_ONCE):
                total += await self._some(self._sources(segment, rows[start : start + _AT_ONCE], keeps_points))
        except IndexNotReady as error:
            log.warning("memory_segment_damaged", segment=segment.name, reason=str(error))
        return total

    async def _some(self, sources: Sequence[RebuildSource]) -> Rebuilt:
        if not sources:
            return Rebuilt()
        described = await self.workers.run_with_matcher(describe_sources, sources)
        return await asyncio.to_thread(self._keep, sources, described)

    def _keep(self, sources: Sequence[RebuildSource], described: Sequence[DescribedPicture | None]) -> Rebuilt:
        """Write fingerprints that were made anew, in the order of their sources; return how many that were."""
        made = Rebuilt()
        with self.store.begin() as tx:
            for source, one in zip(sources, described, strict=True):
                remade = one is not None and tx.fingerprints.remake(
                    source.number, one.fingerprint, source.recipe, self.memory.shard
                )
                if remade:
                    made += _counted(source)
        self.memory.write_waiting(at_least=WRITTEN_FROM)
        return made

    def _sources(self, segment: MemorySegment, rows: Sequence[int], keeps_points: bool) -> list[RebuildSource]:
        """Return what is left of some pictures of a segment that are still remembered."""
        numbers = [int(segment.numbers[row]) for row in rows]
        with self.store.read() as tx:
            pictures = tx.seen.pictures(numbers)
        sources = []
        for row, number in zip(rows, numbers, strict=True):
            picture = pictures.get(number)
            if picture is None:
                continue
            whole = _kept_bytes(self.vault, picture.sha256)
            source = RebuildSource(
                number=number,
                content=segment.preview(row) if whole is None else whole,
                is_whole=whole is not None,
                width=picture.width,
                height=picture.height,
                published_hash=segment.perceptual_hashes[row].tobytes().hex(),
                recipe=self.memory.recipe if whole is not None else coarse(self.memory.recipe),
            )
            if whole is None and keeps_points:
                known = segment.fingerprint(row)
                source = replace(source, known=known, recipe=picture.recipe or source.recipe)
            sources.append(source)
        return sources


def _counted(source: RebuildSource) -> Rebuilt:
    if source.is_whole:
        return Rebuilt(whole=1)
    return Rebuilt(coarse=1) if source.known is None else Rebuilt(appearances=1)


def _kept_bytes(vault: Vault, sha256: str) -> bytes | None:
    """Return the whole bytes of a picture; None where they were not kept or are lost, so that its preview must do."""
    try:
        return vault.get(sha256) if vault.holds(sha256) else None
    except GuardianError as error:
        log.warning("made_of_preview", sha256=sha256, reason=str(error))
        return None


def describe_sources(matcher: Matcher, sources: Sequence[RebuildSource]) -> list[DescribedPicture | None]:
    """Return the fingerprint of each source, None where it shows too little; a job for `Workers.run_with_matcher`."""
    described: list[DescribedPicture | None] = []
    for source in sources:
        try:
            if source.is_whole:
                small = matcher.small_fingerprint(source.content)
            elif source.known is not None:
                small = with_appearance(source.known, appearance_of(matcher.decoded(source.content).rgb))
            else:
                picture = replace(matcher.decoded(source.content), width=source.width, height=source.height)
                small = small_fingerprint(picture, source.published_hash, matcher.vector_of(picture))
            described.append(DescribedPicture(small.format, small.packed()))
        except Unmatchable:
            described.append(None)
    return described
