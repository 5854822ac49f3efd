"""Checks: is this picture, or any of this page, a copy of yours? Nothing is recorded and nobody is told."""

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
from guardian.web.api.inputs import Text
from guardian.web.api.routing import UnrememberedRoute
from guardian.web.api.uploads import name_of, received
from guardian.web.api.working import services_of
from guardian.web.auth.requests import permitted
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
) -> dict[str, Any]:
    """Compare a picture, or all pictures of a page, with your assets, by your rules and licences.

    `complete` is false when not all of it was seen or compared: then "no copy" is not certain.
    """
    if (picture is None) == (address is None):
        raise UsageError("send either a `picture` or an `address`")

    desk = desk_of(request)
    if address is not None:
        # Paths would be read on this machine.
        if not is_web_address(address):
            raise UsageError(f"{address!r} is no address; write one such as https://shop.example/page")
        return await _checked(desk, address)

    assert picture is not None
    async with received(desk, picture) as path:
        return await _checked(desk, str(path), shown_as=name_of(picture))


async def _checked(desk: Desk, target: str, shown_as: str | None = None) -> dict[str, Any]:
    """Return what is said of a target. `shown_as` stands for the path of an upload, which nobody else knows."""
    found = [result async for result in check(services_of(desk), [target])]
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
