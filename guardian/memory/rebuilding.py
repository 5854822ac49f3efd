"""Makes fingerprints anew after a change of recipe (an upgrade, another descriptor), of what is still there.

Where evidence has the bytes of a picture, its fingerprint is made of them. Of all others only the preview is left: it
gives the appearance nearly as before, a coarse hash and fewer keypoints, so that small crops are missed. Such a
fingerprint is marked, and made again in full when a scan next meets the picture.
"""

import contextlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace

from guardian.errors import IndexNotReady, Unmatchable
from guardian.evidence import Vault
from guardian.matching.features.small import small_fingerprint
from guardian.matching.matcher import Matcher
from guardian.matching.workers import Workers
from guardian.memory.reading import MemoryReader, MemorySegment
from guardian.memory.remembering import Memory
from guardian.model import DescribedPicture
from guardian.store import Store
from guardian.store.fingerprints import coarse

_AT_ONCE = 64
"""Pictures that a worker makes fingerprints of in one job: a fraction of a second."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is left of a picture: its bytes (`is_whole`) or its preview, with the size and published hash that it has.

    Pickles.
    """

    number: int
    content: bytes
    is_whole: bool
    width: int
    height: int
    published_hash: str


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many fingerprints were made anew of the bytes that evidence has, and of previews; and of how many none was.

    `lost`: pictures whose segment is damaged, or whose preview shows too little. They keep their places.
    """

    whole: int = 0
    coarse: int = 0
    lost: int = 0


def earlier_recipes(memory: Memory) -> list[str]:
    """Return the recipes of which this machine still has segments, but for today's."""
    if not memory.folder.is_dir():
        return []
    return sorted(path.name for path in memory.folder.iterdir() if path.is_dir() and path.name != memory.recipe)


async def rebuild(store: Store, memory: Memory, workers: Workers, vault: Vault) -> Rebuilt:
    """Make the fingerprints of earlier recipes anew; segments of an earlier recipe go when nothing of them is needed.

    Safe to interrupt: what is done stays done. Raises WorkerLost, WorkersUnavailable, StoreUnusable, OSError.
    """
    total = Rebuilt()
    for recipe in earlier_recipes(memory):
        reader = MemoryReader(memory.folder, recipe)
        with contextlib.suppress(IndexNotReady):
            # While its list is damaged nobody knows what counts: then all are lost, as those of damaged segments are.
            reader.refresh()
        for segment in reader.segments:
            done = await _rebuild_segment(store, memory, workers, vault, segment)
            total = Rebuilt(total.whole + done.whole, total.coarse + done.coarse, total.lost + done.lost)
        with store.begin() as tx:
            lost = tx.fingerprints.drop_recipe(memory.shard, recipe)
        total = replace(total, lost=total.lost + lost)
        shutil.rmtree(memory.folder / recipe)
    memory.fold()
    return total


async def _rebuild_segment(
    store: Store, memory: Memory, workers: Workers, vault: Vault, segment: MemorySegment
) -> Rebuilt:
    whole = made_of_preview = 0
    for start in range(0, len(segment), _AT_ONCE):
        sources = _sources(store, vault, segment, range(start, min(start + _AT_ONCE, len(segment))))
        if not sources:
            continue
        described = await workers.run_with_matcher(describe_sources, sources)
        with store.begin() as tx:
            for source, one in zip(sources, described, strict=True):
                if one is None:
                    continue
                recipe = memory.recipe if source.is_whole else coarse(memory.recipe)
                if tx.fingerprints.remake(source.number, one.fingerprint, recipe, memory.shard):
                    whole += source.is_whole
                    made_of_preview += not source.is_whole
        memory.fold(at_least=256)
    return Rebuilt(whole, made_of_preview)


def _sources(store: Store, vault: Vault, segment: MemorySegment, rows: Sequence[int]) -> list[Source]:
    """Return what is left of some pictures of a segment that are still remembered."""
    numbers = [int(segment.numbers[row]) for row in rows]
    with store.read() as tx:
        known = tx.seen.pictures(numbers)
    sources = []
    for row, number in zip(rows, numbers, strict=True):
        picture = known.get(number)
        if picture is None:
            continue
        whole = _kept_bytes(vault, picture.sha256)
        published = segment.perceptual_hashes[row].tobytes().hex()
        content = segment.preview(row) if whole is None else whole
        sources.append(Source(number, content, whole is not None, picture.width, picture.height, published))
    return sources


def _kept_bytes(vault: Vault, sha256: str) -> bytes | None:
    try:
        return vault.get(sha256) if vault.holds(sha256) else None
    except (OSError, IndexNotReady):
        return None


def describe_sources(matcher: Matcher, sources: Sequence[Source]) -> list[DescribedPicture | None]:
    """Return the fingerprint of each source, None where it shows too little; a job for `Workers.run_with_matcher`."""
    described: list[DescribedPicture | None] = []
    for source in sources:
        try:
            if source.is_whole:
                small = matcher.small_fingerprint(source.content)
            else:
                picture = replace(matcher.decoded(source.content), width=source.width, height=source.height)
                small = small_fingerprint(picture, source.published_hash, matcher.vector_of(picture))
            described.append(DescribedPicture(small.format, small.packed()))
        except Unmatchable:
            described.append(None)
    return described
