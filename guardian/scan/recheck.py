"""Looks again, politely, at places where the memory saw an asset before it was protected.

What is still there takes the walk of any other picture; what is gone is history of the asset.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog

from guardian.crawl.context import CrawlContext
from guardian.crawl.page_loader import PageLoader
from guardian.crawl.page_reader import PageReader
from guardian.errors import FetchFailed, FetchRefused, GuardianError
from guardian.fetch.fetcher import Fetcher
from guardian.media.sniff import is_page
from guardian.model import Answer, EarlierUse, EarlierUseState, Sighting, SkipReason, Task
from guardian.scan.context import ScanContext, context_of_scan
from guardian.scan.pipeline import answer_and_record
from guardian.scan.services import Services
from guardian.sources.settings import SourceSettings
from guardian.tasks.outcomes import Done, Outcome, Postponed
from guardian.urls.addresses import canonical_url
from guardian.urls.keys import place_keys

LEASE = timedelta(minutes=10)
"""Longer than a page and a picture take with all their pauses; it is renewed while a site makes guardian wait."""

_PAUSES = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=3))
"""Before a place is looked at again that could not be reached; after the last one it is called unreachable."""

_GONE = frozenset({404, 410})

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look at a place has shown, and in words why."""

    state: EarlierUseState
    detail: str


class RecheckConsumer:
    """The consumer of tasks of the kind `recheck`, whose key is the id of an earlier use.

    `sources` are those of the configuration by name: a place is visited with the credentials of the source that led
    there, and by robots.txt, like any scan.
    """

    lease = LEASE

    def __init__(self, services: Services, sources: Mapping[str, SourceSettings]) -> None:
        self._services, self._sources = services, sources

    def lanes(self) -> list[str | None]:
        """Return one lane for all: no site is asked by two of them at once."""
        return [None]

    async def perform(self, task: Task) -> Outcome:
        """Look at one place and write down what is there; a place that cannot be reached is tried again later."""
        store, clock = self._services.store, self._services.clock
        use = await asyncio.to_thread(_use, self._services, task.key)
        if use is None:
            # Forgotten meanwhile, at the wish of its host.
            return Done()
        try:
            seen = await self._look(use)
        except (FetchRefused, FetchFailed) as error:
            if isinstance(error, FetchFailed) and error.status in _GONE:
                seen = _Seen(EarlierUseState.GONE, f"the site answers {error.status}")
            elif task.attempts < len(_PAUSES) and error.reason is not SkipReason.ROBOTS:
                return Postponed(clock() + _PAUSES[task.attempts], str(error))
            else:
                seen = _Seen(EarlierUseState.UNREACHABLE, str(error))
        except GuardianError as error:
            # No fault of the site: the index or a worker was lost.
            return Postponed(clock() + _PAUSES[0], str(error))

        def settle() -> None:
            with store.begin() as tx:
                tx.earlier_uses.settle(use.id, seen.state, clock(), seen.detail)

        await asyncio.to_thread(settle)
        return Done()

    def tell(self, task: Task, outcome: Outcome) -> None:
        """Log what came of one look."""
        log.info("looked_again", earlier_use=task.key, outcome=outcome.settled.value)

    async def _look(self, use: EarlierUse) -> _Seen:
        context = self._context(use.source)
        sighting = await _sighting(self._services, context, use)
        if sighting is None:
            return _Seen(EarlierUseState.GONE, "the page no longer shows it")

        (answer,) = await answer_and_record(
            self._services, context, [sighting], asyncio.Semaphore(1), use.first_seen_at
        )
        if answer.problem is not None and not answer.unmatchable:
            raise FetchFailed(answer.problem.reason, answer.problem.url, answer.problem.detail, answer.problem.status)
        return _told(use, answer)

    def _context(self, source: str) -> ScanContext:
        settings = self._sources.get(source)
        if settings is not None:
            return context_of_scan(self._services, settings)
        return ScanContext(source, self._services.clock(), Fetcher.for_scan(self._services.web))


async def _sighting(services: Services, context: ScanContext, use: EarlierUse) -> Sighting | None:
    """Return the picture of an earlier use as its page shows it now; None when the page does not.

    A picture that was seen on no page is requested by itself. Raises FetchRefused, FetchFailed.
    """
    alone = Sighting(context.source, use.image_url, None, services.clock(), use.context)
    if use.page_url is None:
        return alone if use.image_url is not None else None

    page = await PageLoader(context.fetcher).load(use.page_url)
    if not is_page(page.response):
        # A feed or sitemap named it; the picture itself is what can be looked at.
        return Sighting(context.source, use.image_url, use.page_url, services.clock(), use.context, page=page)
    reading = await PageReader(
        context.source, CrawlContext(context.fetcher, services.store, services.clock)
    ).read_capture(page)
    return next((one for one in reading.seen if isinstance(one, Sighting) and _is_picture_of(one, use)), None)


def _is_picture_of(sighting: Sighting, use: EarlierUse) -> bool:
    """Return whether a picture of a page is the one of an earlier use: at its address, or at another rendition's."""
    if use.image_url is None or use.page_url is None:
        return use.image_url is None and sighting.image_url is None
    wanted = place_keys(use.page_url, use.image_url).picture
    urls = [url for url in (sighting.image_url, *sighting.also_at) if url is not None]
    return any(place_keys(use.page_url, canonical_url(url)).picture == wanted for url in urls)


def _told(use: EarlierUse, answer: Answer) -> _Seen:
    """Return what an answer says of an earlier use."""
    matched = [one for one in answer.judged if use.asset_id in (one.asset.id, *(other.id for other in one.versions))]
    if matched:
        best = matched[0]
        kept = "recorded" if best.kept else "the rules ask for nothing"
        return _Seen(EarlierUseState.STILL_THERE, f"{best.comparison.description}; {kept}")
    if answer.sha256 == use.sha256:
        return _Seen(EarlierUseState.STILL_THERE, "the picture is there; compared in full it does not show the work")
    return _Seen(EarlierUseState.GONE, "another picture is there now")


def _use(services: Services, id_: str) -> EarlierUse | None:
    with services.store.read() as tx:
        return tx.earlier_uses.get(id_)
