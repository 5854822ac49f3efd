"""Looks again at all places of a case: after a notice on certain days, and when a person asks.

*Gone* needs both, the page that was seen whole and does not show the picture, and nothing of it at its address. What
turns up elsewhere on the host has moved; what was gone and is there again is back: either opens the case again.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import structlog

from guardian.cases.operators import operator
from guardian.errors import GuardianError
from guardian.fetch.fetcher import Fetcher
from guardian.licences import standing_of
from guardian.model import Case, Finding, Licence, LicenceStatus, Task, Work
from guardian.model.notices import NoticeState, PlaceLook, PlaceState, Recheck, RecheckOutcome
from guardian.notices.drafting import MOST_PLACES
from guardian.notices.following import NO_MORE, outcome_of, read_key
from guardian.notices.licence_check import licences_at
from guardian.notices.settling import settle_recheck
from guardian.scan.alike import pictures_alike
from guardian.scan.context import ScanContext, context_of_scan
from guardian.scan.looking_again import Sought, look_again
from guardian.scan.moved import Search, search_site
from guardian.scan.places import Place, digests_of
from guardian.scan.services import Services
from guardian.scan.site_answers import SiteAnswers
from guardian.sources.settings import SourceSettings
from guardian.store import Store
from guardian.store.ids import new_id
from guardian.tasks.outcomes import Done, Outcome, Postponed
from guardian.urls.accounts import Platform
from guardian.urls.addresses import host_without_www, is_web_address
from guardian.urls.keys import page_key

LEASE = timedelta(minutes=10)
"""Longer than a page and a picture take with all their pauses; it is renewed while a site makes guardian wait."""

_PAUSES = (timedelta(hours=1), timedelta(hours=6))
"""Before a case is looked at again that could not be told about; after the last one the next day of the schedule is."""

_MOST_ELSEWHERE = 100
_MOST_SITES = 3
"""Hosts of one case that are searched for a picture that is gone from all of its places."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why a case is looked at again: so many days after a notice, or because somebody asks."""

    notice_id: str | None = None
    day: int | None = None
    asked_by: str | None = None


@dataclass(frozen=True, slots=True)
class _Looked:
    """A place with what was seen there; `finding` is None for one that only the memory knows."""

    look: PlaceLook
    finding: Finding | None


class NoticeRecheckConsumer:
    """The consumer of tasks of the kind `recheck_notice`. `sources` are those of the configuration by name."""

    lease = LEASE

    def __init__(self, services: Services, sources: Mapping[str, SourceSettings]) -> None:
        self._services, self._sources = services, sources

    def lanes(self) -> list[str | None]:
        """Return one lane for all: no site is asked by two of them at once."""
        return [None]

    async def perform(self, task: Task) -> Outcome:
        """Look at the places of one case and write down what is there; what could not be told is tried again."""
        notice_id, case_id, day = read_key(task.key)
        services = self._services
        case = await asyncio.to_thread(_case_of, services, case_id, notice_id)
        if case is None:
            return Done()
        is_last_try = task.attempts >= len(_PAUSES)
        try:
            recheck = await recheck_case(
                services, self._sources, case, Occasion(notice_id, day), settle_unclear=is_last_try
            )
        except GuardianError as error:
            # No fault of the site: the index, a worker or the database was lost.
            return Postponed(services.clock() + _PAUSES[0], str(error))
        if recheck is None:
            return Postponed(services.clock() + _PAUSES[task.attempts], "some places could not be looked at")
        return Done()

    def tell(self, task: Task, outcome: Outcome) -> None:
        """Log what came of one recheck."""
        log.info("notice_rechecked", task=task.key, outcome=outcome.settled.value)


async def recheck_case(
    services: Services,
    sources: Mapping[str, SourceSettings],
    case: Case,
    occasion: Occasion,
    *,
    settle_unclear: bool = True,
) -> Recheck | None:
    """Look at all places of a case, write down what was seen, let the case follow, and return it.

    Without `settle_unclear` a recheck that could tell nothing is not written; then None is returned.
    """
    begun = services.clock()
    alike = await pictures_alike(services, await asyncio.to_thread(_findings, services.store, case))
    known = await asyncio.to_thread(
        places_of, services.store, services.settings.platforms, case, occasion, begun.date(), alike
    )
    contexts: dict[str, ScanContext] = {}

    def context_of(source: str) -> ScanContext:
        if source not in contexts:
            contexts[source] = _context(services, sources, source, begun, is_person=occasion.asked_by is not None)
        return contexts[source]

    answers = SiteAnswers(services)
    named = [await _look(services, context_of(one.source), one, answers) for one in known.named]
    elsewhere = [await _look(services, context_of(one.source), one, answers) for one in known.elsewhere]

    # What nobody has looked at is not gone.
    why = "not looked at: there are too many places"
    left_out = [_as_look(one, PlaceState.UNCLEAR, why) for one in known.too_many]
    places = (*(one.look for one in named), *left_out)
    # Whatever was recorded meanwhile belongs to the case too; but to a place that is licensed nothing has moved. Where
    # only the memory has met the picture, it is no news that it is gone.
    others = tuple(
        one.look
        for one, place in zip(elsewhere, known.elsewhere, strict=True)
        if not place.is_licensed and (one.look.state is not PlaceState.GONE or one.finding is not None)
    )
    if outcome_of(places, others, ()) is RecheckOutcome.GONE:
        others += tuple(await _moved_on_sites(services, context_of, case, known))

    def settle() -> Recheck | None:
        with services.store.begin() as tx:
            earlier = tx.notices.rechecks_of(case.id)
            outcome = outcome_of(places, others, earlier)
            recheck = Recheck(
                id=new_id("recheck"),
                case_id=case.id,
                notice_id=occasion.notice_id,
                day=occasion.day,
                at=services.clock(),
                outcome=outcome,
                places=places,
                elsewhere=others,
                asked_by=occasion.asked_by,
            )
            if outcome is RecheckOutcome.UNCLEAR and not settle_unclear:
                return None
            gone = [
                one.finding.id
                for one in (*named, *elsewhere)
                if one.finding is not None and one.look.state is PlaceState.GONE
            ]
            settle_recheck(tx, recheck, gone, earlier)
            return recheck

    return await asyncio.to_thread(settle)


@dataclass(frozen=True, slots=True)
class KnownPlace:
    """A place as it is known, by a finding or by the memory alone; `image_url` may be a data: image's."""

    place: Place
    source: str
    finding: Finding | None
    asset_ids: frozenset[str]
    is_licensed: bool = False


@dataclass(frozen=True, slots=True)
class Places:
    """The places of a case that a notice names (all that are known, without a notice), and others of its operator.

    `too_many` are those that are not looked at, since there are more than one recheck can ask a site for.
    """

    named: Sequence[KnownPlace]
    elsewhere: Sequence[KnownPlace]
    too_many: Sequence[KnownPlace] = ()


def _case_of(services: Services, case_id: str, notice_id: str) -> Case | None:
    """Return the case of a task; None when nobody wants to look at it any more."""
    with services.store.read() as tx:
        case, notice = tx.cases.get(case_id), tx.notices.get(notice_id)
    if case is None or notice is None or notice.state is NoticeState.WITHDRAWN or case.state in NO_MORE:
        return None
    return case


def places_of(
    store: Store,
    platforms: Sequence[Platform],
    case: Case,
    occasion: Occasion,
    on: date,
    alike: Sequence[str] = (),
) -> Places:
    """Return the places that are looked at: those of the notice or of the case, and others of the same operator.

    The others are the case's other findings, and what the memory has met there: the same file, or one of `alike`, the
    digests of pictures that may be copies of it. Of each it is said whether a licence covers it on this day.
    """
    with store.read() as tx:
        notice = tx.notices.get(occasion.notice_id) if occasion.notice_id is not None else None
        if notice is None:
            sent = [one for one in tx.notices.of_case(case.id) if not one.is_open]
            notice = sent[-1] if sent else None
        findings = [one for one in tx.findings.list(case.id) if is_web_address(one.page_url)]
        work = tx.works.of_asset(case.asset_id)
        named_ids = set()
        if notice is not None:
            named = [tx.findings.get(place.finding_id) for place in notice.places]
            named_ids = {finding.id for finding in named if finding is not None}
        asset_ids = frozenset(asset.id for asset in work.assets) if work is not None else frozenset({case.asset_id})

        digests = {digest for finding in findings for digest in digests_of(finding)}
        rank = {
            sha256: number for number, sha256 in enumerate((*digests, *(one for one in alike if one not in digests)))
        }
        # On a platform another account that shows the same file is another operator.
        met = [
            (picture, address)
            for picture, address in tx.seen.uses_of(rank)
            if operator(address.page_url, address.image_url, address.source, platforms) == case.operator
        ]
        met.sort(key=lambda one: rank[one[0].sha256])
        pages = [*(one.page_url for one in findings), *(address.page_url or "" for _, address in met)]
        licences = licences_at(tx, pages)

    known = [_known(finding, asset_ids) for finding in findings]
    in_notice = [one for one in known if one.finding is not None and one.finding.id in named_ids]
    others = [one for one in known if one not in in_notice]
    taken = {(one.place.page_url, one.place.image_url) for one in known}
    remembered: dict[tuple[str | None, str | None], KnownPlace] = {}
    for picture, address in met:
        key = address.page_url, address.image_url
        if key not in taken:
            # Of a picture that is only alike the bytes prove nothing: it must be compared.
            known_digests = frozenset({picture.sha256} & digests)
            place = Place(*key, known_digests, address.context)
            remembered.setdefault(key, KnownPlace(place, address.source, None, asset_ids))
    if not in_notice:
        in_notice, others = others, []
    elsewhere = [
        replace(one, is_licensed=_is_licensed(one, work, on, licences)) for one in (*others, *remembered.values())
    ]
    # To a place that is licensed nothing has moved, so those can wait.
    elsewhere.sort(key=lambda one: one.is_licensed)
    left_out = [one for one in elsewhere[_MOST_ELSEWHERE:] if not one.is_licensed]
    return Places(in_notice[:MOST_PLACES], elsewhere[:_MOST_ELSEWHERE], too_many=[*in_notice[MOST_PLACES:], *left_out])


def _findings(store: Store, case: Case) -> list[Finding]:
    with store.read() as tx:
        return tx.findings.list(case.id)


def _is_licensed(known: KnownPlace, work: Work | None, on: date, licences: Sequence[Licence]) -> bool:
    if known.finding is not None and known.finding.is_licensed:
        return True
    page = known.place.page_url or known.place.image_url
    if work is None or page is None:
        return False
    return standing_of(work, page, on, licences).status is LicenceStatus.LICENSED


def _known(finding: Finding, asset_ids: frozenset[str]) -> KnownPlace:
    page = finding.page_url if finding.page_url != finding.image_url else None
    image = finding.image_url if is_web_address(finding.image_url) else None
    return KnownPlace(Place(page, image, digests_of(finding)), finding.source, finding, asset_ids)


def _context(
    services: Services, sources: Mapping[str, SourceSettings], source: str, begun: datetime, *, is_person: bool
) -> ScanContext:
    """Return the context of looks at places of a source: with its credentials, and for a person as `check` looks."""
    if is_person:
        return ScanContext(source, begun, Fetcher.for_person(services.web))
    settings = sources.get(source)
    if settings is not None:
        return replace(context_of_scan(services, settings), started_at=begun)
    return ScanContext(source, begun, Fetcher.for_scan(services.web))


async def _look(services: Services, context: ScanContext, known: KnownPlace, answers: SiteAnswers) -> _Looked:
    """Look at one place; what its page shows is recorded as by a scan."""
    seen = await look_again(services, context, known.place, Sought(known.asset_ids), answers)
    return _Looked(_as_look(known, seen.state, seen.detail), known.finding)


async def _moved_on_sites(
    services: Services, context_of: Callable[[str], ScanContext], case: Case, known: Places
) -> list[PlaceLook]:
    """Return where the sites of a case's places, all of which are gone, show the picture on pages not known before."""
    platforms = services.settings.platforms
    pages = {page_key(url) for one in (*known.named, *known.elsewhere) if (url := one.place.page_url) is not None}
    by_host: dict[str, KnownPlace] = {}
    for one in known.named:
        if one.place.page_url is not None:
            by_host.setdefault(host_without_www(one.place.page_url), one)

    found: list[PlaceLook] = []
    for one in [*by_host.values()][:_MOST_SITES]:

        def belongs(url: str, source: str = one.source) -> bool:
            return operator(url, None, source, platforms) == case.operator

        search = Search(one.asset_ids, pages, belongs)
        found += await search_site(services, context_of(one.source), one.place.page_url or "", search)
    return found


def _as_look(known: KnownPlace, state: PlaceState, detail: str) -> PlaceLook:
    id_ = known.finding.id if known.finding is not None else None
    return PlaceLook(known.place.page_url, known.place.image_url, state, detail, id_)
