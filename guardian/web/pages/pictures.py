"""Pictures, strangers' and one's own, from a route of their own: made anew, bounded, never raw."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from guardian.errors import GuardianError
from guardian.evidence import Vault
from guardian.evidence.comparison import heat_map_name, heat_map_of, shared_points_of
from guardian.evidence.vault import is_digest
from guardian.matching.workers import Workers
from guardian.model import Asset, Comparison, Finding, Permission
from guardian.store import Transaction
from guardian.web.desk import desk_of
from guardian.web.pages.access import person_may
from guardian.web.pictures import PictureSize

router = APIRouter(prefix="/pictures", include_in_schema=False)

Drawing = Callable[[Workers, bytes, bytes, Comparison], Awaitable[bytes]]
"""What draws two pictures, one's own and theirs, by how they were compared."""

_NOT_THERE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 90" width="120" height="90">
<rect width="120" height="90" fill="#8883"/><path d="M20 70 50 35l20 22 12-12 20 25z" fill="#8886"/>
<path d="M12 12 108 78" stroke="#888" stroke-width="3"/></svg>"""


@router.get("/asset/{asset_id}/{size}", dependencies=[Depends(person_may(Permission.ASSETS_READ))])
async def show_asset(request: Request, asset_id: str, size: PictureSize) -> Response:
    """Show an image of one's own."""
    desk = desk_of(request)

    def digest() -> str | None:
        with desk.store.read() as tx:
            asset = tx.assets.get(asset_id)
        return asset.sha256 if asset is not None else None

    return await _shown(request, desk.originals, await run_in_threadpool(digest), size)


@router.get("/found/{finding_id}/{size}", dependencies=[Depends(person_may(Permission.CASES_READ))])
async def show_found(request: Request, finding_id: str, size: PictureSize, version: str = "") -> Response:
    """Show the picture that was kept of a finding: the last one, or the version of this digest."""
    desk = desk_of(request)

    def kept() -> tuple[str | None, int | None]:
        with desk.store.read() as tx:
            return _kept_of(tx, finding_id, version)

    digest, frame = await run_in_threadpool(kept)
    return await _shown(request, desk.vault, digest, size, frame)


@router.get("/searched/{digest}/{size}", dependencies=[Depends(person_may(Permission.SEARCH))])
async def show_searched(request: Request, digest: str, size: PictureSize) -> Response:
    """Show the picture that a search under a name asks with."""
    vault = desk_of(request).search_pictures
    # What was made small is remembered; it is shown as long as the search is kept.
    is_kept = is_digest(digest) and await run_in_threadpool(vault.holds, digest)
    return await _shown(request, vault, digest if is_kept else None, size)


@router.get("/heat-map/{finding_id}", dependencies=[Depends(person_may(Permission.CASES_READ))])
async def show_heat_map(request: Request, finding_id: str) -> Response:
    """Show where the two pictures of a finding agree: measured when it is asked for, and remembered."""
    return await _measured(request, finding_id, "", heat_map_of)


@router.get("/points/{finding_id}", dependencies=[Depends(person_may(Permission.CASES_READ))])
async def show_points(request: Request, finding_id: str) -> Response:
    """Show the points that were recognised in both pictures of a finding, as the heat map is shown."""
    return await _measured(request, finding_id, "-points", shared_points_of)


async def _measured(request: Request, finding_id: str, ending: str, draw: Drawing) -> Response:
    """Show what is drawn of the two pictures of a finding. `ending`: tells it from what else is drawn of them."""
    desk = desk_of(request)

    def read() -> tuple[Finding | None, Asset | None]:
        with desk.store.read() as tx:
            finding = tx.findings.get(finding_id)
            return finding, tx.assets.get(finding.asset_id) if finding is not None else None

    finding, asset = await run_in_threadpool(read)
    if finding is None or asset is None or finding.image_sha256 is None or desk.services is None:
        return _missing("its picture was not kept, or nothing can be compared here")

    digest, workers, comparison = finding.image_sha256, desk.services.workers, finding.comparison
    name = heat_map_name(workers, asset.sha256, digest, comparison) + ending
    headers = {"etag": f'"{name[:32]}{ending}"', "cache-control": "private, no-cache"}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)

    async def make() -> bytes:
        mine = await run_in_threadpool(desk.originals.get, asset.sha256)
        theirs = await run_in_threadpool(desk.vault.get, digest)
        return await desk.pictures.made(await draw(workers, mine, theirs, comparison), PictureSize.FULL)

    try:
        content = await desk.pictures.remembered(name, make)
    except GuardianError as error:
        return _missing(str(error))
    return Response(content, media_type="image/webp", headers=headers)


def _kept_of(tx: Transaction, finding_id: str, version: str) -> tuple[str | None, int | None]:
    """Return the digest of what was kept of a finding and which frame of it is meant; nothing where it is not its."""
    finding = tx.findings.get(finding_id)
    if finding is None:
        return None, None
    if not version or version == finding.image_sha256:
        return finding.image_sha256, finding.comparison.frame
    return (version, None) if version in {one.image_sha256 for one in tx.versions.of(finding.id)} else (None, None)


async def _shown(
    request: Request, vault: Vault, digest: str | None, size: PictureSize, frame: int | None = None
) -> Response:
    if digest is None:
        return _missing("it was not kept")
    tag = f'"{digest[:32]}-{size.value}-{frame or 1}"'
    # Asked for each time, so that nothing is seen after signing out, and sent once.
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)

    try:
        content = await desk_of(request).pictures.shown(vault, digest, size, frame)
    except GuardianError as error:
        return _missing(str(error))
    return Response(content, media_type="image/webp", headers=headers)


def _missing(reason: str) -> Response:
    headers = {"x-reason": reason.encode("ascii", "replace").decode()[:200]}
    return Response(_NOT_THERE, status_code=404, media_type="image/svg+xml", headers=headers)
