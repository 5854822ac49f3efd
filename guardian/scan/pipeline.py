"""The walk of one image, from top to bottom: acquire, same bytes?, match, judge, keep, record.

`scan` takes every image of a source all the way. `check` stops after judging: it records nothing and tells nobody.
Each step is one function of its own module; they know nothing of each other, and none calls back into this one.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from guardian.concurrency import closed_after, in_order, run_all
from guardian.crawl.context import CrawlContext, Seen
from guardian.crawl.page_loader import PageLoader
from guardian.crawl.page_reader import PageReader
from guardian.errors import ClaimLost, FetchFailed, FetchRefused, IndexNotReady, StoreUnusable, WorkerLost
from guardian.media.sniff import is_page
from guardian.model import Answer, Candidate, Checkpoint, Fetched, Sighting, Skipped, SkipReason, Unchanged
from guardian.scan.acquire import acquire, transfer
from guardian.scan.context import CHECK, ScanContext, context_of_check
from guardian.scan.image_match import match_image
from guardian.scan.judge import is_own, judge
from guardian.scan.ordering import SameBytes, Turn
from guardian.scan.record import keep_evidence, record
from guardian.scan.services import Services
from guardian.sources.files import files_in
from guardian.sources.kinds import Source
from guardian.urls.addresses import is_web_address

IMAGES_IN_FLIGHT = 16
"""Of one scan or check: bounds the bytes in memory, while hosts have bounds of their own for requests."""

PAGES_IN_FLIGHT = 8
"""Pages whose images are walked at once; a slow image of one does not hold up the next."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Page:
    """Sightings that share a page, or one that has none; or what was left out, or how far the crawl has come."""

    sightings: tuple[Sighting, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    checkpoint: Checkpoint | None = None


@dataclass(frozen=True, slots=True)
class _Walked:
    """What came of one image. `evidence` holds its bytes exactly when the rules want a match kept."""

    answer: Answer
    evidence: Fetched | None = None


@dataclass(frozen=True, slots=True)
class _Repeat:
    """An image with the same bytes as an earlier one of its page, which answers for both."""

    of: int


async def scan(
    services: Services, context: ScanContext, source: Source
) -> AsyncIterator[Answer | Skipped | Checkpoint]:
    """Make one pass over a source: every image is walked and recorded, everything left out is named.

    A Checkpoint comes when everything before it is recorded; the caller, who keeps the account, settles it. Raises
    what the source raises when it cannot be read itself.
    """
    crawl = CrawlContext(context.fetcher, services.store, services.clock)
    slots = asyncio.Semaphore(IMAGES_IN_FLIGHT)

    async def walk_page(page: _Page) -> tuple[list[Answer | Skipped], Checkpoint | None]:
        walked = await _walk_images(services, context, page.sightings, slots)
        for image in walked:
            if image.evidence is not None:
                # The exact bytes are on disk before anything says that they were found.
                kept = await keep_evidence(services, context, image.evidence)
                await record(services, image.answer, image.evidence, kept)
        return [*page.skipped, *(image.answer for image in walked)], page.checkpoint

    async with closed_after(in_order(_by_page(source.discover(crawl)), walk_page, PAGES_IN_FLIGHT)) as pages:
        async for results, checkpoint in pages:
            for result in results:
                yield result
            if checkpoint is not None:
                yield checkpoint


async def check(services: Services, targets: Iterable[str]) -> AsyncIterator[Answer | Skipped]:
    """Answer for files, folders, image addresses and pages (all their images), in the order of the targets.

    Nothing is recorded and nobody is told. A person asks, so robots.txt does not stop these few requests.
    """
    context = context_of_check(services)
    slots = asyncio.Semaphore(IMAGES_IN_FLIGHT)

    async def answer(target: str) -> list[Answer | Skipped]:
        try:
            seen = await _seen_at(services, context, target)
        except (FetchRefused, FetchFailed) as error:
            sighting = Sighting(source=CHECK, image_url=target, page_url=None, seen_at=services.clock())
            return [_not_fetched(sighting, error, time.monotonic())]

        images = [item for item in seen if isinstance(item, Sighting)]
        walked = await _walk_images(services, context, images, slots)
        skipped = [item for item in seen if isinstance(item, Skipped)]
        return [*skipped, *(replace(image.answer, target=target) for image in walked)]

    async with closed_after(in_order(_each(targets), answer, IMAGES_IN_FLIGHT)) as answered:
        async for results in answered:
            for result in results:
                yield result


# The walk of the images of one page.


async def _walk_images(
    services: Services, context: ScanContext, sightings: Sequence[Sighting], slots: asyncio.Semaphore
) -> list[_Walked]:
    """Answer each image of one page; the same bytes at several addresses are one answer with `also_at`.

    The bytes of images that nobody wants to keep are dropped at once, so a page of a thousand images costs no memory.
    """
    same_bytes = SameBytes(len(sightings))

    async def walk(number: int, sighting: Sighting) -> _Walked | _Repeat:
        started = time.monotonic()
        async with slots, same_bytes.turn(number) as turn:
            return await _walk_image(services, context, sighting, turn, started)

    walked = await run_all(walk(number, sighting) for number, sighting in enumerate(sightings))
    return _without_repeats(sightings, walked)


async def _walk_image(
    services: Services, context: ScanContext, sighting: Sighting, turn: Turn, started: float
) -> _Walked | _Repeat:
    """Take one image from its address to its answer, with its bytes if the rules want them kept.

    What the site says is unchanged is judged by what was measured before: nothing is transferred and nothing decoded.
    """
    # Acquire: from memory, from disk or from the network, under the best address that has a picture.
    try:
        candidate = await acquire(services, context, sighting)
    except (FetchRefused, FetchFailed) as error:
        return _Walked(_not_fetched(sighting, error, started))

    # Same bytes? A page that shows a picture twice is one finding with two addresses.
    first = await turn.first_with(candidate.sha256)
    if first != turn.number:
        return _Repeat(first)

    # Match and judge.
    answer = await _answer(services, candidate, started)
    if not _is_kept(answer):
        return _Walked(answer)

    # Evidence needs the bytes, also of what was not transferred so far.
    if isinstance(candidate, Fetched):
        return _Walked(answer, candidate)
    try:
        fetched = await transfer(services, context, candidate)
    except (FetchRefused, FetchFailed) as error:
        return _Walked(_not_fetched(sighting, error, started))

    if fetched.sha256 != candidate.sha256:
        # Replaced between the two requests: what came last is what is judged.
        answer = await _answer(services, fetched, started)
    return _Walked(answer, fetched if _is_kept(answer) else None)


async def _answer(services: Services, candidate: Candidate, started: float) -> Answer:
    """Match and judge a picture, or judge what was measured before, when it is unchanged.

    The supervision point of one image: whatever happens, the rest goes on.
    """
    where = candidate.sighting.image_url or "data:"
    try:
        if isinstance(candidate, Unchanged):
            report = candidate.report
        else:
            report = await match_image(services.store, services.workers, services.clock, candidate)
        if isinstance(report, Skipped):
            return _not_compared(candidate, replace(report, url=where), started, unmatchable=True)

        own_hosts = services.settings.own_hosts
        judged = await asyncio.to_thread(judge, services.store, services.rules, own_hosts, candidate.sighting, report)
        return Answer(
            target=_target(candidate.sighting),
            sighting=candidate.sighting,
            sha256=candidate.sha256,
            elapsed_ms=_elapsed_ms(started),
            judged=judged,
            report=report,
            own=is_own(candidate.sighting, own_hosts),
            cache_status=candidate.cache_status,
        )
    except WorkerLost as error:
        return _not_compared(candidate, Skipped(where, error.reason, str(error)), started)
    except (IndexNotReady, StoreUnusable, ClaimLost):
        # No fault of this image, and every other one would fail the same way.
        raise
    except Exception as error:
        log.exception("image_failed", image_url=where, sha256=candidate.sha256)
        return _not_compared(candidate, Skipped(where, SkipReason.INTERNAL, repr(error)), started)


def _not_fetched(sighting: Sighting, error: FetchRefused | FetchFailed, started: float) -> Answer:
    """Return the answer for an image whose bytes could not be had."""
    return Answer(
        target=_target(sighting),
        sighting=sighting,
        sha256=None,
        elapsed_ms=_elapsed_ms(started),
        problem=error.skipped,
    )


def _not_compared(candidate: Candidate, problem: Skipped, started: float, *, unmatchable: bool = False) -> Answer:
    """Return the answer for an image that is here, but with which nothing was compared."""
    return Answer(
        target=_target(candidate.sighting),
        sighting=candidate.sighting,
        sha256=candidate.sha256,
        elapsed_ms=_elapsed_ms(started),
        problem=problem,
        unmatchable=unmatchable,
        cache_status=candidate.cache_status,
    )


def _target(sighting: Sighting) -> str:
    return sighting.page_url or sighting.image_url or "data:"


def _elapsed_ms(started: float) -> float:
    return (time.monotonic() - started) * 1000


def _is_kept(answer: Answer) -> bool:
    return any(match.kept for match in answer.judged)


def _without_repeats(sightings: Sequence[Sighting], walked: Sequence[_Walked | _Repeat]) -> list[_Walked]:
    """Return one answer for each picture, with all the addresses that the page has for it."""
    addresses: dict[int, list[str]] = {}
    for sighting, one in zip(sightings, walked, strict=True):
        if isinstance(one, _Repeat):
            more = addresses.setdefault(one.of, [])
            if sighting.image_url is not None:
                more.append(sighting.image_url)
            more.extend(sighting.also_at)

    answered = []
    for number, one in enumerate(walked):
        if isinstance(one, _Walked):
            also_at = _other_addresses(one.answer.sighting, addresses.get(number, []))
            answered.append(replace(one, answer=replace(one.answer, also_at=also_at)))
    return answered


def _other_addresses(sighting: Sighting, more: Sequence[str]) -> tuple[str, ...]:
    """Return the other addresses of a picture, each once, its own address left out."""
    addresses = dict.fromkeys([*sighting.also_at, *more])
    addresses.pop(sighting.image_url or "", None)
    return tuple(addresses)


# What there is to walk.


async def _by_page(discovered: AsyncIterator[Seen]) -> AsyncIterator[_Page]:
    """Group what a source yields by page, so that one picture under many addresses is met together."""
    group: list[Sighting] = []
    async with closed_after(discovered):
        async for item in discovered:
            match item:
                case Skipped():
                    yield _Page(skipped=(item,))
                case Checkpoint():
                    yield _Page(tuple(group), checkpoint=item)
                    group = []
                case Sighting():
                    if group and (item.page_url is None or item.page_url != group[0].page_url):
                        yield _Page(tuple(group))
                        group = []
                    group.append(item)
    if group:
        yield _Page(tuple(group))


async def _each(targets: Iterable[str]) -> AsyncIterator[str]:
    """Yield targets as asked, a folder replaced by its files (sorted, links followed)."""
    for target in targets:
        if is_web_address(target) or not Path(target).is_dir():
            yield target
        else:
            for path in files_in(Path(target)):
                yield str(path)


async def _seen_at(services: Services, context: ScanContext, target: str) -> list[Sighting | Skipped]:
    """Return what a target shows: itself when it is an image, all its images when it is a page."""
    now = services.clock()
    if not is_web_address(target):
        return [Sighting(source=CHECK, image_url=Path(target).absolute().as_uri(), page_url=None, seen_at=now)]

    # Asked for as an image, which is what most people name; a page comes as well.
    capture = await PageLoader(context.fetcher).load(target, kind="image")
    if not is_page(capture.response):
        return [Sighting(source=CHECK, image_url=target, page_url=None, seen_at=now, image=capture.response)]

    reader = PageReader(CHECK, CrawlContext(context.fetcher, services.store, services.clock))
    return list((await reader.read_capture(capture)).seen)
