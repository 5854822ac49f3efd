"""Works as JSON and in words."""

from collections.abc import Sequence
from typing import Any

from guardian.model import Asset, AssetState, Case, Parted, Work
from guardian.views.timestamps import json_timestamp


def work_json(work: Work) -> dict[str, Any]:
    """Return the object of one work: `work list --json`, and the beginning of `work show --json`."""
    return {
        "id": work.id,
        "assets": [
            {
                "id": asset.id,
                "title": asset.title,
                "collection": asset.collection,
                "path": asset.path,
                "width": asset.width,
                "height": asset.height,
                "state": asset.state.value,
            }
            for asset in work.assets
        ],
    }


def work_detail_json(work: Work, parted: Sequence[Parted], cases: Sequence[Case]) -> dict[str, Any]:
    """Return the object of one work with what a person has split from it and the ids of its cases."""
    split = [
        {
            "asset_id": pair.asset_id,
            "other_id": pair.other_id,
            "at": json_timestamp(pair.at),
            "by": pair.by,
            "note": pair.note,
        }
        for pair in parted
    ]
    return work_json(work) | {"split": split, "cases": [case.id for case in cases]}


def version_text(asset: Asset) -> str:
    """Return one version of a work in words: its size, its collection, and that it is out of protection."""
    words = f"{asset.width}x{asset.height}, {asset.collection}"
    return words if asset.state is not AssetState.WITHDRAWN else f"{words}, taken out of protection"
