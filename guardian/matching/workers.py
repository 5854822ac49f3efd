"""Worker processes around the matcher: started when needed, killed when they hang, replaced when they die.

A hostile picture may crash or hang a decoder, so no pixel is ever touched in the daemon's own process.
Encoded bytes travel in, measurements travel out.
"""

import asyncio
import os
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

import structlog

from guardian.errors import WeightsMissing, WorkerLost, WorkersUnavailable
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.matching.worker_pool import WorkerPool
from guardian.matching.worker_process import RanOutOfTime, WorkerDied, WorkerProcess
from guardian.model import DescribedPicture, MatchReport, SkipReason

if TYPE_CHECKING:
    from guardian.matching.features.fingerprint import Fingerprint
    from guardian.matching.matcher import Matcher

START_TIME = timedelta(minutes=1)
"""How long a worker may compute to load its libraries, the index and the descriptor."""

CRASHES_TOLERATED = 2
"""Of one job: one that crashed two workers by itself is not tried again at once."""

_PAUSES = (timedelta(seconds=1), timedelta(seconds=4))
"""Before a job is tried again whose worker was killed from outside: memory may be free by then."""

R = TypeVar("R")
Arguments = TypeVarTuple("Arguments")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Setup:
    """What a worker opens its matcher with. Hashable: a worker keeps the matcher it has opened."""

    matching: MatchingSettings
    embedding: EmbeddingSettings
    index_folder: Path
    confidence: Path


class Workers:
    """Does jobs in worker processes. Use it inside one event loop; the workers end with it.

    `without_descriptor` says why a configured descriptor is not used; None when all is as configured.
    """

    def __init__(
        self,
        matching: MatchingSettings,
        embedding: EmbeddingSettings,
        index_folder: Path,
        pool: WorkerPool | None = None,
    ) -> None:
        from guardian.matching.recipe import confidence_file, index_recipe, report_recipe, small_recipe

        self.without_descriptor: str | None = None
        try:
            digest = _digest_of_weights(embedding)
        except WeightsMissing as error:
            digest = None
            self.without_descriptor = str(error)
            embedding = EmbeddingSettings()
        self.index_recipe = index_recipe(matching, digest)
        # Chosen once: workers that start later answer by the same file as this recipe says.
        self.confidence = confidence_file(index_folder, self.index_recipe)
        self.report_recipe = report_recipe(matching, digest, self.confidence)
        self.small_recipe = small_recipe(digest)
        self._setup = _Setup(matching, embedding, index_folder, self.confidence)
        self.count = matching.workers or os.cpu_count() or 1
        self._pool = pool or WorkerPool()
        # A job takes one slot; one that must be alone takes all of them, one such job at a time.
        self._slots = asyncio.Semaphore(self.count)
        self._alone = asyncio.Lock()

    @property
    def index_folder(self) -> Path:
        """The folder of this recipe's index."""
        return self._setup.index_folder / self.index_recipe

    @property
    def has_descriptor(self) -> bool:
        """Whether a neural descriptor is configured, and its weights are there."""
        return self._setup.embedding.weights is not None

    @property
    def settings(self) -> MatchingSettings:
        """The settings of matching that all jobs are done with."""
        return self._setup.matching

    async def match(
        self,
        content: bytes,
        newer_than: int = 0,
        *,
        quick: bool = False,
        crashes_tolerated: int = CRASHES_TOLERATED,
    ) -> MatchReport:
        """Compare an encoded image with the assets whose number is above `newer_than`.

        `quick`: with the least effort that finds easy copies. After `crashes_tolerated` crashes the image is not tried
        again at once. Raises Unmatchable (what the image is), IndexNotReady, and what `run` raises.
        """
        given = (self._setup, content, newer_than, quick)
        return await self._run(_follow_index, _match, given, crashes_tolerated)

    async def match_and_describe(
        self, content: bytes, newer_than: int = 0, *, crashes_tolerated: int = CRASHES_TOLERATED
    ) -> tuple[MatchReport, DescribedPicture]:
        """Compare an encoded image as `match` does; return the report, and what the memory keeps of the image."""
        given = (self._setup, content, newer_than)
        return await self._run(_follow_index, _match_and_describe, given, crashes_tolerated)

    async def describe(self, content: bytes) -> DescribedPicture:
        """Return what the memory keeps of an encoded image. Raises Unmatchable, and what `run` raises."""
        return await self.run(_describe, self._setup, content)

    async def fingerprint(self, content: bytes) -> "Fingerprint":
        """Compute what the index keeps of an encoded image. Raises Unmatchable, and what `run` raises."""
        return await self.run(_fingerprint, self._setup, content)

    async def fingerprint_with(self, also: Callable[[bytes], R], content: bytes) -> "tuple[Fingerprint, bytes, R]":
        """Compute a fingerprint, an easy copy, and what `also` says of the same bytes, in one way there and back.

        `also` must be importable by its name. Raises Unmatchable, and what `run` raises.
        """
        return await self.run(_fingerprint_with, self._setup, also, content)

    async def is_same_picture(self, content: bytes, other: bytes) -> bool:
        """Return whether two encoded images show the same whole picture. Raises Unmatchable, WorkerLost."""
        return await self.run(_is_same_picture, self._setup, content, other)

    async def run_with_matcher(self, job: "Callable[[Matcher, *Arguments], R]", *arguments: *Arguments) -> R:
        """Do a job in a worker with its matcher, which has followed the index. Otherwise as `run`."""
        return await self._run(_follow_index, _with_matcher, (self._setup, job, arguments))

    async def easy_copies(self, content: bytes) -> tuple[bytes, bytes]:
        """Make copies of an encoded image: at half its size, and recompressed. Raises Unmatchable, WorkerLost."""
        return await self.run(_easy_copies, self._setup, content)

    async def warm(self) -> None:
        """Start one worker and load what it needs, so that the first image does not wait for that.

        Raises IndexNotReady, WorkersUnavailable.
        """
        async with self._slots, self._prepared(_follow_index):
            # Ready: it is kept for the first image.
            return

    async def run(self, job: "Callable[[*Arguments], R]", *arguments: *Arguments) -> R:
        """Do a job in a worker: one at a time in each, so a death concerns one job only.

        A job that crashes its worker is tried once more, in another one. A job whose worker was killed from outside is
        tried again after pauses, with no other job beside it. One that ran out of time is not tried again. Raises
        WorkerLost (crashed, killed or timed_out), WorkersUnavailable.
        """
        return await self._run(_open, job, arguments)

    async def aclose(self) -> None:
        """End the workers. They hold no state."""
        await self._pool.aclose()

    async def _run(
        self,
        prepare: "Callable[[_Setup], None]",
        job: "Callable[..., R]",
        given: tuple[object, ...],
        crashes_tolerated: int = CRASHES_TOLERATED,
    ) -> R:
        pauses = iter(_PAUSES)
        crashes, alone = 0, self.count == 1
        while True:
            killed_before = _kills_for_memory() if alone else 0
            try:
                async with self._room(alone=alone):
                    return await self._attempt(prepare, job, given)
            except WorkerDied as death:
                died = death

            # With no other job beside it, memory was exhausted by this very job.
            by_itself = not died.was_killed or (alone and _kills_for_memory() > killed_before)
            crashes += by_itself
            if by_itself and crashes >= crashes_tolerated:
                times = {1: "once", 2: "twice"}.get(crashes, f"{crashes} times")
                detail = f"a worker process died on this image, {times}: it {died}"
                raise WorkerLost(SkipReason.CRASHED, detail, crashes)
            if by_itself:
                continue

            pause = next(pauses, None)
            if pause is None:
                raise WorkerLost(SkipReason.WORKER_KILLED, f"a worker process {died} while it had this image", crashes)
            log.info("worker_killed", how=str(died), tried_again_in=pause.total_seconds())
            await asyncio.sleep(pause.total_seconds())
            alone = True

    @asynccontextmanager
    async def _room(self, *, alone: bool) -> AsyncIterator[None]:
        """Wait for one slot, or for all of them, and hold it for the body."""
        if not alone:
            async with self._slots:
                yield
            return

        held = 0
        try:
            async with self._alone:
                while held < self.count:
                    await self._slots.acquire()
                    held += 1
                yield
        finally:
            for _ in range(held):
                self._slots.release()

    async def _attempt(
        self, prepare: "Callable[[_Setup], None]", job: "Callable[..., R]", given: tuple[object, ...]
    ) -> R:
        limit = self._setup.matching.timeout.total_seconds()
        async with self._prepared(prepare) as worker:
            try:
                result: R = await worker.run_within(limit, job, *given)
                return result
            except RanOutOfTime as late:
                if late.was_starved:
                    # No fault of the image, so it does not count towards setting the image aside.
                    detail = (
                        f"a worker had this image for too long, but only {late.used:.1f} s of CPU for it: "
                        "the machine is too busy; run it again"
                    )
                    raise WorkerLost(SkipReason.TIMED_OUT, detail) from late
                detail = f"a worker was busy with this image for more than {limit:g} s"
                raise WorkerLost(SkipReason.TIMED_OUT, detail, 1) from late

    @asynccontextmanager
    async def _prepared(self, prepare: "Callable[[_Setup], None]") -> AsyncIterator[WorkerProcess]:
        """Lend a worker that has its libraries, its limits and the newest index: none of that is charged to an image.

        Raises IndexNotReady, and WorkersUnavailable when several workers die or hang while they start.
        """
        worker = await self._ready_worker(prepare)
        try:
            yield worker
        finally:
            self._pool.give_back(worker)

    async def _ready_worker(self, prepare: "Callable[[_Setup], None]") -> WorkerProcess:
        seconds = START_TIME.total_seconds()
        pauses = iter(_PAUSES)
        while True:
            worker = await self._pool.take()
            try:
                await worker.run_within(seconds, prepare, self._setup)
                return worker
            except RanOutOfTime as late:
                self._pool.give_back(worker)
                why = "the machine is too busy; run it again" if late.was_starved else f"it computed for {seconds:g} s"
                raise WorkersUnavailable(f"a worker process did not get ready: {why}") from late
            except WorkerDied as died:
                self._pool.give_back(worker)
                pause = next(pauses, None)
                if pause is None:
                    raise WorkersUnavailable(f"a worker process {died} while it started, several times") from died
            except BaseException:
                self._pool.give_back(worker)
                raise
            await asyncio.sleep(pause.total_seconds())


def _kills_for_memory() -> int:
    """Return how many processes this machine's kernel has killed for want of memory; 0 where it does not say."""
    try:
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def _digest_of_weights(embedding: EmbeddingSettings) -> str | None:
    """Return the digest of the descriptor's weights, None without a descriptor. Raises WeightsMissing."""
    if embedding.model is None and embedding.weights is None:
        # The descriptor's file brings OpenCV, which this process needs for nothing else.
        return None
    from guardian.matching.features.weights import find_weights

    weights = find_weights(embedding)
    return weights.digest if weights else None


def _match(setup: _Setup, content: bytes, newer_than: int, quick: bool) -> MatchReport:
    return _matcher(setup).match(content, newer_than, quick=quick)


def _match_and_describe(setup: _Setup, content: bytes, newer_than: int) -> tuple[MatchReport, DescribedPicture]:
    report, small = _matcher(setup).match_and_describe(content, newer_than)
    return report, DescribedPicture(small.format, small.packed())


def _describe(setup: _Setup, content: bytes) -> DescribedPicture:
    small = _matcher(setup).small_fingerprint(content)
    return DescribedPicture(small.format, small.packed())


def _fingerprint(setup: _Setup, content: bytes) -> "Fingerprint":
    return _matcher(setup).fingerprint(content)


def _fingerprint_with(setup: _Setup, also: Callable[[bytes], R], content: bytes) -> "tuple[Fingerprint, bytes, R]":
    return *_matcher(setup).fingerprint_with_copy(content), also(content)


def _easy_copies(setup: _Setup, content: bytes) -> tuple[bytes, bytes]:
    return _matcher(setup).easy_copies(content)


def _is_same_picture(setup: _Setup, content: bytes, other: bytes) -> bool:
    return _matcher(setup).is_same_picture(content, other)


def _with_matcher(setup: _Setup, job: "Callable[[Matcher, *Arguments], R]", arguments: "tuple[*Arguments]") -> R:
    return job(_matcher(setup), *arguments)


def _open(setup: _Setup) -> None:
    _matcher(setup)


def _follow_index(setup: _Setup) -> None:
    _matcher(setup).warm()


@lru_cache(maxsize=1)
def _matcher(setup: _Setup) -> "Matcher":
    """Open the matcher of this worker process, once; limits are set before any byte of an image is seen."""
    import cv2

    from guardian.matching.features.embedding import load
    from guardian.matching.matcher import Matcher

    cv2.setNumThreads(1)
    embedder = load(setup.embedding)
    if embedder is None:
        # torch reserves far more address space than memory, so the limit is only for workers without it.
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        wanted = setup.matching.max_memory
        resource.setrlimit(resource.RLIMIT_AS, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))
    return Matcher(setup.matching, embedder, setup.index_folder, confidence=setup.confidence)
