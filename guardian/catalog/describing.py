"""Reads the keywords and captions in files that were added before guardian kept them, little by little."""

import asyncio

import structlog

from guardian.catalog.context import CatalogContext
from guardian.catalog.rights import read_metadata
from guardian.errors import GuardianError, WorkerLost, WorkersUnavailable
from guardian.model import Asset, AssetState, Description, SkipReason

_AT_ONCE = 50

LEFT = "undescribed_assets"
"""The name under which the number is kept up to which files are still to be read; the newest ones are read first."""

log = structlog.get_logger(__name__)


async def describe_some(context: CatalogContext) -> int:
    """Read some files; return how many assets were looked at, 0 when all are.

    A file that ends its worker by itself is passed over for good, like one that cannot be read. Raises
    WorkersUnavailable, and WorkerLost for a worker that was killed from outside, which says nothing of its file: what
    was read before is kept, and the next call begins with that file.
    """
    up_to, assets = await asyncio.to_thread(_next, context)
    if up_to is None:
        return 0

    found: list[tuple[Asset, Description | None]] = []
    lost: WorkersUnavailable | WorkerLost | None = None
    for asset in assets:
        try:
            found.append((asset, await _described(context, asset)))
        except (WorkersUnavailable, WorkerLost) as error:
            lost = error
            break

    if found or lost is None:
        await asyncio.to_thread(_keep, context, up_to, found)
    if lost is not None:
        raise lost
    return len(assets)


def _next(context: CatalogContext) -> tuple[str | None, list[Asset]]:
    with context.store.read() as tx:
        up_to = tx.upkeep.value(LEFT)
        return up_to, [] if up_to is None else tx.assets.up_to(int(up_to), _AT_ONCE)


async def _described(context: CatalogContext, asset: Asset) -> Description | None:
    """Return what the file of an asset says of its content; None when it is known, or the original cannot be read.

    Raises as `describe_some`.
    """
    if asset.state is AssetState.WITHDRAWN or asset.description != Description():
        return None
    try:
        content = await asyncio.to_thread(context.originals.get, asset.sha256)
        return (await context.workers.run(read_metadata, content)).description
    except WorkersUnavailable:
        raise
    except GuardianError as error:
        if isinstance(error, WorkerLost) and error.reason is SkipReason.WORKER_KILLED:
            raise
        log.warning("description_not_read", asset=asset.id, path=asset.path, reason=str(error))
        return None


def _keep(context: CatalogContext, up_to: str, found: list[tuple[Asset, Description | None]]) -> None:
    with context.store.begin() as tx:
        if tx.upkeep.value(LEFT) != up_to:
            # Another process has read these files meanwhile.
            return
        for asset, description in found:
            if description not in (None, Description()) and tx.assets.get(asset.id) == asset:
                tx.assets.describe(asset.id, description)
        if found:
            tx.upkeep.note(LEFT, str(found[-1][0].number - 1))
        else:
            tx.upkeep.drop(LEFT)
