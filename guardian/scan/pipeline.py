"""Takes each image through all steps: acquire, compare bytes within the page, match, judge, keep, record.

`scan` takes every image of a source all the way. `check` stops after judging: it records nothing and queues no message.
Each step is one function in a module of its own. The steps know nothing of each other, and none calls back into here.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from guardian.concurrency import closed_after, in_order, run_all
from guardian.crawl.context import Seen
from guardian.errors import (
    ClaimLost,
    FetchFailed,
    FetchRefused,
    IndexNotReady,
    StoreUnusable,
    WorkerLost,
    WorkersUnavailable,
    internal_error_text,
)
from guardian.model import (
    Answer,
    Candidate,
    Checkpoint,
    DescribedPicture,
    Fetched,
    MatchReport,
    NotSeen,
    Sighting,
    Skipped,
    SkipReason,
    Unchanged,
)
from guardian.scan.acquire import acquire, transfer
from guardian.scan.context import CHECK, ScanContext, context_of_check, crawl_context_of
from guardian.scan.identical import with_identical
from guardian.scan.image_match import Matched, match_image
from guardian.scan.judge import is_own, judge
from guardian.scan.lookalikes import quiet_lookalikes
from guardian.scan.record import Evidence, PageBytes, keep_evidence, note_doubts, record
from guardian.scan.remember import remember_seen
from guardian.scan.same_bytes import SameBytes, Turn
from guardian.scan.services import Services
from guardian.scan.targets import expanded, nothing_to_compare, seen_at
from guardian.sources.kinds import Source
from guardian.urls.addresses import is_web_address

IMAGES_IN_FLIGHT = 16
"""Of one scan or check. It bounds the bytes in memory; requests to a host have bounds of their own."""

PAGES_IN_FLIGHT = 8
"""Pages whose images are answered at once, so that a slow image of one page does not hold up the next."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Page:
    """Sightings that share a page, or one that has none; or what was left out; or a checkpoint of the crawl."""

    sightings: tuple[Sighting, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    checkpoint: Checkpoint | None = None


@dataclass(frozen=True, slots=True)
class _Answered:
    """The answer for one image. `evidence` has its bytes exactly when the rules want a match kept.

    `described` is what the memory is to keep of the image; None when it has that already.
    """

    answer: Answer
    evidence: Fetched | None = None
    described: DescribedPicture | None = None


@dataclass(frozen=True, slots=True)
class _Repeat:
    """An image with the same bytes as an earlier one of its page, number `of`, whose answer is for both."""

    of: int


async def scan(
    services: Services, context: ScanContext, source: Source
) -> AsyncIterator[Answer | Skipped | Checkpoint]:
    """Scan a source: yield the answer for every image, once it is recorded, and a Skipped for all that was left out.

    A Checkpoint comes when everything before it is recorded; the caller writes it together with the counts. Raises
    FetchRefused, FetchFailed when the source itself cannot be read.
    """
    crawl = crawl_context_of(services, context)
    slots = asyncio.Semaphore(IMAGES_IN_FLIGHT)

    async def answer_page(page: _Page) -> tuple[list[Answer | Skipped], Checkpoint | None]:
        answers = await answer_and_record(services, context, page.sightings, slots)
        results: list[Answer | Skipped] = [*page.skipped, *answers]
        await note_doubts(services, results)
        return results, page.checkpoint

    async with closed_after(in_order(_by_page(source.discover(crawl)), answer_page, PAGES_IN_FLIGHT)) as pages:
        async for results, checkpoint in pages:
            for result in results:
                yield result
            if checkpoint is not None:
                yield checkpoint


async def answer_and_record(
    services: Services,
    context: ScanContext,
    sightings: Sequence[Sighting],
    slots: asyncio.Semaphore,
    seen_since: datetime | None = None,
) -> list[Answer]:
    """Take the images of one page all the way: return their answers once they are recorded and remembered.

    `seen_since`: since when the memory has known the images there; None for what was met just now.
    """
    answered = await _answer_images(services, context, sightings, slots)
    page_bytes = PageBytes(services, context)
    for image in answered:
        if image.evidence is not None:
            # The exact bytes are on disk before the database refers to them.
            evidence = Evidence(image.evidence, await page_bytes.of(image.evidence.sighting.page), seen_since)
            kept = await keep_evidence(services, evidence)
            await record(services, image.answer, evidence, kept)

    await remember_seen(services, [(image.answer, image.described) for image in answered])
    return [image.answer for image in answered]


async def answer_only(services: Services, context: ScanContext, sighting: Sighting) -> Answer:
    """Return the answer for one image; nothing is recorded or remembered."""
    (answered,) = await _answer_images(services, context, [sighting], asyncio.Semaphore(1))
    return answered.answer


async def check(
    services: Services, targets: Iterable[str], *, recorded: bool = False
) -> AsyncIterator[Answer | NotSeen]:
    """Yield answers for files, folders, image addresses and pages (all their images), in the order of the targets.

    What is left out of a target follows its answers. A target of which no image was looked at always has an error
    among its answers, or something left out that may hide a copy. A person asks, so robots.txt does not apply to these
    few requests.

    Nothing is recorded and no message is queued; with `recorded`, what addresses show is recorded and told of as a scan
    does. Files have no place that could be recorded.
    """
    context = context_of_check(services)
    slots = asyncio.Semaphore(IMAGES_IN_FLIGHT)

    async def answer(target: str | NotSeen) -> list[Answer | NotSeen]:
        if isinstance(target, NotSeen):
            return [target]
        try:
            seen = await seen_at(services, context, target)
        except (FetchRefused, FetchFailed) as error:
            sighting = Sighting(source=CHECK, image_url=target, page_url=None, seen_at=services.clock())
            return [_not_fetched(sighting, error)]

        images = [item for item in seen if isinstance(item, Sighting)]
        if recorded and is_web_address(target):
            answered = await answer_and_record(services, context, images, slots)
        else:
            answered = [image.answer for image in await _answer_images(services, context, images, slots)]
        skipped = [item for item in seen if isinstance(item, Skipped)]
        if not answered and not any(one.reason.may_hide_a_copy for one in skipped):
            skipped.append(Skipped(target, SkipReason.NO_PICTURES, nothing_to_compare(skipped)))
        answers = [replace(one, target=target) for one in answered]
        return [*answers, *(NotSeen(target, one) for one in skipped)]

    async with closed_after(in_order(expanded(targets), answer, IMAGES_IN_FLIGHT)) as answers:
        async for results in answers:
            for result in results:
                yield result


# The images of one page.


async def _answer_images(
    services: Services, context: ScanContext, sightings: Sequence[Sighting], slots: asyncio.Semaphore
) -> list[_Answered]:
    """Answer each image of one page; the same bytes at several addresses are one answer with `also_at`.

    Bytes that are not evidence are dropped at once, so that a page with a thousand images needs little memory.
    """
    same_bytes = SameBytes(len(sightings))

    async def answer_one(number: int, sighting: Sighting) -> _Answered | _Repeat:
        async with slots, same_bytes.turn(number) as turn:
            began = time.monotonic()
            answered = await _answer_image(services, context, sighting, turn)
            if isinstance(answered, _Repeat):
                return answered
            elapsed_ms = (time.monotonic() - began) * 1000
            return replace(answered, answer=replace(answered.answer, elapsed_ms=elapsed_ms))

    answered = await run_all(answer_one(number, sighting) for number, sighting in enumerate(sightings))
    return _without_repeats(sightings, answered)


async def _answer_image(
    services: Services, context: ScanContext, sighting: Sighting, turn: Turn
) -> _Answered | _Repeat:
    """Take one image from its address to its answer, with its bytes if the rules want them kept.

    An image that is unchanged is judged by the cached report: it is neither transferred nor decoded.
    """
    # Acquire: from the cache, from disk or from the network, at the best address that has a picture.
    try:
        candidate = await acquire(services, context, sighting)
    except (FetchRefused, FetchFailed) as error:
        return _Answered(_not_fetched(sighting, error))

    # Same bytes? A page that shows a picture twice is one finding with two addresses.
    first = await turn.first_with(candidate.sha256)
    if first != turn.number:
        return _Repeat(first)

    # Match and judge.
    answered = await _match_and_judge(services, context, candidate)
    if not _is_kept(answered.answer):
        return answered

    # Evidence needs the bytes, also of an image that was not transferred so far.
    if isinstance(candidate, Fetched):
        return replace(answered, evidence=candidate)
    try:
        fetched = await transfer(services, context, candidate)
    except (FetchRefused, FetchFailed) as error:
        return _Answered(_not_fetched(sighting, error))

    if fetched.sha256 != candidate.sha256:
        # The image was replaced between the two requests: judge what is kept.
        answered = await _match_and_judge(services, context, fetched)
    return replace(answered, evidence=fetched if _is_kept(answered.answer) else None)


async def _match_and_judge(services: Services, context: ScanContext, candidate: Candidate) -> _Answered:
    """Return the answer for a candidate: matched now, or by its cached report when it is unchanged; then judged.

    Supervises one image: an error in it is logged and reported, and the others go on. Raises only what every other
    image would raise as well: IndexNotReady, StoreUnusable, ClaimLost, WorkersUnavailable.
    """
    url = candidate.sighting.image_url or "data:"
    try:
        matched = await _matched(services, context, candidate)
        if isinstance(matched.report, Skipped):
            return _Answered(_not_compared(candidate, replace(matched.report, url=url), unmatchable=True))
        return _Answered(await _judged(services, candidate, matched.report), described=matched.described)
    except WorkerLost as error:
        return _Answered(_not_compared(candidate, Skipped(url, error.reason, str(error))))
    except (IndexNotReady, StoreUnusable, ClaimLost, WorkersUnavailable):
        # No fault of this image, and every other one would fail the same way.
        raise
    except Exception as error:
        log.exception("image_failed", image_url=url, page_url=candidate.sighting.page_url, sha256=candidate.sha256)
        problem = Skipped(url, SkipReason.INTERNAL, internal_error_text(error))
        return _Answered(_not_compared(candidate, problem))


async def _matched(services: Services, context: ScanContext, candidate: Candidate) -> Matched:
    """Return what the matcher says of a candidate, now or before, completed by what its very bytes say."""
    if isinstance(candidate, Unchanged):
        matched = Matched(candidate.report)
    else:
        memory = None if context.asked_by_person else services.memory
        matched = await match_image(services.store, services.workers, services.clock, candidate, memory)
    recipe = services.workers.report_recipe
    report = await asyncio.to_thread(with_identical, services.store, recipe, candidate.sha256, matched.report)
    return replace(matched, report=report)


async def _judged(services: Services, candidate: Candidate, report: MatchReport) -> Answer:
    """Return the answer for a candidate that was compared: its matches, judged by licences and rules."""
    sighting, own_hosts = candidate.sighting, services.settings.own_hosts
    judged = await asyncio.to_thread(judge, services.store, services.rules, own_hosts, sighting, report)
    return Answer(
        target=_target(sighting),
        sighting=sighting,
        sha256=candidate.sha256,
        judged=await quiet_lookalikes(services, candidate, judged, report),
        report=report,
        own=is_own(sighting, own_hosts),
        cache_status=candidate.cache_status,
        status=candidate.status,
        incomplete=candidate.incomplete,
    )


def _not_fetched(sighting: Sighting, error: FetchRefused | FetchFailed) -> Answer:
    """Return the answer for an image that could not be fetched."""
    return Answer(
        target=_target(sighting),
        sighting=sighting,
        sha256=None,
        problem=error.skipped,
    )


def _not_compared(candidate: Candidate, problem: Skipped, *, unmatchable: bool = False) -> Answer:
    """Return the answer for an image that was fetched but could not be compared."""
    return Answer(
        target=_target(candidate.sighting),
        sighting=candidate.sighting,
        sha256=candidate.sha256,
        problem=problem,
        unmatchable=unmatchable,
        cache_status=candidate.cache_status,
        status=candidate.status,
        incomplete=candidate.incomplete,
    )


def _target(sighting: Sighting) -> str:
    """Return what the answer of a scan is about: the page, or the image when it has none."""
    return sighting.page_url or sighting.image_url or "data:"


def _is_kept(answer: Answer) -> bool:
    return any(match.kept for match in answer.judged)


def _without_repeats(sightings: Sequence[Sighting], answered: Sequence[_Answered | _Repeat]) -> list[_Answered]:
    """Return one answer for each different picture, with all the addresses that the page has for it."""
    addresses: dict[int, list[str]] = {}
    for sighting, one in zip(sightings, answered, strict=True):
        if isinstance(one, _Repeat):
            more = addresses.setdefault(one.of, [])
            if sighting.image_url is not None:
                more.append(sighting.image_url)
            more.extend(sighting.also_at)

    distinct = []
    for number, one in enumerate(answered):
        if isinstance(one, _Answered):
            also_at = _other_addresses(one.answer.sighting, addresses.get(number, []))
            distinct.append(replace(one, answer=replace(one.answer, also_at=also_at)))
    return distinct


def _other_addresses(sighting: Sighting, more: Sequence[str]) -> tuple[str, ...]:
    """Return the other addresses of a picture, each once, its own address left out."""
    addresses = dict.fromkeys([*sighting.also_at, *more])
    addresses.pop(sighting.image_url or "", None)
    return tuple(addresses)


# Where images come from.


async def _by_page(discovered: AsyncIterator[Seen]) -> AsyncIterator[_Page]:
    """Group what a source yields by page, so that one picture at many addresses of a page is answered once."""
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
