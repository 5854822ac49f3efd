"""Searches what is owned and what was seen: by a picture, by words, by examples. Nothing is recorded."""

import base64
from dataclasses import replace

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from starlette.responses import Response

from guardian.errors import UsageError
from guardian.model import Permission
from guardian.search.asking import WHERE, Asked
from guardian.search.facets import facets_of
from guardian.search.question import By
from guardian.web.desk import desk_of
from guardian.web.pages.access import LONGEST_FIELD, person_may
from guardian.web.rendering import page
from guardian.web.searching import answered, picture_at

router = APIRouter(prefix="/search", dependencies=[Depends(person_may(Permission.SEARCH))], include_in_schema=False)

_MAX_BYTES = 50 * 1024**2
_SHOWN = 60
_FILTERS = ("label", "collection", "tag", "host", "since")


@router.get("")
async def by_words(
    request: Request,
    text: str = Query("", max_length=LONGEST_FIELD),
    where: str = Query("all", max_length=20),
    by: str = Query("auto", max_length=20),
    like: str = Query("", max_length=80),
    asset: str = Query("", max_length=80),
) -> Response:
    """Show the form, and what some words, an example or an image of one's own find."""
    filters = _filters({name: request.query_params.get(name, "") for name in _FILTERS})
    asked = Asked(where, by, text.strip() or None, like=(like,) if like else (), filters=filters, own=asset or None)
    is_asked = bool(asked.text or asked.like or asked.own)
    return await _shown(request, asked, None, is_asked=is_asked)


@router.post("")
async def by_picture(
    request: Request,
    picture: UploadFile | None = File(None),  # noqa: B008 - FastAPI's way
    address: str = Form("", max_length=LONGEST_FIELD),
    text: str = Form("", max_length=LONGEST_FIELD),
    where: str = Form("all", max_length=20),
    by: str = Form("auto", max_length=20),
) -> Response:
    """Show what is like a picture that is sent, or that an address shows."""
    desk, form = desk_of(request), await request.form()
    filters = _filters({name: str(form.get(name) or "")[:LONGEST_FIELD] for name in _FILTERS})
    content = await picture.read(_MAX_BYTES + 1) if picture is not None and picture.filename else b""
    if len(content) > _MAX_BYTES:
        raise UsageError(f"a picture may have {_MAX_BYTES >> 20} MiB here; use `guardian search` for larger ones")
    if not content and address.strip():
        if desk.services is None:
            raise UsageError("the matcher is not opened here; ask the daemon (`guardian run`)")
        content = await picture_at(desk.services, address.strip())
    asked = Asked(where, by, text.strip() or None, filters=filters)
    return await _shown(request, asked, content or None, is_asked=bool(content or asked.text))


async def _shown(request: Request, asked: Asked, content: bytes | None, *, is_asked: bool) -> Response:
    desk = desk_of(request)
    answer = None
    if is_asked:
        if desk.services is None:
            raise UsageError("the matcher is not opened here; ask the daemon (`guardian run`)")
        answer = await answered(desk, desk.services, replace(asked, top=_SHOWN, facets=True), content)
    previews = {
        result.rank: "data:image/jpeg;base64," + base64.b64encode(result.preview).decode("ascii")
        for result in (answer.results if answer is not None else ())
        if result.preview is not None
    }
    return page(
        request,
        "search.html",
        asked=asked,
        has_picture=content is not None,
        chosen=dict(text.split("=", 1) for text in asked.filters),
        answer=answer,
        previews=previews,
        facets=facets_of(answer.results) if answer is not None else {},
        places=list(WHERE),
        measures=list(By),
    )


def _filters(values: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{name}={value.strip()}" for name, value in values.items() if value.strip())
