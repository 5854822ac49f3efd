"""Results of a search as JSON: one object for each, best first."""

from collections.abc import Sequence
from typing import Any

from guardian.model import Asset, SeenAddress, SeenPicture
from guardian.views.timestamps import json_timestamp


def found_asset_json(asset: Asset | None) -> dict[str, Any] | None:
    """Return the `asset` of a result; null for a picture that was seen."""
    if asset is None:
        return None
    return {"id": asset.id, "title": asset.title, "path": asset.path, "collection": asset.collection}


def found_seen_json(seen: SeenPicture | None, addresses: Sequence[SeenAddress]) -> dict[str, Any] | None:
    """Return the `seen` of a result, with its places, the first one first; null for an asset."""
    if seen is None:
        return None
    return {
        "id": seen.id,
        "sha256": seen.sha256,
        "addresses": [
            {
                "image_url": one.image_url,
                "page_url": one.page_url,
                "host": one.host,
                "first_seen": json_timestamp(one.first_seen_at),
                "last_seen": json_timestamp(one.last_seen_at),
            }
            for one in addresses
        ],
        "first_seen": json_timestamp(seen.first_seen_at),
        "last_seen": json_timestamp(seen.last_seen_at),
    }
