"""THE WALK of one image: fetch, match, judge, keep, record. `check` asks, `scan` also records.

Reads from top to bottom; nothing calls back. The only caller of arrival + match + decide + record.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import structlog

from guardian import cases, licences
from guardian.cases import Kept, RecordedUse
from guardian.crawl.context import Checkpoint, CrawlContext, Seen
from guardian.crawl.page_reader import PageReader
from guardian.errors import (
    ClaimLost,
    FetchFailed,
    FetchRefused,
    IndexNotReady,
    StoreUnusable,
    Unmatchable,
    WorkerLost,
)
from guardian.evidence import Vault, VaultFull, keep_response
from guardian.media.sniff import is_page
from guardian.model import (
    Answer,
    AssetState,
    CacheStatus,
    Candidate,
    JudgedMatch,
    MatchReport,
    Sighting,
    Skipped,
    SkipReason,
)
from guardian.rules import Ownership, Use, ownership_of
from guardian.scan.acquire import acquire_image, cache_status_of, with_content, with_page
from guardian.scan.services import Services
from guardian.sources.files import files_in
from guardian.sources.kinds import Source
from guardian.urls.addresses import host_of, is_web_address

IMAGES_IN_FLIGHT = 16
PAGES_IN_FLIGHT = 8
log = structlog.get_logger(__name__)
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Page:
    """Sightings that share a page, or one sighting that has none, and what was left out beside them."""

    sightings: tuple[Sighting, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    checkpoint: Checkpoint | None = None


async def scan(services: Services, source: Source) -> AsyncIterator[Answer | Skipped | Checkpoint]:
    """One pass over a source: every image walked and recorded, everything left out named.

    A Checkpoint comes when everything before it is recorded; the caller, who keeps the account, settles it.
    """
    services = replace(services, asked_since=services.clock())
    context = CrawlContext(fetch=services.web, store=services.store, clock=services.clock)
    room = asyncio.Semaphore(IMAGES_IN_FLIGHT)

    async def process_page(page: _Page) -> tuple[list[Answer | Skipped], Checkpoint | None]:
        seen = await _answer_page(services, page.sightings, room)
        for answer, candidate in seen:
            if candidate is not None and any(match.kept for match in answer.judged):
                await _keep_and_record(services, answer, candidate)
        return [*page.skipped, *(answer for answer, _ in seen)], page.checkpoint

    async for results, checkpoint in _in_order(_pages(source.discover(context)), process_page, PAGES_IN_FLIGHT):
        for result in results:
            yield result
        if checkpoint is not None:
            yield checkpoint


async def check(services: Services, targets: Iterable[str]) -> AsyncIterator[Answer | Skipped]:
    """Answer for files, folders, image addresses and pages (all their images), in the order of the targets.

    Nothing is recorded and nobody is told. A person asks, so robots.txt does not stop these few requests.
    """
    services = replace(services, asked_by_person=True)
    room = asyncio.Semaphore(IMAGES_IN_FLIGHT)

    async def answer(target: str) -> list[Answer | Skipped]:
        try:
            seen = await _sightings_at(services, target)
        except (FetchRefused, FetchFailed) as error:
            sighting = Sighting(source="check", image_url=target, page_url=None, seen_at=services.clock())
            return [_answer(sighting, None, time.monotonic(), problem=error.skipped)]
        pictures = [item for item in seen if isinstance(item, Sighting)]
        answers = [replace(found, target=target) for found, _ in await _answer_page(services, pictures, room)]
        return [*(item for item in seen if isinstance(item, Skipped)), *answers]

    async for results in _in_order(_each(targets), answer, IMAGES_IN_FLIGHT):
        for result in results:
            yield result


async def _each(targets: Iterable[str]) -> AsyncIterator[str]:
    """Targets as asked, a folder replaced by its files (sorted, links followed)."""
    for target in targets:
        if is_web_address(target) or not Path(target).is_dir():
            yield target
        else:
            for path in files_in(Path(target)):
                yield str(path)


async def _sightings_at(services: Services, target: str) -> list[Sighting | Skipped]:
    """What a target shows: itself when it is an image, all its images when it is a page."""
    now = services.clock()
    if not is_web_address(target):
        return [Sighting(source="check", image_url=Path(target).absolute().as_uri(), page_url=None, seen_at=now)]
    response = await services.web.get(target, kind="image", asked_by_person=services.asked_by_person)
    if is_page(response):
        reader = PageReader("check", CrawlContext(services.web, services.store, services.clock), asked_by_person=True)
        return list((await reader.look(response)).seen)
    return [Sighting(source="check", image_url=target, page_url=None, seen_at=now, image=response)]


async def _pages(discovered: AsyncIterator[Seen]) -> AsyncIterator[_Page]:
    """Group what a source yields by page, so that one picture under many addresses is met together."""
    group: list[Sighting] = []
    async for item in discovered:
        if isinstance(item, Skipped):
            yield _Page(skipped=(item,))
            continue
        if isinstance(item, Checkpoint):
            yield _Page(tuple(group), checkpoint=item)
            group = []
            continue
        if group and (item.page_url is None or item.page_url != group[0].page_url):
            yield _Page(tuple(group))
            group = []
        group.append(item)
    if group:
        yield _Page(tuple(group))


async def _answer_page(
    services: Services, sightings: Sequence[Sighting], room: asyncio.Semaphore
) -> list[tuple[Answer, Candidate | None]]:
    """Answer each image of one page; the same bytes at several addresses are one answer with `also_at`.

    Candidates that nobody wants to keep are dropped at once, so a page of a thousand images costs no memory.
    """
    same = _SameBytes(len(sightings))
    repeats: dict[int, int] = {}

    async def one(number: int, sighting: Sighting) -> tuple[Answer, Candidate | None] | None:
        started = time.monotonic()
        async with room:
            try:
                found = await _look(services, sighting, number, same, started)
            except (FetchRefused, FetchFailed) as error:
                await same.first(number, None)
                return _answer(sighting, None, started, problem=error.skipped), None
            finally:
                same.pass_on(number)
        if isinstance(found, int):
            repeats[number] = found
            return None
        return found

    seen = await asyncio.gather(*(one(number, sighting) for number, sighting in enumerate(sightings)))
    addresses: dict[int, list[str]] = {}
    for number, first in repeats.items():
        addresses.setdefault(first, []).extend(_addresses(sightings[number]))
    return [
        (replace(result[0], also_at=_distinct(result[0], addresses.get(number, []))), result[1])
        for number, result in enumerate(seen)
        if result is not None
    ]


class _SameBytes:
    """Which image of a page first showed some bytes: in the page's order, whatever order they arrive in."""

    def __init__(self, count: int) -> None:
        self._turns = [asyncio.Event() for _ in range(count + 1)]
        self._turns[0].set()
        self._first: dict[str, int] = {}

    async def first(self, number: int, sha256: str | None) -> int:
        """The number of the first image with these bytes, once all images before `number` are known."""
        await self._turns[number].wait()
        self.pass_on(number)
        return number if sha256 is None else self._first.setdefault(sha256, number)

    def pass_on(self, number: int) -> None:
        """Nobody waits for this image any more, whatever came of it."""
        self._turns[number + 1].set()


async def _look(
    services: Services, sighting: Sighting, number: int, same: "_SameBytes", started: float
) -> tuple[Answer, Candidate | None] | int:
    """One image's answer, with its bytes if the rules keep them; or the number of the one that has the same bytes.

    What the site says is unchanged is judged from memory: nothing is transferred and nothing decoded.
    """
    candidate, known = await acquire_image(services, sighting)
    first = await same.first(number, candidate.sha256)
    if first != number:
        return first
    cache_status = cache_status_of(candidate, known)
    verdict = (
        known.verdict
        if known and cache_status in (CacheStatus.UNCHANGED, CacheStatus.FRESH, CacheStatus.AGAIN)
        else None
    )
    answer = replace(await _answer_candidate(services, candidate, started, verdict), cache_status=cache_status)
    if not any(match.kept for match in answer.judged):
        return answer, None
    if verdict is not None:
        candidate = await with_content(services, candidate)
        if candidate.sha256 != answer.sha256:
            # Replaced between the two requests: what came last is what is judged.
            answer = replace(await _answer_candidate(services, candidate, started), cache_status=CacheStatus.FETCHED)
    return answer, candidate


async def _answer_candidate(
    services: Services, candidate: Candidate, started: float, verdict: MatchReport | Skipped | None = None
) -> Answer:
    """Match and judge a picture, or judge what was measured before (`verdict`), when there are no bytes here.

    The supervision point of one image: whatever happens, the rest goes on.
    """
    sighting, sha256 = candidate.sighting, candidate.sha256
    where = sighting.image_url or "data:"
    try:
        report = verdict or await _match(services, candidate)
        if isinstance(report, Skipped):
            return _answer(sighting, sha256, started, problem=replace(report, url=where), unmatchable=True)
        judged = await asyncio.to_thread(_judge, services, sighting, report)
        return _answer(
            sighting, sha256, started, judged=judged, report=report, own=_ownership(services, sighting) == "own"
        )
    except WorkerLost as error:
        return _answer(sighting, sha256, started, problem=Skipped(where, error.reason, str(error)))
    except (IndexNotReady, StoreUnusable, ClaimLost):
        # No fault of this image, and every other one would fail the same way.
        raise
    except Exception as error:
        log.exception("image_failed", image_url=where, sha256=sha256)
        return _answer(sighting, sha256, started, problem=Skipped(where, SkipReason.INTERNAL, repr(error)))


async def _match(services: Services, candidate: Candidate) -> MatchReport | Skipped:
    """Measure, or remember: bytes seen before are compared only with assets that were added since.

    An Skipped says why these bytes cannot be matched; that too is remembered until the recipe changes.
    """

    def recall() -> tuple[MatchReport | Skipped | None, int, int]:
        with services.store.read() as tx:
            known = tx.candidates.known(candidate.sha256, services.recipe)
            return known, tx.assets.latest_number(), tx.assets.count()

    known, latest_number, protected = await asyncio.to_thread(recall)
    if isinstance(known, Skipped):
        return replace(known, url=candidate.sighting.image_url or "data:")
    if known is not None and known.up_to_number >= latest_number:
        return known
    answer: MatchReport | Skipped
    try:
        newer_than = known.up_to_number if known else 0
        answer = _joined(known, await services.workers.match(candidate.content, newer_than=newer_than))
        if answer.assets_searched < protected or answer.up_to_number < latest_number:
            # Assets are published before they count as protected: fewer in the index, or none so new, means that some
            # are lost, or that a process with another data folder added them and they are not here yet.
            answer = replace(answer, partial=True)
    except Unmatchable as error:
        answer = Skipped(candidate.sighting.image_url or "data:", error.reason, error.detail)
    if isinstance(answer, Skipped) or not answer.partial:
        await asyncio.to_thread(_remember, services, candidate.sha256, answer)
    return answer


def _remember(services: Services, sha256: str, answer: MatchReport | Skipped) -> None:
    with services.store.begin() as tx:
        tx.candidates.remember(sha256, services.recipe, answer, services.clock())


def _joined(known: MatchReport | None, newer: MatchReport) -> MatchReport:
    """What was known before and what the newer assets add; the newer measurement of an asset wins."""
    if known is None:
        return newer
    again = {match.asset_id for match in newer.matches}
    kept = [match for match in known.matches if match.asset_id not in again]
    ranked = sorted([*kept, *newer.matches], key=lambda match: -match.comparison.probability)
    return replace(newer, matches=tuple(ranked))


def _judge(services: Services, sighting: Sighting, report: MatchReport) -> tuple[JudgedMatch, ...]:
    """What licences and rules say about each match. Assets taken out since are left out at once."""
    host = host_of(sighting.page_url or sighting.image_url or "")
    place = _ownership(services, sighting)
    judged = []
    with services.store.read() as tx:
        granted = tx.licences.list()
        for match in report.matches:
            asset = tx.assets.get(match.asset_id)
            if asset is None or asset.state is not AssetState.PROTECTED:
                continue
            licence_status = licences.licence_status(asset, host, sighting.seen_at.date(), granted)
            use = Use(match.comparison, asset, licence_status, place, host, sighting.source)
            judged.append(JudgedMatch(asset, match.comparison, licence_status, services.rules.decide(use)))
    return tuple(judged)


async def _keep_and_record(services: Services, answer: Answer, candidate: Candidate) -> None:
    """Keep the exact bytes first, then write finding, case, message and tasks in one transaction."""
    candidate = await with_page(services, candidate)
    kept = await asyncio.to_thread(_keep, services.vault, candidate)

    def record() -> None:
        with services.store.begin() as tx:
            # In the order of their ids, so that two images with the same assets never lock each other out.
            for match in sorted(answer.judged, key=lambda judged: judged.asset.id):
                if match.kept:
                    use = RecordedUse(
                        sighting=candidate.sighting,
                        candidate_sha256=candidate.sha256,
                        asset=match.asset,
                        comparison=match.comparison,
                        licence_status=match.licence_status,
                        decision=match.decision,
                        at=services.clock(),
                        kept=kept,
                        also_at=answer.also_at,
                    )
                    cases.record(tx, use, services.destinations)

    await asyncio.to_thread(record)


def _keep(vault: Vault, candidate: Candidate) -> Kept:
    """The exact bytes of image and page, on disk before anybody is told. A full vault is said in the finding."""
    image, page = candidate.response, candidate.sighting.page
    image_sha256 = page_sha256 = note = None
    try:
        image_sha256 = keep_response(vault, image) if image else vault.keep(candidate.content)
        page_sha256 = keep_response(vault, page) if page else None
    except (VaultFull, OSError) as error:
        log.warning("evidence_not_kept", reason=str(error), image_url=candidate.sighting.image_url)
        note = str(error)
    return Kept(image_sha256=image_sha256, page_sha256=page_sha256, note=note)


def _ownership(services: Services, sighting: Sighting) -> Ownership:
    return ownership_of(sighting.page_url, sighting.image_url, services.own_hosts)


def _answer(sighting: Sighting, sha256: str | None, started: float, **facts: Any) -> Answer:
    target = sighting.page_url or sighting.image_url or "data:"
    elapsed_ms = (time.monotonic() - started) * 1000
    return Answer(target=target, sighting=sighting, sha256=sha256, elapsed_ms=elapsed_ms, **facts)


def _addresses(sighting: Sighting) -> list[str]:
    return [*([sighting.image_url] if sighting.image_url else []), *sighting.also_at]


def _distinct(answer: Answer, more: Sequence[str]) -> tuple[str, ...]:
    """Other addresses of the same picture, each once, its own address left out."""
    both = dict.fromkeys([*answer.sighting.also_at, *more])
    both.pop(answer.sighting.image_url or "", None)
    return tuple(both)


async def _in_order(items: AsyncIterator[T], work: Callable[[T], Awaitable[R]], at_once: int) -> AsyncIterator[R]:
    """Do `work` for a few items at a time; results come in the order of the items."""
    pending: deque[asyncio.Future[R]] = deque()
    try:
        async for item in items:
            pending.append(asyncio.ensure_future(work(item)))
            if len(pending) >= at_once:
                yield await pending.popleft()
        while pending:
            yield await pending.popleft()
    finally:
        for left in pending:
            left.cancel()
