"""Searches what is owned and what was seen: by a picture, by words, by examples. Nothing is recorded."""

import base64
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, ImmutableMultiDict, UploadFile
from starlette.responses import RedirectResponse, Response

from guardian.errors import GuardianError, Unmatchable, UsageError
from guardian.model import BrowserSession, Case, NamedSearch, Permission, Severity
from guardian.people.signing_in import actor_of
from guardian.scan.services import Services
from guardian.search.asking import WHERE, Asked, asked_of
from guardian.search.facets import facets_of
from guardian.search.kept import KeptSearches, begin_watch, end_watch, kept_search, remove_search, why_not_asked
from guardian.search.question import By
from guardian.search.search import Result, Search, SearchAnswer
from guardian.search.watching import EVENT
from guardian.web.auth.requests import address_of
from guardian.web.desk import Desk, desk_of
from guardian.web.pages.access import LONGEST_FIELD, person_may
from guardian.web.rendering import page
from guardian.web.search_queries import LONGEST_TEXT, asked_in, narrowed, parts_of, query_of, words_of
from guardian.web.searching import MOST_RESULTS, answered, picture_at

router = APIRouter(prefix="/search", include_in_schema=False)

SEARCHER = Depends(person_may(Permission.SEARCH))
KEEPER = Depends(person_may(Permission.CASES_WRITE))

_MAX_BYTES = 50 * 1024**2
_SHOWN = 60
_CASES_SHOWN = 5
_LONGEST_QUERY = 40_000
_NOTHING_ASKED = "nothing to search with: choose a picture, write words or colours"
_LET_GO = "the picture is not held here any more: choose it again"
_NOT_OPENED = "the matcher is not opened here; ask the daemon (`guardian run`)"


@router.get("")
async def by_words(request: Request, session: BrowserSession = SEARCHER) -> Response:
    """Show the form and the kept searches, or what a search finds that the address writes."""
    asked = asked_in(request.query_params)
    if not request.query_params:
        return await _shown(request, session, asked)
    return await _answer(request, session, asked, request.query_params.get("top", ""))


@router.post("")
async def by_picture(request: Request, session: BrowserSession = SEARCHER) -> Response:
    """Lead to what is like a picture that is sent, or that an address shows, or to what else the form asks.

    Answers have an address of their own, to which people come back without sending the picture again.
    """
    desk, form = desk_of(request), await request.form()
    asked = asked_in(form)
    try:
        content = await _sent(desk, form)
    except UsageError as error:
        return await _shown(request, session, asked, problem=str(error), address=_address_in(form))
    if content is not None:
        kept = desk.recent_pictures.hold(session.person.id, content, desk.clock())
        # A part was one of the picture asked with before.
        is_other = (asked.picture or asked.own) is not None and kept != asked.picture
        asked = replace(asked, picture=kept, own=None, region=None if is_other else asked.region)
    query = query_of(asked)
    if not query:
        return await _shown(request, session, asked, problem=_NOTHING_ASKED)
    return RedirectResponse(f"/search?{query}#found", status_code=303)


@router.post("/keep")
async def keep(
    request: Request,
    session: BrowserSession = KEEPER,
    name: str = Form("", max_length=200),
    query: str = Form("", max_length=_LONGEST_QUERY),
) -> Response:
    """Keep a search under a name that no other one has."""
    desk = desk_of(request)
    # Read and written anew, so that only what the form knows is kept.
    asked = asked_in(ImmutableMultiDict(parse_qsl(query)))
    content = await _content(desk, session, asked)
    if content is None and asked.picture is not None:
        raise UsageError(_LET_GO)
    searches = KeptSearches(desk.store, _search_of(desk), desk.search_pictures)
    actor = actor_of(session.person, address_of(request))
    await run_in_threadpool(searches.keep, name.strip(), asked, content, actor, desk.clock(), replaces=False)
    return RedirectResponse("/search#kept", status_code=303)


@router.get("/run")
async def run(request: Request, session: BrowserSession = SEARCHER, name: str = "") -> Response:
    """Lead to what a kept search finds today."""
    desk = desk_of(request)
    with desk.store.read() as tx:
        asked = asked_of(kept_search(tx, name).asked)
    return RedirectResponse(f"/search?{query_of(asked)}", status_code=303)


@router.post("/watch")
async def watch(
    request: Request,
    session: BrowserSession = KEEPER,
    name: str = Form("", max_length=200),
    above: str = Form("", max_length=20),
    severity: str = Form(Severity.LOW.value, max_length=20),
) -> Response:
    """Have a kept search watch what is met from now on."""
    desk, actor = desk_of(request), actor_of(session.person, address_of(request))
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
    """End the watch of a kept search, which stays."""
    desk, actor = desk_of(request), actor_of(session.person, address_of(request))

    def write() -> None:
        with desk.store.begin() as tx:
            end_watch(tx, name, actor, desk.clock())

    await run_in_threadpool(write)
    return RedirectResponse("/search#kept", status_code=303)


@router.post("/remove")
async def remove(request: Request, session: BrowserSession = KEEPER, name: str = Form("", max_length=200)) -> Response:
    """Remove a kept search; its watch ends."""
    desk, actor = desk_of(request), actor_of(session.person, address_of(request))
    await run_in_threadpool(remove_search, desk.store, desk.search_pictures, name, actor, desk.clock())
    return RedirectResponse("/search#kept", status_code=303)


async def _sent(desk: Desk, form: FormData) -> bytes | None:
    """Return the picture that a form sends or whose address it names; None for neither. Raises UsageError."""
    picture, address = form.get("picture"), _address_in(form)
    if isinstance(picture, UploadFile) and picture.filename:
        content = await picture.read(_MAX_BYTES + 1)
    elif len(address) > LONGEST_FIELD:
        raise UsageError(f"an address may have {LONGEST_FIELD:,} characters here")
    elif address:
        content = await picture_at(_services_of(desk), address)
    else:
        return None

    if len(content) > _MAX_BYTES:
        raise UsageError(f"a picture may have {_MAX_BYTES >> 20} MiB here; use `guardian search` for larger ones")
    if not content:
        raise UsageError("the file of the picture is empty")
    return content


def _address_in(form: FormData) -> str:
    address = form.get("address")
    return address.strip() if isinstance(address, str) else ""


async def _answer(request: Request, session: BrowserSession, asked: Asked, top: str) -> Response:
    """Answer a search, and say what is wrong with it beside the form."""
    desk = desk_of(request)
    if not (asked.text or asked.like or asked.own or asked.picture or asked.colours):
        return await _shown(request, session, asked, problem=_NOTHING_ASKED)
    content = await _content(desk, session, asked)
    if content is None and asked.picture is not None:
        return await _shown(request, session, replace(asked, picture=None), problem=_LET_GO)

    wanted = replace(asked, top=MOST_RESULTS if top == str(MOST_RESULTS) else _SHOWN, facets=True)
    try:
        answer = await answered(desk, _services_of(desk), wanted, content)
    except UsageError as error:
        # What cannot be looked at would stand in the way of every search that follows.
        is_unreadable = isinstance(error.__cause__, Unmatchable)
        return await _shown(
            request, session, replace(asked, picture=None) if is_unreadable else asked, problem=str(error)
        )
    return await _shown(request, session, wanted, content=content, answer=answer)


async def _shown(
    request: Request,
    session: BrowserSession,
    asked: Asked,
    *,
    content: bytes | None = None,
    answer: SearchAnswer | None = None,
    problem: str | None = None,
    address: str = "",
) -> Response:
    desk = desk_of(request)
    may_read_cases = Permission.CASES_READ in session.person.role.scopes
    results = answer.results if answer is not None else ()
    cases = await run_in_threadpool(_cases_of, desk, results) if may_read_cases else {}
    kept = await run_in_threadpool(_kept, desk) if answer is None else []
    found = await _search_of(desk).shown(content) if content is not None and desk.services is not None else None
    values: dict[str, Any] = {
        "asked": asked,
        "address": address,
        "longest": LONGEST_TEXT,
        "picture": found,
        "picture_data": _data(found.jpeg) if found is not None else None,
        "chosen": dict(text.split("=", 1) for text in asked.filters),
        "parts_of_search": [(words, query_of(without)) for words, without in parts_of(asked)],
        "answer": answer,
        # Options are of the command line; the form has fields of the same names. (Hosts have "xn--" within.)
        "problem": re.sub(r"(?<![\w-])--(?=[a-z])", "", problem) if problem is not None else None,
        "previews": {one.rank: _data(one.preview) for one in results if one.preview is not None},
        "cases": cases,
        "facets": _facet_links(asked, results),
        "query": query_of(asked),
        "links": {one.rank: _links(asked, one) for one in results},
        "most": MOST_RESULTS if len(results) == asked.top < MOST_RESULTS else None,
        "kept": kept,
        "told": _told(desk),
        "places": list(WHERE),
        "measures": list(By),
        "severities": list(Severity),
    }
    return page(request, "search.html", status=400 if problem is not None else 200, **values)


async def _content(desk: Desk, session: BrowserSession, asked: Asked) -> bytes | None:
    """Return the picture asked with, sent before or kept; None without one, and where it was let go."""
    if asked.picture is None:
        return None
    content = desk.recent_pictures.get(session.person.id, asked.picture, desk.clock())
    if content is not None:
        return content
    try:
        return await run_in_threadpool(desk.search_pictures.get, asked.picture)
    except GuardianError:
        return None


def _cases_of(desk: Desk, results: Sequence[Result]) -> dict[int, list[Case]]:
    """Return by rank some cases of pictures that were seen, and of their near-identical ones."""
    seen = {one.rank: one.seen for one in results if one.seen is not None}
    with desk.store.read() as tx:
        like = tx.seen.like([picture.id for picture in seen.values()])
        digests = {rank: [one.sha256 for one in (it, *like.get(it.id, ()))] for rank, it in seen.items()}
        ids = tx.versions.cases_showing({digest for several in digests.values() for digest in several})
        of_rank = {
            rank: list(dict.fromkeys(id_ for one in several for id_ in ids.get(one, ())))[:_CASES_SHOWN]
            for rank, several in digests.items()
        }
        found = {id_: tx.cases.get(id_) for id_ in {id_ for several in of_rank.values() for id_ in several}}
    return {rank: [case for id_ in several if (case := found[id_])] for rank, several in of_rank.items()}


def _kept(desk: Desk) -> list[tuple[NamedSearch, Asked, str, str | None]]:
    """Return the searches under a name, each with what it asks, that in words, and why it cannot be asked any more."""
    with desk.store.read() as tx:
        found = [(one, asked_of(one.asked)) for one in tx.named_searches.list()]
        return [(one, asked, words_of(asked), why_not_asked(tx, desk.search_pictures, asked)) for one, asked in found]


def _facet_links(asked: Asked, results: Sequence[Result]) -> dict[str, list[tuple[str, int, str | None]]]:
    """Return by facet its values, how many results have each, and the query that asks for those alone."""
    return {
        name: [
            (value, count, query_of(only) if (only := narrowed(asked, name, value)) is not None else None)
            for value, count in values.items()
        ]
        for name, values in facets_of(results).items()
    }


def _links(asked: Asked, result: Result) -> dict[str, str]:
    """Return the queries that go on from a result: with it alone, with more and with less like it."""
    one = result.asset or result.seen
    if one is None:
        return {}
    alone = Asked(asked.where, own=one.id) if result.asset is not None else Asked(asked.where, like=(one.id,))
    others = {name: tuple(id_ for id_ in getattr(asked, name) if id_ != one.id) for name in ("like", "unlike")}
    more = replace(asked, like=(*others["like"], one.id), unlike=others["unlike"])
    less = replace(asked, like=others["like"], unlike=(*others["unlike"], one.id))
    return {"alone": query_of(alone), "more": query_of(more), "less": query_of(less)}


def _told(desk: Desk) -> tuple[str, ...]:
    """Return the destinations that watches tell."""
    if desk.services is None:
        return ()
    settings = desk.services.settings
    return settings.routing.wanting(EVENT, settings.destinations)


def _services_of(desk: Desk) -> Services:
    if desk.services is None:
        raise UsageError(_NOT_OPENED)
    return desk.services


def _search_of(desk: Desk) -> Search:
    return Search(desk.store, _services_of(desk).workers, desk.data_dir)


def _data(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
