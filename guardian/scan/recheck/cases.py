"""Looks again at all places of a case: after a notice on certain days, and when a person asks.

*Gone* needs both, the page that was seen whole and does not show the picture, and nothing of it at its address. What
turns up elsewhere on the host has moved; what was gone and is there again is back: either opens the case again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from guardian.cases.operators import operator
from guardian.errors import GuardianError
from guardian.model import Case, Finding, Task
from guardian.model.notices import NoticeState, PlaceLook, PlaceState, Recheck, RecheckOutcome
from guardian.notices.following import NO_MORE, outcome_of, read_key
from guardian.notices.settling import settle_recheck
from guardian.scan.context import ScanContext, context_of_person, context_of_place
from guardian.scan.recheck.case_places import CasePlaces, KnownPlace, places_of
from guardian.scan.recheck.looks import LEASE
from guardian.scan.recheck.memory_copies import copies_in_memory
from guardian.scan.recheck.one_place import RecheckTarget, look_again
from guardian.scan.recheck.site_search import SiteSearch, search_site
from guardian.scan.services import Services
from guardian.scan.site_answers import SiteAnswers
from guardian.sources.settings import SourceSettings
from guardian.store import Store, Transaction
from guardian.store.ids import new_id
from guardian.tasks.outcomes import Done, Postponed, TaskOutcome
from guardian.urls.addresses import host_without_www
from guardian.urls.keys import page_key

_MOST_SITES = 3
"""Hosts of one case that are searched for a picture that is gone from all of its places."""

_PAUSES = (timedelta(hours=1), timedelta(hours=6))
"""Pauses before another look at a case whose places could not be judged; after the last one, the next scheduled day."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RecheckReason:
    """Why a case is looked at again: so many days after a notice, or because somebody asks."""

    notice_id: str | None = None
    day: int | None = None
    asked_by: str | None = None


@dataclass(frozen=True, slots=True)
class _Looked:
    """A place, and what was seen there."""

    known: KnownPlace
    look: PlaceLook

    @property
    def is_gone(self) -> bool:
        """Whether the picture is not there any more."""
        return self.look.state is PlaceState.GONE


@dataclass(frozen=True, slots=True)
class _CaseLooks:
    """What was seen at the places that a notice names and at the others of the operator.

    `not_looked_at` are places that were too many. `unmet` are addresses of its sites that no scan had met.
    """

    named: Sequence[_Looked]
    elsewhere: Sequence[_Looked]
    not_looked_at: Sequence[PlaceLook]
    unmet: Sequence[PlaceLook] = ()

    @property
    def places(self) -> tuple[PlaceLook, ...]:
        """The places that a notice names. What nobody has looked at is among them: it is not gone."""
        return (*(one.look for one in self.named), *self.not_looked_at)

    @property
    def moved_to(self) -> tuple[PlaceLook, ...]:
        """The other places that say something of the case.

        To a place that is licensed nothing has moved. Where only the memory has met the picture, it is no news that it
        is gone.
        """
        told = [
            one.look
            for one in self.elsewhere
            if not one.known.is_licensed and (one.known.finding is not None or not one.is_gone)
        ]
        return (*told, *self.unmet)

    @property
    def gone_findings(self) -> list[str]:
        """The ids of the findings whose places do not show the picture any more."""
        looked = (*self.named, *self.elsewhere)
        return [one.known.finding.id for one in looked if one.known.finding is not None and one.is_gone]


class NoticeRecheckConsumer:
    """The consumer of tasks of the kind `recheck_notice`. `sources` are those of the configuration by name."""

    lease = LEASE

    def __init__(self, services: Services, sources: Mapping[str, SourceSettings]) -> None:
        self._services, self._sources = services, sources

    def lanes(self) -> list[str | None]:
        """Return one lane for all: no site is asked by two of them at once."""
        return [None]

    async def perform(self, task: Task) -> TaskOutcome:
        """Look at the places of one case and write down what is there; what could not be told is tried again."""
        notice_id, case_id, day = read_key(task.key)
        services = self._services
        case = await asyncio.to_thread(_case_of, services, case_id, notice_id)
        if case is None:
            return Done()

        is_last_try = task.attempts >= len(_PAUSES)
        reason = RecheckReason(notice_id, day)
        try:
            recheck = await recheck_case(services, self._sources, case, reason, settle_unclear=is_last_try)
        except GuardianError as error:
            # No fault of the site: the index, a worker or the database was lost.
            return Postponed(services.clock() + _PAUSES[0], str(error))
        if recheck is None:
            return Postponed(services.clock() + _PAUSES[task.attempts], "some places could not be looked at")
        return Done()

    def tell(self, task: Task, outcome: TaskOutcome) -> None:
        """Log what came of one recheck."""
        log.info("notice_rechecked", task=task.key, outcome=outcome.settled.value)


async def recheck_case(
    services: Services,
    sources: Mapping[str, SourceSettings],
    case: Case,
    reason: RecheckReason,
    *,
    settle_unclear: bool = True,
) -> Recheck | None:
    """Look at all places of a case, write down what was seen, let the case follow, and return it.

    Without `settle_unclear` a recheck that could tell nothing is not written; then None is returned. Raises
    GuardianError when the index, a worker or the database is lost.
    """
    recheck = _Recheck(services, sources, case, reason, services.clock())
    places = await recheck.places()
    looks = await recheck.look_at_all(places)
    if outcome_of(looks.places, looks.moved_to, ()) is RecheckOutcome.GONE:
        looks = replace(looks, unmet=await recheck.search_sites(places))
    return await asyncio.to_thread(_settle, services, case, reason, looks, settle_unclear)


class _Recheck:
    """One recheck of a case: its places are visited one after the other, under one context for each source."""

    def __init__(
        self,
        services: Services,
        sources: Mapping[str, SourceSettings],
        case: Case,
        reason: RecheckReason,
        begun: datetime,
    ) -> None:
        self._services, self._sources, self._case, self._reason = services, sources, case, reason
        self._begun = begun
        self._contexts: dict[str, ScanContext] = {}
        self._answers = SiteAnswers(services)

    async def places(self) -> CasePlaces:
        """Return the places that are looked at."""
        services, case = self._services, self._case
        alike = await copies_in_memory(services, await asyncio.to_thread(_findings, services.store, case))
        return await asyncio.to_thread(
            places_of,
            services.store,
            services.settings,
            case,
            self._reason.notice_id,
            self._begun.date(),
            alike,
        )

    async def look_at_all(self, places: CasePlaces) -> _CaseLooks:
        """Look at the places; what pages show is recorded as by a scan."""
        named = [await self._look(one) for one in places.named]
        elsewhere = [await self._look(one) for one in places.elsewhere]
        why = "not looked at: there are too many places"
        return _CaseLooks(named, elsewhere, [_as_look(one, PlaceState.UNCLEAR, why) for one in places.too_many])

    async def search_sites(self, places: CasePlaces) -> list[PlaceLook]:
        """Return where the sites of places that are all gone show the picture at addresses that were not known."""
        every = (*places.named, *places.elsewhere)
        pages = {page_key(url) for one in every if (url := one.place.page_url) is not None}
        by_host: dict[str, list[tuple[KnownPlace, str]]] = {}
        for one in every:
            if (url := one.place.page_url) is not None and not one.is_licensed:
                by_host.setdefault(host_without_www(url), []).append((one, url))

        found: list[PlaceLook] = []
        for of_host in [*by_host.values()][:_MOST_SITES]:
            first, _ = of_host[0]
            search = SiteSearch(first.asset_ids, pages, partial(self._belongs, first.source))
            context = self._context_of(first.source)
            found += await search_site(self._services, context, [url for _, url in of_host], search)
        return found

    async def _look(self, known: KnownPlace) -> _Looked:
        context, target = self._context_of(known.source), RecheckTarget(known.asset_ids)
        seen = await look_again(self._services, context, known.place, target, self._answers)
        return _Looked(known, _as_look(known, seen.state, seen.detail))

    def _belongs(self, source: str, page_url: str) -> bool:
        """Return whether a page is one of the case's operator."""
        return operator(page_url, None, source, self._services.settings.platforms) == self._case.operator

    def _context_of(self, source: str) -> ScanContext:
        """Return the context of a source: with its credentials, or for a person as `check` looks."""
        if source not in self._contexts:
            if self._reason.asked_by is not None:
                context = context_of_person(self._services, source, self._begun)
            else:
                context = context_of_place(self._services, self._sources, source, self._begun)
            self._contexts[source] = context
        return self._contexts[source]


def _settle(
    services: Services, case: Case, reason: RecheckReason, looks: _CaseLooks, settle_unclear: bool
) -> Recheck | None:
    """Write what was seen and let the case follow, in one transaction; see `recheck_case`."""

    def write(tx: Transaction) -> Recheck | None:
        earlier = tx.notices.rechecks_of(case.id)
        outcome = outcome_of(looks.places, looks.moved_to, earlier)
        if outcome is RecheckOutcome.UNCLEAR and not settle_unclear:
            return None

        recheck = Recheck(
            id=new_id("recheck"),
            case_id=case.id,
            notice_id=reason.notice_id,
            day=reason.day,
            at=services.clock(),
            outcome=outcome,
            places=looks.places,
            elsewhere=looks.moved_to,
            asked_by=reason.asked_by,
        )
        settle_recheck(tx, recheck, looks.gone_findings, earlier)
        return recheck

    return services.store.run(write)


def _case_of(services: Services, case_id: str, notice_id: str) -> Case | None:
    """Return the case of a task; None when nobody wants to look at it any more."""
    with services.store.read() as tx:
        case, notice = tx.cases.get(case_id), tx.notices.get(notice_id)
    if case is None or notice is None or notice.state is NoticeState.WITHDRAWN or case.state in NO_MORE:
        return None
    return case


def _findings(store: Store, case: Case) -> list[Finding]:
    with store.read() as tx:
        return tx.findings.list(case.id)


def _as_look(known: KnownPlace, state: PlaceState, detail: str) -> PlaceLook:
    id_ = known.finding.id if known.finding is not None else None
    return PlaceLook(known.place.page_url, known.place.image_url, state, detail, id_)
