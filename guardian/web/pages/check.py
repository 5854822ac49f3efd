"""Asks whether a picture is a copy: by upload or by address. Nothing is recorded and nobody is told."""

import asyncio
import tempfile
from pathlib import Path

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from starlette.responses import Response

from guardian.errors import UsageError
from guardian.model import Answer, NotSeen, Permission
from guardian.scan.pipeline import check
from guardian.urls.addresses import is_web_address
from guardian.web.desk import desk_of
from guardian.web.pages.access import LONGEST_FIELD, person_may
from guardian.web.rendering import page

router = APIRouter(prefix="/check", dependencies=[Depends(person_may(Permission.CHECK))], include_in_schema=False)

_MAX_BYTES = 50 * 1024**2
_SECONDS = 120.0
_MOST_ANSWERS = 100


@router.get("")
async def show_form(request: Request) -> Response:
    """Show the form."""
    return page(request, "check.html", asked="", answers=None, not_seen=[])


@router.post("")
async def answer(
    request: Request,
    picture: UploadFile | None = File(None),  # noqa: B008 - FastAPI's way
    address: str = Form("", max_length=LONGEST_FIELD),
) -> Response:
    """Answer for a picture that is sent, or for what an address shows."""
    content = await picture.read(_MAX_BYTES + 1) if picture is not None and picture.filename else b""
    if len(content) > _MAX_BYTES:
        raise UsageError(f"a picture may have {_MAX_BYTES >> 20} MiB here; use `guardian check` for larger ones")
    if content:
        name = picture.filename if picture is not None and picture.filename else "the picture"
        # The pipeline reads files; this one is gone as soon as it has answered.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "picture"
            await asyncio.to_thread(path.write_bytes, content)
            return await _answered(request, str(path), name)

    address = address.strip()
    if not is_web_address(address):
        raise UsageError("send a picture, or write the address of a page or a picture, with http:// or https://")
    return await _answered(request, address, address)


async def _answered(request: Request, target: str, asked: str) -> Response:
    desk = desk_of(request)
    if desk.services is None:
        raise UsageError("the matcher is not opened here; ask the daemon (`guardian run`)")
    answers: list[Answer] = []
    not_seen: list[NotSeen] = []
    try:
        async with asyncio.timeout(_SECONDS):
            async for result in check(desk.services, [target]):
                if isinstance(result, Answer):
                    answers.append(result)
                else:
                    not_seen.append(result)
    except TimeoutError as error:
        raise UsageError(f"this takes longer than {_SECONDS:g} s; use `guardian check`") from error
    return page(request, "check.html", asked=asked, answers=answers[:_MOST_ANSWERS], not_seen=not_seen)
