"""Protected images as JSON."""

from typing import Any

from guardian.model import Asset
from guardian.views.timestamps import json_timestamp


def asset_json(asset: Asset) -> dict[str, Any]:
    """Return the object of one asset: `asset list --json`, `asset show`, and inside `asset add --json`."""
    rights = asset.rights
    return {
        "id": asset.id,
        "work": asset.work_id,
        "number": asset.number,
        "title": asset.title,
        "collection": asset.collection,
        "path": asset.path,
        "sha256": asset.sha256,
        "perceptual_hash": asset.perceptual_hash,
        "width": asset.width,
        "height": asset.height,
        "added_at": json_timestamp(asset.added_at),
        "tags": list(asset.tags),
        "rights": {
            "creator": rights.creator,
            "copyright_notice": rights.copyright_notice,
            "licensor": rights.licensor,
            "web_statement": rights.web_statement,
            "registration": rights.registration,
        },
        "state": asset.state.value,
    }
