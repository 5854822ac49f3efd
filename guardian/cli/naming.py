"""Finds assets and works by what people type: the beginning of an id, as long as it is unique."""

from guardian.errors import UsageError
from guardian.model import Asset, Work
from guardian.store import Transaction


def asset_starting_with(tx: Transaction, start: str) -> Asset:
    """Return the only asset whose id begins so; `start` may lack "asset_".

    Raises UsageError when there is none, or several.
    """
    prefix = start if start.startswith("asset_") else f"asset_{start}"
    found = [asset for asset in tx.assets.list() if asset.id.startswith(prefix)]
    if not found:
        raise UsageError(f"there is no asset {start}; `guardian asset list` shows them")
    if len(found) > 1:
        raise UsageError(f"{len(found)} assets start with {start}: {', '.join(asset.id for asset in found[:5])}")
    return found[0]


def work_starting_with(tx: Transaction, start: str) -> Work:
    """Return the only work whose id, or an id of its assets, begins so; `start` may lack "work_", not "asset_".

    Raises UsageError when there is none, or several.
    """
    if start.startswith("asset_"):
        of_asset = tx.works.of_asset(asset_starting_with(tx, start).id)
        found = [of_asset] if of_asset is not None else []
    else:
        found = tx.works.starting_with(start if start.startswith("work_") else f"work_{start}")
    if not found:
        raise UsageError(f"there is no work {start}; `guardian work list --all` shows them")
    if len(found) > 1:
        raise UsageError(f"{len(found)} works start with {start}: {', '.join(work.id for work in found[:5])}")
    return found[0]
