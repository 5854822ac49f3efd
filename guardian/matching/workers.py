"""Worker processes around the matcher: started when needed, killed when they hang, replaced when they die.

A hostile picture may crash or hang a decoder, so no pixel is ever touched in the daemon's own process.
Encoded bytes travel in, measurements travel out.
"""

import asyncio
import ctypes
import os
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

import anyio
from anyio import BrokenWorkerProcess, CapacityLimiter, to_process

from guardian.errors import WeightsMissing, WorkerLost
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.model import MatchReport, SkipReason

if TYPE_CHECKING:
    from guardian.matching.features.fingerprint import Fingerprint
    from guardian.matching.matcher import Matcher

START_TIME = timedelta(minutes=3)
"""How long a worker may take to load its libraries, the index and the descriptor."""

_SET_PARENT_DEATH_SIGNAL = 1

R = TypeVar("R")
Arguments = TypeVarTuple("Arguments")


@dataclass(frozen=True, slots=True)
class _Setup:
    """What a worker opens its matcher with. Hashable: a worker keeps the matcher it has opened."""

    matching: MatchingSettings
    embedding: EmbeddingSettings
    index_folder: Path


class Workers:
    """A pool of worker processes. Use it inside one event loop; the workers end with it.

    `without_descriptor` says why a configured descriptor is not used; None when all is as configured.
    """

    def __init__(self, matching: MatchingSettings, embedding: EmbeddingSettings, index_folder: Path) -> None:
        from guardian.matching.recipe import index_recipe, report_recipe

        self.without_descriptor: str | None = None
        try:
            digest = _digest_of_weights(embedding)
        except WeightsMissing as error:
            digest = None
            self.without_descriptor = str(error)
            embedding = EmbeddingSettings()
        self.index_recipe = index_recipe(matching, digest)
        self.report_recipe = report_recipe(matching, digest)
        self._setup = _Setup(matching, embedding, index_folder)
        self.count = matching.workers or os.cpu_count() or 1
        self._slots = CapacityLimiter(self.count)
        # Slots are taken here, before the clock of one image starts; anyio must not queue a second time.
        self._unlimited = CapacityLimiter(self.count + 1)

    @property
    def index_folder(self) -> Path:
        """The folder of this recipe's index."""
        return self._setup.index_folder / self.index_recipe

    async def match(self, content: bytes, newer_than: int = 0, *, quick: bool = False) -> MatchReport:
        """Compare an encoded image with the assets whose number is above `newer_than`.

        `quick`: with the least effort that finds easy copies.
        Raises Unmatchable (what the image is), IndexNotReady, WorkerLost (crashed or timed_out).
        """
        return await self._run(_follow_index, _match, (self._setup, content, newer_than, quick))

    async def fingerprint(self, content: bytes) -> "Fingerprint":
        """Compute what the index keeps of an encoded image. Raises Unmatchable, WorkerLost."""
        return await self.run(_fingerprint, self._setup, content)

    async def fingerprint_with(self, also: Callable[[bytes], R], content: bytes) -> "tuple[Fingerprint, bytes, R]":
        """Compute a fingerprint, an easy copy, and what `also` says of the same bytes, in one way there and back.

        `also` must be importable by its name. Raises Unmatchable, WorkerLost.
        """
        return await self.run(_fingerprint_with, self._setup, also, content)

    async def easy_copies(self, content: bytes) -> tuple[bytes, bytes]:
        """Make copies of an encoded image: at half its size, and recompressed. Raises Unmatchable, WorkerLost."""
        return await self.run(_easy_copies, self._setup, content)

    async def warm(self) -> None:
        """Start one worker and load what it needs, so that the first image does not wait for that."""
        async with self._slots:
            await self._load(_follow_index)

    async def run(self, job: "Callable[[*Arguments], R]", *arguments: *Arguments) -> R:
        """Do a job in a worker: one at a time in each, so a death concerns one job only.

        A job whose worker died is tried once more, in another worker; one that ran out of time is not.
        """
        return await self._run(_open, job, arguments)

    async def aclose(self) -> None:
        """Nothing to flush: workers hold no state, and die with the event loop or with this process."""
        await asyncio.sleep(0)

    async def _run(self, prepare: "Callable[[_Setup], None]", job: "Callable[..., R]", given: tuple[object, ...]) -> R:
        async with self._slots:
            try:
                return await self._attempt(prepare, job, given)
            except BrokenWorkerProcess:
                pass
            try:
                return await self._attempt(prepare, job, given)
            except BrokenWorkerProcess as error:
                raise WorkerLost(SkipReason.CRASHED, "a worker process died on this image, twice") from error

    async def _attempt(
        self, prepare: "Callable[[_Setup], None]", job: "Callable[..., R]", given: tuple[object, ...]
    ) -> R:
        # What a new worker loads, and a changed index, must not be charged to one image. There are never
        # more jobs than prepared workers, so whichever worker takes the job is prepared.
        await self._load(prepare)
        limit = self._setup.matching.timeout
        with anyio.move_on_after(limit.total_seconds()):
            return await self._in_process(job, given)
        raise WorkerLost(
            SkipReason.TIMED_OUT, f"a worker was busy with this image for more than {limit.total_seconds():g} s"
        )

    async def _load(self, prepare: "Callable[[_Setup], None]") -> None:
        with anyio.move_on_after(START_TIME.total_seconds()):
            return await self._in_process(prepare, (self._setup,))
        raise WorkerLost(SkipReason.TIMED_OUT, f"a worker was not ready after {START_TIME.total_seconds():g} s")

    async def _in_process(self, job: "Callable[..., R]", given: tuple[object, ...]) -> R:
        return await to_process.run_sync(job, *given, cancellable=True, limiter=self._unlimited)


def _digest_of_weights(embedding: EmbeddingSettings) -> str | None:
    """Return the digest of the descriptor's weights, None without a descriptor. Raises WeightsMissing."""
    if embedding.model is None and embedding.weights is None:
        # The descriptor's file brings OpenCV, which this process needs for nothing else.
        return None
    from guardian.matching.features.embedding import find_weights

    weights = find_weights(embedding)
    return weights.digest if weights else None


def _match(setup: _Setup, content: bytes, newer_than: int, quick: bool) -> MatchReport:
    return _matcher(setup).match(content, newer_than, quick=quick)


def _fingerprint(setup: _Setup, content: bytes) -> "Fingerprint":
    return _matcher(setup).fingerprint(content)


def _fingerprint_with(setup: _Setup, also: Callable[[bytes], R], content: bytes) -> "tuple[Fingerprint, bytes, R]":
    return *_matcher(setup).fingerprint_with_copy(content), also(content)


def _easy_copies(setup: _Setup, content: bytes) -> tuple[bytes, bytes]:
    return _matcher(setup).easy_copies(content)


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

    # The parent may be killed without a chance to say goodbye; its workers must not stay behind.
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # Decoders written in C complain on standard error. Nobody reads that pipe; once full, it would stop the worker.
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), 2)
    cv2.setNumThreads(1)
    embedder = load(setup.embedding)
    if embedder is None:
        # torch reserves far more address space than memory, so the limit is only for workers without it.
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        wanted = setup.matching.max_memory
        resource.setrlimit(resource.RLIMIT_AS, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))
    return Matcher(setup.matching, embedder, setup.index_folder)
