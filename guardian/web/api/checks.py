"""Checks: is this picture, or any of this page, a copy of yours? Nothing is recorded and nobody told unless asked."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from starlette.concurrency import run_in_threadpool

from guardian.errors import UsageError
from guardian.model import Actor, Answer, NotSeen, Permission
from guardian.scan.pipeline import check
from guardian.urls.addresses import is_web_address
from guardian.views.answers import answer_json, not_seen_json
from guardian.web.api import schemas
from guardian.web.api.answers import problems
from guardian.web.api.dependencies import services_of
from guardian.web.api.inputs import Text
from guardian.web.api.routing import UnrememberedRoute
from guardian.web.api.uploads import name_of, received
from guardian.web.auth.requests import NotPermitted, permitted
from guardian.web.desk import Desk, desk_of

router = APIRouter(tags=["checks"], route_class=UnrememberedRoute)

Asker = Annotated[Actor, Depends(permitted(Permission.CHECK))]

_LONGEST_ADDRESS = 4_000


@router.post(
    "/checks",
    summary="Check a picture or a page",
    response_model=schemas.Checked,
    responses=problems(413),
    operation_id="check",
)
async def check_target(
    request: Request,
    actor: Asker,
    picture: Annotated[UploadFile | None, File(description="A picture's file.")] = None,
    address: Annotated[
        Text | None, Form(max_length=_LONGEST_ADDRESS, description="The address of a picture or a page.")
    ] = None,
    record: Annotated[
        bool, Form(description="Record what the address shows and tell of it, as a scan does; needs cases:write.")
    ] = False,
) -> dict[str, Any]:
    """Compare a picture, or all pictures of a page, with your assets, by your rules and licences.

    `complete` is false when not all of it was seen or compared: then "no copy" is not certain.
    """
    if (picture is None) == (address is None):
        raise UsageError("send either a `picture` or an `address`")

    desk = desk_of(request)
    if record and address is None:
        raise UsageError("a picture alone has no place that could be recorded; send the `address` that shows it")
    if record and not actor.may(Permission.CASES_WRITE):
        raise NotPermitted(f"{actor.name} may not record uses; it needs {Permission.CASES_WRITE.value}")
    if address is not None:
        # Paths would be read on this machine.
        if not is_web_address(address):
            raise UsageError(f"{address!r} is no address; write one such as https://shop.example/page")
        if record:
            await run_in_threadpool(_note, desk, actor, address)
        return await _checked(desk, address, recorded=record)

    assert picture is not None
    async with received(desk, picture) as path:
        return await _checked(desk, str(path), shown_as=name_of(picture))


def _note(desk: Desk, actor: Actor, address: str) -> None:
    """Write to the audit log who has what an address shows recorded."""
    with desk.store.begin() as tx:
        tx.audit.add(actor, "check.recorded", None, desk.clock(), {"address": address[:2_000]})


async def _checked(desk: Desk, target: str, shown_as: str | None = None, *, recorded: bool = False) -> dict[str, Any]:
    """Return what is said of a target. `shown_as` stands for the path of an upload, which nobody else knows."""
    found = [result async for result in check(services_of(desk), [target], recorded=recorded)]
    results = [answer_json(result) if isinstance(result, Answer) else not_seen_json(result) for result in found]
    if shown_as is not None:
        hidden = {"target": shown_as, "image_url": None, "page_url": None}
        results = [result | {name: value for name, value in hidden.items() if name in result} for result in results]

    def count() -> int:
        with desk.store.read() as tx:
            return tx.assets.count()

    assets = await run_in_threadpool(count)
    return {"items": results, "assets": assets, "complete": bool(assets) and _saw_all(found)}


def _saw_all(found: Sequence[Answer | NotSeen]) -> bool:
    for result in found:
        if isinstance(result, NotSeen):
            if result.skipped.reason.may_hide_a_copy:
                return False
        elif result.is_partial or (result.problem is not None and result.problem.reason.may_hide_a_copy):
            return False
    return True
