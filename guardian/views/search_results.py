"""Results of a search as JSON: one object for each, best first."""

from typing import Any

from guardian.model import Asset


def result_json(rank: int, kind: str, asset: Asset | None, score: float, by: str, why: str) -> dict[str, Any]:
    """Return the object that `search --json` prints for one result."""
    shown = None
    if asset is not None:
        shown = {"id": asset.id, "title": asset.title, "path": asset.path, "collection": asset.collection}
    return {"rank": rank, "kind": kind, "asset": shown, "seen": None, "score": score, "by": by, "why": why}
