"""Tells whether a picture is still at one place: its page is looked at first, then its file; both are compared.

Rechecks after a notice and of earlier uses both call this. What a page shows, or what was seen by itself, is
recorded as by a scan; a file that no page shows any more is only looked at.
"""

import asyncio
from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime

from guardian.errors import FetchFailed, FetchRefused
from guardian.model import Answer, Sighting, Skipped, SkipReason
from guardian.model.notices import PlaceState
from guardian.scan.context import ScanContext
from guardian.scan.pipeline import answer_and_record, answer_only
from guardian.scan.recheck.list_looks import look_in_lists
from guardian.scan.recheck.looks import (
    GONE_STATUSES,
    FileVerdict,
    PageLook,
    PageVerdict,
    Place,
    look_at_file,
    look_at_page,
    shows_work,
)
from guardian.scan.services import Services
from guardian.scan.site_answers import LONGEST_REPAIR, SiteAnswers

_NOT_THIS_PICTURE = frozenset({SkipReason.VECTOR, SkipReason.TOO_SMALL, SkipReason.TOO_PLAIN})
"""What stands for a picture that was taken away. A page in its place does not: it may only keep programs out."""

_ALL_ALIKE = "but the site answers every address with this page, as while it is under repair"

_SEEN_WHOLE = (PageVerdict.WITHOUT, PageVerdict.GONE)


@dataclass(frozen=True, slots=True)
class PlaceSeen:
    """What one look at a place has shown."""

    state: PlaceState

    detail: str
    """Why `state` is so, in words."""

    answer: Answer | None = None
    """That of the picture which was compared; None where none was."""

    reason: SkipReason | None = None
    """Why the place could not be looked at, where a refusal or a failure is to blame."""

    is_recorded: bool = False
    """Whether what was compared was recorded as by a scan."""


@dataclass(frozen=True, slots=True)
class RecheckTarget:
    """What a look at a place is for."""

    asset_ids: Set[str]
    """The assets of a work, of which one is enough."""

    seen_since: datetime | None = None
    """Since when the memory has known the picture there; None for one of which there is a finding."""

    page_decides: bool = False
    """Whether the page alone decides that the picture is gone, whatever its file is.

    It does when it was seen whole and does not show the picture, unless one of `lists` names that for the page.
    """

    lists: tuple[str, ...] = ()
    """Addresses of sitemaps and feeds."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What the steps of one look share."""

    services: Services
    context: ScanContext
    place: Place
    target: RecheckTarget


async def look_again(
    services: Services, context: ScanContext, place: Place, target: RecheckTarget, answers: SiteAnswers
) -> PlaceSeen:
    """Return what is to be seen at a place now. `answers` are kept for all the places that are looked at together.

    *Gone* needs both, the page, seen whole, and the file; and the site must not answer every address as it does the
    page's, unless the picture was last seen more than 30 days ago. Of a picture that was seen by itself the file alone
    decides: only an address that is gone, or has another picture, is enough then, and a page in its place says nothing.
    Raises GuardianError when the index, a worker or the database is lost.
    """
    look = _Look(services, context, place, target)
    try:
        if place.page_url is None:
            return await _by_itself(look)

        page = await look_at_page(services, context, place)
        if page.sighting is not None:
            return await _compared(look, page.sighting, "the page shows it")
        if place.image_url is None:
            state = PlaceState.GONE if page.verdict in _SEEN_WHOLE else PlaceState.UNCLEAR
            seen = PlaceSeen(state, page.detail, reason=page.reason)
        elif target.page_decides and page.verdict in _SEEN_WHOLE:
            seen = await _by_lists(look, page)
        else:
            seen = await _by_file(look, page)

        if seen.state is not PlaceState.GONE or page.reading is None:
            return seen
        last_seen = place.last_seen_at
        if last_seen is not None and services.clock() - last_seen > LONGEST_REPAIR:
            return seen
        if not await answers.is_placeholder(context, place.page_url, page.reading):
            return seen
        return PlaceSeen(PlaceState.UNCLEAR, f"{seen.detail}; {_ALL_ALIKE}")
    except (FetchFailed, FetchRefused) as error:
        return PlaceSeen(PlaceState.UNCLEAR, str(error), reason=error.reason)


async def _compared(look: _Look, sighting: Sighting, said: str) -> PlaceSeen:
    """Return what a picture that a page shows is, compared and recorded as a scan does; `said` tells who shows it."""
    answer = await _recorded(look, sighting)
    if shows_work(answer, look.target.asset_ids) or answer.sha256 in look.place.digests:
        return PlaceSeen(PlaceState.THERE, said, answer, is_recorded=True)
    problem = answer.problem
    if problem is None:
        detail = "the page shows another picture in its place"
        return PlaceSeen(_state_of_another(answer), detail, answer, is_recorded=True)
    if problem.status in GONE_STATUSES or problem.reason in _NOT_THIS_PICTURE:
        return PlaceSeen(
            PlaceState.GONE,
            f"the page still names it, but there is no picture: {problem.word}",
            answer,
            is_recorded=True,
        )
    return _not_told(problem, answer)


async def _by_itself(look: _Look) -> PlaceSeen:
    """Return the state of a picture that was seen on no page, compared and recorded as a scan does."""
    place = look.place
    if place.image_url is None:
        return PlaceSeen(PlaceState.UNCLEAR, "it has no address")
    sighting = Sighting(look.context.source, place.image_url, None, look.services.clock(), place.words)

    answer = await _recorded(look, sighting)
    if answer.sha256 is not None and answer.sha256 in place.digests:
        return PlaceSeen(PlaceState.THERE, "the same file lies at the picture's address", answer, is_recorded=True)
    if shows_work(answer, look.target.asset_ids):
        return PlaceSeen(PlaceState.THERE, "the picture at its address shows the work", answer, is_recorded=True)

    problem = answer.problem
    if problem is None:
        detail = "another picture lies at the picture's address"
        return PlaceSeen(_state_of_another(answer), detail, answer, is_recorded=True)
    if problem.status in GONE_STATUSES:
        return PlaceSeen(PlaceState.GONE, f"the picture's address answers {problem.status}", answer, is_recorded=True)
    if problem.reason in _NOT_THIS_PICTURE:
        return PlaceSeen(
            PlaceState.GONE, f"another picture lies at the picture's address: {problem.word}", answer, is_recorded=True
        )
    return _not_told(problem, answer)


async def _by_lists(look: _Look, page: PageLook) -> PlaceSeen:
    """Return the state of a place whose page does not show the picture: it is there while a list names it for the page.

    An address of the picture that is gone needs no list.
    """
    if not look.target.lists:
        return PlaceSeen(PlaceState.GONE, page.detail)
    file = await look_at_file(look.services, look.context, look.place)
    if file.verdict is FileVerdict.GONE:
        return PlaceSeen(PlaceState.GONE, f"{page.detail}; {file.detail}")

    listed = await look_in_lists(look.services, look.context, look.place, look.target.lists)
    said = f"{page.detail}; {listed.detail}"
    if listed.sighting is not None:
        return await _compared(look, listed.sighting, said)
    state = PlaceState.GONE if listed.verdict is PageVerdict.WITHOUT else PlaceState.UNCLEAR
    return PlaceSeen(state, said, reason=listed.reason)


async def _by_file(look: _Look, page: PageLook) -> PlaceSeen:
    """Return the state of a place whose page does not show the picture, by what lies at the picture's address."""
    file = await look_at_file(look.services, look.context, look.place)
    said = f"{page.detail}; {file.detail}"
    if file.verdict is FileVerdict.SAME:
        return PlaceSeen(PlaceState.THERE, said)

    is_seen_whole = page.verdict in _SEEN_WHOLE
    # Pages that all lead to one may be under repair: then only an address that is gone for certain says something.
    leads_elsewhere = page.verdict is PageVerdict.ELSEWHERE
    if file.verdict is FileVerdict.GONE and (is_seen_whole or leads_elsewhere):
        return PlaceSeen(PlaceState.GONE, said)
    if file.verdict is FileVerdict.NO_PICTURE and is_seen_whole:
        return PlaceSeen(PlaceState.GONE, said)
    if file.verdict is FileVerdict.OTHER and is_seen_whole:
        # The same picture may have been written anew, so it is compared; without its page nothing is recorded.
        return await _other_file(look, said)
    return PlaceSeen(PlaceState.UNCLEAR, said, reason=page.reason or file.reason)


async def _other_file(look: _Look, said: str) -> PlaceSeen:
    place = look.place
    sighting = Sighting(look.context.source, place.image_url, place.page_url, look.services.clock())
    answer = await answer_only(look.services, look.context, sighting)
    if shows_work(answer, look.target.asset_ids):
        return PlaceSeen(PlaceState.THERE, f"{said}, which shows the work", answer)
    state = PlaceState.GONE if answer.unmatchable else _state_of_another(answer)
    return PlaceSeen(state, said, answer)


def _state_of_another(answer: Answer) -> PlaceState:
    """Return what a picture that does not show the work says: nothing, unless it was compared with every asset."""
    is_whole = answer.report is not None and not answer.report.partial
    return PlaceState.GONE if is_whole else PlaceState.UNCLEAR


async def _recorded(look: _Look, sighting: Sighting) -> Answer:
    (answer,) = await answer_and_record(
        look.services, look.context, [sighting], asyncio.Semaphore(1), look.target.seen_since
    )
    return answer


def _not_told(problem: Skipped, answer: Answer) -> PlaceSeen:
    return PlaceSeen(PlaceState.UNCLEAR, problem.detail or problem.word, answer, problem.reason, is_recorded=True)
