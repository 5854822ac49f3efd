"""Looks again at places where the memory saw an asset before it was protected.

What is still there is compared and recorded like any other picture; what is gone is history of the asset.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import structlog

from guardian.errors import FetchRefused, GuardianError
from guardian.model import EarlierUse, EarlierUseState, SkipReason, Task
from guardian.model.notices import PlaceState
from guardian.scan.context import context_of_place
from guardian.scan.recheck.list_looks import lists_of
from guardian.scan.recheck.looks import LEASE, Place
from guardian.scan.recheck.one_place import PlaceSeen, RecheckTarget, look_again
from guardian.scan.services import Services
from guardian.scan.site_answers import SiteAnswers
from guardian.sources.settings import SourceSettings
from guardian.tasks.outcomes import Done, Postponed, TaskOutcome

_PAUSES = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=3))
"""Before a place is looked at again that could not be reached; after the last one it is called unreachable."""

log = structlog.get_logger(__name__)


class EarlierUseConsumer:
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

    async def perform(self, task: Task) -> TaskOutcome:
        """Look at one place and write down what is there; a place that cannot be reached is tried again later."""
        store, clock = self._services.store, self._services.clock
        use = await asyncio.to_thread(_use, self._services, task.key)
        if use is None:
            # Forgotten meanwhile, at the wish of its host.
            return Done()
        try:
            seen = await self._look(use)
        except GuardianError as error:
            # No fault of the site: the index or a worker was lost.
            return Postponed(clock() + _PAUSES[0], str(error))
        may_try_again = task.attempts < len(_PAUSES) and seen.reason is not SkipReason.ROBOTS
        if seen.state is PlaceState.UNCLEAR and may_try_again:
            return Postponed(clock() + _PAUSES[task.attempts], seen.detail)
        state, detail = _told(use, seen)

        def settle() -> None:
            with store.begin() as tx:
                tx.earlier_uses.settle(use.id, state, clock(), detail)

        await asyncio.to_thread(settle)
        return Done()

    def tell(self, task: Task, outcome: TaskOutcome) -> None:
        """Log what came of one look."""
        log.info("looked_again", earlier_use=task.key, outcome=outcome.settled.value)

    async def _look(self, use: EarlierUse) -> PlaceSeen:
        """Look at the page of a use, which decides together with the sitemaps and feeds of its source.

        A picture that was seen on no page is looked at by itself.
        """
        services = self._services
        place = Place(use.page_url, use.image_url, frozenset({use.sha256}), use.context, use.last_seen_at)
        asset_ids = await asyncio.to_thread(_asset_ids_with, services, use.asset_id)
        context = context_of_place(services, self._sources, use.source)
        try:
            lists = await lists_of(self._sources.get(use.source), context)
        except FetchRefused as error:
            return PlaceSeen(PlaceState.UNCLEAR, str(error), reason=error.reason)
        target = RecheckTarget(asset_ids, use.first_seen_at, page_decides=True, lists=lists)
        answers = SiteAnswers(services)
        seen = await look_again(services, context, place, target, answers)
        if seen.state is PlaceState.THERE and not seen.is_recorded:
            # Its page cannot tell, but the file is there: a use that was seen by itself.
            seen = await look_again(services, context, replace(place, page_url=None), target, answers)
        return seen


def _told(use: EarlierUse, seen: PlaceSeen) -> tuple[EarlierUseState, str]:
    """Return what a look says of an earlier use, and in words why."""
    judged = seen.answer.judged if seen.answer is not None else ()
    matched = [one for one in judged if use.asset_id in (one.asset.id, *(other.id for other in one.versions))]
    if matched:
        best = matched[0]
        kept = "recorded" if best.kept else "the rules ask for nothing"
        return EarlierUseState.STILL_THERE, f"{best.comparison.description}; {kept}"
    if seen.answer is not None and seen.answer.sha256 == use.sha256:
        return EarlierUseState.STILL_THERE, "the picture is there; compared in full it does not show the work"

    states = {
        PlaceState.THERE: EarlierUseState.STILL_THERE,
        PlaceState.GONE: EarlierUseState.GONE,
        PlaceState.UNCLEAR: EarlierUseState.UNREACHABLE,
    }
    return states[seen.state], seen.detail


def _asset_ids_with(services: Services, asset_id: str) -> frozenset[str]:
    with services.store.read() as tx:
        return tx.works.asset_ids_with(asset_id)


def _use(services: Services, id_: str) -> EarlierUse | None:
    with services.store.read() as tx:
        return tx.earlier_uses.get(id_)
