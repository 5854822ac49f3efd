"""Protected images as JSON and as labelled facts for people."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from guardian.model import Asset, PictureLabel, SelfCheck
from guardian.views.timestamps import json_timestamp, minute_text


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
        "labels": labels_json(asset.labels),
        "shoot": asset.shoot,
        "keywords": asset.description.keywords,
        "caption": asset.description.caption,
    }


def labels_json(labels: Sequence[PictureLabel]) -> list[dict[str, Any]]:
    """Return the labels of a picture, with where each came from and how sure it is."""
    return [{"term": label.term, "source": label.source.value, "share": label.share} for label in labels]


def label_text(label: PictureLabel) -> str:
    """Return a label in words, with its share where it is not certain: "dunes (neighbours, 75 %)"."""
    return label.term if label.share >= 1 else f"{label.term} ({label.source.value}, {label.share * 100:.0f} %)"


def asset_facts(
    asset: Asset, versions: Sequence[str], moment: Callable[[datetime], str] = minute_text
) -> dict[str, str]:
    """Return short labels and the text of each, in reading order; what is unknown is left out.

    `versions` are the ids of the other assets of its work, `moment` writes times. Some words are the file's own: escape
    them for the medium.
    """
    rights = asset.rights
    facts = {
        "asset": asset.id,
        "title": asset.title,
        "collection": asset.collection,
        "tags": ", ".join(asset.tags),
        "keywords": asset.description.keywords,
        "caption": asset.description.caption,
        "labels": ", ".join(label_text(label) for label in asset.labels),
        "shoot": f"{asset.shoot}, with declared siblings" if asset.shoot else None,
        "file": asset.path,
        "pixels": f"{asset.width}x{asset.height}",
        "sha256": asset.sha256,
        "perceptual hash": asset.perceptual_hash,
        "state": asset.state.value,
        "added": moment(asset.added_at),
        "weak": weakness_words(asset),
        "creator": rights.creator,
        "copyright notice": rights.copyright_notice,
        "licensor": rights.licensor,
        "web statement": rights.web_statement,
        "registration": rights.registration,
        "work": f"{asset.work_id}, also {', '.join(versions)}" if versions else asset.work_id,
    }
    return {label: text for label, text in facts.items() if text}


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
