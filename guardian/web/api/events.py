"""The stream of new and changed cases (server-sent events), which a program that was away takes up where it ended.

Ids of events are numbers of the audit log: they are given in the order of commits, so none is missed.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from guardian.errors import StoreUnusable
from guardian.model import Actor, Permission
from guardian.web.api.answers import problems
from guardian.web.api.cases import object_of
from guardian.web.api.routing import GuardedRoute
from guardian.web.auth.requests import permitted
from guardian.web.desk import Desk, desk_of

router = APIRouter(tags=["events"], route_class=GuardedRoute)

Reader = Annotated[Actor, Depends(permitted(Permission.CASES_READ))]

MOST_STREAMS = 50
_LOOK_EVERY = 1.0
_SIGN_OF_LIFE_EVERY = 15.0
_AT_ONCE = 200

_STREAM = "text/event-stream"
_EXAMPLE = 'id: 812\nevent: opened\ndata: {"id": "case_4f1c...", "state": "open", ...}\n\n'


@router.get(
    "/events",
    summary="Follow cases",
    response_class=StreamingResponse,
    responses={
        **problems(),
        200: {"description": "Events until either side ends them", "content": {_STREAM: {"example": _EXAMPLE}}},
    },
    operation_id="follow_cases",
)
async def follow_cases(
    request: Request,
    actor: Reader,
    last_event_id: Annotated[
        str | None,
        Header(max_length=18, description="Go on after this event; without it, with what comes from now on."),
    ] = None,
) -> StreamingResponse:
    """Send an event for each case that is opened or changed: `event` says which, `data` is the case as it is now.

    Several changes that come at once are one event. Reconnect with Last-Event-ID, as browsers do by themselves.
    """
    desk = desk_of(request)
    if last_event_id is not None and not (last_event_id.isascii() and last_event_id.isdecimal()):
        raise HTTPException(400, "Last-Event-ID is the id of an event of this stream: a number")
    streams: set[object] = request.app.state.streams
    if len(streams) >= MOST_STREAMS:
        raise HTTPException(503, f"{MOST_STREAMS} programs follow already; end one of them, or list cases instead")

    start = int(last_event_id) if last_event_id is not None else await run_in_threadpool(_last_number, desk)
    closing: asyncio.Event = request.app.state.closing
    return StreamingResponse(_counted(streams, _events(desk, start, closing)), media_type=_STREAM)


async def _counted(streams: set[object], events: AsyncIterator[str]) -> AsyncIterator[str]:
    """Yield the events of a stream that counts as one for as long as it lasts."""
    mark = object()
    streams.add(mark)
    try:
        async for event in events:
            yield event
    finally:
        streams.discard(mark)


async def _events(desk: Desk, number: int, closing: asyncio.Event) -> AsyncIterator[str]:
    """Yield the changes after a number as they come, until the server closes."""
    loop = asyncio.get_running_loop()
    # A comment at once, so that whoever reads knows that it listens.
    yield f": from {number}\nretry: 3000\n\n"
    said_at = loop.time()
    while not closing.is_set():
        try:
            changes = await run_in_threadpool(_changes, desk, number)
        except StoreUnusable:
            # The program connects again and goes on from its last event.
            return
        for number, name, case in changes:
            yield f"id: {number}\nevent: {name}\ndata: {json.dumps(case, ensure_ascii=False)}\n\n"
            said_at = loop.time()
        if loop.time() - said_at > _SIGN_OF_LIFE_EVERY:
            yield ": still here\n\n"
            said_at = loop.time()
        if not changes:
            try:
                async with asyncio.timeout(_LOOK_EVERY):
                    await closing.wait()
            except TimeoutError:
                continue


def _changes(desk: Desk, number: int) -> list[tuple[int, str, dict[str, Any]]]:
    """Return the cases that changed after a number of the audit log: the number, what happened, the case as it is."""
    with desk.store.read() as tx:
        lines = tx.audit.histories_after(number, _AT_ONCE)
        # The last line of a case stands for all of them.
        latest = {case_id: (at_number, at) for at_number, case_id, at in lines}
        opened = {case_id for _, case_id, at in lines if (case := tx.cases.get(case_id)) and case.opened_at == at}
        found = []
        for case_id, (at_number, _) in sorted(latest.items(), key=lambda item: item[1]):
            case = tx.cases.get(case_id)
            if case is not None:
                name = "opened" if case_id in opened else "changed"
                found.append((at_number, name, object_of(tx, case, desk.clock())))
        return found


def _last_number(desk: Desk) -> int:
    with desk.store.read() as tx:
        head = tx.audit.head()
    return head.number if head is not None else 0
