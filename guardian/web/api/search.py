"""Searches: what is like a picture, or has some words, best first. Nothing is recorded and nobody is told."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from pydantic import ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from guardian.model import Actor, Permission
from guardian.search.asking import SearchSpec
from guardian.search.facets import facets_of
from guardian.search.question import By
from guardian.search.result_json import result_json
from guardian.web.api import schemas
from guardian.web.api.answers import problems
from guardian.web.api.dependencies import services_of
from guardian.web.api.inputs import Input, Text
from guardian.web.api.routing import UnrememberedRoute
from guardian.web.api.uploads import received
from guardian.web.auth.requests import permitted
from guardian.web.desk import desk_of
from guardian.web.searching import MOST_RESULTS, answered, picture_at

router = APIRouter(tags=["search"], route_class=UnrememberedRoute)

Asker = Annotated[Actor, Depends(permitted(Permission.SEARCH))]

_LONGEST = 4_000

_Where = Literal["assets", "seen", "all"]
_Several = Annotated[tuple[Text, ...], Field(max_length=20)]


class SearchQuery(Input):
    """What is searched for, and where."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    text: Text | None = Field(None, max_length=_LONGEST, description="Words; a phrase stands in double quotes.")
    asset: Text | None = Field(None, max_length=80, description="An asset's id: what is like it?")
    where: _Where = Field("all", alias="in", description="Where to look.")
    by: By = Field(By.AUTO, description="What counts as alike.")
    like: _Several = Field((), description="Ids of assets or seen pictures that are examples.")
    unlike: _Several = Field((), description="Ids of examples of what is not meant.")
    colour: _Several = Field((), description="#c03, navy or navy:40%.")
    filter: _Several = Field((), description="NAME=VALUE, as on the command line: label=, collection=, host=...")
    top: int = Field(20, ge=1, le=MOST_RESULTS, description="How many results at most.")


@router.get(
    "/search",
    summary="Search by words, an asset, examples or colours",
    response_model=schemas.SearchResults,
    responses=problems(),
    operation_id="search",
)
async def search(request: Request, actor: Asker, query: Annotated[SearchQuery, Query()]) -> dict[str, Any]:
    """Return assets and pictures that were seen, best first, and how many have what in common.

    `complete` is false when not everything was searched; `not_searched` says what.
    """
    asked = SearchSpec(
        where=query.where,
        by=query.by.value,
        text=query.text,
        colours=query.colour,
        like=query.like,
        unlike=query.unlike,
        filters=query.filter,
        top=query.top,
        own=query.asset,
    )
    return await _found(request, asked, None)


def _form(
    text: Annotated[Text | None, Form(max_length=_LONGEST, description="Words that count, too.")] = None,
    where: Annotated[_Where, Form(alias="in", description="Where to look.")] = "all",
    by: Annotated[By, Form(description="What counts as alike.")] = By.AUTO,
    region: Annotated[Text | None, Form(max_length=80, description="X,Y,W,H: the part that is meant.")] = None,
    filter: Annotated[list[Text] | None, Form(max_length=20)] = None,  # noqa: A002 - its name in the form
    top: Annotated[int, Form(ge=1, le=MOST_RESULTS)] = 20,
) -> SearchSpec:
    """Return what a form asks for beside its picture."""
    return SearchSpec(where=where, by=by.value, text=text, region=region, filters=tuple(filter or ()), top=top)


@router.post(
    "/search",
    summary="Search by a picture",
    response_model=schemas.SearchResults,
    responses=problems(413),
    operation_id="search_by_picture",
)
async def search_by_picture(
    request: Request,
    actor: Asker,
    asked: Annotated[SearchSpec, Depends(_form)],
    picture: Annotated[UploadFile | None, File(description="A picture's file.")] = None,
    address: Annotated[Text | None, Form(max_length=_LONGEST, description="The address of a picture.")] = None,
) -> dict[str, Any]:
    """Return what is like a picture that is sent, or that an address shows; otherwise as a search by words."""
    desk = desk_of(request)
    content: bytes | None = None
    if picture is not None:
        async with received(desk, picture) as path:
            content = await run_in_threadpool(path.read_bytes)
    elif address is not None:
        content = await picture_at(services_of(desk), address)
    return await _found(request, asked, content)


async def _found(request: Request, asked: SearchSpec, content: bytes | None) -> dict[str, Any]:
    desk = desk_of(request)
    answer = await answered(desk, services_of(desk), replace(asked, facets=True), content)
    return {
        "items": [result_json(result) for result in answer.results],
        "facets": facets_of(answer.results),
        "searched": {kind.value: count for kind, count in answer.searched.items()},
        "not_searched": list(answer.not_searched),
        "complete": not answer.not_searched,
    }
