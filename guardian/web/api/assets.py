"""Assets: listed, shown, uploaded to be protected, corrected, taken out of protection."""

from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from guardian.cases.rejudging import judge_uses_of
from guardian.catalog.details import Correction
from guardian.errors import UsageError
from guardian.model import Actor, Asset, AssetFilter, AssetState, Permission, Rights
from guardian.store import Transaction
from guardian.views.assets import asset_json
from guardian.web.api import cursors, schemas
from guardian.web.api.answers import not_found, problems
from guardian.web.api.dependencies import catalog_of, judging_of
from guardian.web.api.inputs import IdInPath, Input, Name, PageQuery, Text
from guardian.web.api.routing import GuardedRoute
from guardian.web.api.uploads import name_of, received
from guardian.web.auth.requests import permitted
from guardian.web.correcting import correct_asset
from guardian.web.desk import desk_of

router = APIRouter(prefix="/assets", tags=["assets"], route_class=GuardedRoute)

Reader = Annotated[Actor, Depends(permitted(Permission.ASSETS_READ))]
Owner = Annotated[Actor, Depends(permitted(Permission.ASSETS_WRITE))]
Tag = Annotated[Name, Field(max_length=100)]
Right = Annotated[Text, Field(max_length=2_000)]

_KIND = "assets"


class AssetQuery(PageQuery):
    """Which assets are wanted."""

    collection: Name | None = None
    state: AssetState | None = Field(AssetState.PROTECTED, description="By default those that are protected.")
    words: Name | None = Field(None, description="Text in the title, the path or a tag.")
    weak: bool = Field(False, description="Only those whose copies may not be found.")


class AssetChanges(Input):
    """What is stated of an asset from now on; what is left out stays, an empty text takes a right away."""

    title: Name | None = None
    collection: Name | None = None
    tags: list[Tag] | None = Field(None, max_length=100)
    creator: Right | None = None
    copyright_notice: Right | None = None
    licensor: Right | None = None
    web_statement: Right | None = None
    registration: Right | None = None


@router.get("", summary="List assets", response_model=schemas.Assets, responses=problems(), operation_id="list_assets")
def list_assets(request: Request, actor: Reader, query: Annotated[AssetQuery, Query()]) -> dict[str, Any]:
    """Return a page of assets, in the order in which they were added."""
    after = int(cursors.read(query.cursor, _KIND, (int,))[0]) if query.cursor is not None else None
    wanted = AssetFilter(query.collection, query.state, query.words, query.weak)
    with desk_of(request).store.read() as tx:
        # One more than is wanted says whether there is a next page.
        found = tx.assets.page(wanted, query.limit + 1, after=after)
    shown = found[: query.limit]
    next_cursor = cursors.written(_KIND, shown[-1].number) if len(found) > query.limit else None
    return {"items": [asset_json(one) for one in shown], "next_cursor": next_cursor}


@router.get(
    "/{asset_id}",
    summary="Show an asset",
    response_model=schemas.Asset,
    responses=problems(404),
    operation_id="get_asset",
)
def get_asset(request: Request, actor: Reader, asset_id: IdInPath) -> dict[str, Any]:
    """Return an asset and the ids of the other versions of its work."""
    with desk_of(request).store.read() as tx:
        return _object_of(tx, _asset(tx, asset_id))


@router.post(
    "",
    summary="Protect a picture",
    response_model=schemas.AddedAsset,
    responses=problems(409, 413),
    operation_id="protect_picture",
)
async def protect_picture(
    request: Request,
    actor: Owner,
    picture: Annotated[UploadFile, File(description="The picture's file.")],
    collection: Annotated[Name, Form()],
    title: Annotated[Name | None, Form()] = None,
    tag: Annotated[list[Tag], Form(max_length=100)] = [],  # noqa: B006 - FastAPI copies it
    again: Annotated[bool, Form(description="Protect also what was taken out before.")] = False,
) -> dict[str, Any]:
    """Protect a picture. Safe to repeat: bytes that are protected already are `known`; `error` says why one cannot be.

    What is not stated is read from the file's IPTC, XMP and EXIF fields.
    """
    # Imported late: it loads the index and its compiled kernels.
    from guardian.catalog.results import added_json, moves_licences
    from guardian.catalog.wanted import Wanted

    desk = desk_of(request)
    catalog = catalog_of(desk)
    async with received(desk, picture) as path:
        wanted = Wanted(path, collection, title, tuple(tag), Rights(), names_collection=True)
        async with aclosing(catalog.add([wanted], again=again)) as added:
            (result,) = [one async for one in added]

    asset = result.asset
    shown = added_json(result) | {"path": name_of(picture)}
    if asset is None:
        return shown

    def note(tx: Transaction) -> Asset | None:
        if asset.path == str(path):
            tx.assets.move(asset.id, f"upload/{name_of(picture)}")
        if moves_licences(result):
            judge_uses_of(tx, [asset.id], lambda: judging_of(desk), desk.clock())
        tx.audit.add(actor, f"asset.{shown['outcome']}", asset.id, desk.clock(), {"collection": asset.collection})
        return tx.assets.get(asset.id)

    kept = await run_in_threadpool(desk.store.run, note)
    return shown | {"asset": asset_json(kept or asset)}


@router.patch(
    "/{asset_id}",
    summary="Correct an asset",
    response_model=schemas.Asset,
    responses=problems(404, 409, 413),
    operation_id="edit_asset",
)
def edit_asset(request: Request, actor: Owner, asset_id: IdInPath, body: AssetChanges) -> dict[str, Any]:
    """Correct title, collection, tags and rights. Cases follow at once when the collection changes."""
    stated = body.model_dump(exclude_unset=True)
    title, collection, tags = (stated.pop(name, None) for name in ("title", "collection", "tags"))
    correction = Correction(title, collection, tuple(tags) if tags is not None else None, stated)
    if correction == Correction():
        raise UsageError("nothing to change: name at least one field")

    desk = desk_of(request)

    def write(tx: Transaction) -> dict[str, Any]:
        correct_asset(tx, desk, actor, _asset(tx, asset_id), correction)
        return _object_of(tx, _asset(tx, asset_id))

    return desk.store.run(write)


@router.delete(
    "/{asset_id}",
    summary="Take an asset out of protection",
    response_model=schemas.Asset,
    responses=problems(404, 409),
    operation_id="remove_asset",
)
async def remove_asset(request: Request, actor: Owner, asset_id: IdInPath) -> dict[str, Any]:
    """Take an asset out of all answers at once. Cases and evidence stay; sent again, it changes nothing."""
    desk = desk_of(request)

    def known() -> Asset:
        with desk.store.read() as tx:
            return _asset(tx, asset_id)

    asset = await run_in_threadpool(known)
    taken = await catalog_of(desk).withdraw([asset.id])

    def note() -> dict[str, Any]:
        with desk.store.begin() as tx:
            if taken:
                tx.audit.add(actor, "asset.removed", asset.id, desk.clock())
            return _object_of(tx, _asset(tx, asset_id))

    return await run_in_threadpool(note)


def _asset(tx: Transaction, asset_id: str) -> Asset:
    asset = tx.assets.get(asset_id)
    if asset is None:
        raise not_found(f"there is no asset {asset_id}; GET /api/v1/assets lists them")
    return asset


def _object_of(tx: Transaction, asset: Asset) -> dict[str, Any]:
    work = tx.works.of_asset(asset.id)
    versions = [one.id for one in work.assets if one.id != asset.id] if work is not None else []
    return asset_json(asset) | {"versions": versions}
