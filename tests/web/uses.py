"""Uses of pictures for the tests of the desk: recorded as a scan records them, with real bytes behind them."""

import io
from dataclasses import replace
from datetime import timedelta

import numpy as np
from PIL import Image

from guardian.cases import Kept, RecordedUse, record
from guardian.model import (
    Action,
    Asset,
    Audience,
    Case,
    Comparison,
    Context,
    Decision,
    LicenceStatus,
    Severity,
    Sighting,
    Transform,
)
from guardian.web.desk import Desk


def picture_bytes(seed: int, size: tuple[int, int] = (320, 240)) -> bytes:
    """A picture of soft colours, another one for each seed, as JPEG."""
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    written = io.BytesIO()
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(written, "JPEG", quality=85)
    return written.getvalue()


def protected(desk: Desk, content: bytes, title: str, collection: str = "portfolio") -> Asset:
    """An asset with these bytes, without an index: the pages only show it."""
    image = Image.open(io.BytesIO(content))
    with desk.store.begin() as tx:
        sha256 = desk.originals.keep(content)
        asset = tx.assets.reserve(
            sha256, title=title, collection=collection, path=f"/p/{title}.jpg", size=image.size, at=desk.clock()
        )
        tx.assets.protect([asset.number])
        return asset


def used(
    desk: Desk,
    asset: Asset,
    content: bytes,
    page_url: str,
    *,
    context: Context | None = None,
    severity: Severity = Severity.MEDIUM,
    probability: float = 0.987,
    days_ago: int = 0,
) -> Case:
    """The case of a use of an asset that was seen on a page."""
    width = Image.open(io.BytesIO(content)).width
    scale = width / asset.width / 0.8
    transform = Transform(
        (scale, 0.0, -0.1 * asset.width * scale, 0.0, scale, -0.1 * asset.height * scale),
        mirrored=False,
        angle_degrees=0.0,
        scale=scale,
        asset_box=(0.1, 0.1, 0.9, 0.9),
        candidate_box=(0.0, 0.0, 1.0, 1.0),
    )
    comparison = Comparison(
        probability,
        hash_distance=21,
        keypoint_inliers=131,
        asset_coverage=0.64,
        candidate_coverage=1.0,
        transform=transform,
        aligned_similarity=0.93,
        description="cropped to 64 %",
    )
    at = desk.clock() - timedelta(days=days_ago)
    digest = desk.vault.keep(content)
    use = RecordedUse(
        sighting=Sighting("web", f"{page_url}/copy.jpg", page_url, at, context or Context(alt="a picture")),
        candidate_sha256=digest,
        asset=asset,
        comparison=comparison,
        licence_status=LicenceStatus.NONE,
        decision=Decision(Action.ALERT, "copies", severity),
        at=at,
        kept=Kept(digest),
    )
    with desk.store.begin() as tx:
        finding = record(tx, use, Audience())
        again = replace(use, at=desk.clock(), sighting=replace(use.sighting, seen_at=desk.clock()))
        finding = record(tx, again, Audience()) if days_ago else finding
        case = tx.cases.get(finding.case_id or "")
    assert case is not None
    return case
