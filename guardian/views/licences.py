"""Licences as JSON and in words, and what each status of a use is called."""

from dataclasses import replace
from pathlib import PurePath
from typing import Any

from guardian.model import Asset, Licence, LicenceStatus

# Two tables, since "lapsed" reads differently of a use on a host and of the licence itself.
USE_TEXTS = {
    LicenceStatus.LICENSED: "licensed to this host",
    LicenceStatus.LAPSED: "a licence for this host has lapsed",
    LicenceStatus.NOT_YET: "a licence for this host has not begun",
    LicenceStatus.OUT_OF_SCOPE: "this host has a licence, but not for this image",
    LicenceStatus.NONE: "no licence for this host",
}
"""What the licences say about one use, in words."""

TODAY_TEXTS = {
    LicenceStatus.LICENSED: "holds today",
    LicenceStatus.LAPSED: "has ended",
    LicenceStatus.NOT_YET: "has not begun",
}
"""What one licence is today, in words. A licence by itself has no other status."""


def licence_json(licence: Licence, today: LicenceStatus) -> dict[str, Any]:
    """Return the object of one licence, as `licence list --json` prints it. `today` is its status on this day."""
    return {
        "id": licence.id,
        "host": licence.host,
        "asset_id": licence.asset_id,
        "collection": licence.collection,
        "valid_from": licence.valid_from.isoformat() if licence.valid_from else None,
        "valid_until": licence.valid_until.isoformat() if licence.valid_until else None,
        "territory": licence.territory,
        "proof_file": licence.proof_file,
        "today": today.value,
        "path": licence.path,
        "tag": licence.tag,
        "medium": licence.medium,
        "note": licence.note,
        "proof_sha256": licence.proof_sha256,
    }


def licence_cells(licence: Licence) -> dict[str, str]:
    """Return a licence as a row of a CSV file of licences, by column; its proof is no part of it."""
    return {
        "host": licence.host,
        # Not as one address: only the accounts of known platforms are read back from that.
        "path": licence.path or "",
        "asset": licence.asset_id or "",
        "collection": licence.collection or "",
        "tag": licence.tag or "",
        "from": licence.valid_from.isoformat() if licence.valid_from else "",
        "until": licence.valid_until.isoformat() if licence.valid_until else "",
        "territory": licence.territory or "",
        "medium": licence.medium or "",
        "note": licence.note or "",
    }


def for_others(licence: Licence) -> Licence:
    """Return a licence as others may see it: the file of its proof by its name, for folders are nobody's business."""
    name = PurePath(licence.proof_file).name if licence.proof_file else licence.proof_file
    return replace(licence, proof_file=name)


def scope_text(licence: Licence, asset: Asset | None) -> str:
    """Return what a licence covers, in words.

    `asset` is the one that the licence names; None when it names a collection, or an asset that is gone.
    """
    if licence.tag is not None:
        return f"the images tagged {licence.tag}"
    if licence.asset_id is None:
        return f"the collection {licence.collection}"
    return f"“{asset.title}” ({licence.asset_id})" if asset else licence.asset_id


def grant_text(licence: Licence, scope: str) -> str:
    """Return who may use what, when and where, as a sentence without its full stop. `scope` as scope_text says it."""
    words = f"{licence.place} may use {scope}{_period_text(licence)}"
    if licence.territory:
        words += f", territory {licence.territory}"
    if licence.medium:
        words += f", medium {licence.medium}"
    if licence.proof_file:
        words += f", proof {licence.proof_file}"
    if licence.note:
        words += f" ({licence.note})"
    return words


def _period_text(licence: Licence) -> str:
    first = f" from {licence.valid_from}" if licence.valid_from else ""
    last = f" until {licence.valid_until}" if licence.valid_until else ""
    return first + last or " without end"
