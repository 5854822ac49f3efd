"""Answers searches of the page and of the API: nothing is recorded, and nobody is told."""

import asyncio
from dataclasses import replace

from starlette.exceptions import HTTPException

from guardian.errors import (
    FetchFailed,
    FetchRefused,
    GuardianError,
    IndexNotReady,
    StoreUnusable,
    Unmatchable,
    UsageError,
    WorkerLost,
    WorkersUnavailable,
)
from guardian.fetch.fetcher import Fetcher
from guardian.media.sniff import is_page
from guardian.scan.services import Services
from guardian.search.asking import SearchSpec, request_of
from guardian.search.request import Request, SearchAnswer
from guardian.search.search import Search
from guardian.store import Transaction
from guardian.urls.addresses import is_web_address
from guardian.web.desk import Desk

MOST_RESULTS = 200
"""Of one answer: more are for the command line."""

LET_GO = "the picture is not held here any more: choose it again"

_SECONDS = 60.0


async def answered(desk: Desk, services: Services, asked: SearchSpec, picture: bytes | None) -> SearchAnswer:
    """Return the pictures that somebody searches for, best first.

    Of the asset `asked.own` its bytes are the picture. Raises UsageError for what means nothing, cannot be looked at,
    or takes too long, and 503 where nothing can be searched now.
    """
    search = Search(desk.store, services.workers, desk.data_dir)
    wanted = replace(asked, top=min(asked.top, MOST_RESULTS))
    try:
        async with asyncio.timeout(_SECONDS):
            if services.memory is not None:
                await asyncio.to_thread(services.memory.write_waiting)
            request = await asyncio.to_thread(_request, desk, wanted, picture)
            if request.own is not None:
                request = replace(request, picture=await asyncio.to_thread(search.original, request.own))
            return await search.answer(request)
    except TimeoutError as error:
        raise UsageError(f"this takes longer than {_SECONDS:g} s; use `guardian search`") from error
    except Unmatchable as error:
        raise UsageError(f"the picture cannot be looked at: {error}") from error
    except (IndexNotReady, WorkerLost, WorkersUnavailable) as error:
        raise HTTPException(503, f"nothing can be searched now: {error}") from error
    except (UsageError, StoreUnusable):
        raise
    except GuardianError as error:
        # The original of the asset asked with is missing or damaged.
        raise UsageError(str(error)) from error


def _request(desk: Desk, asked: SearchSpec, picture: bytes | None) -> Request:
    with desk.store.read() as tx:
        return request_of(tx, asked, picture)


async def content_of(desk: Desk, person_id: str, asked: SearchSpec) -> bytes | None:
    """Return the picture asked with, sent before or kept; None without one, and where it was let go."""
    if asked.picture is None:
        return None
    content = desk.recent_pictures.get(person_id, asked.picture, desk.clock())
    if content is not None:
        return content
    try:
        return await asyncio.to_thread(desk.search_pictures.get, asked.picture)
    except GuardianError:
        return None


async def picture_at(services: Services, address: str) -> bytes:
    """Return the picture of an address. Raises UsageError for another thing, and where it cannot be had."""
    if not is_web_address(address):
        raise UsageError("write the address of a picture, with http:// or https://")
    try:
        response = await Fetcher.for_person(services.web).get(address, kind="image")
    except (FetchFailed, FetchRefused) as error:
        raise UsageError(f"this address gives no picture: {error}") from error
    if is_page(response):
        raise UsageError("this is a page; write the address of one picture, or check the page")
    return response.content


def example_names(tx: Transaction, asked: SearchSpec) -> dict[str, str]:
    """Return the titles of the examples of a search that are one's own images, by id."""
    found = (tx.assets.get(id_) for id_ in (*asked.like, *asked.unlike) if id_.startswith("asset_"))
    return {asset.id: asset.title for asset in found if asset is not None}
