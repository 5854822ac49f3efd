"""Asks whether a picture is a copy: by upload or by address. Nothing is recorded and nobody is told unless asked."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from guardian.errors import UsageError
from guardian.model import Actor, Answer, BrowserSession, NotSeen, Permission
from guardian.scan.pipeline import check
from guardian.urls.addresses import host_of, is_web_address
from guardian.web.auth.requests import NotPermitted, person_acting
from guardian.web.desk import Desk, desk_of
from guardian.web.pages.access import LONGEST_FIELD, person_may, services_of
from guardian.web.pages.forms import picture_in
from guardian.web.rendering import page

router = APIRouter(prefix="/check", include_in_schema=False)

ASKER = Depends(person_may(Permission.CHECK))

_SECONDS = 120.0
_MOST_ANSWERS = 100


@router.get("", dependencies=[ASKER])
async def show_form(request: Request) -> Response:
    """Show the form."""
    return page(request, "check.html", asked="", answers=None, not_seen=[], recorded_at=None)


@router.post("")
async def answer(
    request: Request,
    session: BrowserSession = ASKER,
    picture: UploadFile | None = File(None),  # noqa: B008 - FastAPI's way
    address: str = Form("", max_length=LONGEST_FIELD),
    record: str = Form("", max_length=20),
) -> Response:
    """Answer for a picture that is sent, or for what an address shows, which is recorded when that is asked for."""
    actor = person_acting(request, session)
    content = await picture_in(picture, "`guardian check`") if picture is not None and picture.filename else b""
    if content and record:
        raise UsageError("a picture alone has no place that could be recorded; write the address that shows it")
    if content:
        name = picture.filename if picture is not None and picture.filename else "the picture"
        # The pipeline reads files; this one is gone as soon as it has answered.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "picture"
            await asyncio.to_thread(path.write_bytes, content)
            found = await _found(request, str(path))
        return page(request, "check.html", asked=name, recorded_at=None, **found)

    address = address.strip()
    if not is_web_address(address):
        raise UsageError("send a picture, or write the address of a page or a picture, with http:// or https://")
    if record and not actor.may(Permission.CASES_WRITE):
        raise NotPermitted(f"{actor.name} may not record uses; it needs {Permission.CASES_WRITE.value}")
    if record:
        await run_in_threadpool(_note, desk_of(request), actor, address)
    found = await _found(request, address, recorded=bool(record))
    recorded_at = host_of(address) if record else None
    return page(request, "check.html", asked=address, recorded_at=recorded_at, **found)


async def _found(request: Request, target: str, *, recorded: bool = False) -> dict[str, Any]:
    """Return what the page shows of a target: answers, and what was not looked at."""
    desk = desk_of(request)
    services = services_of(desk)
    answers: list[Answer] = []
    not_seen: list[NotSeen] = []
    try:
        async with asyncio.timeout(_SECONDS):
            async for result in check(services, [target], recorded=recorded):
                if isinstance(result, Answer):
                    answers.append(result)
                else:
                    not_seen.append(result)
    except TimeoutError as error:
        raise UsageError(f"this takes longer than {_SECONDS:g} s; use `guardian check`") from error
    return {"answers": answers[:_MOST_ANSWERS], "not_seen": not_seen}


def _note(desk: Desk, actor: Actor, address: str) -> None:
    """Write to the audit log who has what an address shows recorded."""
    with desk.store.begin() as tx:
        tx.audit.add(actor, "check.recorded", None, desk.clock(), {"address": address[:2_000]})
