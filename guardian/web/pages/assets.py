"""One's own images: a grid, one in detail with its rights and who uses it, and an upload to protect."""

import asyncio
import re
import secrets
from pathlib import Path

from fastapi import APIRouter, Depends, File, Form, HTTPException, Query, Request, UploadFile
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from guardian.catalog.details import Correction
from guardian.catalog.wanted import Wanted
from guardian.errors import UsageError
from guardian.model import Asset, AssetFilter, BrowserSession, Case, Permission
from guardian.store import Transaction
from guardian.views.assets import asset_facts, weakness_words
from guardian.views.plain_text import cleaned
from guardian.views.timestamps import page_timestamp
from guardian.web.auth.requests import person_acting
from guardian.web.correcting import correct_asset
from guardian.web.desk import desk_of
from guardian.web.pages.access import person_may
from guardian.web.pages.forms import picture_in
from guardian.web.rendering import page

router = APIRouter(prefix="/assets", include_in_schema=False)

READER = Depends(person_may(Permission.ASSETS_READ))
_ON_A_PAGE = 120
_UPLOADS = "uploads"
_LONGEST_NAME, _LONGEST_RIGHT = 200, 2_000
RIGHTS = {
    "creator": "Creator",
    "copyright_notice": "Copyright notice",
    "licensor": "Licensor",
    "web_statement": "Web statement of rights",
    "registration": "Registration",
}
"""The rights that are stated of an image, and what people call them."""

_UNSAFE = re.compile(r"[^\w.()-]+")


@router.get("", dependencies=[READER])
async def show_assets(
    request: Request,
    collection: str = Query("", max_length=200),
    words: str = Query("", max_length=200),
    weak: str = "",
    after: int | None = Query(None, ge=0, lt=2**63),
) -> Response:
    """Show the images that are protected, the newest first; `after` is the number of the last one that was shown."""
    desk = desk_of(request)
    wanted = AssetFilter(collection or None, words=words.strip() or None, weak=bool(weak))

    def read() -> tuple[list[Asset], int, list[str]]:
        with desk.store.read() as tx:
            found = tx.assets.page(wanted, _ON_A_PAGE + 1, after=after, newest_first=True)
            return found, tx.assets.count_matching(wanted), tx.assets.collections()

    found, total, collections = await run_in_threadpool(read)
    shown = found[:_ON_A_PAGE]
    return page(
        request,
        "assets.html",
        assets=[(asset, weakness_words(asset)) for asset in shown],
        total=total,
        collections=collections,
        collection=collection,
        words=words,
        weak=bool(weak),
        following=shown[-1].number if len(found) > _ON_A_PAGE else None,
    )


@router.post("")
async def protect(
    request: Request,
    session: BrowserSession = Depends(person_may(Permission.ASSETS_WRITE)),  # noqa: B008 - FastAPI's way
    picture: UploadFile = File(),  # noqa: B008
    collection: str = Form("", max_length=200),
    title: str = Form("", max_length=500),
) -> Response:
    """Protect a picture that is sent; say why when it cannot be."""
    desk = desk_of(request)
    if desk.catalog is None:
        raise UsageError("the catalogue is not opened here; ask the daemon (`guardian run`)")
    if not collection.strip():
        raise UsageError("name the collection that it belongs to")
    content = await picture_in(picture, "`guardian asset add`")

    path = await asyncio.to_thread(_written, desk.data_dir / _UPLOADS, picture.filename or "picture", content)
    wanted = Wanted(path, collection.strip(), title.strip() or None, names_collection=True)
    async for result in desk.catalog().add([wanted]):
        if result.asset is None:
            why = "it cannot be decoded"
            if result.problem is not None:
                why = f"{result.problem.word.replace('_', ' ')}: {result.problem.detail}"
            raise UsageError(f"this picture is not protected: {why}")
        asset = result.asset
    actor = person_acting(request, session)

    def note() -> None:
        with desk.store.begin() as tx:
            tx.audit.add(actor, "asset.added", asset.id, desk.clock(), {"title": asset.title[:200]})

    await run_in_threadpool(note)
    return RedirectResponse(f"/assets/{asset.id}", status_code=303)


@router.get("/{asset_id}", dependencies=[READER])
async def show_asset(request: Request, asset_id: str, saved: str = "") -> Response:
    """Show one image: what is known of it, its versions, and who uses it."""
    desk = desk_of(request)

    def read() -> tuple[Asset, list[Asset], list[Case], list[str]] | None:
        with desk.store.read() as tx:
            asset = tx.assets.get(asset_id)
            if asset is None:
                return None
            work = tx.works.of_asset(asset.id)
            others = [one for one in work.assets if one.id != asset.id] if work is not None else []
            return asset, others, tx.cases.list(asset_id=asset.id, limit=200), tx.assets.collections()

    found = await run_in_threadpool(read)
    if found is None:
        raise HTTPException(404, f"there is no asset {asset_id[:80]}")
    asset, versions, cases, collections = found
    facts = asset_facts(asset, [one.id for one in versions], page_timestamp)
    return page(
        request,
        "asset.html",
        asset=asset,
        facts=facts.items(),
        versions=versions,
        cases=cases,
        rights=RIGHTS,
        editable=_editable(asset),
        collections=collections,
        saved=bool(saved),
    )


@router.post("/{asset_id}")
async def correct(
    request: Request,
    asset_id: str,
    session: BrowserSession = Depends(person_may(Permission.ASSETS_WRITE)),  # noqa: B008 - FastAPI's way
) -> Response:
    """State title, collection, tags and rights of an image anew; an empty right is taken away."""
    form = await request.form(max_fields=20)
    sent = {name: str(form.get(name, "")).strip() for name in ("title", "collection", "tags", *RIGHTS)}
    desk = desk_of(request)
    actor = person_acting(request, session)

    def write(tx: Transaction) -> bool:
        asset = tx.assets.get(asset_id)
        if asset is not None:
            correct_asset(tx, desk, actor, asset, _correction(asset, sent))
        return asset is not None

    if not await run_in_threadpool(desk.store.run, write):
        raise HTTPException(404, f"there is no asset {asset_id[:80]}")
    return RedirectResponse(f"/assets/{asset_id}?saved=1", status_code=303)


def _editable(asset: Asset) -> dict[str, str]:
    """Return the details of an asset as its form shows them: one line each, no signs that turn the writing."""
    rights = {name: getattr(asset.rights, name) or "" for name in RIGHTS}
    details = {"title": asset.title, "collection": asset.collection, "tags": "; ".join(asset.tags), **rights}
    return {name: cleaned(value) for name, value in details.items()}


def _correction(asset: Asset, sent: dict[str, str]) -> Correction:
    """Return what a form states anew. A field that was sent as it was shown leaves the detail as it is stored.

    Raises UsageError for a text that is too long.
    """
    shown = _editable(asset)
    stated = {name: value for name, value in sent.items() if value != shown[name]}
    for name, value in stated.items():
        longest = _LONGEST_NAME if name in ("title", "collection") else _LONGEST_RIGHT
        if len(value) > longest:
            raise UsageError(f"{name}: {longest} characters at most, these are {len(value)}")

    tags = None
    if "tags" in stated:
        tags = tuple(dict.fromkeys(tag.strip()[:100] for tag in stated["tags"].split(";") if tag.strip()))
    rights: dict[str, str | None] = {name: stated[name] for name in RIGHTS if name in stated}
    return Correction(stated.get("title"), stated.get("collection"), tags, rights)


def _written(folder: Path, name: str, content: bytes) -> Path:
    """Write what was sent under its own name, made harmless, in a folder of its own; return where."""
    own = folder / secrets.token_hex(8)
    own.mkdir(parents=True, mode=0o700)
    path = own / (_UNSAFE.sub("_", Path(name).name).strip("._")[-100:] or "picture")
    path.write_bytes(content)
    return path.absolute()
