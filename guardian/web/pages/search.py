"""Searches what is owned and what was seen: by a picture, by words, by examples. Nothing is recorded."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.responses import RedirectResponse, Response

from guardian.errors import Unmatchable, UsageError
from guardian.model import BrowserSession, Case, Permission, Severity
from guardian.search.asking import WHERE, SearchSpec
from guardian.search.facets import facets_of
from guardian.search.named import why_not_watched
from guardian.search.question import By
from guardian.search.request import Result, SearchAnswer
from guardian.web.desk import Desk, desk_of
from guardian.web.pages.access import LONGEST_FIELD, person_may, search_of, services_of
from guardian.web.pages.forms import picture_in, refuse_large
from guardian.web.pages.named_searches import destinations_told, named_searches, removed_search
from guardian.web.rendering import page
from guardian.web.search_queries import (
    LONGEST_TEXT,
    MOST_EXAMPLES,
    asked_in,
    narrowed,
    onward_queries,
    parts_of,
    query_of,
)
from guardian.web.searching import LET_GO, MOST_RESULTS, answered, content_of, example_names, picture_at

router = APIRouter(prefix="/search", include_in_schema=False)

SEARCHER = Depends(person_may(Permission.SEARCH))

_COMMAND = "`guardian search`"
_SHOWN = 60
_CASES_SHOWN = 5
_NOTHING_ASKED = "nothing to search with: choose a picture, write words or colours"


@router.get("")
async def by_words(request: Request, session: BrowserSession = SEARCHER) -> Response:
    """Show the form and the named searches, or what a search finds that the address writes."""
    asked = asked_in(request.query_params)
    if not request.query_params or "removed" in request.query_params:
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


async def _sent(desk: Desk, form: FormData) -> bytes | None:
    """Return the picture that a form sends or whose address it names; None for neither. Raises UsageError."""
    picture, address = form.get("picture"), _address_in(form)
    if isinstance(picture, UploadFile) and picture.filename:
        content = await picture_in(picture, _COMMAND)
    elif len(address) > LONGEST_FIELD:
        raise UsageError(f"an address may have {LONGEST_FIELD:,} characters here")
    elif address:
        content = await picture_at(services_of(desk), address)
    else:
        return None

    refuse_large(content, _COMMAND)
    if not content:
        raise UsageError("the file of the picture is empty")
    return content


def _address_in(form: FormData) -> str:
    address = form.get("address")
    return address.strip() if isinstance(address, str) else ""


async def _answer(request: Request, session: BrowserSession, asked: SearchSpec, top: str) -> Response:
    """Answer a search, and say what is wrong with it beside the form."""
    desk = desk_of(request)
    if not (asked.text or asked.like or asked.own or asked.picture or asked.colours):
        return await _shown(request, session, asked, problem=_NOTHING_ASKED)
    content = await content_of(desk, session.person.id, asked)
    if content is None and asked.picture is not None:
        return await _shown(request, session, replace(asked, picture=None), problem=LET_GO)

    wanted = replace(asked, top=MOST_RESULTS if top == str(MOST_RESULTS) else _SHOWN, facets=True)
    try:
        answer = await answered(desk, services_of(desk), wanted, content)
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
    asked: SearchSpec,
    *,
    content: bytes | None = None,
    answer: SearchAnswer | None = None,
    problem: str | None = None,
    address: str = "",
) -> Response:
    """Return the page of the search: its form, and the answer where there is one.

    `content` is the picture that was asked with. `problem` is what is wrong with the request, and `address` what was
    written as the address of a picture, so that it is not lost.
    """
    desk = desk_of(request)
    may_read_cases = Permission.CASES_READ in session.person.role.scopes
    results = answer.results if answer is not None else ()
    cases = await run_in_threadpool(_cases_of, desk, results) if may_read_cases else {}
    named = await run_in_threadpool(named_searches, desk) if answer is None else []
    names = await run_in_threadpool(_example_names, desk, asked)
    found = await search_of(desk).shown(content) if content is not None and desk.services is not None else None
    return page(
        request,
        "search.html",
        status=400 if problem is not None else 200,
        **_form_values(asked, names),
        problem=problem,
        address=address,
        picture=found,
        picture_data=_data(found.jpeg) if found is not None else None,
        answer=answer,
        **_result_values(asked, results),
        cases=cases,
        kept=named,
        can_watch={one.name for one, its, *_ in named if why_not_watched(its) is None},
        told=destinations_told(desk),
        removed=removed_search(desk, session) if "removed" in request.query_params else None,
        severities=list(Severity),
    )


def _example_names(desk: Desk, asked: SearchSpec) -> Mapping[str, str]:
    with desk.store.read() as tx:
        return example_names(tx, asked)


def _form_values(asked: SearchSpec, names: Mapping[str, str]) -> dict[str, Any]:
    """Return what the form shows of a search, and offers. `names`: of its examples, by id."""
    return {
        "asked": asked,
        "query": query_of(asked),
        "chosen": dict(text.split("=", 1) for text in asked.filters),
        "parts_of_search": [(words, query_of(without)) for words, without in parts_of(asked, names)],
        "longest": LONGEST_TEXT,
        "places": list(WHERE),
        "measures": list(By),
    }


def _result_values(asked: SearchSpec, results: Sequence[Result]) -> dict[str, Any]:
    """Return by rank the previews of results and the searches that lead on from them, and what they have in common."""
    return {
        "previews": {one.rank: _data(one.preview) for one in results if one.preview is not None},
        "links": {
            one.rank: onward_queries(asked, its.id, is_asset=one.asset is not None)
            for one in results
            if (its := one.asset or one.seen) is not None
        },
        "facets": _facet_links(asked, results),
        "most_examples": MOST_EXAMPLES,
        "most": MOST_RESULTS if len(results) == asked.top < MOST_RESULTS else None,
    }


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


def _facet_links(asked: SearchSpec, results: Sequence[Result]) -> dict[str, list[tuple[str, int, str | None]]]:
    """Return by facet its values, how many results have each, and the query that asks for those alone."""
    return {
        name: [
            (value, count, query_of(only) if (only := narrowed(asked, name, value)) is not None else None)
            for value, count in values.items()
        ]
        for name, values in facets_of(results).items()
    }


def _data(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
