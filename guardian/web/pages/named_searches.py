"""Searches under a name: saves them, runs them, has them watch, removes them and takes that back."""

from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import ImmutableMultiDict
from starlette.responses import RedirectResponse, Response

from guardian.errors import UsageError
from guardian.model import BrowserSession, NamedSearch, Permission, Severity
from guardian.search.asking import SearchSpec
from guardian.search.named import (
    NamedSearches,
    begin_watch,
    end_watch,
    named_search,
    remove_search,
    restore_search,
    why_not_asked,
)
from guardian.search.watching import EVENT
from guardian.web.auth.requests import person_acting
from guardian.web.desk import Desk, desk_of
from guardian.web.pages.access import person_may, search_of
from guardian.web.search_queries import asked_in, query_of, words_of
from guardian.web.searching import LET_GO, content_of, example_names

router = APIRouter(prefix="/search", include_in_schema=False)

SEARCHER = Depends(person_may(Permission.SEARCH))
KEEPER = Depends(person_may(Permission.CASES_WRITE))

_LONGEST_QUERY = 40_000


@router.post("/keep")
async def save(
    request: Request,
    session: BrowserSession = KEEPER,
    name: str = Form("", max_length=200),
    query: str = Form("", max_length=_LONGEST_QUERY),
) -> Response:
    """Save a search under a name that no other one has."""
    desk = desk_of(request)
    # Read and written anew, so that only what the form knows is saved.
    asked = asked_in(ImmutableMultiDict(parse_qsl(query)))
    content = await content_of(desk, session.person.id, asked)
    if content is None and asked.picture is not None:
        raise UsageError(LET_GO)
    searches = NamedSearches(desk.store, search_of(desk), desk.search_pictures)
    actor = person_acting(request, session)
    await run_in_threadpool(searches.save, name.strip(), asked, content, actor, desk.clock(), replaces=False)
    return RedirectResponse("/search#kept", status_code=303)


@router.get("/run")
async def run(request: Request, session: BrowserSession = SEARCHER, name: str = "") -> Response:
    """Lead to what a named search finds today."""
    named = await run_in_threadpool(_named, desk_of(request), name)
    return RedirectResponse(f"/search?{query_of(SearchSpec.from_json(named.asked))}", status_code=303)


@router.post("/watch")
async def watch(
    request: Request,
    session: BrowserSession = KEEPER,
    name: str = Form("", max_length=200),
    above: str = Form("", max_length=20),
    severity: str = Form(Severity.LOW.value, max_length=20),
) -> Response:
    """Have a named search watch what is met from now on."""
    desk, actor = desk_of(request), person_acting(request, session)
    try:
        bound, urgency = float(above.replace(",", ".")), Severity(severity)
    except ValueError as error:
        raise UsageError("the bound of a watch is a number from 0 to 1, such as 0.7") from error

    def write() -> None:
        with desk.store.begin() as tx:
            begin_watch(tx, name, bound, urgency, actor, desk.clock())

    await run_in_threadpool(write)
    return RedirectResponse("/search#kept", status_code=303)


@router.post("/unwatch")
async def unwatch(request: Request, session: BrowserSession = KEEPER, name: str = Form("", max_length=200)) -> Response:
    """End the watch of a named search, which stays."""
    desk, actor = desk_of(request), person_acting(request, session)

    def write() -> None:
        with desk.store.begin() as tx:
            end_watch(tx, name, actor, desk.clock())

    await run_in_threadpool(write)
    return RedirectResponse("/search#kept", status_code=303)


@router.post("/remove")
async def remove(request: Request, session: BrowserSession = KEEPER, name: str = Form("", max_length=200)) -> Response:
    """Remove a named search; its watch ends. It is held, so that the person can take that back."""
    desk, actor = desk_of(request), person_acting(request, session)
    removed = await run_in_threadpool(_named, desk, name)
    content = await content_of(desk, session.person.id, SearchSpec.from_json(removed.asked))
    await run_in_threadpool(remove_search, desk.store, desk.search_pictures, name, actor, desk.clock())

    if content is not None:
        desk.recent_pictures.hold(session.person.id, content, desk.clock())
    desk.removed_searches[session.person.id] = removed
    return RedirectResponse("/search?removed#removed", status_code=303)


@router.post("/restore")
async def restore(request: Request, session: BrowserSession = KEEPER) -> Response:
    """Save the search again that this person removed last, with its watch."""
    desk, actor = desk_of(request), person_acting(request, session)
    removed = removed_search(desk, session)
    if removed is None:
        raise UsageError("there is no removed search to be saved again")
    asked = SearchSpec.from_json(removed.asked)
    content = await content_of(desk, session.person.id, asked)
    if content is None and asked.picture is not None:
        raise UsageError(LET_GO)

    await run_in_threadpool(restore_search, desk.store, desk.search_pictures, removed, content, actor, desk.clock())
    desk.removed_searches.pop(session.person.id, None)
    return RedirectResponse("/search#kept", status_code=303)


def _named(desk: Desk, name: str) -> NamedSearch:
    """Return the search of a name. Raises UsageError when there is none."""
    with desk.store.read() as tx:
        return named_search(tx, name)


def removed_search(desk: Desk, session: BrowserSession) -> NamedSearch | None:
    """Return the search that this person removed last, which can be saved again; None without one."""
    return desk.removed_searches.get(session.person.id)


def named_searches(desk: Desk) -> list[tuple[NamedSearch, SearchSpec, str, str | None]]:
    """Return the searches under a name, each with what it asks, that in words, and why it cannot be asked any more."""
    with desk.store.read() as tx:
        found = [(one, SearchSpec.from_json(one.asked)) for one in tx.named_searches.list()]
        return [
            (one, asked, words_of(asked, example_names(tx, asked)), why_not_asked(tx, desk.search_pictures, asked))
            for one, asked in found
        ]


def destinations_told(desk: Desk) -> tuple[str, ...]:
    """Return the destinations that watches tell."""
    if desk.services is None:
        return ()
    return desk.services.settings.audience.wanting(EVENT)
