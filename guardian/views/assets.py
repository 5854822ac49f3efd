"""Protected images as JSON."""

from typing import Any

from guardian.model import Asset, SelfCheck
from guardian.views.timestamps import json_timestamp


def weakness_words(asset: Asset) -> str:
    """Return why copies of an asset may not be found, "" when they were or were not searched for yet."""
    found = asset.self_check
    if found is None or found.weakness is None:
        return ""
    return found.weakness.words


def asset_json(asset: Asset) -> dict[str, Any]:
    """Return the object of one asset: `asset list --json`, `asset show`, and inside `asset add --json`."""
    rights = asset.rights
    return {
        "id": asset.id,
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
        "by_bytes_only": asset.by_bytes_only,
        "self_check": _self_check(asset.self_check),
        "work": asset.work_id,
    }


def _self_check(found: SelfCheck | None) -> dict[str, Any] | None:
    """Return what came of searching for an asset; null before it was searched for."""
    if found is None:
        return None
    return {
        "recipe": found.recipe,
        "probability": found.probability,
        "weak": found.weakness.value if found.weakness else None,
        "detail": found.detail,
    }
