"""What an owner states about an asset, and what changes when they state it anew: title, collection, tags, rights."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from guardian.catalog.rights import filled
from guardian.catalog.wanted import Wanted, as_text
from guardian.model import Asset


@dataclass(frozen=True, slots=True)
class ChangedDetail:
    """One detail of an asset that was changed: its name as in CSV files, and its texts ("" for none)."""

    name: str
    before: str
    after: str


def corrected(asset: Asset, wanted: Wanted) -> Asset:
    """Return a known asset as the owner now states it. What they leave out stays.

    A collection that no CSV row names was given for a whole folder. It counts only for the file that the asset was
    added from: a copy of it in the folder of another collection is no correction.
    """
    is_same_file = asset.path == as_text(wanted.path)
    return replace(
        asset,
        title=wanted.title or asset.title,
        collection=wanted.collection if wanted.names_collection or is_same_file else asset.collection,
        tags=wanted.tags or asset.tags,
        rights=filled(wanted.rights, asset.rights),
    )


@dataclass(frozen=True, slots=True)
class Correction:
    """What an owner states of an asset by hand. None leaves a detail as it is; "" and () take it away."""

    title: str | None = None
    collection: str | None = None
    tags: tuple[str, ...] | None = None
    rights: Mapping[str, str | None] = field(default_factory=dict)


def edited(asset: Asset, correction: Correction) -> Asset:
    """Return an asset as it is after a correction."""
    stated = {name: value or None for name, value in correction.rights.items() if value is not None}
    return replace(
        asset,
        title=correction.title or asset.title,
        collection=correction.collection or asset.collection,
        tags=asset.tags if correction.tags is None else correction.tags,
        rights=replace(asset.rights, **stated),
    )


def changes(before: Asset, after: Asset) -> tuple[ChangedDetail, ...]:
    """Return what differs between two states of an asset."""
    old, new = _texts(before), _texts(after)
    return tuple(ChangedDetail(name, old[name], new[name]) for name in old if old[name] != new[name])


def _texts(asset: Asset) -> dict[str, str]:
    rights = {name: value or "" for name, value in asdict(asset.rights).items()}
    return {"title": asset.title, "collection": asset.collection, "tags": "; ".join(asset.tags), **rights}
